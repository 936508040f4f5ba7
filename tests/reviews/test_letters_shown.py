"""Before a click that mails somebody: whom, and the very text; and a letter sent again."""

from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone

from applications import actions
from applications.actions import NotNow
from applications.models import Application, Extension
from applications.rehearsal import letters_of
from applications.states import State
from ecare.journal.models import Entry
from ecare.letters.models import SECRET_MARK, Letter
from evidence.models import StoredFile
from evidence.purges import dismiss_report
from reviews.models import Opinion
from reviews.remarks import resend_letter
from tests.applications.life_cycle import MOVES, dossier, people, traces
from tests.factories import ApplicationFactory, UserFactory
from tests.funding.deciding import make_ready
from tests.world import World

pytestmark = pytest.mark.django_db

TEXT = "Les comptes de l’établissement ne sont pas certifiés."
DECISIONS = [
    (verb, state, actor)
    for verb, moves in MOVES.items()
    for state, (actor, _target, _letters) in moves.items()
    if actor in ("ars", "ans")
]


@pytest.fixture
def application():
    return ApplicationFactory(state=State.SUBMITTED)


@pytest.fixture
def ars(application):
    return UserFactory(ars=True, regions=[application.establishment.region])


def letters(answer):
    return {letter.name: letter for letter in answer.context["letters"]}


@pytest.mark.parametrize(("verb", "state", "actor"), DECISIONS)
def test_the_page_shows_each_letter_that_the_decision_would_write_and_writes_nothing(verb, state, actor, signed_in):
    owner = UserFactory()
    cast = people(owner.establishment) | {"owner": owner}
    application = make_ready(dossier(state, owner=owner), by=cast["ans"])
    before = traces(application)
    answer = signed_in(cast[actor]).get(reverse(f"reviews:{verb}", args=[application.reference]))
    assert traces(application) == before
    assert set(letters(answer)) == {name for name, _reader in MOVES[verb][state][2]}
    page = unescape(answer.content.decode())
    assert all(letter.title in page for letter in answer.context["letters"])


def test_the_letter_is_the_one_that_leaves(application, ars, signed_in):
    browser, address = signed_in(ars), reverse("reviews:reject", args=[application.reference])
    shown = letters(browser.post(address, {"version": "1", "message": TEXT, "apercu": "1"}))["rejected"]
    assert Application.objects.get().state == State.SUBMITTED
    browser.post(address, {"version": "1", "message": TEXT})
    sent = Letter.objects.get(name="rejected")
    assert (sent.title, sent.text, sent.recipient) == (shown.title, shown.text, shown.recipient)
    assert TEXT in shown.text


def test_until_something_is_typed_its_place_is_shown(application, ars, signed_in):
    answer = signed_in(ars).get(reverse("reviews:reject", args=[application.reference]))
    assert "(Votre texte viendra ici.)" in letters(answer)["rejected"].text


def test_a_verb_that_refuses_shows_no_letter_and_leaves_no_trace(application, ars):
    before = traces(application)
    found = letters_of(lambda: actions.accept(application, by=ars, version=7), subject=application.subject)
    assert found == []
    assert traces(application) == before


@pytest.mark.parametrize(
    ("name", "letter", "copies"),
    [
        ("accept_take_over", "take_over_accepted", 2),
        ("refuse_take_over", "take_over_refused", 2),
        ("confirm_bank_details", "bank_details_confirmed", 1),
        ("refuse_bank_details", "bank_details_refused", 1),
    ],
)
def test_what_a_referent_asks_for_is_decided_before_its_letters(name, letter, copies, signed_in):
    """Whoever asked, and the référent if it is somebody else, each read their own."""
    world = World(1)
    asked = world.bank_details if "bank" in name else world.asked
    before = traces(asked.application)
    browser, address = signed_in(world.cast["ans"]), reverse(f"reviews:{name}", args=[asked.pk])
    shown = browser.get(address).context["letters"]
    assert [one.name for one in shown] == [letter] * copies
    if name.startswith("refuse"):
        answer = browser.post(address, {"holder": asked.application.referent_id, "message": TEXT, "apercu": "1"})
        assert all(TEXT in one.text for one in answer.context["letters"])
    assert traces(asked.application) == before


