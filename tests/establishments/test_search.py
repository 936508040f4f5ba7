"""Finding an establishment: by name, town, FINESS or GHT code, accents and case forgiven, on both engines."""

import pytest
from django.db import connection

from establishments.models import Establishment, LegalEntity, searchable
from tests.establishments.conftest import CHU, CLINIC, LUNEL, MEASURES_LIKENESS
from tests.factories import finess

GHT, GARAZI_NAME, CLINIC_NAME = "EST HÉRAULT", "EPS GARAZI", "CLINIQUE SAINTE-THÉRÈSE"


@pytest.fixture
def found(folder, db):
    folder.entity(finess("64", 30), "CH DE PAU", town="64000 PAU")
    folder.member(finess("64", 30), code="NA-04", name="BÉARN", region="75", support="O")
    folder.run()

    def found(words):
        return {one.name for one in Establishment.objects.open().matching(words)}

    return found


@pytest.mark.parametrize(
    "words",
    [
        *("OCC-04", "occ-04", "occ 04", "OCC04", "occ4", "occ 4"),
        *("est herault", "Hérault", "CHU", "chu montpellier", "34000 montpellier", "hérault  lunel"),
        *(CHU, CHU[:5], LUNEL, "lunel", "Centre hospitalier Lunel"),
    ],
)
def test_a_group_is_found_by_its_code_its_name_and_its_members(found, words):
    assert GHT in found(words)


@pytest.mark.parametrize("words", ["occ 05", "OCC-40", "occ-004", "na 04 lunel", "herault pau"])
def test_other_words_do_not_find_it(found, words):
    assert GHT not in found(words)


def test_a_code_finds_its_group_alone(found):
    assert found("NA-04") == {"BÉARN"}


@pytest.mark.parametrize(
    "words", ["sete 34", "sainte therese", "THÉRÈSE", "Thérèse", "cli", "sète", "Sete clinique", CLINIC, "34200"]
)
def test_an_entity_is_found_without_accents_or_case(found, words):
    assert found(words) >= {CLINIC_NAME}


@pytest.mark.parametrize("words", ["saint-jean-pied-de-port", "St Jean", "garazi", "Saint Jean Garazi"])
def test_an_abbreviation_is_found_spelt_out(found, words):
    assert found(words) == {GARAZI_NAME}


def test_no_word_finds_everything_open(found):
    assert found("") == found("  ") == {GHT, "BÉARN", GARAZI_NAME, CLINIC_NAME}


def test_legal_entities_are_searched_alike(found):
    assert [entity.finess for entity in LegalEntity.objects.matching("thérèse sète")] == [CLINIC]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CH L’Œuvre – d'Élan", "ch l oeuvre d elan centre hospitalier"),
        ("ST-AFFRIQUE", "st affrique saint"),
        ("Saint Œ", "saint oe"),
        ("Ǽ\N{COMBINING ACUTE ACCENT}", "ae"),
    ],
)
def test_what_is_searched(text, expected):
    assert searchable(text) == expected


# --- small typos --------------------------------------------------------------------------------------------------


@pytest.fixture
def guessed(folder, db):
    for rank, (name, town) in enumerate(
        [("CLINIQUE DU PARC", "11000 CARCASSONNE"), ("CARMEL", "34000 BEZIERS"), ("CH MONTPON", "24700 MONTPON")]
    ):
        folder.entity(finess(town[:2], 40 + rank), name, town=town, status="73")
    folder.departments += [["11", "Aude", "76"], ["24", "Dordogne", "75"]]
    folder.run()

    def guessed(words):
        return [one.name for one in Establishment.objects.open().resembling(words)]

    return guessed


@MEASURES_LIKENESS
@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("montpelier", GHT),
        ("Montpélier", GHT),
        ("monptellier", GHT),
        ("carcasone", "CLINIQUE DU PARC"),
        ("clinique carcasonne", "CLINIQUE DU PARC"),
        ("cliniqe carcasone", "CLINIQUE DU PARC"),
        ("sainte terese", CLINIC_NAME),
        ("11000 carcasone", "CLINIQUE DU PARC"),
    ],
)
def test_a_small_typo_is_forgiven_the_most_alike_first(guessed, typed, meant):
    assert not Establishment.objects.matching(typed).exists()
    assert guessed(typed)[0] == meant


@MEASURES_LIKENESS
@pytest.mark.parametrize("typed", ["strasbourg", "zz", "99000 carcasone", "carcasone garazi", CLINIC[:8] + "X"])
def test_what_is_nothing_like_it_is_not_guessed(guessed, typed):
    assert guessed(typed) == []


@pytest.mark.skipif(connection.vendor == "postgresql", reason="PostgreSQL measures the likeness of words")
def test_sqlite_stays_exact(guessed):
    assert guessed("montpelier") == []


@MEASURES_LIKENESS
@pytest.mark.django_db
def test_postgresql_searches_by_trigrams():
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname FROM pg_indexes WHERE indexdef LIKE '%gin_trgm_ops%' ORDER BY 1")
        assert [name for (name,) in cursor.fetchall()] == ["establishment_search", "legalentity_search"]
