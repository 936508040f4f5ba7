"""What is said under an answer: the ceiling beside an amount, the share of the entities that are confirmed."""

import pytest
from django.urls import reverse

from applications.fields import bank_of, is_of_another_bank
from applications.models import Answer, Application, Bracket, Question, values_of
from applications.notes import note_of
from applications.states import State
from establishments.models import Activity
from tests.applications.pages import text_of
from tests.factories import (
    ApplicationFactory,
    EstablishmentFactory,
    FormFactory,
    GhtFactory,
    LegalEntityFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

AMOUNT = {"key": "amount", "kind": Question.Kind.AMOUNT, "label": "Montant demandé"}
TESTED = {"key": "tested", "kind": Question.Kind.CHECKLIST, "label": "Entités", "activity_share": 66}


@pytest.fixture
def dossier():
    """Of a group of three members: 60, 30 and 10 % of its activity; its ceiling is 450 000 €."""
    members = LegalEntityFactory.create_batch(3)
    for member, days in zip(members, (60_000, 30_000, 10_000), strict=True):
        Activity.objects.create(legal_entity=member, year=2023, days=days)
    group = EstablishmentFactory(as_ght=True, ght=GhtFactory(support=members[0], members=members[1:]))
    form = FormFactory(questions=[AMOUNT, TESTED])
    Bracket.objects.create(domain=form.domain, kind="ght", days_from=0, days_until=None, ceiling=450_000_00)
    return ApplicationFactory(
        domain=form.domain, candidature_form=form, referent=UserFactory(establishment=group), establishment=group
    )


@pytest.fixture
def client(dossier, signed_in):
    return signed_in(dossier.referent)


def members_of(dossier) -> list[str]:
    """FINESS numbers, the busiest first."""
    return [str(entity.finess) for entity in dossier.establishment.ght.members.order_by("-activities__days")]


def save(client, dossier, key, **data):
    return client.post(
        reverse("applications:answer", args=[dossier.reference, key]),
        {"_page": dossier.reference} | data,
        headers={"accept": "application/json"},
    )


def confirm(client, dossier, *finesses):
    others = {f"tested:{finess}:reason": "Pas encore" for finess in members_of(dossier) if finess not in finesses}
    return save(client, dossier, "tested", **{f"tested:{finess}": "on" for finess in finesses}, **others)


def note(answer) -> str:
    return answer.json()["note"].replace("\u00a0", " ")


# --- the amount that is asked for ---------------------------------------------------------------------------------
def test_the_ceiling_stands_beside_the_amount_before_anything_is_typed(client, dossier):
    page = text_of(client.get(reverse("applications:detail", args=[dossier.reference]))).replace("\u00a0", " ")
    assert "Plafond de l’établissement : 450 000 €." in page


def test_an_amount_above_the_ceiling_is_kept_with_a_warning(client, dossier):
    assert note(save(client, dossier, "amount", amount="450 000")) == (
        "Montant demandé : 450 000 €. Plafond de l’établissement : 450 000 €."
    )
    answer = save(client, dossier, "amount", amount="450 000,01")
    assert answer.status_code == 200 and values_of(dossier)["amount"] == 450_000_01
    assert note(answer).startswith(
        "Attention : ce montant, 450 000,01 €, dépasse le plafond de l’établissement (450 000 €)."
    )
    recap = text_of(client.get(reverse("applications:recap", args=[dossier.reference])))
    assert "dépasse le plafond" in recap.replace("\u00a0", " ")


@pytest.mark.parametrize("typed", ["0", "0,00", "-5"])
def test_nothing_is_not_an_amount(client, dossier, typed):
    answer = save(client, dossier, "amount", amount=typed)
    assert answer.status_code == 422 and "Saisissez un montant" in answer.json()["errors"][0]
    assert "amount" not in values_of(dossier)


# --- the share of the entities that are confirmed -----------------------------------------------------------------
def test_the_share_of_the_confirmed_entities_is_said_on_both_sides_of_what_is_asked(client, dossier):
    largest, second, smallest = members_of(dossier)
    below = note(confirm(client, dossier, largest))
    assert below.startswith(
        "Attention : les entités confirmées représentent 60 % de l’activité combinée, 66 % sont demandés."
    )
    reached = note(confirm(client, dossier, largest, smallest))
    assert reached == "Les entités confirmées représentent 70 % de l’activité combinée, 66 % sont demandés."
    assert note(confirm(client, dossier, largest, second, smallest)).startswith(
        "Les entités confirmées représentent 100"
    )


def test_a_member_without_known_activity_is_named(client, dossier):
    _, _, smallest = members_of(dossier)
    Activity.objects.filter(legal_entity__finess=smallest).delete()
    name = dossier.establishment.ght.members.get(finess=smallest).name
    assert f"Activité non connue, non comptée : {name}." in note(confirm(client, dossier, smallest))
    Activity.objects.all().delete()
    assert note(confirm(client, dossier, smallest)).startswith("L’activité combinée n’est pas connue")


def test_reviewers_read_the_same_share(client, dossier, signed_in):
    largest = members_of(dossier)[0]
    confirm(client, dossier, largest)
    Answer.objects.create(
        application=dossier,
        question=Question.objects.get(section__form=dossier.candidature_form, key="amount"),
        value=1,
    )
    current = Application.objects.get(pk=dossier.pk)
    client.post(reverse("applications:submit", args=[dossier.reference]), {"version": current.version})
    assert Application.objects.get(pk=dossier.pk).state == State.SUBMITTED
    reader = signed_in(UserFactory(ars=True, regions=[dossier.establishment.region]))
    page = text_of(reader.get(reverse("reviews:dossier", args=[dossier.reference]))).replace("\u00a0", " ")
    assert "les entités confirmées représentent 60 % de l’activité combinée" in page


def test_the_rule_of_domaine_2_is_data(domains):
    asked = Question.objects.filter(activity_share__isnull=False)
    assert {(one.section.form.domain.slug, one.key, one.activity_share) for one in asked} == {
        ("domaine-2", "d2-o1-tested", 66)
    }


# --- a bank -------------------------------------------------------------------------------------------------------
def test_a_bank_that_is_not_known_is_said():
    question = Question(kind=Question.Kind.IBAN)
    assert note_of(question, "FR7630006000011234567890189") == "Banque\u00a0: CREDIT AGRICOLE SA"
    assert note_of(question, "MC5811222000010123456789030").startswith("Banque non reconnue")
    assert note_of(question, "") == ""


@pytest.mark.parametrize(
    ("bic", "is_told"), [("AGRIFRPP", False), ("AGRIFRPP882", False), ("BDFEFRPPCCT", True), ("", False)]
)
def test_a_bic_of_another_bank_is_told_and_kept(bic, is_told):
    note = note_of(Question(kind=Question.Kind.BIC), bic, iban="FR7630006000011234567890189")
    assert ("celui de la banque de l’IBAN (CREDIT AGRICOLE SA)" in note) is is_told
    assert note_of(Question(kind=Question.Kind.BIC), bic) == "", "no account is named yet"
    assert note_of(Question(kind=Question.Kind.BIC), bic, iban="MC5811222000010123456789030") == "", "no such bank"


def test_the_examples_of_the_forms_are_of_one_bank(domains):
    helps = Question.objects.filter(section__form__domain__slug="domaine-1", key__in=["iban", "bic"]).order_by("key")
    bic, iban = (question.help.partition("Exemple : ")[2].rstrip(".").replace(" ", "") for question in helps)
    iban = iban.replace(" ", "")
    assert bank_of(iban) and not is_of_another_bank(bic, iban)
