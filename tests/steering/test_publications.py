"""« Chiffres »: what anybody reads of a domain, and what nobody works out of it."""

import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from applications.states import REVIEWER_LABELS, State
from establishments.models import Region
from tests.factories import DomainFactory, FormFactory, RegionFactory
from tests.steering.worlds import NBSP, NOW, SVG, bar_texts, dossier, drawings, led, lines, read, records, section

pytestmark = pytest.mark.django_db

INDEX = "/chiffres/"
SMALL = f"<{NBSP}5"


@pytest.fixture
def visitor():
    return Client()


@pytest.fixture
def form():
    return FormFactory(domain__name="Domaine 1", domain__slug="domaine-1")


def many(number, state=State.SUBMITTED, **fields):
    return [dossier(state, **fields) for _ in range(number)]


def page_of(visitor, slug="domaine-1") -> str:
    cache.clear()
    answer = visitor.get(f"{INDEX}{slug}/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_pages_are_at_their_addresses_and_linked(visitor):
    assert reverse("steering:publications") == INDEX
    assert f'href="{INDEX}"' in visitor.get("/").text and f'href="{INDEX}"' in visitor.get("/plan-du-site/").text


def test_steps_are_counted_by_region_and_kind(visitor, form):
    """By fives, which are published as they are."""
    many(5, form=form)
    many(5, State.ACCEPTED, form=form, private=True)
    many(5, form=form, region="75", private=True)
    many(2, State.DRAFT, form=form)  # never sent
    page = page_of(visitor)
    assert read(page, "regions") == {
        "Nouvelle-Aquitaine": ["5", *[SMALL] * 3],
        "Occitanie": ["10", "5", SMALL, SMALL],
        "Ensemble": ["15", "5", SMALL, SMALL],
    }
    assert sorted(read(page, "types").values()) == sorted(
        [["15", "5", SMALL, SMALL], [SMALL] * 4, ["5", *[SMALL] * 3], ["10", "5", SMALL, SMALL]]
    )


def test_no_count_is_shown_as_it_is(visitor, form):
    """Each is one of the multiples of 5 around it, and the total is not their sum."""
    many(8, form=form)
    many(6, form=form, region="75")
    [alone, _] = many(2, form=form, region="11")
    page = page_of(visitor)
    regions = {name: row[0] for name, row in read(page, "regions").items()}
    assert regions["Occitanie"] in ("5", "10")
    assert regions["Nouvelle-Aquitaine"] in ("5", "10")
    assert regions["Région 11"] in (SMALL, "5")
    assert regions["Ensemble"] in ("15", "20")
    for words in (alone.reference, alone.establishment.name, alone.establishment.finess, alone.referent.last_name):
        assert words not in page


def test_a_chart_a_file_and_the_order_of_rows_tell_no_more_than_the_table(visitor, form):
    many(13, form=form)
    many(7, form=form, region="75")
    many(2, form=form, region="11")
    page = page_of(visitor)
    names = [name for name in read(page, "regions") if name != "Ensemble"]
    assert names == [region.name for region in Region.objects.all()]  # by name, not by count
    [chart] = drawings(section(page, "regions"))
    shown = {name: row[0] for name, row in read(page, "regions").items() if name != "Ensemble"}
    assert bar_texts(chart) == shown
    widths = [bar.get("width") for bar in chart.findall(f"{SVG}rect") if bar.get("class") == "ecare-bars__bar"]
    numbers = [0 if count == SMALL else int(count) for count in shown.values()]
    assert widths == [f"{100 * number / max(numbers):.2f}%" for number in numbers]
    for name in ("regions", "types", "semaines"):
        rows = records(visitor.get(f"{INDEX}domaine-1/{name}.csv"))
        assert rows == lines(section(page, name))
    assert visitor.get(f"{INDEX}domaine-1/autre.csv").status_code == 404


def test_all_pages_say_the_same_of_a_domain(visitor, form):
    many(7, form=form)
    page = page_of(visitor)
    [said] = {tuple(read(page, name)["Ensemble"]) for name in ("regions", "types")}
    assert lines(visitor.get(INDEX).content.decode())[1] == ["Domaine 1", *said]


def test_the_curve_draws_the_table(visitor, form):
    many(5, form=form, candidature_submitted_at=NOW)
    many(10, form=form, candidature_submitted_at=NOW - timedelta(weeks=1))
    many(1, form=form, candidature_submitted_at=NOW - timedelta(weeks=2))
    page = page_of(visitor)
    weeks = list(read(page, "semaines").values())
    assert weeks[-3][0] in (SMALL, "5") and weeks[-2:] == [["10"], ["5"]]
    [chart] = drawings(section(page, "semaines"))
    [line] = chart.findall(f".//{SVG}polyline")
    assert len(line.get("points").split()) == 26 == len(chart.findall(f".//{SVG}circle"))
    said = chart.find(f"{SVG}desc").text
    assert "au plus 10" in said and "au total" not in said  # rounded numbers are not summed


def test_a_domain_without_dossiers_shows_nothing_but_the_rule(visitor, form):
    page = page_of(visitor)
    assert drawings(page) == []
    assert {cell for name in ("regions", "types") for row in read(page, name).values() for cell in row} == {SMALL}
    assert f"l’un des deux multiples de{NBSP}5 qui l’entourent" in page.replace("&nbsp;", NBSP)


def test_the_index_names_the_domains_with_what_they_have_in_all(visitor, form):
    many(5, form=form)
    page = visitor.get(INDEX).content.decode()
    assert lines(page)[1] == ["Domaine 1", "5", SMALL, SMALL, SMALL]
    assert f'href="{INDEX}domaine-1/"' in page
    cache.clear()
    DomainFactory(name="Sans dossier")
    assert ["Sans dossier", *[SMALL] * 4] in lines(visitor.get(INDEX).content.decode())


def test_a_domain_for_trial_is_not_shown(visitor):
    trial = FormFactory(domain__is_trial=True, domain__name="Domaine d’essai", domain__slug="essai")
    many(5, form=trial)
    assert "Domaine d’essai" not in visitor.get(INDEX).content.decode()
    for address in (f"{INDEX}essai/", f"{INDEX}essai/regions.csv", f"{INDEX}inconnu/"):
        assert visitor.get(address).status_code == 404


def test_a_dossier_abandoned_once_validated_stays_validated(visitor, form):
    for one in many(5, State.ABANDONED, form=form):
        led(one, (State.VALIDATED, NOW), (State.ABANDONED, NOW))
    assert read(page_of(visitor), "regions")["Ensemble"] == ["5", "5", "5", SMALL]


def test_amounts_states_and_late_dossiers_are_not_public(visitor, form):
    many(5, form=form)
    main = page_of(visitor).partition("<main")[2].partition("</main>")[0]
    labels = set(REVIEWER_LABELS.values()) - {"Versée"}  # « Versées » is a column
    assert "€" not in main and "plus de 15" not in main
    assert [label for label in labels if label in main] == []


def test_every_page_reads_the_same_look_and_says_its_hour(visitor, form, now):
    """Two looks of different hours would tell by subtraction what came in between."""
    many(5, form=form)
    assert f"Chiffres du 21 novembre 2026 à 14{NBSP}h{NBSP}05" in visitor.get(INDEX).content.decode()
    now.shift(timedelta(minutes=9))
    many(5, form=form)
    later = visitor.get(f"{INDEX}domaine-1/").content.decode()
    assert f"à 14{NBSP}h{NBSP}05" in later
    assert read(later, "types")["Ensemble"][0] == "5"
    assert records(visitor.get(f"{INDEX}domaine-1/types.csv"))[-1][1] == "5"
    now.shift(timedelta(minutes=2))
    assert lines(visitor.get(INDEX).content.decode())[1][1] == "10"


@pytest.mark.parametrize("rows", [1, 10, 100])
def test_the_pages_ask_as_much_for_a_hundred_dossiers_as_for_one(rows, visitor, form, django_assert_num_queries):
    for rank in range(rows):
        dossier(form=form if rank % 2 == 0 else FormFactory(), region=("76", "75", "11")[rank % 3])
    RegionFactory(code="94")
    with django_assert_num_queries(10):
        visitor.get(INDEX)
    with django_assert_num_queries(2):
        visitor.get(INDEX)
    with django_assert_num_queries(3):
        assert re.search("Ensemble", visitor.get(f"{INDEX}domaine-1/").content.decode())
