"""What « Guide de l’agent de l’ANS » shows, from the convention to the payment."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from applications.models import Application
from applications.states import State
from conventions.actions import send_copy
from demo.specimens import pdf
from establishments.models import Establishment
from evidence.bank import change_bank_details
from evidence.models import Evidence
from evidence.purges import report_patient_data
from tests.guides.walk import Walk
from tests.journey import press

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def dossier_in(state: State, domain: str = "domaine-1") -> Application:
    return Application.objects.get(state=state, establishment__region="76", domain__slug=domain)


def test_the_guide_of_the_agent_of_the_ans(walk):
    one = walk("agent-ans")
    one.become("ans")
    countersigns(one)
    controls(one)
    pays(one)
    gives_time(one)
    purges(one)
    one.end()


def countersigns(one: Walk) -> None:
    dossier = dossier_in(State.ACCEPTED)
    paper = SimpleUploadedFile("Convention signée.pdf", pdf(line="Convention signée"))
    send_copy(dossier, upload=paper, by=dossier.referent, at=timezone.now())
    one.go(reverse("reviews:queue"))
    one.shot("file", below=900)
    one.go(reverse("reviews:dossier", args=[dossier.reference]))
    one.shot("convention-a-contresigner", "section[aria-labelledby=convention]")
    one.go(reverse("reviews:sign_convention", args=[dossier.reference]))
    one.shot("enregistrer-la-convention", below=1100)
    one.go(reverse("reviews:refuse_copy", args=[dossier.reference]))
    one.shot("refuser-l-exemplaire", below=800)
    rib = SimpleUploadedFile("rib.pdf", pdf(line="RIB"))
    values = {"iban": "FR1420041010050500013M02606", "bic": "PSSTFRPPMON"}
    asked = change_bank_details(dossier, by=dossier.referent, values=values, upload=rib)
    one.go(reverse("reviews:requests"))
    one.shot("demandes")
    one.go(reverse("reviews:confirm_bank_details", args=[asked.pk]))
    one.shot("coordonnees-bancaires", below=900)


def controls(one: Walk) -> None:
    page, dossier = one.page, dossier_in(State.UNDER_CONTROL, "domaine-2")
    one.go(reverse("reviews:dossier", args=[dossier.reference]))
    one.shot("decisions", ".ecare-heading")
    one.go(reverse("funding:decide", args=[dossier.reference]))
    for box in page.locator("input[name^=objective_][value=oui]").all():
        page.locator(f"label[for='{box.get_attribute('id')}']").click()
    page.locator("[name=line_2_outcome]").select_option("reduced")
    page.locator("[name=line_2_amount]").fill("8 000,00")
    page.locator("[name=line_2_reason]").fill("La licence court sur deux ans : une année est retenue.")
    one.shot("objectifs", "section[aria-labelledby=objectifs]", below=800)
    one.shot("depenses", "section[aria-labelledby=depenses]", below=1100)
    press(page, "Retenir toutes les dépenses à examiner")
    page.get_by_text("La décision est enregistrée.").wait_for()
    one.shot("resultat", ".ecare-result", mark=[".ecare-result a"])
    one.go(reverse("reviews:accept", args=[dossier.reference]))
    one.shot("valider", below=700)


def pays(one: Walk) -> None:
    one.go(reverse("reviews:record_payment", args=[dossier_in(State.VALIDATED).reference]))
    one.shot("versement", below=1000)
    one.go(reverse("funding:envelopes"))
    one.shot("enveloppes")
    one.go(reverse("funding:payments"))
    one.shot("versements")


def gives_time(one: Walk) -> None:
    establishment = Establishment.objects.get(ght__code="OCC-04")
    one.go(reverse("reviews:extensions_of", args=[establishment.pk]))
    one.shot("prolonger-choisir", below=800)
    one.go(reverse("reviews:give_extension", args=[establishment.pk, "domaine-1", "declaration"]))
    one.page.locator("[name=until]").fill("2026-12-18")
    one.page.locator("[name=message]").fill("Incident de sécurité, plan blanc numérique.")
    one.shot("prolonger", below=1000)


def purges(one: Walk) -> None:
    dossier, ars = dossier_in(State.UNDER_CONTROL), User.objects.get(username="ars.occitanie")
    evidence = Evidence.objects.filter(application=dossier, question__key="d1-o1-ad-list").first()
    report_patient_data(evidence, by=ars, reason="Page 3, une liste de patients.", at=timezone.now())
    one.go(reverse("evidence:reports"))
    one.shot("signalements")
    one.go(reverse("evidence:patient_data", args=[evidence.file_id]))
    one.shot("purger", below=1000)
    one.go(reverse("evidence:containers"))
    one.shot("conteneurs")
    one.go(reverse("exports:exports"))
    one.shot("archive", ".ecare-archive")
    one.go(reverse("steering:overview"))
    one.shot("pilotage", "section[aria-labelledby=chiffres-cles-titre]", below=700)
