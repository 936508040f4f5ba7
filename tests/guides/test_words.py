"""What the guides say is on the screens: names in bold, pictures, links; and they are well written."""

import ast
import gettext
import html
import re
from functools import cache
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.contrib import admin
from PIL import Image

from ecare.guides import FOLDER, GUIDES, Guide, sizes
from tests.look.test_typography import PLAIN_SPACE
from tests.test_house import ROOMS, python_files, template_files

ROOT = Path(settings.BASE_DIR)
BOLD = re.compile(r"\*\*(.+?)\*\*")
SHOWN = re.compile(r"!\[(?P<told>[^\]]*)\]\(images/(?P<guide>[\w-]+)/(?P<name>[\w-]+)\.webp\)")
LINK = re.compile(r"(?<!!)\[[^\]]+\]\((?P<to>[^)]+)\)")
EITHER = re.compile(r"([^<>{}]*)\{% if [^%]*%\}([^<>{}]*)\{% else %\}([^<>{}]*)\{% endif %\}([^<>{}]*)")
MOST_BYTES = 3_000_000
LEAST_TOLD = 20

each_guide = pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.slug)


def source(guide: Guide) -> str:
    return (FOLDER / f"{guide.slug}.md").read_text(encoding="utf-8")


def plain(words: str) -> str:
    """As one reads a name: without the marks around it, whatever its first letter."""
    words = " ".join(html.unescape(words).replace("\N{NO-BREAK SPACE}", " ").split()).strip(" *:")
    return words[:1].upper() + words[1:]


def of_template(text: str):
    """Its text, between tags of any kind, and what its tags are given."""
    text = re.sub(r"\{#.*?#\}", "", text, flags=re.DOTALL)
    yield from re.findall(r'="([^"]*)"', text)
    for before, one, other, after in EITHER.findall(text):
        yield from (f"{before}{one}{after}", f"{before}{other}{after}")
    yield from re.split(r"<[^>]*>|\{%.*?%\}|\{\{.*?\}\}", text)


def of_data(value):
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from of_data(inner)
    elif isinstance(value, str):
        yield value


@cache
def on_screen() -> frozenset[str]:
    """Every word of ours, and those of Django’s administration, each whole as it is written."""
    found: set[str] = set()
    for path in template_files():
        found.update(of_template(path.read_text()))
    for path in python_files(*ROOMS):
        nodes = ast.walk(ast.parse(path.read_text()))
        texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        found.update(texts, *(of_template(text) for text in texts if "<" in text))
    for path in (ROOT / "fixtures" / "domaines").glob("*.yaml"):
        found.update(of_data(yaml.safe_load(path.read_text())))
    translated = Path(admin.__file__).parent / "locale" / "fr" / "LC_MESSAGES" / "django.mo"
    with translated.open("rb") as file:
        found.update(gettext.GNUTranslations(file)._catalog.values())
    return frozenset(plain(words) for words in found)


@each_guide
def test_every_name_in_bold_is_one_that_the_screens_bear(guide):
    named = BOLD.findall(source(guide))
    assert len(named) > 25
    assert [name for name in named if plain(name) not in on_screen()] == []


@each_guide
def test_every_picture_is_there_once_and_tells_what_it_shows(guide):
    shown = [found.groupdict() for found in SHOWN.finditer(source(guide))]
    assert source(guide).count("![") == len(shown)
    assert {one["guide"] for one in shown} == {guide.slug}
    taken = {path.stem for path in (FOLDER / "images" / guide.slug).iterdir()}
    assert sorted(one["name"] for one in shown) == sorted(taken) == sorted(sizes(guide.slug))
    assert [one for one in shown if len(one["told"]) < LEAST_TOLD] == []
    assert len({one["told"] for one in shown}) == len(shown)
    for name, kept in sizes(guide.slug).items():
        with Image.open(FOLDER / "images" / guide.slug / f"{name}.webp") as picture:
            assert picture.size == (kept["width"], kept["height"]), name
        assert kept["words"], name


def test_the_pictures_stay_small():
    assert sum(path.stat().st_size for path in (FOLDER / "images").rglob("*.webp")) < MOST_BYTES
    assert {path.name for path in (FOLDER / "images").iterdir()} == {guide.slug for guide in GUIDES}


@each_guide
def test_every_link_is_alive(guide):
    anchors = {one.slug: set(re.findall(r' id="([^"]+)"', one.text.body)) for one in GUIDES}
    for link in LINK.finditer(source(guide)):
        slug, _, anchor = link["to"].partition("#")
        target = slug.removesuffix(".md") or guide.slug
        assert target in anchors, link["to"]
        assert not anchor or anchor in anchors[target], link["to"]
        assert next(one for one in GUIDES if one.slug == target).roles >= guide.roles, "nobody is sent to a closed page"


@each_guide
def test_it_is_well_written(guide):
    text = source(guide)
    assert text.startswith("# ") and "'" not in text
    assert [line for line in text.splitlines() if PLAIN_SPACE.search(line)] == []
    titles = re.findall(r"^#{2,3} (.+)$", text, re.MULTILINE)
    assert len(set(titles)) == len(titles)
    ids = re.findall(r' id="([^"]+)"', guide.text.body)
    assert len(ids) == len(titles) and not {"sommaire", "contenu", "navigation", "menu"} & set(ids)
    long = [line for line in re.split(r"(?<=[.?!])\s", SHOWN.sub("", text)) if len(line.split()) > 40]
    assert long == []
