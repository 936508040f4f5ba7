"""The receipt of a sending: a PDF that says when, what, and whose digest."""

import io
from datetime import UTC, datetime

import pytest
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from applications import actions, writers
from applications.models import Submission
from ecare.letters.models import Letter
from ecare.typesetting import shown
from tests.applications.conftest import CANDIDATURE
from tests.applications.pages import address, text_of
from tests.factories import ApplicationFactory, FormFactory, RegionFactory, UserFactory

AT = datetime(2026, 11, 21, 22, 59, 59, tzinfo=UTC)
CANARIES = [
    '#panic("x")',
    '#read("/etc/passwd")',
    "*gras* _italique_ `code` $x^2$",
    "= Titre",
    "#let data = 1",
    "@ref <label> // rien /* rien */",
    "\\ \\u{41} ]]) --- ~ ' \" '",
    "sys.inputs",
]


def read(content: bytes) -> str:
    """All that the PDF says, on one line."""
    return " ".join("\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages).split())


def submit(application, at=AT) -> Submission:
    return actions.submit(application, by=application.referent, version=application.version, at=at)


def receipt_of(submission) -> str:
    return reverse("applications:receipt", args=[submission.application.reference, submission.step, submission.number])


def sent_with(*questions: dict, **values) -> Submission:
    """The sending of a form of these questions, answered so."""
    form = FormFactory(questions=[{"is_required": False} | question for question in questions])
    application = ApplicationFactory(domain=form.domain, candidature_form=form)
    actions.save_answers(
        application,
        by=application.referent,
        values={key.replace("_", "-"): value for key, value in values.items()},
        at=timezone.now(),
    )
    return submit(application)


def test_it_says_when_what_and_by_whom(client, complete):
    submission = submit(complete)
    response = client.get(receipt_of(submission))
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"] == (
        f'attachment; filename="eCaRE-{complete.reference}-accuse-candidature-1.pdf"'
    )
    said = read(response.getvalue())
    establishment = complete.establishment
    for expected in (
        complete.reference,
        "Domaine 1 Audits techniques",
        "Formulaire de candidature",
        "21 novembre 2026 à 23 h 59 min 59 s (heure de Paris)",
        submission.digest,
        str(complete.referent),
        establishment.legal_entity.name,
        establishment.finess,
        establishment.region.name,
    ):
        # Between two letters that are kerned, what reads the file may see a space.
        assert expected.replace(" ", "") in said.replace(" ", "")


def test_it_holds_every_answer_as_the_referent_reads_it(complete):
    said = read(writers.receipt(submit(complete)))
    for expected in (
        "Informations générales",
        "Adresse e-mail du DSI",
        CANDIDATURE["dsi-email"],
        "FR76 3000 6000 0112 3456 7890 189",
        "+33 4 67 33 67 33",
        "Oui – Je m’engage, au nom de l’établissement candidat",
        "RIB.pdf (12 ko)",
        "0" * 64,
        ": confirmée",
    ):
        assert expected in said
    assert "Documents justifiant" not in said, "hidden, so not sent"


def test_it_says_what_was_sent_then_whatever_was_typed_since(complete):
    first = submit(complete)
    before = writers.receipt(first)
    complete.answers.filter(question__key="bic").update(value="BDFEFRPPCCT")
    assert writers.receipt(Submission.objects.get(pk=first.pk)) == before


def test_the_same_sending_gives_the_same_bytes(complete):
    submission = submit(complete)
    assert writers.receipt(submission) == writers.receipt(submission)


def test_it_is_tagged_titled_and_in_french(complete):
    document = PdfReader(io.BytesIO(writers.receipt(submit(complete))))
    root = document.trailer["/Root"]
    assert root["/Lang"] == "fr"
    assert root["/MarkInfo"]["/Marked"]
    assert document.metadata.title == f"Accusé de réception – candidature n° {complete.reference}".replace(
        "n° ", "n°\u00a0"
    )
    assert b"pdfuaid" in root["/Metadata"].get_data()


@pytest.mark.parametrize("canary", CANARIES)
def test_what_people_type_is_shown_and_never_obeyed(db, canary):
    submission = sent_with(
        {"key": "precision", "label": canary}, {"key": "long", "kind": "long_text"}, precision=canary, long=canary
    )
    said = read(writers.receipt(submission))
    assert said.count(" ".join(canary.split())) == 3