def test_what_is_typed_of_an_extension_and_an_opinion_is_in_the_letter_and_nothing_is_done(signed_in):
    """Also where no dossier is yet: the letter is about the extension itself."""
    world = World(1)
    browser, extension = signed_in(world.cast["ans"]), world.extension
    lone = UserFactory()
    for establishment, person in ((extension.establishment, world.owner), (lone.establishment, lone)):
        address = reverse("reviews:give_extension", args=[establishment.pk, extension.domain.slug, extension.step])
        before = browser.get(address)
        assert "premier jour possible" in before.content.decode()
        assert [one.recipient for one in before.context["letters"]] == [person.email]
        answer = browser.post(address, {"until": "2031-03-21", "message": TEXT, "apercu": "1"})
        [letter] = answer.context["letters"]
        assert "21 mars 2031" in letter.title and TEXT in letter.text
        assert "premier jour possible" not in answer.content.decode()
    assert not Extension.objects.filter(until="2031-03-21").exists()
    asking, dossier = signed_in(world.cast["ars"]), world.dossiers["submitted"]
    address = reverse("reviews:ask_opinion", args=[dossier.reference])
    assert "à l’agent que vous choisirez" in asking.get(address).content.decode()
    chosen = world.cast["ans"]
    answer = asking.post(address, {"of": chosen.pk, "question": TEXT, "apercu": "1"})
    assert [one.recipient for one in answer.context["letters"]] == [chosen.email]
    assert TEXT in answer.context["letters"][0].text
    address = reverse("reviews:give_opinion", args=[dossier.reference, world.opinion.pk])
    answer = asking.post(address, {"advice": "against", "answer": TEXT, "apercu": "1"})
    assert "défavorable" in answer.context["letters"][0].title
    assert not Opinion.objects.exclude(given_at=None).exists()


def test_patient_data_is_reported_and_purged_after_the_letters_were_read(signed_in):
    world = World(1)
    evidence = world.report.evidence
    for verb, cast, name in (("report", "ars", "patient_data_reported"), ("purge", "ans", "evidence_purged")):
        if verb == "report":
            dismiss_report(world.report, by=world.cast["ans"], message=TEXT, at=timezone.now())
        before = traces(evidence.application)
        address = reverse("evidence:patient_data", args=[evidence.file_id])
        browser = signed_in(world.cast[cast])
        assert {one.name for one in browser.get(address).context["letters"]} == {name}
        answer = browser.post(address, {"reason": TEXT, "apercu": "1"})
        assert all(TEXT in one.text for one in answer.context["letters"])
        assert traces(evidence.application) == before
        assert not StoredFile.objects.get(pk=evidence.file_id).is_purged


def test_the_referent_reads_the_receipt_before_the_signed_copy_leaves(signed_in):
    world = World(1)
    page = signed_in(world.owner).get(reverse("conventions:convention", args=[world.dossiers["accepted"].reference]))
    shown = page.context["letter"]
    assert shown.title in unescape(page.content.decode()) and "(le nom de votre fichier)" in shown.text
    sent = Letter.objects.filter(name="signed_copy_received").last()
    assert (sent.title, sent.recipient) == (shown.title, shown.recipient)


# --- again --------------------------------------------------------------------------------------------------------
def letter_to(application, recipient, *, state=Letter.State.SENT, **fields):
    sent_at = timezone.now() if state == Letter.State.SENT else None
    words = {"name": "accepted", "title": "Acceptée", "text": "Bonjour.", "html": "<p>Bonjour.</p>"} | fields
    return Letter.objects.create(
        subject=application.subject, recipient=recipient, state=state, sent_at=sent_at, **words
    )


def test_a_letter_is_sent_again_as_a_new_one_after_a_page_that_says_to_whom(application, ars, signed_in):
    first = letter_to(application, application.referent.email)
    browser, address = signed_in(ars), reverse("reviews:resend_letter", args=[application.reference, first.pk])
    assert address in browser.get(reverse("reviews:dossier", args=[application.reference])).content.decode()
    page = browser.get(address).content.decode()
    assert application.referent.email in page
    assert "Bonjour." in page
    assert Letter.objects.count() == 1
    browser.post(address)
    again = Letter.objects.exclude(pk=first.pk).get()
    assert (again.state, again.recipient, again.text) == (Letter.State.QUEUED, first.recipient, first.text)
    assert Entry.objects.get(verb="resend_letter").data["again"] == str(again.pk)


def test_what_may_not_be_sent_again(application, ars, signed_in):
    """Not yet left, taken back, with a secret, to somebody who has no more to do with the dossier, of another one."""
    mine, gone = application.referent.email, UserFactory().email
    refused = [
        letter_to(application, mine, state=Letter.State.QUEUED),
        letter_to(application, mine, state=Letter.State.CANCELLED),
        letter_to(application, mine, text=f"Code : {SECRET_MARK}"),
        letter_to(application, gone),
    ]
    browser, count = signed_in(ars), Letter.objects.count()
    page = browser.get(reverse("reviews:dossier", args=[application.reference])).content.decode()
    for letter in refused:
        address = reverse("reviews:resend_letter", args=[application.reference, letter.pk])
        assert address not in page
        assert (browser.get(address).status_code, browser.post(address).status_code) == (409, 409)
        with pytest.raises(NotNow):
            resend_letter(letter, application, by=ars)
    far = letter_to(ApplicationFactory(), mine)
    assert browser.get(reverse("reviews:resend_letter", args=[application.reference, far.pk])).status_code == 404
    assert Letter.objects.count() == count + 1


def test_a_failed_letter_may_be_sent_again_to_an_agent_too(application, ars):
    failed = letter_to(application, ars.email, state=Letter.State.FAILED)
    assert resend_letter(failed, application, by=ars).recipient == ars.email
