"""The charts of « Pilotage » and its files say what its tables say."""

import re
from datetime import timedelta

import pytest

from applications.states import REVIEWER_LABELS, State
from tests.factories import FormFactory, RegionFactory
from tests.steering.worlds import (
    NBSP,
    NOW,
    PAGE,
    SVG,
    bar_texts,
    dossier,
    drawings,
    lasting,
    page_of,
    read,
    records,
    section,
)

pytestmark = pytest.mark.django_db


def test_every_chart_is_well_formed_named_and_says_what_its_table_says(ans):
    dossier(State.SUBMITTED)
    dossier(State.PAID, region="75")
    RegionFactory(code="94", name="Corse & <Sud>")
    lasting(dossier(State.ACCEPTED), (State.DRAFT, 3), (State.SUBMITTED, 5), end=State.ACCEPTED)
    page = page_of(ans)
    for name, column in (("etats", 0), ("regions", 0), ("types", 0)):
        chart = drawings(section(page, name))[-1]
        told = {label: row[column] for label, row in read(page, name).items() if label != "Ensemble"}
        drawn = {
            label.replace("&", "&amp;").replace("<", "<").replace(">", "&gt;"): n
            for label, n in bar_texts(chart).items()
        }
        assert drawn == told, name
    [stays] = drawings(section(page, "durees"))
    assert bar_texts(stays)[REVIEWER_LABELS[State.SUBMITTED]] == f"5{NBSP}j / 5{NBSP}j"
    charts = drawings(page)
    assert len(charts) == 9
    for chart in charts:
        title = chart.find(f"{SVG}title")
        assert title.text and chart.get("aria-labelledby") == title.get("id")
        if chart.get("role") == "img":
            description = chart.find(f"{SVG}desc")
            assert description.text and chart.get("aria-describedby") == description.get("id")
            assert chart.findall(f".//{SVG}a") == []
    names = re.findall(r'\sid="([^"]+)"', page)
    assert len(names) == len(set(names))


def test_the_longest_bar_is_the_largest_count(ans):
    for _ in range(4):
        dossier(State.SUBMITTED)
    dossier(State.PAID)
    [chart] = drawings(section(page_of(ans), "etats"))
    widths = [bar.get("width") for bar in chart.findall(f"{SVG}rect") if bar.get("class") == "ecare-bars__bar"]
    by_state = dict(zip(REVIEWER_LABELS, widths, strict=True))
    assert (by_state[State.SUBMITTED], by_state[State.PAID], by_state[State.DRAFT]) == ("100.00%", "25.00%", "0.00%")


def test_each_square_of_the_map_leads_to_its_region(ans):
    dossier()
    dossier()
    dossier(region="75")
    RegionFactory(code="94")
    chart = drawings(section(page_of(ans, region="75"), "regions"))[0]
    assert chart.get("role") == "group"
    links = {link.get("aria-label"): link for link in chart.findall(f".//{SVG}a")}
    assert list(links) == [f"Nouvelle-Aquitaine{NBSP}: 1", f"Occitanie{NBSP}: 2", f"Région 94{NBSP}: 0"]
    assert [link.get("class").split("--")[1] for link in links.values()] == ["2", "3", "0"]
    assert links[f"Occitanie{NBSP}: 2"].get("href") == "?region=76#regions"
    assert [label for label, link in links.items() if link.get("aria-current")] == [f"Nouvelle-Aquitaine{NBSP}: 1"]


def test_a_curve_passes_through_its_counts(ans):
    for _ in range(3):
        dossier(candidature_submitted_at=NOW)
    dossier(candidature_submitted_at=NOW - timedelta(weeks=25))
    chart = drawings(section(page_of(ans), "semaines"))[0]
    [line] = chart.findall(f".//{SVG}polyline")
    points = line.get("points").split()
    assert (points[0], points[1], points[-1]) == ("0.00,75.00", "4.00,100.00", "100.00,25.00")  # on a scale of 4
    assert len(points) == 26
    assert "4 au total, au plus 3" in chart.find(f"{SVG}desc").text


def test_each_table_is_a_file_with_the_same_figures(ans):
    form = FormFactory(domain__envelope=40_000_00, domain__name="=HYPERLINK(1)")
    dossier(State.SUBMITTED, form=form, requested=1_234_50)
    page = page_of(ans)
    for address in re.findall(r'href="(/verification/pilotage/[\w-]+\.csv)"', page):
        answer = ans.get(address)
        assert answer["Content-Type"].startswith("text/csv") and "attachment" in answer["Content-Disposition"]
        rows = records(answer)
        name = address.rpartition("/")[2].removesuffix(".csv")
        assert len(rows) - 1 == len(read(page, name)) or name in ("corrections", "prolongations", "echeances"), name
    [row] = [row for row in records(ans.get(f"{PAGE}montants.csv")) if "HYPERLINK" in row[0]]
    assert row == ["'=HYPERLINK(1)", "1234,50", "0,00", "0,00", "0,00", "40000,00", "0"]
    assert ans.get(f"{PAGE}inconnue.csv").status_code == 404


def test_a_file_is_narrowed_as_its_page_is(ans):
    dossier()
    dossier(region="75")
    page = page_of(ans, region="75")
    assert "etats.csv?region=75" in section(page, "etats")
    assert records(ans.get(f"{PAGE}etats.csv?region=75"))[-1] == ["Ensemble", "1", "100"]
