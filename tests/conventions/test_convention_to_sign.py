"""The convention to sign: a PDF filled in from what was sent, whatever was typed; articles of each domain."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from applications.actions import write_answer
from applications.models import Domain, Question
from conventions import readers, writers
from conventions.models import ConventionText
from demo.specimens import pdf
from ecare.journal.models import Entry
from evidence.bank import change_bank_details, confirm_bank_details
from tests.applications.pages import text_of
from tests.applications.test_receipt import CANARIES, read
from tests.conventions.conftest import accepted_dossier, now, send
from tests.factories import DomainFactory, UserFactory

pytestmark = pytest.mark.django_db


def address(application) -> str:
    return reverse("conventions:to_sign", args=[application.reference])


def said_by(application) -> str:
    return read(writers.convention(application, readers.text_of(application.domain), at=timezone.now()))


def test_it_names_the_parties_what_for_how_much_and_to_which_account(accepted, cast, signed_in):
    answer = signed_in(cast["owner"]).get(address(accepted))
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == (
        f'attachment; filename="eCaRE-{accepted.reference}-convention-a-signer.pdf"'
    )
    said, entity = read(answer.content), accepted.establishment.legal_entity
    for expected in (
        accepted.reference,
        "Agence du Numérique en Santé",
        entity.name,
        entity.finess,
        "34000 MONTPELLIER",
        "Madame Anne Roux",
        "Directrice générale",
        "Domaine 1 Audits techniques",
        "D1.O1 – Maîtriser l’annuaire d’établissement",
        "CH de la Ville",
        "FR76 3000 6000 0112 3456 7890 189",
        str(cast["owner"]),
        "Modèle de démonstration",
        "Article 4 – Montant et versement",
    ):
        assert expected in said
    assert "{" not in said and "None" not in said


def test_the_amount_is_what_acceptance_commits(cast):
    """No activity is known here, so the ceiling is the floor; and with it, the lower of ceiling and request."""
    domain = DomainFactory(floor=4_000_000)
    assert "Montant maximal de la convention 30 000 €" in said_by(accepted_dossier(cast, domain=domain))


@pytest.mark.parametrize(
    ("payment", "said"),
    [("lump_sum", "Forfait égal au plafond"), ("accepted_expenses", "Dépenses retenues par l’ANS")],
)
def test_how_it_is_paid_follows_the_domain(accepted, payment, said):
    Domain.objects.update(payment=payment)
    assert said in said_by(now(accepted))


def test_it_is_tagged_titled_in_french_and_the_same_for_the_same_instant(accepted):
    text, at = readers.text_of(accepted.domain), timezone.now()
    content = writers.convention(accepted, text, at=at)
    document = PdfReader(io.BytesIO(content))
    assert document.trailer["/Root"]["/Lang"] == "fr"
    assert document.metadata.title == f"Convention de financement n°\u00a0{accepted.reference}"
    assert b"pdfuaid" in document.trailer["/Root"]["/Metadata"].get_data()
    assert content == writers.convention(now(accepted), text, at=at)


@pytest.mark.parametrize("canary", [*CANARIES, "{montant} {reference}", "{inconnu}"])
def test_what_people_typed_is_shown_and_never_obeyed(cast, canary):
    application = accepted_dossier(cast, values={"signatory-last-name": canary, "holder": canary})
    entity = application.establishment.legal_entity
    entity.name = canary
    entity.save()
    assert said_by(now(application)).count(" ".join(canary.split())) >= 5


@pytest.mark.parametrize("text", ["😀 漢字 عربي", "\u0001", "x" * 150, "a\r\nb", "\u202e"])
def test_no_character_stops_it(cast, text):
    assert said_by(accepted_dossier(cast, values={"signatory-job": text}))


def test_what_was_sent_stands_but_for_an_account_that_the_ans_confirmed(accepted, cast):
    job = Question.objects.get(key="signatory-job")
    write_answer(accepted, job, "Autre fonction")
    new = {"holder": "Nouveau titulaire", "iban": "FR1420041010050500013M02606", "bic": "PSSTFRPPMON"}
    rib = SimpleUploadedFile("rib.pdf", pdf())
    asked = change_bank_details(accepted, by=cast["owner"], values=new, upload=rib)
    assert "FR76 3000" in said_by(accepted)
    confirm_bank_details(asked, by=cast["ans"], at=timezone.now())
    said = said_by(accepted)
    assert "FR14 2004 1010 0505 0001 3M02 606" in said and "Nouveau titulaire" in said and "FR76" not in said
    assert "Directrice générale" in said and "Autre fonction" not in said


# --- its articles ---------------------------------------------------------------------------------------------------
def publish(domain, text, **fields):
    return ConventionText.objects.create(domain=domain, text=text, published_by=UserFactory(ans=True), **fields)


def test_a_domain_may_have_articles_of_its_own(accepted):
    publish(accepted.domain, "# Ancien\n\nSans objet.", number=1)
    publish(accepted.domain, "# Objet\n\nPour {etablissement} :\n- un\n- deux", number=2, is_official=True)
    publish(DomainFactory(), "# Ailleurs\n\nAutre domaine.", number=3)
    said = said_by(accepted)
    assert f"Pour {accepted.establishment.legal_entity.name}" in said and "• un" in said
    assert "démonstration" not in said and "Ancien" not in said and "Ailleurs" not in said


@pytest.mark.parametrize(
    ("text", "said"), [("Sans titre", "premier article"), ("# A\n\n{somme} et {montant}", "inconnues\u00a0: somme.")]
)
def test_articles_that_cannot_be_filled_in_are_not_published(signed_in, text, said):
    browser = signed_in(UserFactory(administrator=True))
    page = browser.post(reverse("admin:conventions_conventiontext_add"), {"domain": DomainFactory().pk, "text": text})
    assert page.status_code == 200 and said.replace("\u00a0", " ") in text_of(page)
    assert not ConventionText.objects.exists()


def test_an_administrator_publishes_the_next_version_and_changes_none(signed_in):
    administrator, domain = UserFactory(administrator=True), DomainFactory()
    browser = signed_in(administrator)
    for number in (1, 2):
        data = {"domain": domain.pk, "text": "# Objet\n\nUn article.", "is_official": "on"}
        browser.post(reverse("admin:conventions_conventiontext_add"), data)
        latest = ConventionText.objects.in_force(domain)
        assert (latest.number, latest.published_by) == (number, administrator)
    change = reverse("admin:conventions_conventiontext_change", args=[latest.pk])
    assert browser.post(change, data | {"text": "# Autre"}).status_code == 403


# --- who, when ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("owner", 200),
        ("colleague", 404),
        ("stranger", 404),
        ("ars", 200),
        ("ars_elsewhere", 404),
        ("ans", 200),
        ("administrator", 404),
    ],
)
def test_it_is_for_the_referent_and_the_reviewers_and_each_one_is_noted(accepted, cast, signed_in, role, status):
    assert signed_in(cast[role]).get(address(accepted)).status_code == status
    noted = Entry.objects.filter(subject=accepted.subject, verb="prepare_convention", actor=cast[role].actor[0])
    assert noted.exists() == (status == 200)


def test_there_is_none_before_acceptance_nor_once_signed(cast, signed_in, accepted):
    browser = signed_in(cast["owner"])
    type(accepted).objects.update(state="submitted")
    assert browser.get(address(accepted)).status_code == 409
    type(accepted).objects.update(state="convention_signed", convention_signed_on=timezone.localdate())
    assert browser.get(address(accepted)).status_code == 409
    assert not Entry.objects.filter(verb="prepare_convention").exists()


def test_the_very_file_that_was_downloaded_is_not_a_signed_one(accepted, cast, signed_in):
    browser = signed_in(cast["owner"])
    paper = SimpleUploadedFile("Convention.pdf", browser.get(address(accepted)).content)
    page = browser.post(reverse("conventions:convention", args=[accepted.reference]), {"upload": paper})
    assert page.status_code == 200 and "sans signature" in text_of(page)
    assert not now(accepted).is_to_countersign
    send(accepted)
    assert now(accepted).is_to_countersign


def test_the_dossier_offers_it(accepted, cast, signed_in):
    detail = reverse("applications:detail", args=[accepted.reference])
    assert address(accepted) in signed_in(cast["owner"]).get(detail).text
    reading = reverse("reviews:dossier", args=[accepted.reference])
    assert address(accepted) in signed_in(cast["ans"]).get(reading).text
