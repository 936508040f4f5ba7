"""Hand-made dossiers whose figures can be counted on one's fingers."""

import csv
import io
import re
from datetime import datetime, timedelta
from xml.etree import ElementTree

from django.core.cache import cache

from applications.models import Application
from applications.states import State
from ecare.clock import PARIS
from ecare.journal.models import Entry
from tests.factories import (
    ApplicationFactory,
    DepartmentFactory,
    EstablishmentFactory,
    LegalEntityFactory,
    RegionFactory,
    UserFactory,
)

SVG = "{http://www.w3.org/2000/svg}"
NBSP = "\u00a0"


def paris(*moment: int) -> datetime:
    """`paris(2026, 11, 21, 14, 5)`: that hour on a clock in Paris."""
    return datetime(*moment, tzinfo=PARIS)


NOW = paris(2026, 11, 21, 14, 5)


def referent_in(region: str, *, private: bool = False):
    department = DepartmentFactory(code=region, region=RegionFactory(code=region))
    entity = LegalEntityFactory(department=department, legal_status="73" if private else "13")
    return UserFactory(establishment=EstablishmentFactory(legal_entity=entity, kind="private" if private else "public"))


def dossier(state=State.SUBMITTED, *, region="76", private=False, **fields) -> Application:
    """`form`: of its domain; both are made unless given."""
    if form := fields.pop("form", None):
        fields |= {"domain": form.domain, "candidature_form": form}
    return ApplicationFactory(state=state, referent=referent_in(region, private=private), **fields)


def led(application: Application, *moves: tuple[State, datetime]) -> Application:
    """Its journal: the states that it entered, one after the other, and when; "" for an entry that is no move. Its
    chain of digests is tested elsewhere."""
    source = ""
    for sequence, (target, at) in enumerate(moves, start=1):
        Entry.objects.create(
            subject=application.subject,
            sequence=sequence,
            at=at,
            verb="move",
            actor="system",
            actor_label="eCaRE",
            from_state=source if target else "",
            to_state=target,
            previous="0" * 64,
            digest="0" * 64,
        )
        source = target or source
    return application


def lasting(application: Application, *stays: tuple[State, float], end: State) -> Application:
    """Stayed so many days in each state, then came to `end`."""
    moves, at = [], paris(2026, 10, 1)
    for state, days in stays:
        moves.append((state, at))
        at += timedelta(days=days)
    return led(application, *moves, (end, at))


PAGE = "/verification/pilotage/"


def page_of(client, **asked) -> str:
    cache.clear()
    answer = client.get(PAGE, asked)
    assert answer.status_code == 200
    return answer.content.decode()


# --- what a page says ------------------------------------------------------------------------------------------------
def section(page: str, name: str) -> str:
    return re.search(rf'<section class="ecare-section" id="{name}".*?</section>', page, re.DOTALL)[0]


def plain(markup: str) -> str:
    text = re.sub(r"<[^>]+>", "", markup).replace("&nbsp;", NBSP).replace("&lt;", "<")
    return " ".join(text.replace("&#x27;", "’").split(" ")).strip()


def lines(markup: str) -> list[list[str]]:
    """The rows of the first table, first the labels of its columns."""
    table = re.search(r"<table>.*?</table>", markup, re.DOTALL)[0]
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", table, re.DOTALL)
    return [[plain(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)] for row in rows]


def read(page: str, name: str) -> dict[str, list[str]]:
    """The rows of a section's table by what they are named."""
    return {first: rest for first, *rest in lines(section(page, name))[1:]}


def drawings(markup: str) -> list[ElementTree.Element]:
    """Each whole SVG, parsed as strictly as XML is."""
    found = re.findall(
        r'<svg class="ecare-(?:bars|map|curve)".*?</figure>|<svg class="ecare-.*?</figure>', markup, re.DOTALL
    )
    texts = [one.rpartition("</svg>")[0] + "</svg>" for one in found]
    named = [
        text.replace("&nbsp;", NBSP).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1) for text in texts
    ]
    return [ElementTree.fromstring(text) for text in named]


def bar_texts(svg: ElementTree.Element) -> dict[str, str]:
    """Of a chart of bars: the words at its left and the figure at its right."""
    texts = [text.text for text in svg.findall(f"{SVG}text")]
    return dict(zip(texts[::2], texts[1::2], strict=True))


def records(response) -> list[list[str]]:
    text = b"".join(response).decode("utf-8")
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=";"))
