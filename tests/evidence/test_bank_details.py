"""IBAN and BIC after acceptance: asked for with a new RIB, decided by the ANS, nothing sent is altered."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from applications.actions import NotNow
from applications.models import Answer, Application, Question, Submission, values_of
from applications.states import FROM_ACCEPTANCE, State
from demo.specimens import pdf
from ecare.journal.models import Entry
from ecare.letters.models import Letter
from evidence import bank
from evidence.files import Refused
from evidence.models import BankDetails, Evidence, StoredFile
from tests.applications.life_cycle import ROLES, STATES
from tests.applications.life_cycle import people as cast_of
from tests.applications.pages import text_of
from tests.evidence.conftest import SPACE, assert_no_orphan, put_in, upload
from tests.factories import ApplicationFactory, EstablishmentFactory, FormFactory

pytestmark = pytest.mark.django_db

OLD, NEW = "FR7630006000011234567890189", "FR1420041010050500013M02606"
VALUES = {"titulaire": "CH de la Ville", "iban": NEW, "bic": "AGRIFRPP"}


@pytest.fixture
def cast():
    return cast_of(EstablishmentFactory())


@pytest.fixture
def application(cast):
    """Sent with its bank details, then accepted."""
    form = FormFactory(
        questions=[
            {"key": "titulaire", "kind": Question.Kind.TEXT, "label": "Titulaire du compte"},
            {"key": "iban", "kind": Question.Kind.IBAN, "label": "IBAN"},
            {"key": "bic", "kind": Question.Kind.BIC, "label": "BIC"},
            {**SPACE, "key": "rib", "label": "Fichier RIB", "max_files": 1},
        ]
    )
    found = ApplicationFactory(domain=form.domain, candidature_form=form, referent=cast["owner"])
    for key, value in (VALUES | {"iban": OLD}).items():
        question = Question.objects.get(section__form=form, key=key)
        Answer.objects.create(application=found, question=question, value=value)
    put_in(found, key="rib")
    content = {"form": 1, "answers": values_of(found)}
    Submission.objects.create(
        application=found, step="candidature", number=1, by=cast["owner"], content=content, digest="0"
    )
    return moved_to(found, State.ACCEPTED)


def moved_to(application, state):
    Application.objects.filter(pk=application.pk).update(
        state=state,
        sendings=1,
        candidature_submitted_at=timezone.now(),
        declaration_submitted_at=timezone.now(),
        convention_signed_on=timezone.localdate(),
    )
    return Application.objects.get(pk=application.pk)


def ask(application, by, values=None):
    content = pdf(line=f"RIB n° {BankDetails.objects.count()}")
    return bank.change_bank_details(application, by=by, values=values or VALUES, upload=upload(content, "RIB.pdf"))


def told(name) -> set[str]:
    return set(Letter.objects.filter(name=name).values_list("recipient", flat=True))


@pytest.mark.parametrize("state", STATES)
def test_the_referent_asks_between_acceptance_and_payment(cast, application, state):
    application = moved_to(application, state)
    if state in FROM_ACCEPTANCE:
        assert ask(application, cast["owner"]).is_open
        assert told("bank_details_changed") == {cast["owner"].email, cast["ans"].email}
        return
    with pytest.raises(NotNow):
        ask(application, cast["owner"])
    assert not BankDetails.objects.exists()
    assert_no_orphan()


@pytest.mark.parametrize("role", [role for role in ROLES if role != "owner"])
def test_nobody_else_asks(cast, application, role):
    with pytest.raises(PermissionDenied):
        ask(application, cast[role])
    assert_no_orphan()


def test_a_dossier_asks_a_few_times_a_day(cast, application, time_machine):
    for _ in range(bank.MOST_A_DAY):
        ask(application, cast["owner"])
    with pytest.raises(NotNow, match="recommencez demain"):
        ask(application, cast["owner"])
    assert BankDetails.objects.count() == bank.MOST_A_DAY
    assert_no_orphan()
    time_machine.move_to(timezone.now() + timedelta(days=1, minutes=1))
    assert ask(application, cast["owner"]).is_open


def test_what_is_asked_changes_nothing_yet(cast, application):
    ask(application, cast["owner"])
    assert values_of(application)["iban"] == OLD


def test_confirmed_it_is_in_force_and_what_was_sent_stands(cast, application):
    asked = ask(application, cast["owner"])
    bank.confirm_bank_details(asked, by=cast["ans"], at=timezone.now())
    values = values_of(application)
    assert values["iban"] == NEW
    assert [file["id"] for file in values["rib"]] == [str(asked.file_id)]
    assert Submission.objects.get().content["answers"]["iban"] == OLD
    assert Evidence.objects.filter(application=application).count() == 2
    assert Evidence.objects.filter(application=application).current().get().file == asked.file
    assert told("bank_details_confirmed") == {cast["owner"].email}


def test_the_journal_tells_numbers_apart_without_holding_them(cast, application):
    bank.confirm_bank_details(ask(application, cast["owner"]), by=cast["ans"], at=timezone.now())
    entries = Entry.objects.filter(subject=application.subject, verb__endswith="bank_details")
    assert [entry.verb for entry in entries] == ["change_bank_details", "confirm_bank_details"]
    data = entries[0].data
    assert (data["before"]["iban"], data["after"]["iban"]) == ("FR76…0189", "FR14…2606")
    assert NEW not in str([entry.data for entry in entries])
    assert NEW not in "".join(Letter.objects.values_list("text", flat=True))


def test_refused_nothing_changes_and_the_reason_is_told(cast, application, signed_in):
    bank.refuse_bank_details(
        ask(application, cast["owner"]), by=cast["ans"], message="Le RIB est d’un autre titulaire."
    )
    assert values_of(application)["iban"] == OLD
    assert told("bank_details_refused") == {cast["owner"].email}
    page = signed_in(cast["owner"]).get(reverse("evidence:bank_details", args=[application.reference]))
    assert "Le RIB est d’un autre titulaire." in text_of(page)


def test_a_newer_request_replaces_the_one_that_waits(cast, application):
    first, second = ask(application, cast["owner"]), ask(application, cast["owner"])
    with pytest.raises(NotNow, match="remplacée"):
        bank.confirm_bank_details(first, by=cast["ans"], at=timezone.now())
    bank.confirm_bank_details(second, by=cast["ans"], at=timezone.now())
    with pytest.raises(NotNow, match=f"confirmée par {cast['ans']}"):
        bank.refuse_bank_details(second, by=cast["ans"], message="Trop tard pour cela.")


def test_not_once_it_is_paid(cast, application):
    asked = ask(application, cast["owner"])
    moved_to(application, State.PAID)
    with pytest.raises(NotNow, match="versé"):
        bank.confirm_bank_details(asked, by=cast["ans"], at=timezone.now())


@pytest.mark.parametrize("role", [role for role in ROLES if role != "ans"])
def test_the_ans_alone_decides(cast, application, role):
    asked = ask(application, cast["owner"])
    with pytest.raises(PermissionDenied):
        bank.confirm_bank_details(asked, by=cast[role], at=timezone.now())
    with pytest.raises(PermissionDenied):
        bank.refuse_bank_details(asked, by=cast[role], message="Ce n’est pas à moi.")
    assert values_of(application)["iban"] == OLD


# --- pages --------------------------------------------------------------------------------------------------------
def send(client, application, **fields):
    data = VALUES | {"upload": upload(name="RIB nouveau.pdf")} | fields
    return client.post(reverse("evidence:bank_details", args=[application.reference]), data, follow=True)


def test_the_referent_asks_and_reads_what_waits(cast, application, signed_in):
    client = signed_in(cast["owner"])
    address = reverse("evidence:bank_details", args=[application.reference])
    assert address in client.get(reverse("applications:detail", args=[application.reference])).content.decode()
    page = send(client, application, iban="FR14 2004 1010 0505 0001 3M02 606")
    text = text_of(page)
    assert "Votre demande est transmise à l’ANS." in text and "En attente" in text
    assert "FR14 2004 1010 0505 0001 3M02 606" in text and "une nouvelle la remplace" in text
    asked = BankDetails.objects.get()
    assert b"%PDF" in client.get(reverse("evidence:rib", args=[asked.pk])).getvalue()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"iban": "FR1420041010050500013M02607"}, "IBAN"),
        ({"bic": ""}, "Renseignez ce champ."),
        ({"upload": ""}, "Choisissez un fichier."),
        ({"iban": OLD}, "Ce sont déjà les coordonnées bancaires du dossier"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_kept(cast, application, signed_in, fields, said):
    page = send(signed_in(cast["owner"]), application, **fields)
    assert said in text_of(page) and " à corriger" in text_of(page)
    assert not BankDetails.objects.exists()
    assert StoredFile.objects.count() == 1
    assert_no_orphan()


def test_a_file_that_is_no_rib_is_refused_at_its_field(cast, application, signed_in):
    page = send(signed_in(cast["owner"]), application, upload=upload(b"pas un pdf", "RIB.pdf"))
    assert "Ce fichier porte l’extension pdf, mais son contenu est" in text_of(page)
    assert_no_orphan()


def test_the_ans_finds_it_compares_and_confirms(cast, application, signed_in):
    asked = ask(application, cast["owner"])
    client = signed_in(cast["ans"])
    assert "(1 en attente)" in text_of(client.get("/verification/"))
    confirm = reverse("reviews:confirm_bank_details", args=[asked.pk])
    assert confirm in client.get(reverse("reviews:requests")).content.decode()
    assert confirm in client.get(reverse("reviews:dossier", args=[application.reference])).content.decode()
    assert "FR14 2004" in text_of(client.get(confirm))
    assert "les coordonnées bancaires sont confirmées" in text_of(client.post(confirm, follow=True))
    assert client.post(confirm).status_code == 409


def test_the_ars_reads_it_and_decides_nothing(cast, application, signed_in):
    asked = ask(application, cast["owner"])
    client = signed_in(cast["ars"])
    page = client.get(reverse("reviews:dossier", args=[application.reference])).content.decode()
    assert reverse("evidence:rib", args=[asked.pk]) in page
    assert reverse("reviews:confirm_bank_details", args=[asked.pk]) not in page
    assert client.get(reverse("reviews:confirm_bank_details", args=[asked.pk])).status_code == 403
    assert "coordonnées bancaires</h2>" not in client.get(reverse("reviews:requests")).content.decode()


@pytest.mark.parametrize("count", [1, 3])
def test_the_requests_of_the_ans_cost_the_same_however_many(cast, signed_in, django_assert_num_queries, count):
    form = FormFactory(questions=[{"key": "iban", "kind": Question.Kind.IBAN}])
    for _ in range(count):
        owner = cast_of(EstablishmentFactory())["owner"]
        ask(moved_to(ApplicationFactory(domain=form.domain, candidature_form=form, referent=owner), "accepted"), owner)
    client = signed_in(cast["ans"])
    with django_assert_num_queries(7):
        client.get(reverse("reviews:requests"))


def test_a_wrong_file_is_refused_by_the_verb_too(cast, application):
    with pytest.raises(Refused):
        bank.change_bank_details(application, by=cast["owner"], values=VALUES, upload=upload(b"x", "RIB.pdf"))
    assert_no_orphan()
