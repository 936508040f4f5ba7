"""Two agents of one ARS, each at a browser of their own, and the référent between them: a dossier is found, taken in
hand, judged file by file, handed back with what is to be corrected; the second agent never contradicts the first."""

import re

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from accounts.models import User
from applications.models import Application, ChangeRequest
from applications.states import State
from ecare.letters.models import Letter
from reviews.models import Assignment, FileVerdict
from tests.browsing import Visitor
from tests.factories import UserFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

REMARK = "Le RIB est illisible."


@pytest.fixture
def second(visitor, browser, browser_context_args, live_server, signed_in):
    """A colleague of the same region, in another browser."""
    region = User.objects.get(username="ars.occitanie").regions.get()
    UserFactory(ars=True, username="ars.seconde", first_name="Dominique", last_name="Second", regions=[region])
    context = browser.new_context(**browser_context_args)
    found = Visitor(context.new_page(), live_server, signed_in)
    found.become("ars.seconde")
    yield found
    assert found.complaints == []
    context.close()


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def choose_and_assign(page: Page, reference: str, agent: str) -> None:
    """From the queue: the oldest dossiers, under a name, one of them given to a colleague."""
    page.get_by_text("Plus de filtres").click()
    page.get_by_label("Étape").select_option("candidature")
    press(page, "Filtrer")
    expect(page.get_by_role("status")).to_contain_text("avec ces filtres")
    page.get_by_text("Enregistrer cette vue").click()
    page.get_by_label("Nom de la vue").fill("Candidatures")
    press(page, "Enregistrer la vue")
    expect(page.get_by_role("link", name="Candidatures", exact=True)).to_have_attribute("aria-current", "page")
    page.get_by_text(f"Choisir le dossier {reference}").locator("xpath=ancestor::label").click()
    page.get_by_label("Suivis par").select_option(label=agent)
    press(page, "Attribuer")
    expect(page.get_by_text(f"1 dossier est suivi par {agent}, qui en est prévenu")).to_be_visible()


def refuse_a_file(page: Page, reference: str) -> None:
    """Beside its preview."""
    page.get_by_role("link", name="Examiner les pièces").click()
    page.get_by_role("link", name="rib.pdf", exact=True).click()
    expect(page.locator("iframe")).to_have_attribute("src", re.compile("/apercu/"))
    page.get_by_text("Refusée", exact=True).first.click()
    page.get_by_label("Remarque sur rib.pdf").fill(REMARK)
    press(page, "Enregistrer l’examen")
    expect(page.get_by_text("Rien n’est envoyé à l’établissement.").first).to_be_visible()


def ask_for_changes(page: Page, reference: str) -> None:
    """What was refused is named already; the letter is read before it leaves."""
    page.goto(page.url.split("/verification/")[0] + reverse("reviews:request_changes", args=[reference]))
    expect(page.get_by_label("Fichier «\u00a0rib.pdf\u00a0»", exact=True)).to_be_checked()
    page.get_by_label("Message au référent").fill("Merci de revoir le RIB.")
    press(page, "Actualiser l’aperçu du courrier")
    expect(page.locator(".ecare-letter__text")).to_contain_text(REMARK)
    expect(page.locator(".ecare-letter__text")).to_contain_text("Merci de revoir le RIB.")
    assert not Letter.objects.filter(name="changes_requested", subject=f"application:{reference}").exists()
    press(page, "Demander une modification")
    expect(page.get_by_text("La demande de modification est envoyée.", exact=False)).to_be_visible()


def test_two_agents_at_one_dossier(visitor, second):
    dossier = Application.objects.filter(state=State.SUBMITTED, establishment__region="76").first()
    reference, address = dossier.reference, reverse("reviews:dossier", args=[dossier.reference])
    first = visitor.become("ars.occitanie").page
    visitor.go(reverse("reviews:queue"))
    choose_and_assign(first, reference, "Dominique Second")
    assert Assignment.objects.get().agent.username == "ars.seconde"

    # The second agent opens the page of a decision, then the first takes the dossier in hand.
    second.go(reverse("reviews:accept", args=[reference]))
    visitor.go(address)
    press(first, "Examiner ce dossier")
    expect(first.get_by_text("Vous examinez ce dossier").first).to_be_visible()
    press(second.page, "Accepter la candidature")
    expect(second.page.get_by_text("examine ce dossier, jusqu’à")).to_be_visible()
    assert Application.objects.get(pk=dossier.pk).state == State.SUBMITTED

    refuse_a_file(first, reference)
    assert FileVerdict.objects.get().remark == REMARK
    second.go(address)
    expect(second.page.get_by_role("button", name="Reprendre l’examen")).to_be_visible()
    expect(second.page.get_by_role("link", name="Accepter la candidature")).to_have_count(0)
    ask_for_changes(first, reference)

    # Who comes second is told what happened.
    second.go(reverse("reviews:accept", args=[reference]))
    expect(second.page.get_by_text("dans l’état actuel du dossier")).to_be_visible()
    expect(second.page.get_by_text("a demandé une modification", exact=False)).to_be_visible()
    assert ChangeRequest.objects.get(application=dossier).items.get().remark == REMARK

    # The référent finds this one space open, marked, with the bank details it belongs to, and nothing else.
    visitor.become(dossier.referent.username)
    visitor.go(reverse("applications:detail", args=[reference]))
    expect(first.get_by_text(REMARK).last).to_be_visible()
    expect(first.locator("[name=rib]")).to_have_count(1)
    expect(first.locator("main input[name=iban]")).to_have_count(1)
    expect(first.locator("main input[name=dsi-last-name]")).to_have_count(0)
