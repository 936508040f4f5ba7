"""What an infected file means in each state of a dossier: a literal table, a state without a row fails."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from applications.actions import NotNow
from applications.models import Answer, Application, Question, Submission
from applications.rules import known_of
from applications.states import IN_DECLARATION, State, Step
from demo.specimens import pdf
from ecare.journal.models import Entry
from ecare.letters.models import Letter
from evidence import actions, rules
from evidence.models import Evidence, StoredFile
from tests.applications.life_cycle import STATES, people
from tests.evidence.conftest import SPACE, upload
from tests.evidence.scanning import found_infected
from tests.factories import ApplicationFactory, DomainFactory, FormFactory, UserFactory

pytestmark = pytest.mark.django_db

# What the référent may do. `later`: replace the file, the new one leaves with the next sending; `at once`: replace it,
# the new one leaves by itself; `remove`: it was never sent; `no`: nothing. Then which agents are told.
OF_THE_CANDIDATURE = {
    "draft": ("remove", ""),
    "submitted": ("at once", "ars"),
    "changes_requested": ("later", "ars"),
    "accepted": ("at once", "ans"),
    "convention_signed": ("at once", "ans"),
    "rejected": ("no", ""),
    "declaration_open": ("at once", "ans"),
    "declaration_submitted": ("at once", "ars"),
    "declaration_changes_requested": ("at once", "ars"),
    "under_control": ("at once", "ans"),
    "validated": ("at once", "ans"),
    "paid": ("no", ""),
    "declaration_rejected": ("no", ""),
    "withdrawn": ("no", ""),
    "abandoned": ("no", ""),
}
OF_THE_DECLARATION = {
    "declaration_open": ("remove", ""),
    "declaration_submitted": ("at once", "ars"),
    "declaration_changes_requested": ("later", "ars"),
    "under_control": ("at once", "ans"),
    "validated": ("at once", "ans"),
    "paid": ("no", ""),
    "declaration_rejected": ("no", ""),
}


def test_every_state_has_a_row():
    assert list(OF_THE_CANDIDATURE) == STATES
    assert set(OF_THE_DECLARATION) == set(IN_DECLARATION)


def dossier_in(state: str, step: str, cast) -> tuple[Application, Evidence]:
    """With a file in a space of that step, sent unless that step never was."""
    domain = DomainFactory(declaration_until=timezone.localdate() + timedelta(days=9))
    for one in Step:
        FormFactory(domain=domain, step=one, questions=[SPACE | {"key": "espace-1"}])
    is_never_sent = (state, step) in (("draft", "candidature"), ("declaration_open", "declaration"))
    sendings = {"draft": 0}.get(state, 2 if state in IN_DECLARATION and state != "declaration_open" else 1)
    application = ApplicationFactory(
        state=State(state),
        referent=cast["owner"],
        domain=domain,
        candidature_form=domain.forms.get(step="candidature"),
        declaration_form=domain.forms.get(step="declaration") if state in IN_DECLARATION else None,
        sendings=sendings,
    )
    question = Question.objects.get(section__form__domain=domain, section__form__step=step, key="espace-1")
    evidence = put(application, question, added_after=sendings if is_never_sent else 0)
    if not is_never_sent and state != "draft":
        form = question.section.form
        content = {"reference": application.reference, "step": step, "form": 1, "answers": known_of(application, form)}
        by = {"by": cast["owner"], "digest": "a" * 64}
        Submission.objects.create(application=application, step=step, number=1, content=content, **by)
    if state in ("changes_requested", "declaration_changes_requested"):
        application.change_requests.create(step=application.step, desk="ars", by=cast["ars"], message="À corriger.")
    return application, evidence


def put(application, question, *, added_after: int) -> Evidence:
    """As `add` would while its step was open."""
    with actions.storing(
        upload(pdf(line="infecté")), formats=["pdf"], max_bytes=10**6, by=application.referent
    ) as stored:
        evidence = Evidence.objects.create(
            application=application, question=question, file=stored, added_after=added_after
        )
    value = {"id": str(stored.pk), "name": stored.name, "size": stored.size, "sha256": stored.sha256}
    Answer.objects.create(application=application, question=question, value=[value])
    return evidence


CASES = [
    *(("candidature", state, *row) for state, row in OF_THE_CANDIDATURE.items()),
    *(("declaration", state, *row) for state, row in OF_THE_DECLARATION.items()),
]


@pytest.mark.parametrize(("step", "state", "may", "desk"), CASES)
def test_what_it_opens_and_whom_it_is_told_to(step, state, may, desk, signed_in):
    cast = people(UserFactory().establishment)
    application, evidence = dossier_in(state, step, cast)
    sent = application.submissions.count()
    facts = Application.objects.values().get(pk=application.pk)
    found_infected(evidence)
    assert not StoredFile.objects.get().is_readable
    told = set(Letter.objects.filter(name="file_quarantined").values_list("recipient", flat=True))
    assert told == {cast["owner"].email} | ({cast[desk].email} if desk else set())
    verb = "quarantine_file_of_draft" if may == "remove" else "quarantine_file"
    assert Entry.objects.filter(subject=application.subject, verb=verb).count() == 1

    assert outcome(evidence, "replace") == (may in ("at once", "later"))
    now = Application.objects.values().get(pk=application.pk)
    expected = {"sendings": facts["sendings"] + 1, "version": facts["version"] + 1} if may == "at once" else {}
    assert now == facts | expected, "state and dates stand"
    assert application.submissions.count() == sent + (may == "at once")
    if may == "at once":
        assert application.submissions.get(step=step, number=2).is_supplement
        told = set(Letter.objects.filter(name="withheld_file_replaced").values_list("recipient", flat=True))
        assert told == {cast["owner"].email, cast[desk].email}


@pytest.mark.parametrize(("step", "state", "may", "desk"), CASES)
def test_its_page_offers_what_may_be_done_and_says_the_rest(step, state, may, desk, signed_in):
    cast = people(UserFactory().establishment)
    application, evidence = dossier_in(state, step, cast)
    found_infected(evidence)
    is_past = step == "candidature" and state in IN_DECLARATION
    name = "applications:step" if is_past else "applications:detail"
    text = signed_in(cast["owner"]).get(reverse(name, args=[application.reference])).text
    assert "L’antivirus a trouvé ce fichier infecté" in text
    assert (reverse("evidence:replace", args=[evidence.file_id]) in text) == (may in ("at once", "later"))
    assert (reverse("evidence:remove", args=[evidence.file_id]) in text) == (may in ("remove", "later"))
    assert f'"{reverse("evidence:download", args=[evidence.file_id])}"' not in text


def outcome(evidence, verb: str) -> bool:
    """Whether the référent may."""
    now = Evidence.objects.select_related("question__section__form", "file", "application").get(pk=evidence.pk)
    is_open = rules.is_reopened(now, now.application)
    try:
        by = now.application.referent
        actions.replace(now, upload=upload(pdf(line="sain")), by=by, at=timezone.now())
    except NotNow:
        assert not is_open
        return False
    assert is_open
    return True


def test_a_rejected_dossier_that_is_examined_again_opens_it():
    cast = people(UserFactory().establishment)
    application, evidence = dossier_in("rejected", "candidature", cast)
    found_infected(evidence)
    assert not outcome(evidence, "replace")
    Application.objects.filter(pk=application.pk).update(state="submitted")
    assert outcome(evidence, "replace")


def test_a_declaration_that_came_too_late_to_be_sent_opens_nothing():
    cast = people(UserFactory().establishment)
    application, evidence = dossier_in("declaration_open", "declaration", cast)
    application.domain.declaration_until = timezone.localdate() - timedelta(days=1)
    application.domain.save()
    found_infected(evidence)
    assert not outcome(evidence, "replace")
    letter = Letter.objects.get(name="file_quarantined")
    assert "Vous n’avez rien à déposer" in letter.text
