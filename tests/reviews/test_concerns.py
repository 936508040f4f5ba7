"""Before a dossier goes on: what is left to check, and what the agent answers for by the click."""

import html

import pytest
from django.urls import reverse
from django.utils import timezone

from applications import actions
from applications.corrections import Named
from applications.models import Application
from demo.specimens import pdf
from evidence.models import BankDetails, Evidence
from evidence.purges import purge_evidence
from reviews.remarks import Judged, ask_opinion, judge
from tests.evidence.conftest import dossier_with, put_in, transmit
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

COMPLETE = "La candidature est complète et recevable."
TITLE = "À vérifier avant de décider"


@pytest.fixture
def application():
    iban = {"kind": "iban", "label": "IBAN", "key": "iban"}
    bic = iban | {"kind": "bic", "label": "BIC", "key": "bic"}
    found = dossier_with({"label": "RIB"}, {"label": "Statuts"}, iban, bic)
    put_in(found, name="rib.pdf")
    put_in(found, pdf(line="deux"), name="statuts.pdf", key="espace-2")
    actions.save_answers(
        found,
        by=found.referent,
        values={"iban": "FR7630006000011234567890189", "bic": "AGRIFRPP"},
        at=timezone.now(),
    )
    transmit(found)
    return now(found)


@pytest.fixture
def ars(application):
    return UserFactory(ars=True, regions=[application.establishment.region])


def now(application):
    return Application.objects.get(pk=application.pk)


def page(browser, application, verb="accept"):
    answer = browser.get(reverse(f"reviews:{verb}", args=[application.reference]))
    assert answer.status_code == 200
    return html.unescape(answer.content.decode()).replace("\u00a0", " ")


def test_nothing_to_check_and_only_then_the_page_says_that_the_dossier_is_complete(application, ars, signed_in):
    found = page(signed_in(ars), application)
    assert COMPLETE in found
    assert TITLE not in found
    assert "vous attestez" not in found


def test_each_point_left_open_stands_above_the_button_with_its_place(application, ars, signed_in):
    ans, other = UserFactory(ans=True), UserFactory(ars=True, regions=[application.establishment.region])
    rib, statutes = Evidence.objects.order_by("pk")
    actions.request_changes(
        application,
        by=ars,
        version=application.version,
        message="",
        named=[Named("espace-1", remark="Illisible."), Named("bic")],
    )
    application = now(application)
    values = {"bic": "CEPAFRPP"}
    actions.save_answers(application, by=application.referent, values=values, at=timezone.now())
    transmit(application)
    application = now(application)
    judge(application, by=ars, judged=[Judged(str(rib.file_id), "refused", "Au nom d’un autre.")], at=timezone.now())
    purge_evidence(statutes, by=ans, reason="Page 3 : une liste de patients.", at=timezone.now())
    ask_opinion(application, by=ars, of=other, question="Qu’en pensez-vous ?")
    BankDetails.objects.create(application=application, by=application.referent, values={}, file=rib.file)

    found = page(signed_in(ars), application)
    assert found.index(TITLE) < found.index('<button type="submit" class="fr-btn">Accepter')
    dossier = reverse("reviews:dossier", args=[application.reference])
    for said, link in (
        (f"RIB : « rib.pdf » a été refusé par {ars} (ARS) : Au nom d’un autre.", "pieces/#piece-"),
        ("RIB : modification demandée et non faite.", "#candidature-espace-1"),
        ("BIC : Attention : ce BIC n’est pas celui", "#candidature-bic"),
        ("ne peut pas être lu (Purgé : il contenait des données de patients)", "#candidature-espace-2"),
        ("Un changement de coordonnées bancaires attend", "#banque"),
        (f"L’avis demandé à {other} n’est pas encore donné.", "#avis"),
    ):
        line = next(one for one in found.split("<li>") if said in one)
        assert f'href="{dossier}{link}' in line, said
    assert "BIC : modification demandée" not in found
    assert COMPLETE not in found
    assert "En acceptant, vous attestez que la candidature est complète et recevable" in found


def test_a_decision_that_stops_the_dossier_needs_no_list(application, ars, signed_in):
    rib = Evidence.objects.order_by("pk").first()
    judge(application, by=ars, judged=[Judged(str(rib.file_id), "refused", "Illisible.")], at=timezone.now())
    assert TITLE not in page(signed_in(ars), application, "reject")
