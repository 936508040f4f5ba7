"""The illustrated guides of « Aide »: Markdown files of `docs/guides/`, the same on a forge and in the portal.

HTML of the source is shown as text, never run; a link leads to a chapter, to another guide or to https. The pictures
are taken by `make guides`, which writes beside them how large they are and what they say.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from django.conf import settings
from django.http import Http404
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from ecare.help import ranked, words_of
from establishments.models import normalised

FOLDER = Path(settings.BASE_DIR) / "docs" / "guides"
PICTURE = re.compile(r"images/(?P<guide>[\w-]+)/(?P<name>[\w-]+)\.webp")
OTHER_GUIDE = re.compile(r"(?P<slug>[\w-]+)\.md(?P<anchor>#\S+)?")
MOST_FOUND = 5
"""Chapters that a search names."""


@dataclass(frozen=True)
class Guide:
    slug: str
    name: str
    """Of its address."""
    roles: frozenset[str] = frozenset()
    """Who may read it; nobody named: everybody, without an account too."""

    def is_for(self, person) -> bool:
        return not self.roles or (person.is_authenticated and person.role in self.roles)

    @property
    def address(self) -> str:
        return reverse(self.name)

    @property
    def text(self) -> "Text":
        return _text(self)


GUIDES = (
    Guide("referent", "guide_of_referent"),
    Guide("agent-ars", "guide_of_ars", frozenset(["ars", "ans"])),
    Guide("agent-ans", "guide_of_ans", frozenset(["ans"])),
    Guide("administrateur", "guide_of_administrator", frozenset(["administrator"])),
)


@dataclass(frozen=True)
class Chapter:
    title: str
    anchor: str
    guide: Guide
    title_words: str = field(repr=False)
    """As search compares them, each between spaces."""
    all_words: str = field(repr=False)

    @property
    def address(self) -> str:
        return f"{self.guide.address}#{self.anchor}"


@dataclass(frozen=True)
class Text:
    """A guide as it is read: `lead` and `body` are safe HTML."""

    title: str
    lead: SafeString
    body: SafeString
    chapters: tuple[Chapter, ...]


def guide_named(slug: str) -> Guide:
    for guide in GUIDES:
        if guide.slug == slug:
            return guide
    raise Http404


def guides_for(person) -> list[Guide]:
    return [guide for guide in GUIDES if guide.is_for(person)]


def search(text: str, *, by) -> list[Chapter]:
    """The chapters that hold every word that counts, of the guides that this person may read; the best first."""
    chapters = [chapter for guide in guides_for(by) for chapter in guide.text.chapters]
    words = words_of(text)
    return [chapter for held, chapter in ranked(chapters, words) if held == len(words)][:MOST_FOUND]


@cache
def sizes(slug: str) -> dict[str, dict]:
    """Of the pictures of a guide, by their name."""
    return json.loads((FOLDER / "pictures" / f"{slug}.json").read_text(encoding="utf-8"))


def anchor_of(title: str) -> str:
    """As forges make it, so that a link to a chapter leads there from both."""
    return re.sub(r"[^\w -]", "", title.lower()).strip().replace(" ", "-")


# --- Markdown -----------------------------------------------------------------------------------------------------
class _Renderer(RendererHTML):
    """Chapters have an anchor; a picture leads to itself, whole."""

    def image(self, tokens: Sequence[Token], idx: int, options, env) -> str:
        token = tokens[idx]
        source = str(token.attrs["src"])
        found = PICTURE.fullmatch(source)
        if found is None:
            raise ValueError(f"{source}: a picture of a guide is in docs/guides/images/")
        address = escape(static(f"guides/{found['guide']}/{found['name']}.webp"))
        size = sizes(found["guide"]).get(found["name"], {})
        drawn = "".join(f' {side}="{size[side]:d}"' for side in ("width", "height") if side in size)
        told = escape(self.renderInlineAsText(token.children or [], options, env))
        return (
            f'<a class="ecare-guide__picture" href="{address}"><img src="{address}" alt="{told}"{drawn} loading="lazy">'
            '<span class="fr-sr-only"> (agrandir l’image)</span></a>'
        )

    def link_open(self, tokens: Sequence[Token], idx: int, options, env) -> str:
        token = tokens[idx]
        wanted = str(token.attrs["href"])
        other = OTHER_GUIDE.fullmatch(wanted)
        if other:
            token.attrs["href"] = guide_named(other["slug"]).address + (other["anchor"] or "")
        elif not wanted.startswith(("#", "https://")):
            raise ValueError(f"{wanted}: a link of a guide leads to a chapter, to another guide or to https")
        return self.renderToken(tokens, idx, options, env)

    def heading_open(self, tokens: Sequence[Token], idx: int, options, env) -> str:
        tokens[idx].attrs["id"] = anchor_of(tokens[idx + 1].content)
        return self.renderToken(tokens, idx, options, env)

    def blockquote_open(self, tokens: Sequence[Token], idx: int, options, env) -> str:
        tokens[idx].attrs["class"] = "fr-highlight ecare-guide__note"
        return self.renderToken(tokens, idx, options, env)


_markdown = MarkdownIt("commonmark", {"html": False}, renderer_cls=_Renderer)


@cache
def _text(guide: Guide) -> Text:
    return read(guide, (FOLDER / f"{guide.slug}.md").read_text(encoding="utf-8"))


def read(guide: Guide, source: str) -> Text:
    """Its title, its first paragraph, its chapters."""
    tokens = _markdown.parse(source)
    starts = [rank for rank, token in enumerate(tokens) if token.type == "heading_open" and token.tag == "h2"]
    lead_end = starts[0] if starts else len(tokens)
    ends = [*starts[1:], len(tokens)]
    chapters = [_chapter(guide, tokens[start:end]) for start, end in zip(starts, ends, strict=True)]
    return Text(
        title=tokens[1].content,
        lead=_html(tokens[3:lead_end]),
        body=_html(tokens[lead_end:]),
        chapters=tuple(chapters),
    )


def _html(tokens: Sequence[Token]) -> SafeString:
    return mark_safe(_markdown.renderer.render(tokens, _markdown.options, {}))


def _chapter(guide: Guide, tokens: Sequence[Token]) -> Chapter:
    title = tokens[1].content
    told = " ".join(
        child.content
        for token in tokens
        for child in (token.children or [])
        if child.type in ("text", "code_inline", "image")
    )
    return Chapter(title, anchor_of(title), guide, f" {normalised(title)} ", f" {normalised(told)} ")
