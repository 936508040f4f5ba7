"""From a template of `templates/typst/` and plain data to a PDF that can be archived and read aloud.

What people typed reaches the template as JSON in `sys.inputs`, never as template text: it is shown as it is, and no
character of it is an instruction. The same data and instant give the same bytes.
"""

import json
import re
import unicodedata
from datetime import datetime
from functools import cache
from typing import cast

import typst
from django.conf import settings

FOLDER = settings.BASE_DIR / "templates" / "typst"
_LONGEST_WORD = 64  # a digest stays whole, to be copied
# What the bundled fonts show: European scripts, punctuation, a few signs. A font without a character would stop the
# typesetting, so anything else is written as its code.
_NOT_SHOWN = re.compile(
    r"[^\n\x20-\x7e\xa0-\xac\xae-\u017f\u0386\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03ce\u0400-\u045f"
    r"\u2010-\u2015\u2018-\u201e\u2020-\u2022\u2026\u202f\u2030\u2039\u203a\u20ac\u2122\u2190-\u2193\u2212\u2248\u2260"
    r"\u2264\u2265]"
)


def typeset(name: str, data: dict, *, at: datetime) -> bytes:
    """`templates/typst/<name>.typ` filled with `data` (strings, numbers, lists, dicts), dated `at`."""
    compiler = typst.Compiler(root=FOLDER, font_paths=_fonts())
    content = compiler.compile(
        FOLDER / f"{name}.typ",
        format="pdf",
        sys_inputs={"data": json.dumps(_shown(data), ensure_ascii=False)},
        pdf_standards=["a-2a", "ua-1"],  # may be archived, may be read aloud
        timestamp=int(at.timestamp()),
    )
    return cast(bytes, content)  # one document, since it is given back and not written


@cache
def _fonts() -> typst.Fonts:
    """Ours and those inside typst: the same on every machine."""
    return typst.Fonts(include_system_fonts=False, font_paths=[FOLDER / "fonts"])


def _shown(value):
    """The same data, each text as the fonts can show it."""
    if isinstance(value, dict):
        return {key: _shown(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_shown(one) for one in value]
    return shown(value) if isinstance(value, str) else value


def shown(text: str) -> str:
    """Characters that no font has as their code, line ends made one, words longer than a line cut where they may."""
    text = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    text = _NOT_SHOWN.sub(lambda found: f"[U+{ord(found[0]):04X}]", text)
    return re.sub(rf"\S{{{_LONGEST_WORD + 1},}}", lambda word: "\u200b".join(word[0]), text)
