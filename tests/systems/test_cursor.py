"""Turning the pages of the API while dossiers move: nothing is left out, nothing comes twice without a change."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from applications.models import Application
from applications.states import State
from tests.factories import DomainFactory, RegionFactory
from tests.systems.conftest import dossiers

pytestmark = pytest.mark.django_db
QUERIES = 10


def references(page) -> list[str]:
    return [one["reference"] for one in page["items"]]


def all_pages(read, value, **asked):
    while True:
        page = read(value, "dossiers", **asked).json()
        yield page
        asked["cursor"] = page["cursor"]
        if not page["has_more"]:
            return


def test_250_dossiers_come_once_each_while_others_move(time_machine, read, issue):
    time_machine.move_to("2026-11-27T12:00:00+01:00", tick=False)
    made = dossiers(250)
    _, value = issue()
    first, last = made[3], made[-1]
    seen: list[str] = []
    moved = set()
    for number, page in enumerate(all_pages(read, value, limit=40)):
        seen += references(page)
        cursor = page["cursor"]
        if number in (0, 2):  # one that was read, and one that was not
            time_machine.shift(timedelta(seconds=5))
            for dossier in (first, last) if number == 0 else (made[-2],):
                Application.objects.filter(pk=dossier.pk).update(moved_at=timezone.now(), state=State.CHANGES_REQUESTED)
                moved.add(dossier.reference)
    assert len(seen) == len(set(seen)), "no dossier came twice"
    unread = {last.reference, made[-2].reference}
    assert set(seen) == {one.reference for one in made} - unread, "those that moved come later"
    time_machine.shift(timedelta(minutes=1, seconds=1))
    later = list(all_pages(read, value, limit=40, cursor=cursor))
    assert set(references(later[0])) == moved and len(later) == 1, "whoever comes back misses nothing"
    assert {one["state"]["code"] for one in later[0]["items"]} == {"changes_requested"}
    nothing = read(value, "dossiers", cursor=later[0]["cursor"]).json()
    assert nothing == {"items": [], "cursor": later[0]["cursor"], "has_more": False}


def test_a_change_is_told_once_no_transaction_can_write_before_it(time_machine, read, issue):
    """Dated inside its transaction, a change may be seen after younger ones: the list waits a minute."""
    time_machine.move_to("2026-11-27T12:00:00+01:00", tick=False)
    late, young = dossiers(2, ago=timedelta(minutes=5))
    _, value = issue()
    Application.objects.filter(pk=young.pk).update(moved_at=timezone.now() - timedelta(seconds=59))
    page = read(value, "dossiers").json()
    assert references(page) == [late.reference]
    assert read(value, f"dossiers/{young.reference}").status_code == 200
    # What commits late, dated before the young one, still stands in front of the cursor.
    Application.objects.filter(pk=late.pk).update(moved_at=timezone.now() - timedelta(seconds=59, milliseconds=500))
    time_machine.shift(timedelta(seconds=2))
    assert references(read(value, "dossiers", cursor=page["cursor"]).json()) == [late.reference, young.reference]


def test_changed_since_counts_from_its_instant_on(read, issue):
    made = dossiers(5)
    _, value = issue()
    shown = read(value, f"dossiers/{made[3].reference}").json()["changed_at"]
    assert references(read(value, "dossiers", changed_since=shown).json()) == [made[3].reference, made[4].reference]
    page = read(value, "dossiers", changed_since=shown, limit=1).json()
    assert page["has_more"] and references(page) == [made[3].reference]
    page = read(value, "dossiers", changed_since=shown, limit=1, cursor=page["cursor"]).json()
    assert not page["has_more"] and references(page) == [made[4].reference]
    for wrong in ("2026-11-27", "2026-11-27T12:00:00", "1700000000", "hier", "2026-13-45T00:00:00Z"):
        answer = read(value, "dossiers", changed_since=wrong)
        assert answer.status_code == 422 and "fuseau" in answer.json()["detail"], wrong


def test_a_cursor_comes_back_as_it_was_given(read, issue):
    dossiers(3)
    _, value = issue()
    cursor = read(value, "dossiers", limit=1).json()["cursor"]
    figures = read(value, "statistics").json()["cursor"]
    assert figures is None
    for asked in (
        {"cursor": "abc"},
        {"cursor": cursor[:-1]},
        {"cursor": f"A{cursor[1:]}"},
        {"cursor": cursor, "state": "paid"},
        {"cursor": cursor, "kind": "ght"},
    ):
        answer = read(value, "dossiers", **asked)
        assert answer.status_code == 422, asked
        assert [error["name"] for error in answer.json()["errors"]] == ["cursor"]
    assert read(value, "statistics", cursor=cursor).status_code == 422, "each list has its own"


@pytest.mark.parametrize("limit", ["0", "201", "dix", "-1", "1.5"])
def test_a_page_is_bounded(read, issue, limit):
    answer = read(issue()[1], "dossiers", limit=limit)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["name"] == "limit" and "nombre" in answer.json()["detail"]


def test_the_statistics_of_one_reading_rest_on_one_look(time_machine, read, issue):
    time_machine.move_to("2026-11-27T12:00:00+01:00", tick=False)
    of_domains = [dossiers(2) for _ in range(3)]
    _, value = issue()
    first = read(value, "statistics", limit=2).json()
    assert first["has_more"] and len(first["items"]) == 2
    Application.objects.filter(pk=of_domains[0][0].pk).update(state=State.CHANGES_REQUESTED)
    time_machine.shift(timedelta(minutes=6))
    fresh = read(value, "statistics").json()
    assert fresh["items"][0]["states"] != first["items"][0]["states"]
    second = read(value, "statistics", limit=2, cursor=first["cursor"]).json()
    assert second["at"] == first["at"] != fresh["at"]
    told = [row["domain"]["code"] for row in first["items"] + second["items"]]
    assert told == sorted(set(told)) and len(told) == 3
    assert not second["has_more"] and second["cursor"] is None
    time_machine.shift(timedelta(minutes=31))
    assert "Recommencez sans" in read(value, "statistics", limit=2, cursor=first["cursor"]).json()["detail"]


def queries(read, value, path, **asked) -> list[str]:
    with CaptureQueriesContext(
        connection,
    ) as found:
        assert read(value, path, **asked).status_code == 200
    return [one["sql"] for one in found]


def test_a_page_costs_the_same_for_1_10_and_100_dossiers(read, issue, system):
    region = RegionFactory()
    domain = DomainFactory()
    dossiers(100, domain=domain, ago=timedelta(hours=1))
    _, value = issue(domains=[domain], regions=[region])
    read(value, "dossiers")  # the row of the day, the last use
    for asked in ({}, {"domain": domain.slug, "region": region.pk, "kind": "public", "state": "submitted"}):
        counts = {limit: len(queries(read, value, "dossiers", limit=limit, **asked)) for limit in (1, 10, 100)}
        assert set(counts.values()) == {QUERIES + len({"domain", "region"} & set(asked))}, counts
    cursor = read(value, "dossiers", limit=50).json()["cursor"]
    later = queries(read, value, "dossiers", limit=50, cursor=cursor)
    assert len(later) == QUERIES
    assert len(queries(read, value, "domains")) == QUERIES - 1


def test_the_order_has_its_index(read, issue):
    """The pages walk along (moved_at, id), whatever the filters."""
    dossiers(3)
    token, _ = issue()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    page = token.readable_dossiers().filter(moved_at__gte=timezone.now() - timedelta(days=2))
    plan = page.order_by("moved_at", "pk")[:2].explain()
    if connection.vendor == "sqlite":  # PostgreSQL reads a table of three rows whole
        assert "dossier_moves" in plan or "TEMP B-TREE" not in plan, plan
