"""What « Guide de l’agent d’ARS » shows, from the queue to the figures."""

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import User
from applications.models import Application
from applications.people import request_take_over
from applications.states import State
from ecare.letters.models import Letter
from evidence.models import Evidence
from exports import actions as exports
from exports import builders
from reviews.models import Phrase
from reviews.remarks import add_note, ask_opinion
from tests.guides.walk import Walk
from tests.journey import press

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

REMARK = "Le RIB transmis ne correspond pas à l’IBAN indiqué dans le formulaire."


def person(username: str) -> User:
    return User.objects.get(username=username)


def dossier_in(state: State) -> Application:
    return Application.objects.get(state=state, establishment__region="76", domain__slug="domaine-1")


def test_the_guide_of_the_agent_of_an_ars(walk):
    one = walk("agent-ars")
    enrols(one)
    one.become("ars.occitanie")
    sorts(one)
    reads(one)
    decides(one)
    answers(one)
    exports_and_steers(one)
    one.end()


def enrols(one: Walk) -> None:
    one.become("ars.occitanie")
    one.go(reverse("accounts:second_factor"))
    one.shot("double-authentification", mark=["main a:text-is('Activer la double authentification')"])
    one.go(reverse("accounts:enrol"))
    one.shot("activer", "main .ecare-enrol", grey=[".ecare-enrol__image"], hide=[".ecare-enrol__key code"])


def sorts(one: Walk) -> None:
    page = one.page
    one.go(reverse("reviews:queue"))
    one.shot("file", below=1000)
    one.go(f"{reverse('reviews:queue')}?domaine=domaine-1&etat=tous")
    page.get_by_text("Plus de filtres").click()
    one.shot("filtres", "form.ecare-filters", mark=["form.ecare-filters button:text-is('Filtrer')"])
    page.get_by_text("Enregistrer cette vue").click()
    page.get_by_label("Nom de la vue").fill("Domaine 1, tous les états")
    one.shot("vue", ".ecare-views", mark=["button:text-is('Enregistrer la vue')"])
    press(page, "Enregistrer la vue")
    one.shot("attribuer", ".ecare-assign", mark=[".ecare-assign button"])


def reads(one: Walk) -> None:
    page, dossier = one.page, dossier_in(State.SUBMITTED)
    ars, ans = person("ars.occitanie"), person("ans")
    one.go(reverse("reviews:dossier", args=[dossier.reference]))
    one.shot("dossier", ".ecare-heading", ".ecare-contents")
    press(page, "Examiner ce dossier")
    expect(page.get_by_text("Vous examinez ce dossier").first).to_be_visible()
    one.shot("examen", ".ecare-decisions")
    one.go(reverse("reviews:pieces", args=[dossier.reference]))
    page.get_by_text("Refusée", exact=True).first.click()
    page.locator("textarea").first.fill(REMARK)
    one.shot("pieces", "main form", mark=["button:text-is('Enregistrer l’examen')"])
    press(page, "Enregistrer l’examen")
    add_note(dossier, by=ars, text="RIB à vérifier avec le service financier.", is_shared=False)
    ask_opinion(dossier, by=ars, of=ans, question="Le RIB au nom du GCS est-il recevable ?")
    Letter.objects.about(dossier.subject).filter(name="submitted").update(state="sent", sent_at=timezone.now())
    one.go(reverse("reviews:dossier", args=[dossier.reference]))
    one.shot("notes-et-avis", "section[aria-labelledby=notes]", "section[aria-labelledby=avis]")
    one.shot("courriers", "section[aria-labelledby=courriers]", below=700)
    evidence = Evidence.objects.filter(application=dossier).first()
    one.go(reverse("evidence:patient_data", args=[evidence.file_id]))
    one.shot("signaler")


def decides(one: Walk) -> None:
    page, dossier = one.page, dossier_in(State.SUBMITTED)
    Phrase.objects.create(owner=person("ars.occitanie"), title="RIB à refaire", text=REMARK)
    one.go(reverse("reviews:phrases"))
    one.shot("phrases", mark=["a:text-is('Nouvelle phrase')"])
    one.go(reverse("reviews:request_changes", args=[dossier.reference]))
    page.locator("[name=message]").fill("Merci de remplacer le RIB. Les autres réponses sont complètes.")
    page.locator("[name=due_on]").fill("2026-03-27")
    one.shot("demander-une-modification", below=1250)
    page.get_by_text("Insérer une phrase").click()
    one.shot("phrases-inserer", ".ecare-phrases", ".ecare-recipients", below=700)
    one.go(reverse("reviews:accept", args=[dossier.reference]))
    one.shot("accepter", mark=["main button.fr-btn:text-is('Accepter la candidature') >> nth=-1"])
    one.go(reverse("reviews:accept", args=[dossier_in(State.DECLARATION_SUBMITTED).reference]))
    one.shot("declaration", below=900)


def answers(one: Walk) -> None:
    dossier = Application.objects.get(referent__username="chu.montpellier")
    request_take_over(dossier, by=person("collegue.montpellier"), reason="Le référent a quitté l’établissement.")
    one.go(reverse("reviews:requests"))
    one.shot("demandes")
    one.go(reverse("reviews:extensions"))
    one.shot("prolongations")


def exports_and_steers(one: Walk) -> None:
    by = person("ars.occitanie")
    one.go(reverse("reviews:queue"))
    one.shot("exporter-la-vue", "form.ecare-export", mark=["form.ecare-export button"])
    exports.ask("queue_xlsx", what="etat=tous", label="Tous les états", by=by, at=timezone.now())
    assert builders.build()
    one.go(reverse("exports:exports"))
    one.shot("exports")
    one.go(reverse("steering:overview"))
    one.shot("pilotage", below=1000)
