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
from tests.steering.test_publish import worlds
from tests.steering.worlds import NBSP, NOW, SVG, bar_texts, dossier, drawings, led, lines, read, records, section

pytestmark = pytest.mark.django_db

INDEX = "/chiffres/"
SMALL, KEPT = f"<{NBSP}3", f"n.{NBSP}c."


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
    many(4, form=form)
    many(3, State.ACCEPTED, form=form, private=True)
    many(3, State.ACCEPTED, form=form, region="75")
    many(5, form=form, region="75", private=True)
    many(2, State.DRAFT, form=form)  # never sent
    page = page_of(visitor)
    assert read(page, "regions") == {
        "Nouvelle-Aquitaine": ["8", "3", SMALL, SMALL],
        "Occitanie": ["7", "3", SMALL, SMALL],
        "Ensemble": ["15", "6", SMALL, SMALL],
    }
    kinds = read(page, "types")
    assert kinds["Ensemble"] == ["15", "6", SMALL, SMALL]
    # No group: that 0 is kept from being worked out, and so is one of the others.
    assert sorted(kinds.values()) == sorted(
        [["15", "6", SMALL, SMALL], [SMALL] * 4, [KEPT] * 4, ["8", "3", SMALL, SMALL]]
    )


def test_a_small_count_is_neither_shown_nor_left_by_subtraction(visitor, form):
    """50 − 42 − 6 = 2: one of the others is kept back, in every column."""
    many(20, form=form)
    many(6, form=form, region="75")
    [alone, _] = many(2, form=form, region="11")
    page = page_of(visitor)
    regions = read(page, "regions")
    assert regions["Ensemble"][0] == "28"
    assert regions["Occitanie"][0] == "20"
    assert regions["Région 11"] == [SMALL] * 4
    assert regions["Nouvelle-Aquitaine"] == [KEPT] * 4
    for words in (alone.reference, alone.establishment.name, alone.establishment.finess, alone.referent.last_name):
        assert words not in page


def test_nothing_hidden_is_told_by_a_chart_a_file_or_the_order_of_rows(visitor, form):
    many(9, form=form)
    many(6, form=form, region="75")
    many(2, form=form, region="11")
    page = page_of(visitor)
    names = [name for name in read(page, "regions") if name != "Ensemble"]
    assert names == [region.name for region in Region.objects.all()]  # by name, not by count
    [chart] = drawings(section(page, "regions"))
    assert bar_texts(chart) == {name: row[0] for name, row in read(page, "regions").items() if name != "Ensemble"}
    widths = [bar.get("width") for bar in chart.findall(f"{SVG}rect") if bar.get("class") == "ecare-bars__bar"]
    assert sorted(widths) == ["0", "0", "100.00%"]
    for name in ("regions", "types", "semaines"):
        rows = records(visitor.get(f"{INDEX}domaine-1/{name}.csv"))
        assert rows == lines(section(page, name))
    assert visitor.get(f"{INDEX}domaine-1/autre.csv").status_code == 404


def test_whoever_knows_the_whole_page_works_out_no_small_count(visitor, form):
    """Nested columns, both tables and the total of each, read as an attacker reads them."""
    many(5, State.ACCEPTED, form=form)
    many(4, form=form, region="75")
    many(1, State.ACCEPTED, form=form, region="75", private=True)
    many(2, form=form, region="11", private=True)
    page = page_of(visitor)
    hidden = {SMALL: "small", KEPT: "kept back"}
    for name in ("regions", "types"):
        *rows, totals = [row[:2] for row in read(page, name).values()]
        totals = [int(total) for total in totals]
        assert totals == [12, 6]
        published = [[hidden.get(cell) or int(cell) for cell in row] for row in rows]
        possible = list(worlds(published, totals))
        for i, row in enumerate(published):
            for c, cell in enumerate(row):
                if cell == "small":
                    assert {world[i][c] for world in possible} == {0, 1, 2}


