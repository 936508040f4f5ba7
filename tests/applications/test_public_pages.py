"""« Vérifiez votre éligibilité » and « Préparez votre dossier », before any account."""

import re
from datetime import date, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from applications.models import Bracket, Question, questions_of
from applications.states import Step
from establishments.models import Activity
from evidence.models import SpaceTemplate
from tests.applications.pages import text_of
from tests.factories import (
    DomainFactory,
    EstablishmentFactory,
    FormFactory,
    GhtFactory,
    LegalEntityFactory,
    SiteFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

SEARCH = reverse("eligibility")


@pytest.fixture
def visitor():
    return Client()


def found(visitor, words, **more):
    response = visitor.get(SEARCH, {"q": words} | more)
    return [row["number"] for row in response.context["table"].page.object_list.data]


def of(number):
    return reverse("eligibility_of", args=[number])


def plain(response):
    """What the page says, without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", text_of(response)))


# --- the search ---------------------------------------------------------------------------------------------------
def test_the_page_recalls_the_programme_and_that_a_breach_excludes(visitor):
    page = plain(visitor.get(SEARCH))
    assert "750 millions d’euros d’ici 2027" in page
    assert "axe 4" in page
    assert "exclusion immédiate" in page
    assert "table" not in visitor.get(SEARCH).context


def test_an_establishment_is_found_by_name_town_and_number(visitor):
    one = EstablishmentFactory(legal_entity=LegalEntityFactory(name="CL BÉTHANIE", town="SETE", siren="732829320"))
    site = SiteFactory(legal_entity=one.legal_entity, siret="73282932000074")
    EstablishmentFactory()
    number = one.finess
    spaced = f" {number[:3]} {number[3:6]} {number[6:]} "
    for words in ("béthanie", "BETHANIE sete", number, spaced, site.finess, "732 829 320", site.siret):
        assert found(visitor, words) == [number], words


def test_a_group_is_found_by_its_code_its_members_and_their_numbers(visitor):
    member = LegalEntityFactory(name="CH LUNEL", town="LUNEL")
    ght = GhtFactory(code="OCC-44", members=[member])
    group = EstablishmentFactory(as_ght=True, ght=ght)
    group.search_text += " ch lunel"
    group.save()
    assert found(visitor, "occ-44") == ["OCC-44"]
    assert found(visitor, "lunel") == ["OCC-44", member.finess]
    assert found(visitor, member.finess) == ["OCC-44", member.finess]
    clinic = EstablishmentFactory(private=True, legal_entity__name="A LUNEL")
    hospital = EstablishmentFactory(legal_entity__name="B LUNEL")
    stranger = LegalEntityFactory(name="C LUNEL")
    known = [member.finess, hospital.finess, clinic.finess, stranger.finess]
    assert found(visitor, "lunel") == ["OCC-44", *known]
    assert "Membre du GHT OCC-44" in text_of(visitor.get(SEARCH, {"q": "lunel"}))


def test_an_entity_that_may_not_apply_is_found_too(visitor):
    entity = LegalEntityFactory(name="EHPAD LES TILLEULS", legal_status="60")
    assert found(visitor, "tilleuls") == [entity.finess]
    assert of(entity.finess) in text_of(visitor.get(SEARCH, {"q": "tilleuls"}))


def test_a_small_mistake_is_forgiven_and_said(visitor):
    one = EstablishmentFactory(legal_entity=LegalEntityFactory(name="CH DE PERPIGNAN", town="PERPIGNAN"))
    for words in ("perpinian", "perpignan introuvablissime"):
        assert found(visitor, words) == [one.finess]
        page = text_of(visitor.get(SEARCH, {"q": words}))
        assert "Rien ne correspond exactement" in page
        assert "« perpignan »" in page


def test_what_nobody_bears_is_said(visitor):
    page = text_of(visitor.get(SEARCH, {"q": "zzzzzz"}))
    assert "0 résultat pour « zzzzzz »" in page
    assert "sa clé de contrôle FINESS est fausse" in text_of(visitor.get(SEARCH, {"q": "340000001"}))
    assert "Écrivez au moins deux caractères" in text_of(visitor.get(SEARCH, {"q": "a"}))


@pytest.mark.parametrize(
    "query",
    [
        {"q": "\0"},
        {"q": "ab\0"},
        {"q": "<script>alert(1)</script>"},
        {"q": "x" * 5000},
        {"q": "%_'\""},
        {"q": "ville", "page": "x"},
        {"q": "ville", "per_page": 10**9, "sort": "-password"},
    ],
)
def test_a_forged_search_breaks_nothing(visitor, query):
    EstablishmentFactory()
    response = visitor.get(SEARCH, query)
    assert response.status_code == 200
    assert "<script>alert" not in response.content.decode()


def test_the_results_are_paged(visitor):
    EstablishmentFactory.create_batch(12)
    assert len(found(visitor, "ville")) == 10
    assert len(found(visitor, "ville", page=2)) == 2


@pytest.mark.parametrize("rows", [1, 3])
def test_the_search_asks_as_much_for_one_row_as_for_three(visitor, rows, django_assert_num_queries):
    EstablishmentFactory.create_batch(rows)
    with django_assert_num_queries(2):
        assert len(found(visitor, "ville")) == rows


# --- the page of an establishment ---------------------------------------------------------------------------------
def test_an_establishment_sees_its_domains_dates_ceiling_and_conditions(visitor):
    one = EstablishmentFactory()
    Activity.objects.create(legal_entity=one.legal_entity, year=2023, days=12_345)
    last = timezone.localdate() + timedelta(days=6)
    domain = DomainFactory(name="Domaine A", candidature_until=last, expenses_from=date(2025, 7, 16))
    Bracket.objects.create(domain=domain, kind="public", days_from=10_000, days_until=19_999, ceiling=1_250_000)
    page = plain(visitor.get(of(one.finess)))
    for said in (
        "Éligible",
        "(encore 6 jours)",
        "Plafond : 12 500 €",
        "Barème de démonstration, non officiel",
        "Activité combinée 2023 : 12 345 journées en équivalent MCO",
        "de 10 000 à 19 999 journées, soit 12 500 €",
        "Plancher du domaine : 7 000 €",
        "dépenses engagées à partir du 16 juillet 2025",
        "exclusion immédiate",
    ):
        assert said in page, said
    assert reverse("preparation", args=[domain.slug]) in text_of(visitor.get(of(one.finess)))


def test_an_official_scale_is_not_called_a_demonstration(visitor):
    one = EstablishmentFactory()
    Activity.objects.create(legal_entity=one.legal_entity, year=2023, days=1)
    domain = DomainFactory(has_official_scale=True, payment="lump_sum")
    Bracket.objects.create(domain=domain, kind="public", days_from=0, ceiling=500_000)
    page = plain(visitor.get(of(one.finess)))
    assert "démonstration, non officiel" not in page
    assert "le plafond est relevé au plancher" in page
    assert "forfaitaire, égal au plafond" in page


def test_an_unknown_activity_gives_the_floor_and_says_so(visitor):
    DomainFactory()
    page = plain(visitor.get(of(EstablishmentFactory().finess)))
    assert "Plafond : 7 000 €" in page
    assert "inconnue du répertoire. Le plafond est donc le plancher." in page


def test_a_group_shows_what_each_member_brings(visitor):
    members = LegalEntityFactory.create_batch(2)
    group = EstablishmentFactory(as_ght=True, ght=GhtFactory(code="OCC-44", members=members))
    Activity.objects.create(legal_entity=members[0], year=2023, days=1_500)
    DomainFactory()
    page = plain(visitor.get(of("occ-44")))
    assert f"{members[0].name} ({members[0].finess}) : 1 500 journées" in page
    assert f"{members[1].name} ({members[1].finess}) : inconnue, comptée pour zéro" in page
    assert "il n’est pas encore publié pour ce type" in page
    assert f"{group.legal_entity.name} ({group.finess})" in page


def test_a_domain_for_others_and_a_closed_establishment_say_why_not(visitor):
    DomainFactory(kinds=["private"])
    one = EstablishmentFactory()
    page = plain(visitor.get(of(one.finess)))
    assert "Non éligible" in page
    assert "Ce domaine n’est pas ouvert à ce type d’établissement (Entité Juridique Publique hors GHT)" in page
    assert "Plafond" not in page
    one.closed_on = date(2024, 1, 1)
    one.save()
    assert "Cet établissement ne peut pas candidater" in plain(visitor.get(of(one.finess)))


def test_a_member_of_a_group_is_told_which_one_applies_for_it(visitor):
    member = LegalEntityFactory()
    ght = GhtFactory(code="OCC-44", name="EST", members=[member], support__name="CHU DE LA MER")
    page = visitor.get(of(member.finess))
    assert "Cette entité est membre du GHT OCC-44 – EST" in plain(page)
    assert f"CHU DE LA MER ({ght.support.finess})" in plain(page)
    assert of("OCC-44") in text_of(page)
    assert "Cette entité est l’établissement support du GHT OCC-44" in plain(visitor.get(of(ght.support.finess)))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"closed_on": date(2024, 1, 1)}, "comme fermée (constat du 1er janvier 2024)"),
        ({"legal_status": ""}, "Son statut juridique est absent"),
        ({"legal_status": "60"}, "aucun site hospitalier ouvert"),
    ],
)
def test_an_entity_that_may_not_apply_is_told_why(visitor, fields, said):
    assert said in plain(visitor.get(of(LegalEntityFactory(**fields).finess)))


@pytest.mark.parametrize("number", ["340000001", "OCC-99", "x", "0"])
def test_an_unknown_number_is_not_found(visitor, number):
    assert visitor.get(of(number)).status_code == 404


@pytest.mark.parametrize("rows", [1, 3])
def test_the_page_asks_as_much_for_one_domain_as_for_three(visitor, rows, django_assert_num_queries):
    one = EstablishmentFactory(as_ght=True)
    one.ght.members.add(*LegalEntityFactory.create_batch(rows))
    DomainFactory.create_batch(rows)
    with django_assert_num_queries(5):
        visitor.get(of(one.ght.code))


# --- « Préparez votre dossier » -----------------------------------------------------------------------------------
def test_every_question_of_both_steps_is_there_with_its_limits(visitor, domain):
    page = plain(visitor.get(reverse("preparation", args=[domain.slug])))
    for step in Step:
        for question in questions_of(domain.forms.latest_published(step)):
            assert re.sub(r"\s+", " ", question.label) in page, question.key
            if question.is_evidence:
                assert f"Formats autorisés : {', '.join(question.formats)}." in page
                assert f"{question.max_megabytes} Mo maximum par fichier" in page
    assert "Texte court, 150 caractères au plus" in page
    assert "Texte libre, 5 000 caractères au plus" in page
    assert "Demandé si « Le prérequis PS1.1 de SUN-ES est-il validé" in page


def test_a_model_to_fill_in_is_named_beside_its_document(visitor):
    form = FormFactory(questions=[{"key": "liste", "kind": "evidence", "formats": ["docx"]}])
    facts = {"number": 1, "title": "Modèle de liste", "name": "liste.docx", "content": b"x", "size": 2048}
    SpaceTemplate.objects.create(domain=form.domain, question="liste", **facts)
    page = text_of(visitor.get(reverse("preparation", args=[form.domain.slug])))
    assert "Modèle de liste</a> (DOCX, 2 ko)" in page


def test_only_what_is_published_is_shown(visitor):
    form = FormFactory(questions=[{"key": "une", "label": "Question publiée"}])
    draft = FormFactory(domain=form.domain, number=2, published_at=None, questions=[{"key": "deux", "label": "Projet"}])
    address = reverse("preparation", args=[form.domain.slug])
    page = text_of(visitor.get(address))
    assert "Question publiée" in page
    assert "Projet" not in page
    assert "Le formulaire de cette étape n’est pas encore publié" in page
    assert draft.published_at is None


@pytest.mark.parametrize("kind", Question.Kind.values)
def test_every_kind_of_question_says_what_it_expects(visitor, kind):
    choices = [["a", "Rouge"], ["b", "Bleu"]] if kind in ("choice", "choices") else []
    fields = {"kind": kind, "label": "Demandée", "choices": choices, "formats": ["pdf"]}
    form = FormFactory(questions=[fields | {"checkbox_label": "Je confirme" if kind == "checkbox" else ""}])
    page = text_of(visitor.get(reverse("preparation", args=[form.domain.slug])))
    assert "Demandée" in page
    assert "None" not in page


def test_the_list_of_domains_leads_to_each(visitor):
    domains = DomainFactory.create_batch(2)
    page = text_of(visitor.get(reverse("preparations")))
    for domain in domains:
        assert reverse("preparation", args=[domain.slug]) in page
    assert visitor.get(reverse("preparation", args=["inconnu"])).status_code == 404


@pytest.mark.parametrize("rows", [1, 3])
def test_the_lists_ask_as_much_for_one_row_as_for_three(visitor, rows, django_assert_num_queries):
    questions = [{"key": f"question-{rank}", "kind": "evidence", "formats": ["pdf"]} for rank in range(rows)]
    form = FormFactory(questions=questions)
    FormFactory(domain=form.domain, step="declaration", questions=questions)
    DomainFactory.create_batch(rows)
    with django_assert_num_queries(1):
        visitor.get(reverse("preparations"))
    with django_assert_num_queries(6):
        visitor.get(reverse("preparation", args=[form.domain.slug]))


def test_people_who_are_signed_in_read_them_too(signed_in):
    FormFactory()
    for person in (UserFactory(), UserFactory(ans=True)):
        client = signed_in(person)
        for address in (SEARCH, reverse("preparations")):
            assert client.get(address).status_code == 200
