"""The queue turned by key: complete, without doubles, in every order, whatever moves meanwhile."""

import random
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from applications.models import Application
from applications.states import State, Step
from tests.factories import (
    ApplicationFactory,
    DomainFactory,
    EstablishmentFactory,
    FormFactory,
    LegalEntityFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

QUEUE = reverse("reviews:queue")
START = datetime(2026, 3, 1, 9, tzinfo=UTC)


class Links(HTMLParser):
    """The addresses of a page's links, by their words."""

    def __init__(self, page: str):
        super().__init__()
        self.found: dict[str, str] = {}
        self._address = None
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self._address = dict(attributes).get("href") if tag == "a" else None

    def handle_data(self, words):
        if self._address is not None and words.strip():
            self.found[words.strip()] = self._address


def rows(answer):
    return [row.record.reference for row in answer.context["table"].paginated_rows]


def link(answer, words):
    return Links(answer.content.decode()).found.get(words)


def walk(browser, asked, words):
    """From a page, all that follow by the link that bears these words; their rows."""
    answer, found = browser.get(QUEUE, asked), []
    for _page in range(30):
        found.append(rows(answer))
        address = link(answer, words)
        if address is None:
            return answer, found
        answer = browser.get(f"{QUEUE}{address}")
    raise AssertionError("the pages have no end")


@pytest.fixture
def ans(signed_in):
    return signed_in(UserFactory(ans=True))


@pytest.fixture
def dossiers():
    """23 of them in two domains and two states; names, amounts and instants that tie."""
    order, referent = random.Random(7), UserFactory()
    forms = [
        [FormFactory(domain=domain, step=step) for step in (Step.CANDIDATURE, Step.DECLARATION)]
        for domain in (DomainFactory(position=rank) for rank in (2, 1))
    ]
    for _rank in range(23):
        (candidature, declaration), state = order.choice(forms), order.choice([State.ACCEPTED, State.UNDER_CONTROL])
        ApplicationFactory(
            state=state,
            referent=referent,
            establishment=EstablishmentFactory(legal_entity=LegalEntityFactory(name=f"CH {order.choice('ABCD')}")),
            domain=candidature.domain,
            candidature_form=candidature,
            declaration_form=declaration if state == State.UNDER_CONTROL else None,
            requested=order.choice([0, 700_000, 2_500_050]),
            moved_at=START + timedelta(microseconds=order.choice([1, 2, 3])),
        )


# Each sortable column once; ties are broken by the columns that follow it (reviews/tables.py).
ORDERS = "reference -establishment domain -state requested -moved_at".split()


def test_every_order_shows_each_dossier_once_forwards_and_backwards(ans, dossiers):
    for order in ORDERS:
        _walk_there_and_back(ans, order)


def _walk_there_and_back(ans, order):
    asked = {"sort": order, "per_page": "10", "etat": "tous"}
    last, pages = walk(ans, asked, "Page suivante")
    shown = [reference for page in pages for reference in page]
    assert [len(page) for page in pages] == [10, 10, 3]
    assert len(set(shown)) == 23
    whole = ans.get(QUEUE, asked | {"per_page": "100"})
    assert shown == rows(whole)

    back = [rows(last)]
    answer = last
    while address := link(answer, "Page précédente"):
        answer = ans.get(f"{QUEUE}{address}")
        back.insert(0, rows(answer))
    assert back == pages


def test_the_links_keep_the_filters_and_the_length(ans, dossiers):
    asked = {"etat": "tous", "per_page": "10", "sort": "reference", "type": "public"}
    address = link(ans.get(QUEUE, asked), "Page suivante")
    carried = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert carried.pop("apres")
    assert carried == asked


def test_the_first_page_has_no_way_back_and_the_last_no_way_on(ans, dossiers):
    first = ans.get(QUEUE, {"per_page": "10"})
    assert (link(first, "Première page"), link(first, "Page précédente")) == (None, None)
    last, _pages = walk(ans, {"per_page": "10"}, "Page suivante")
    assert link(last, "Page suivante") is None
    assert rows(ans.get(f"{QUEUE}{link(last, 'Première page')}")) == rows(first)


def test_one_page_has_no_links_at_all(ans, dossiers):
    answer = ans.get(QUEUE, {"per_page": "100"})
    assert link(answer, "Page suivante") is None
    assert "fr-pagination" not in answer.content.decode()


def test_nothing_is_skipped_when_a_dossier_that_was_read_leaves_the_view(ans, dossiers):
    """With numbered pages, the eleventh dossier would move to page 1 unseen."""
    first = ans.get(QUEUE, {"per_page": "10"})
    expected = rows(ans.get(QUEUE, {"per_page": "100"}))[10:20]
    decided = rows(first)
    read = Application.objects.filter(reference__in=[decided[0], decided[-1]])
    read.update(state=State.ABANDONED, moved_at=START + timedelta(days=1))
    assert rows(ans.get(f"{QUEUE}{link(first, 'Page suivante')}")) == expected


# Not base64, no list, too short, no instant, no number, an object.
INVENTED = "x %00 W10 WyJhIl0 bnVsbA WyIyMDI2IiwgInBhcyB1biBub21icmUiXQ eyJhIjogMX0 ééé".split()


def test_an_invented_mark_shows_the_first_page(ans, dossiers):
    first = rows(ans.get(QUEUE, {"per_page": "10"}))
    for mark in INVENTED:
        for name in ("apres", "avant"):
            assert rows(ans.get(QUEUE, {"per_page": "10", name: mark})) == first


def test_a_mark_of_another_order_shows_the_first_page(ans, dossiers):
    mark = parse_qs(urlsplit(link(ans.get(QUEUE, {"per_page": "10", "sort": "reference"}), "Page suivante")).query)
    answer = ans.get(QUEUE, {"per_page": "10", "sort": "moved_at", "apres": mark["apres"][0]})
    assert rows(answer) == rows(ans.get(QUEUE, {"per_page": "10", "sort": "moved_at"}))


def test_a_later_page_is_a_range_of_the_index_and_no_offset(ans, dossiers):
    address = link(ans.get(QUEUE, {"per_page": "10"}), "Page suivante")
    with CaptureQueriesContext(connection) as context:
        ans.get(f"{QUEUE}{address}")
    (asked,) = [query["sql"] for query in context if "LIMIT 11" in query["sql"]]
    assert "OFFSET" not in asked
    assert '"moved_at" >= ' in asked


def test_a_page_never_shows_what_the_agent_may_not_see(signed_in, dossiers):
    stranger = UserFactory(ars=True)
    seen = signed_in(UserFactory(ans=True)).get(QUEUE, {"per_page": "10"})
    mark = parse_qs(urlsplit(link(seen, "Page suivante")).query)
    answer = signed_in(stranger).get(QUEUE, {"etat": "tous", "apres": mark["apres"][0]})
    assert rows(answer) == []