@pytest.mark.parametrize(
    "text", ["😀 漢字 عربي", "a\u0301e\u0301", "\u0001", "x" * 400, "ligne\r\n\r\nautre", "\ufeff\u202e"]
)
def test_no_character_stops_it(db, text):
    assert read(writers.receipt(sent_with({"key": "precision", "kind": "long_text"}, precision=text)))


def test_what_no_font_shows_is_written_as_its_code():
    assert shown("ça va 😀 e\u0301") == "ça va [U+1F600] é"


def test_every_character_let_through_is_in_the_fonts(db):
    """A font without one of them would stop the typesetting."""
    letters = "".join(one for one in map(chr, range(0x20, 0x2300)) if one != "\xad" and shown(one) == one)
    words = " ".join(letters[at : at + 40] for at in range(0, len(letters), 40))
    assert len(letters) > 500
    assert writers.receipt(sent_with({"key": "precision", "kind": "long_text"}, precision=words))


def test_an_answer_left_out_is_said_so(db):
    assert "Sans réponse" in read(writers.receipt(sent_with({"key": "precision"})))


def test_reasons_of_a_checklist_are_in_it(db):
    form = FormFactory(questions=[{"key": "entities", "kind": "checklist"}])
    application = ApplicationFactory(domain=form.domain, candidature_form=form)
    entity = application.establishment.entities().get()
    values = {"entities": {entity.finess: "Site fermé"}}
    actions.save_answers(application, by=application.referent, values=values, at=timezone.now())
    said = read(writers.receipt(submit(application)))
    assert f"{entity.name} ({entity.finess}) : non concernée – Site fermé" in said


def test_lines_of_expenses_are_in_it_with_their_total(db):
    lines = [
        {"date": "2026-01-15", "supplier": "SAUVEGARDES & CIE #1", "label": "*Baie*", "amount": 1_250_050},
        {"date": "2026-02-20", "supplier": "Audit SA", "label": "Exercice", "amount": 100_000},
    ]
    said = read(writers.receipt(sent_with({"key": "expenses", "kind": "expenses"}, expenses=lines)))
    for expected in ("15 janvier 2026", "SAUVEGARDES & CIE #1", "*Baie*", "12 500,50 €", "13 500,50 €"):
        assert expected in said


# --- who, and where it is offered ---------------------------------------------------------------------------------
def test_reviewers_of_the_dossier_read_it_too_and_nobody_else(complete, signed_in):
    submission = submit(complete)
    here = complete.establishment.region
    readers = {
        UserFactory(ars=True, regions=[here]): 200,
        UserFactory(ans=True): 200,
        UserFactory(ars=True, regions=[RegionFactory(code="75")]): 404,
        UserFactory(establishment=complete.establishment): 404,
        UserFactory(administrator=True): 404,
    }
    assert {who: signed_in(who).get(receipt_of(submission)).status_code for who in readers} == readers


def test_a_sending_that_never_was_has_none(client, complete):
    submit(complete)
    for step, number in (("candidature", 2), ("declaration", 1), ("autre", 1)):
        wanted = reverse("applications:receipt", args=[complete.reference, step, number])
        assert client.get(wanted).status_code == 404


def test_the_pages_and_the_letter_lead_to_it(client, complete, signed_in):
    submission = submit(complete)
    for name in ("submitted", "detail", "history"):
        assert receipt_of(submission) in text_of(client.get(address(name, complete))), name
    ars = signed_in(UserFactory(ars=True, regions=[complete.establishment.region]))
    assert receipt_of(submission) in text_of(ars.get(reverse("reviews:dossier", args=[complete.reference])))
    assert receipt_of(submission) in Letter.objects.get(name="submitted").text


def test_every_sending_keeps_its_own(client, complete):
    first = submit(complete)
    agent = UserFactory(ars=True, regions=[complete.establishment.region])
    actions.request_changes(complete, by=agent, version=2, message="Le BIC.")
    complete.refresh_from_db(fields=["version"])
    actions.save_answers(complete, by=complete.referent, values={"bic": "BDFEFRPPCCT"}, at=timezone.now())
    second = actions.submit(complete, by=complete.referent, version=3, at=timezone.now())
    assert "AGRIFRPP" in read(client.get(receipt_of(first)).getvalue())
    assert "BDFEFRPPCCT" in read(client.get(receipt_of(second)).getvalue())
    page = text_of(client.get(address("detail", complete)))
    assert receipt_of(first) in page and receipt_of(second) in page
