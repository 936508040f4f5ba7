"""Somebody who writes into addresses what no page of ours ever wrote there."""

import base64
import json
from contextlib import contextmanager
from urllib.parse import quote_from_bytes, urlencode

import pytest
from django.db import transaction
from django.http import QueryDict
from django.urls import reverse
from django.utils.datastructures import MultiValueDict

from applications.states import State
from reviews.models import SavedView
from tests.addresses import GET, ROLES
from tests.admin_addresses import ADMIN, ADMIN_PAGES
from tests.factories import ApplicationFactory, RegionFactory, UserFactory
from tests.test_access_matrix import address, admin_page, clients, world  # noqa: F401

pytestmark = pytest.mark.django_db


def mark(place) -> bytes:
    """What a mark of the queue looked like before it was signed."""
    return base64.urlsafe_b64encode((place if isinstance(place, str) else json.dumps(place)).encode()).rstrip(b"=")


WORST = [b"\0", b"1" + b"0" * 40, b"0001-01-01", "é".encode() * 590]
HOSTILE = [
    *WORST, b"\xed\xa0\x80", b"a " * 1500, b"-1", b"Infinity", b"NaN", b"9999-12-31T23:59:59-14:00",
    b"[" * 1100 + b"]" * 1100, b"'\"--;%s%(x)s", "١".encode(),
]  # fmt: skip
MARKS = [
    mark(place)
    for place in ([None, None], ["2026-11-27T00:00:00+00:00", float("inf")], ["0001-01-01T00:00:00+14:00", "1"],
                  ["2026-11-27T00:00:00+00:00", 10**40], ["a\0b"], "[" * 1100 + "]" * 1100)
]  # fmt: skip


def query(names, value: bytes) -> str:
    return "&".join(f"{name}={quote_from_bytes(value, safe='')}" for name in names)


@contextmanager
def asked_names():
    """The names that whoever is asked meanwhile looks for in an address."""
    found: set[str] = set()
    former = {method: getattr(MultiValueDict, method) for method in ("get", "getlist", "__getitem__", "__contains__")}

    def listening(method):
        def listen(self, name, *args, **options):
            if isinstance(self, QueryDict):
                found.add(name)
            return former[method](self, name, *args, **options)

        return listen

    with pytest.MonkeyPatch.context() as patch:
        for method in former:
            patch.setattr(MultiValueDict, method, listening(method))
        yield found


def falls(client, page: str, names) -> list[str]:
    """The queries that a page breaks at: all names together, the worst for each alone."""
    asked = [(sorted(names), value) for value in HOSTILE] if len(names) > 1 else []
    asked += [([name], value) for name in names for value in WORST]
    asked += [([name, "etat=tous&" + name], value) for name in names & {"apres", "avant"} for value in MARKS]
    return [
        f"{page}?{query(some, value)[:90]}" for some, value in asked if breaks(client, f"{page}?{query(some, value)}")
    ]


def breaks(client, page: str) -> bool:
    with transaction.atomic():  # also what only writes that somebody read is undone
        answer = client.get(page)
        if answer.streaming:
            answer.getvalue()
        transaction.set_rollback(True)
    return answer.status_code >= 500


@pytest.mark.parametrize("role", ["ars", "ans", "administrator"])
def test_no_page_breaks_at_what_is_written_into_its_address(clients, world, role):  # noqa: F811
    client, broken, listening = clients[role], [], 0
    client.raise_request_exception = False
    others = [one for one in ("ans", "ars") if one != role] if role == "administrator" else ["ans"] * (role == "ars")
    for row, line in GET.items():
        told = dict(zip(ROLES, line.split(), strict=True))
        is_seen_already = row != "reviews:queue" and any(told[other] == "200" for other in others)
        if told[role] != "200" or is_seen_already or row == "account_logout":
            continue
        page = address(row, world)
        with asked_names() as names:
            answer = client.get(page)
            if answer.streaming:
                answer.getvalue()
        if names:
            listening += 1
            broken += falls(client, page, names)
    assert broken == []
    assert listening or role != "ans"


def test_no_page_of_the_administration_breaks_either(clients, world):  # noqa: F811
    client, broken = clients["administrator"], []
    client.raise_request_exception = False
    pages = [admin_page(name) for name, status in ADMIN_PAGES.items() if status == "200"]
    lists = [reverse(f"admin:{model}_changelist") for model, line in ADMIN.items() if line.startswith("200")]
    for page in pages:
        with asked_names() as names:
            client.get(page)
        broken += falls(client, page, names)
    common = {"q", "o", "p", "all", "e", "_facets", "_popup", "_to_field"}
    for page in lists:
        shown = (client.get(page).context or {}).get("cl")
        if shown:
            names = {name for spec in shown.filter_specs for name in spec.expected_parameters() if name}
            names |= common if page == lists[0] else {"q"} if shown.search_fields else set()
            broken += [
                page + name for name in names for value in WORST[:3] if breaks(client, f"{page}?{query([name], value)}")
            ]
    assert broken == []


@pytest.mark.parametrize("typed", ["é" * 590, "é" * 100, "a" * 700])
def test_a_view_that_is_too_long_to_be_kept_is_said_to_be(signed_in, typed):
    desk = signed_in(UserFactory(ans=True))
    answer = desk.post(reverse("reviews:save_view"), {"name": "Longue", "query": f"q={typed}"}, follow=True)
    assert answer.status_code == 200 and "raccourcissez la recherche" in answer.text
    assert not SavedView.objects.exists()


def test_a_dossier_of_no_name_is_not_ticked(signed_in):
    agent = UserFactory(ars=True, regions=[RegionFactory()])
    ApplicationFactory(state=State.SUBMITTED)
    typed = {"scope": "coches", "dossiers": "a\0b", "query": "etat=tous"}
    assert "Cochez au moins un dossier" in signed_in(agent).post(reverse("reviews:assign"), typed, follow=True).text


@pytest.mark.parametrize("day", [{"au": "9999-12-31"}, {"du": "0001-01-01"}])
def test_a_day_outside_of_time_is_refused_at_its_field(signed_in, day):
    client = signed_in(UserFactory(ans=True))
    page = client.get(reverse("funding:payments"), day)
    assert page.status_code == 200 and "entre le 1er janvier 2000" in page.text
    assert client.get(reverse("funding:payments_csv"), day).url == f"{reverse('funding:payments')}?{urlencode(day)}"
