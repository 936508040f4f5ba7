"""From one readable source to a letter in text and HTML."""

import re
import secrets
from html import unescape

from django.conf import settings
from django.template import Context, Engine
from django.template.loader import render_to_string

from ecare.letters import texts
from ecare.letters.models import DIGEST, SECRET_MARK, Letter
from ecare.sealing import seal

HEADING = re.compile(r"Objet\s*:\s*(?P<title>.+)")
LINK = re.compile(r"\[(?=[^\]\n]*\]\()")
BUTTON = r"\[(?P<label>[^\]]+)\]\((?P<address>https?://\S+)\)"


def compose(name, *, to, subject="", context=None, secret=None, expires_at=None) -> Letter:
    """An unsaved letter from `templates/letters/<name>.txt`, or from the text that an administrator put in its place;
    the action that calls saves it.

    The source: « Objet : … », a blank line, paragraphs; a line `[Libellé](https://…)` is a button, lines that start
    with « - » a list, whose lines may be links of the same form. `subject` is the reference of what it is about
    ("application:VEHCXTRMWL"). `secret` replaces `{{ secret }}` only when the letter leaves, and is kept sealed until
    then.
    """
    letter = write(name, texts.source_of(name), to=to, context=context, is_secret=secret is not None)
    letter.subject, letter.expires_at = subject, expires_at
    letter.secret = seal(secret.encode(), purpose="letter") if secret is not None else None
    return letter


def write(name: str, source: str, *, to: str, context: dict | None, is_secret: bool) -> Letter:
    """The words of a letter, without what it is about."""
    own = {"site_address": settings.SITE_ADDRESS, "support_address": settings.SUPPORT_ADDRESS, "secret": SECRET_MARK}
    mark = secrets.token_hex(8)  # before each link of the source: nobody's words make one
    template = Engine.get_default().from_string(LINK.sub(f"{mark}[", source))
    rendered = template.render(Context((context or {}) | own)).strip()
    heading, _, body = rendered.partition("\n")
    found = HEADING.fullmatch(heading.strip())
    if found is None:
        raise ValueError(f"letters/{name}.txt does not start with « Objet : … »")
    title = re.sub(r"[ \t\r\n\f\v]+", " ", unescape(found["title"])).strip()[:200]
    blocks = _blocks(body, mark)
    footer = _blocks(render_to_string("letters/footer.txt", own), mark)
    page = {"title": title, "blocks": blocks, "footer": footer}
    return Letter(
        name=name,
        recipient=to,
        title=title,
        text=f"{_as_text(blocks)}\n\n-- \n{_as_text(footer)}\n",
        html=render_to_string("letters/layout.html", page),
        link="" if is_secret else _first_link(blocks),
    )


def _blocks(body: str, mark: str) -> list[dict]:
    """The paragraphs, lists and buttons of a rendered (so HTML-escaped) body."""
    blocks: list[dict] = []
    for paragraph in re.split(r"\n\s*\n", body.strip()):
        lines: list[str] = []
        for line in (line.strip() for line in paragraph.splitlines()):
            button = re.fullmatch(mark + BUTTON, line)
            if button:
                blocks += _prose(lines, mark)
                blocks.append({"kind": "button", "label": button["label"], "address": button["address"]})
                lines = []
            elif line:
                lines.append(line)
        blocks += _prose(lines, mark)
    return blocks


def _first_link(blocks: list[dict]) -> str:
    return next((unescape(block["address"]) for block in blocks if block["kind"] == "button"), "")


def digest(to: str, letters: list[Letter]) -> Letter:
    """The daily letter: the title and the page of each, or its own words when it leads nowhere."""
    return compose(DIGEST, to=to, context={"letters": [_told(letter) for letter in letters]})


def _told(letter: Letter) -> dict:
    words = letter.text.partition("\n\n-- \n")[0]
    return {"title": letter.title.replace("[", "(").replace("]", ")"), "link": letter.link, "words": words}


def _prose(lines: list[str], mark: str) -> list[dict]:
    """Lines in a row as paragraphs and lists; a line of a list may be a link of the source."""
    blocks: list[dict] = []
    for line in lines:
        kind = "list" if line.startswith("- ") else "paragraph"
        if not blocks or blocks[-1]["kind"] != kind:
            blocks.append({"kind": kind, "lines": []})
        line = line.removeprefix("- ")
        link = re.fullmatch(mark + BUTTON, line) if kind == "list" else None
        if link:
            blocks[-1]["lines"].append({"label": link["label"], "address": link["address"]})
        else:
            blocks[-1]["lines"].append(line.replace(mark, ""))
    return blocks


def _as_text(blocks: list[dict]) -> str:
    parts = []
    for block in blocks:
        if block["kind"] == "button":
            parts.append(f"{block['label']} : {block['address']}")
        else:
            mark = "- " if block["kind"] == "list" else ""
            parts.append("\n".join(mark + _line_as_text(line) for line in block["lines"]))
    return unescape("\n\n".join(parts))


def _line_as_text(line: str | dict) -> str:
    return f"{line['label']} : {line['address']}" if isinstance(line, dict) else line


def journal_anchored(anchor, to: str) -> Letter:
    """To an auditor outside the portal: what nobody inside can take back."""
    return compose("journal_anchored", to=to, subject="journal", context={"anchor": anchor})
