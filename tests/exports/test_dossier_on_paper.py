"""« Dossier en PDF »: all that an agent reads of a dossier, and nothing more."""

import io

import pytest
from django.utils import timezone
from pypdf import PdfReader

from applications.actions import request_changes, save_answers
from applications.models import Application, ChangeRequest
from ecare.letters.models import Letter
from exports.models import Export
from funding.models import Decision, Payment
from reviews.models import FileVerdict
from reviews.remarks import add_note, ask_opinion
from tests.applications.test_receipt import CANARIES
from tests.exports.conftest import (
    ANSWERS,
    BANK,
    built,
    content_of,
    declared,
    domain_of_all_kinds,
    send,
    sent_dossier,
    with_money,
)
from tests.factories import ApplicationFactory, UserFactory

pytestmark = pytest.mark.django_db
PDF = Export.Kind.DOSSIER_PDF


def paper(dossier, by) -> PdfReader:
    export = built(PDF, by=by, what=dossier.reference)
    return PdfReader(io.BytesIO(content_of(export)))


def read(dossier, by) -> str:
    return " ".join(" ".join(page.extract_text() for page in paper(dossier, by).pages).split())


@pytest.fixture
def dossier(ars, ans):
    return declared(sent_dossier(domain_of_all_kinds(), container=True), ars=ars, ans=ans)


def test_it_says_everything_that_the_ans_reads(dossier, ans):
    said = read(dossier, ans)
    entity = dossier.establishment.legal_entity
    sent = {one.step: one for one in dossier.submissions.order_by("number")}
    files = [file for key in ("rib", "pieces") for file in sent["candidature"].content["answers"][key]]
    for expected in (
        f"Dossier n° {dossier.reference}",
        dossier.domain.name,
        "Déclaration à vérifier (ARS)",
        entity.name,
        entity.finess,
        dossier.referent.email,
        "Plafond 50 000 €",
        "Activité combinée (2023), en journées 120 000",
        "FR76 3000 6000 0112 3456 7890 189",
        "Corrigé",
        "Oui, tout à fait",
        ANSWERS["rssi-nom"],
        "Total 13 500,50 €",
        "Le RIB est illisible.",
        "a accepté la candidature",
        f"{ans} (Vérificateur ANS) a enregistré la convention signée",
        "Décisions",
        "Historique",
        *(submission.digest[:20] for submission in sent.values()),
        *(file["name"] for file in files),
        *(file["sha256"][:20] for file in files),
        *Letter.objects.about(dossier.subject).values_list("title", flat=True)[:3],
    ):
        assert " ".join(expected.split()) in said, expected
    assert "une puce" not in said, "what an earlier sending said"


def test_money_and_what_desks_think_of_files_are_in_it_once_decided(dossier, ans, ars):
    rib = dossier.evidence.get(question__key="rib").file
    verdict = {"application": dossier, "file": rib, "by": ars, "at": timezone.now()}
    FileVerdict.objects.create(desk="ars", decision="refused", remark="Illisible en page 2.", **verdict)
    add_note(dossier, by=ans, text="NOTE PRIVÉE", is_shared=True)
    ask_opinion(dossier, by=ans, of=ars, question="QUESTION ENTRE AGENTS")
    decision = with_money(dossier, ans=ans)
    for agent in (ans, ars):
        said = read(dossier, agent)
        for expected in (
            "Montant engagé 7 000,50 €",
            "Montant décidé 9 876,54 €",
            "Dépenses retenues 10 000 €",
            "Objectif D1.O1 validé Bien documenté.",
            "Audit, Audit SA 12 500,50 € 9 000 €",
            "Hors taxes.",
            "Montant versé 9 876,54 €, le 2 novembre 2026",
            "VIR-2026-042",
            f"Examen (ARS) : Refusée par {ars}",
            "Illisible en page 2.",
        ):
            assert expected in said, expected
        assert "NOTE PRIVÉE" not in said and "QUESTION ENTRE AGENTS" not in said
    Export.objects.all().delete()
    Payment.objects.all().delete()
    Decision.objects.filter(pk=decision.pk).update(validated_at=None, validated_by=None)
    assert "9 876,54" not in read(dossier, ans), "what is still being prepared leaves in no export"


def test_an_ars_reads_no_bank_details_in_it(dossier, ars):
    said = read(dossier, ars)
    assert "FR76 3000" not in said and BANK["bic"] not in said and "CH de la Ville " not in said.replace("CH DE", "")
    assert said.count("Réservé à l’ANS") == 3
    assert "Conteneur chiffré : seule l’ANS peut le télécharger." in said


def test_a_draft_keeps_its_answers(ans):
    domain = domain_of_all_kinds()
    draft = ApplicationFactory(domain=domain, candidature_form=domain.forms.get(step="candidature"))
    save_answers(draft, by=draft.referent, values={"precisions": "BROUILLON"}, at=timezone.now())
    said = read(draft, ans)
    assert "Jamais transmise" in said and "BROUILLON" not in said


def test_it_is_tagged_titled_and_in_french(dossier, ans):
    document = paper(dossier, ans)
    root = document.trailer["/Root"]
    assert root["/Lang"] == "fr" and root["/MarkInfo"]["/Marked"]
    assert document.metadata.title == f"Dossier n°\u00a0{dossier.reference}"
    assert b"pdfuaid" in root["/Metadata"].get_data()


def test_what_people_type_is_shown_and_never_obeyed(ars, ans):
    """Hostile words in an answer, a name, a request, a file's name: each is there as it was typed."""
    hostile = " ".join(CANARIES)
    referent = UserFactory(first_name='#panic("x")', last_name='*#read("/etc/passwd")*')
    application = sent_dossier(domain_of_all_kinds(), referent=referent, precisions=hostile)
    message = "= Titre\n#let data = 1\n$x^2$ <label> @ref"
    version = Application.objects.get(pk=application.pk).version
    request_changes(Application.objects.get(pk=application.pk), by=ars, version=version, message=message)
    send(application, {"dsi-nom": "`code` _italique_"})
    assert ChangeRequest.objects.get().message == message
    said = read(application, ans)
    for canary in (*CANARIES, '#panic("x") *#read("/etc/passwd")*', "= Titre #let data = 1 $x^2$", "`code` _italique_"):
        assert " ".join(canary.split()) in said, canary


@pytest.mark.parametrize("text", ["😀 漢字 عربي", "\u0001 x", "x" * 900, "\ufeff\u202e"])
def test_no_character_stops_it(ans, text):
    assert read(sent_dossier(domain_of_all_kinds(), precisions=text), ans)