def test_the_curve_hides_small_weeks_and_is_broken_there(visitor, form):
    many(5, form=form, candidature_submitted_at=NOW)
    many(4, form=form, candidature_submitted_at=NOW - timedelta(weeks=1))
    many(1, form=form, candidature_submitted_at=NOW - timedelta(weeks=2))
    many(7, form=form, candidature_submitted_at=NOW - timedelta(weeks=3))
    page = page_of(visitor)
    weeks = list(read(page, "semaines").values())
    assert weeks[-4:] == [["7"], [SMALL], [KEPT], ["5"]]
    [chart] = drawings(section(page, "semaines"))
    assert [len(line.get("points").split()) for line in chart.findall(f".//{SVG}polyline")] == [1, 1]
    hollow = [dot for dot in chart.findall(f".//{SVG}circle") if "hollow" in dot.get("class")]
    assert len(hollow) == 26 - 3
    assert "au total" not in chart.find(f"{SVG}desc").text


def test_a_domain_with_hardly_a_dossier_shows_nothing_but_the_rule(visitor, form):
    dossier(form=form)
    page = page_of(visitor)
    assert drawings(page) == []
    assert {cell for name in ("regions", "types") for row in read(page, name).values() for cell in row} == {SMALL}
    assert f"un effectif inférieur à 3 est remplacé par «{NBSP}<{NBSP}3{NBSP}»" in page.replace("&nbsp;", NBSP).replace(
        "&lt;", "<"
    )


def test_the_index_names_the_domains_with_what_they_have_in_all(visitor, form):
    many(3, form=form)
    page = visitor.get(INDEX).content.decode()
    assert lines(page)[1] == ["Domaine 1", "3", SMALL, SMALL, SMALL]
    assert f'href="{INDEX}domaine-1/"' in page
    cache.clear()
    DomainFactory(name="Sans dossier")
    assert ["Sans dossier", *[SMALL] * 4] in lines(visitor.get(INDEX).content.decode())


def test_a_domain_for_trial_is_not_shown(visitor):
    trial = FormFactory(domain__is_trial=True, domain__name="Domaine d’essai", domain__slug="essai")
    many(3, form=trial)
    assert "Domaine d’essai" not in visitor.get(INDEX).content.decode()
    for address in (f"{INDEX}essai/", f"{INDEX}essai/regions.csv", f"{INDEX}inconnu/"):
        assert visitor.get(address).status_code == 404


def test_a_dossier_abandoned_once_validated_stays_validated(visitor, form):
    for one in many(3, State.ABANDONED, form=form):
        led(one, (State.VALIDATED, NOW), (State.ABANDONED, NOW))
    assert read(page_of(visitor), "regions")["Ensemble"] == ["3", "3", "3", SMALL]


def test_amounts_states_and_late_dossiers_are_not_public(visitor, form):
    many(4, form=form)
    main = page_of(visitor).partition("<main")[2].partition("</main>")[0]
    labels = set(REVIEWER_LABELS.values()) - {"Versée"}  # « Versées » is a column
    assert "€" not in main and "plus de 15" not in main
    assert [label for label in labels if label in main] == []


def test_every_page_reads_the_same_look_and_says_its_hour(visitor, form, now):
    """Two looks of different hours would tell by subtraction what came in between."""
    many(3, form=form)
    assert f"Chiffres du 21 novembre 2026 à 14{NBSP}h{NBSP}05" in visitor.get(INDEX).content.decode()
    now.shift(timedelta(minutes=9))
    dossier(form=form)
    later = visitor.get(f"{INDEX}domaine-1/").content.decode()
    assert f"à 14{NBSP}h{NBSP}05" in later
    assert read(later, "types")["Ensemble"][0] == "3"
    assert records(visitor.get(f"{INDEX}domaine-1/types.csv"))[-1][1] == "3"
    now.shift(timedelta(minutes=2))
    assert lines(visitor.get(INDEX).content.decode())[1][1] == "4"


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
