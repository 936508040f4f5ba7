"""The référent puts a file into an evidence space: the verb."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError
from django.utils import timezone

from applications.actions import NotNow, write_answer
from applications.models import Application, Question, values_of
from applications.states import State
from demo.specimens import pdf
from ecare.journal.actions import broken_links
from ecare.journal.models import Entry
from evidence import actions
from evidence.files import Refused
from evidence.models import Evidence, StoredFile
from tests.evidence.conftest import (
    SPACE,
    assert_no_orphan,
    dossier_with,
    put_in,
    space_of,
    stored_names,
    upload,
)
from tests.factories import ApplicationFactory, FormFactory, UserFactory
from tests.faults import break_inserts_into
from tests.racing import at_once


def assert_nothing_entered():
    assert not Evidence.objects.exists()
    assert not StoredFile.objects.exists()
    assert not stored_names()


def test_a_file_enters_with_its_digest_and_the_answer_follows(application):
    evidence = put_in(application)
    file = evidence.file
    assert values_of(application)["espace-1"] == [
        {"id": str(file.pk), "name": "RIB.pdf", "size": file.size, "sha256": file.sha256}
    ]
    assert (evidence.added_after, evidence.withdrawn_after) == (0, None)
    assert file.media_type == "application/pdf"
    assert file.created_by == application.referent
    assert_no_orphan()


def test_the_history_says_who_put_what_where(application):
    file = put_in(application).file
    entry = Entry.objects.get(subject=application.subject)
    assert (entry.verb, entry.actor) == ("add_evidence", application.referent.actor[0])
    assert entry.data == {
        "question": "espace-1",
        "file": str(file.pk),
        "name": "RIB.pdf",
        "size": file.size,
        "sha256": file.sha256,
    }


def test_files_keep_the_order_in_which_they_came(application):
    for n in range(3):
        put_in(application, pdf(line=str(n)), name=f"{n}.pdf")
    assert [file["name"] for file in values_of(application)["espace-1"]] == ["0.pdf", "1.pdf", "2.pdf"]


def test_the_number_of_files_is_limited(application):
    for n in range(3):
        put_in(application, pdf(line=str(n)))
    with pytest.raises(Refused, match="déjà 3\u00a0fichiers"):
        put_in(application, pdf(line="4"))
    assert StoredFile.objects.count() == len(stored_names()) == 3


def test_the_same_file_twice_in_a_space_is_refused(application):
    put_in(application)
    with pytest.raises(Refused, match="déjà dans cet espace"):
        put_in(application, name="autre nom.pdf")
    assert_no_orphan()


def test_the_same_file_may_stand_in_two_spaces(db):
    application = dossier_with({}, {})
    put_in(application)
    put_in(application, key="espace-2")
    assert StoredFile.objects.count() == 2


@pytest.mark.parametrize("trait", ["ars", "ans", "administrator", None])
def test_nobody_but_the_referent_puts_a_file_in(application, trait):
    stranger = UserFactory(**({trait: True} if trait else {}))
    with pytest.raises(PermissionDenied):
        actions.add(application, space_of(application), upload=upload(), by=stranger, at=timezone.now())
    assert_nothing_entered()


def test_a_colleague_of_the_same_establishment_puts_nothing_in(application):
    colleague = UserFactory(establishment=application.establishment)
    with pytest.raises(PermissionDenied):
        actions.add(application, space_of(application), upload=upload(), by=colleague, at=timezone.now())
    assert_nothing_entered()


@pytest.mark.parametrize("state", [State.SUBMITTED, State.ACCEPTED, State.REJECTED, State.WITHDRAWN])
def test_a_sent_dossier_takes_no_file(db, state):
    application = dossier_with({}, state=state)
    with pytest.raises(NotNow, match="n’est plus modifiable"):
        put_in(application)
    assert_nothing_entered()


def test_a_dossier_handed_back_for_changes_takes_files(db):
    application = dossier_with({}, state=State.CHANGES_REQUESTED)
    assert put_in(application).added_after == 1


def test_a_draft_past_its_last_day_takes_no_file(application):
    application.domain.candidature_until = date(2024, 4, 19)
    application.domain.save()
    with pytest.raises(NotNow, match="n’est plus modifiable"):
        put_in(Application.objects.get(pk=application.pk))
    assert_nothing_entered()


def test_a_space_of_the_past_step_takes_no_file(db):
    candidature = FormFactory(questions=[{**SPACE, "key": "rib"}])
    application = ApplicationFactory(
        domain=candidature.domain, candidature_form=candidature, state=State.DECLARATION_OPEN
    )
    space = Question.objects.get(key="rib")
    with pytest.raises(NotNow):
        actions.add(application, space, upload=upload(), by=application.referent, at=timezone.now())
    assert_nothing_entered()


def test_a_question_that_is_no_space_takes_no_file(db):
    application = dossier_with({"kind": Question.Kind.TEXT})
    with pytest.raises(NotNow):
        put_in(application)
    assert_nothing_entered()


def test_a_space_that_other_answers_hide_takes_no_file(db):
    application = dossier_with({"shown_if": {"espace-2": ["non"]}}, {"kind": Question.Kind.TEXT})
    with pytest.raises(NotNow, match="n’est pas demandé"):
        put_in(application)
    assert_nothing_entered()
    write_answer(application, space_of(application, "espace-2"), "non")
    assert put_in(application)


@pytest.mark.parametrize("broken", [Evidence, Entry])
def test_a_fault_after_the_bytes_are_stored_leaves_neither_row_nor_bytes(application, broken):
    break_inserts_into(broken)
    with pytest.raises(DatabaseError, match="fault"):
        put_in(application)
    assert_nothing_entered()
    assert values_of(application) == {}


def test_a_stored_file_lives_and_dies_with_its_block(db):
    agent = UserFactory(ans=True)
    with actions.storing(upload(), formats=["pdf"], max_bytes=10_000, by=agent) as stored:
        assert stored.created_by == agent
    assert StoredFile.objects.count() == 1
    with (
        pytest.raises(NotNow),
        actions.storing(upload(pdf(line="2")), formats=["pdf"], max_bytes=10_000, by=agent),
    ):
        raise NotNow("Le dossier a changé.")
    assert StoredFile.objects.count() == 1
    assert_no_orphan()


def test_a_file_that_is_refused_leaves_neither_row_nor_bytes(db):
    agent = UserFactory(ans=True)
    refused = actions.storing(upload(b"bonjour"), formats=["pdf"], max_bytes=10_000, by=agent)
    with pytest.raises(Refused), refused:
        pytest.fail("the block runs for a checked file only")
    assert_nothing_entered()


@pytest.mark.django_db(transaction=True)
def test_many_at_once_never_pass_the_limit():
    application = dossier_with({"max_files": 3})

    def put(rank):
        mine = Application.objects.get(pk=application.pk)
        content = upload(pdf(line=str(rank)), name=f"{rank}.pdf")
        actions.add(mine, space_of(mine), upload=content, by=mine.referent, at=timezone.now())
        return "in"

    met = at_once(*[lambda rank=rank: put(rank) for rank in range(8)], refusals=(Refused,))
    outcomes = ["refused" if isinstance(one, Refused) else one for one in met]
    assert sorted(outcomes) == ["in"] * 3 + ["refused"] * 5
    assert Evidence.objects.count() == len(values_of(application)["espace-1"]) == 3
    assert not list(broken_links(application.subject))
    assert_no_orphan()


def test_the_instant_of_arrival_decides_whether_a_file_is_late(application):
    application.domain.candidature_until = timezone.localdate()
    application.domain.save()
    fresh = Application.objects.get(pk=application.pk)
    late = timezone.now() + timedelta(days=2)
    with pytest.raises(NotNow):
        actions.add(fresh, space_of(fresh), upload=upload(), by=fresh.referent, at=late)
    assert put_in(fresh)
