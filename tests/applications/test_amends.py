"""A change request taken back by the desk that made it, or awaited for another day."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from applications import actions
from applications.actions import NotNow
from applications.amends import BEGUN, cancel_changes, move_due_date
from applications.corrections import Named, opening_of
from applications.models import Application, ChangeRequest
from applications.states import Desk
from ecare.journal.models import Entry
from ecare.letters.models import Letter
from reviews.readers import readings
from tests.applications.life_cycle import dossier as dossier_in
from tests.applications.pages import text_of
from tests.factories import ApplicationFactory, EstablishmentFactory, FormFactory, RegionFactory, UserFactory

pytestmark = pytest.mark.django_db

BANK = [
    {"key": "titulaire", "kind": "text", "label": "Titulaire du compte"},
    {"key": "iban", "kind": "iban", "label": "IBAN"},
    {"key": "bic", "kind": "bic", "label": "BIC"},
    {"key": "rib", "kind": "evidence", "label": "RIB", "is_required": False, "formats": ["pdf"]},
]
ANSWERS = {"titulaire": "CH", "iban": "FR7630006000011234567890189", "bic": "AGRIFRPP"}
TODAY = timezone.localdate


def fresh(application):
    return Application.objects.get(pk=application.pk)


@pytest.fixture
def dossier():
    """Of which the ARS asked to change the IBAN."""
    form = FormFactory(questions=[*BANK])
    application = ApplicationFactory(domain=form.domain, candidature_form=form)
    actions.save_answers(application, by=application.referent, values=ANSWERS, at=timezone.now())
    actions.submit(application, by=application.referent, version=1, at=timezone.now())
    return fresh(application)


@pytest.fixture
def ars(dossier):
    return UserFactory(ars=True, regions=[dossier.establishment.region])


@pytest.fixture
def asked(dossier, ars):
    due = TODAY() + timedelta(days=10)
    named = [Named("iban", remark="Illisible.")]
    actions.request_changes(dossier, by=ars, version=dossier.version, message="", due_on=due, named=named)
    return ChangeRequest.objects.get()


def undo(application, *, by, message=""):
    cancel_changes(application, by=by, version=fresh(application).version, message=message, at=timezone.now())


def letters(name):
    return Letter.objects.filter(name=name)


# --- taken back ---------------------------------------------------------------------------------------------------
def test_what_was_asked_by_mistake_is_taken_back_and_the_referent_is_told(dossier, ars, asked):
    undo(dossier, by=ars, message="Ce n’était pas ce dossier.")
    assert fresh(dossier).state == "submitted"
    request = ChangeRequest.objects.get()
    assert request.is_cancelled and request.answered_at is not None
    assert letters("changes_requested").get().state == "cancelled", "it had not left"
    letter = letters("changes_cancelled").get()
    assert letter.recipient == dossier.referent.email and "Ce n’était pas ce dossier." in letter.text
    entry = Entry.objects.get(subject=dossier.subject, verb="cancel_changes")
    assert (entry.from_state, entry.to_state) == ("changes_requested", "submitted")
    [reading] = readings(fresh(dossier), [], [request], user=ars)
    assert not reading.unanswered, "nobody owes an answer to it"


def test_once_the_referent_changed_something_it_stands(dossier, ars, asked, signed_in):
    actions.save_answers(dossier, by=dossier.referent, values={"titulaire": "CHU"}, at=timezone.now())
    with pytest.raises(NotNow, match=BEGUN[:20]):
        undo(dossier, by=ars)
    answer = signed_in(ars).get(reverse("reviews:cancel_changes", args=[dossier.reference]))
    assert answer.status_code == 409 and "a déjà changé son formulaire" in answer.content.decode()
    assert fresh(dossier).state == "changes_requested" and not letters("changes_cancelled").exists()
    actions.save_answers(dossier, by=dossier.referent, values={"titulaire": "CH"}, at=timezone.now())
    undo(dossier, by=ars)
    assert fresh(dossier).state == "submitted", "what was put back is no change"


@pytest.mark.parametrize(("desk", "target"), [("ars", "declaration_submitted"), ("ans", "under_control")])
def test_a_declaration_goes_back_to_the_desk_that_asked_and_to_no_other(desk, target):
    establishment = EstablishmentFactory()
    agents = {"ars": UserFactory(ars=True, regions=[establishment.region]), "ans": UserFactory(ans=True)}
    application = dossier_in("declaration_changes_requested", owner=UserFactory(establishment=establishment))
    ChangeRequest.objects.update(desk=desk)
    [other] = agents.keys() - {desk}
    with pytest.raises(PermissionDenied):
        undo(application, by=agents[other])
    with pytest.raises(PermissionDenied):
        move_due_date(application, by=agents[other], version=1, due_on=TODAY() + timedelta(days=3), message="")
    undo(application, by=agents[desk])
    assert fresh(application).state == target


def test_the_page_shows_the_letter_before_the_click(dossier, ars, asked, signed_in):
    browser, address = signed_in(ars), reverse("reviews:cancel_changes", args=[dossier.reference])
    assert address in browser.get(reverse("reviews:dossier", args=[dossier.reference])).content.decode()
    page = text_of(browser.get(address))
    assert dossier.referent.email in page and "est annulée. Le dossier est de nouveau à l’examen" in page
    assert not letters("changes_cancelled").exists()
    answer = browser.post(address, {"version": fresh(dossier).version, "message": ""}, follow=True)
    assert "La demande de modification est annulée." in text_of(answer)
    assert letters("changes_cancelled").count() == 1


# --- another day --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("days", [3, 40])
def test_the_day_moves_later_or_earlier_with_a_letter(days, dossier, ars, asked, signed_in):
    day = TODAY() + timedelta(days=days)
    browser, address = signed_in(ars), reverse("reviews:move_due_date", args=[dossier.reference])
    page = text_of(browser.get(address))
    assert dossier.referent.email in page and "est maintenant attendue au plus tard le" in page
    typed = {"version": fresh(dossier).version, "due_on": day.isoformat(), "message": ""}
    assert browser.post(address, typed).status_code == 302
    asked.refresh_from_db()
    assert asked.due_on == day and fresh(dossier).state == "changes_requested"
    assert letters("due_date_moved").get().recipient == dossier.referent.email
    entry = Entry.objects.get(subject=dossier.subject, verb="move_due_date")
    assert entry.data["after"] == day.isoformat()


def test_the_same_day_or_one_that_is_over_is_refused_at_the_field(dossier, ars, asked, signed_in):
    browser, address = signed_in(ars), reverse("reviews:move_due_date", args=[dossier.reference])
    for day, said in ((asked.due_on, "déjà attendue pour ce jour"), (TODAY(), "entre demain et dans")):
        typed = {"version": fresh(dossier).version, "due_on": day.isoformat(), "message": ""}
        assert said in text_of(browser.post(address, typed))
    assert not letters("due_date_moved").exists()


def test_the_side_column_says_until_when_the_correction_is_awaited(dossier, ars, asked, signed_in):
    page = text_of(signed_in(ars).get(reverse("reviews:dossier", args=[dossier.reference])))
    side = page[page.index("Date limite") :]
    assert "Correction attendue au plus tard le" in side.split("</section>")[0]
    assert "Aucune en cours" not in page


def test_only_a_request_that_waits_is_amended(dossier, ars):
    with pytest.raises(NotNow):
        undo(dossier, by=ars)
    with pytest.raises(NotNow):
        move_due_date(dossier, by=ars, version=dossier.version, due_on=TODAY() + timedelta(days=3), message="")
    elsewhere = UserFactory(ars=True, regions=[RegionFactory(code="75")])
    actions.request_changes(dossier, by=ars, version=dossier.version, message="Revoyez ceci.")
    with pytest.raises(PermissionDenied):
        undo(dossier, by=elsewhere)
    assert ChangeRequest.objects.get().desk == Desk.ARS


# --- the account --------------------------------------------------------------------------------------------------
def test_who_may_change_the_iban_may_change_the_whole_account_and_both_sides_read_so(dossier, ars, asked, signed_in):
    assert opening_of(fresh(dossier)).keys == {"titulaire", "iban", "bic", "rib"}
    actions.save_answers(dossier, by=dossier.referent, values={"bic": "CEPAFRPP"}, at=timezone.now())
    together = "Titulaire du compte, IBAN, BIC et RIB"
    assert together in letters("changes_requested").get().text
    referent = signed_in(dossier.referent).get(reverse("applications:detail", args=[dossier.reference]))
    assert together in text_of(referent)


def test_the_agent_reads_what_the_request_would_open(dossier, ars, signed_in):
    page = text_of(signed_in(ars).get(reverse("reviews:request_changes", args=[dossier.reference])))
    assert "s’ouvrent ensemble dès que l’une est cochée : Titulaire du compte, IBAN, BIC et RIB" in page
