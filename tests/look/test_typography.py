"""French typography, read in the sources: the signs « » ? ! : ; stand next to a non-breaking space."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLAIN_SPACE = re.compile(r"(?:\A|(?<=[\w»)}%’”.…>])) [?!:;»](?!=)|« |n° ")
AFTER_A_NUMBER = re.compile(r"(?:\A|(?<=[\dX])) [%€](?![\w(%}])|(?<=\d) h\b|(?<=\d\u00a0h) \d")
SUBJECT = re.compile(r"\AObjet :")  # the mark of a letter's title, not a text
# What only engineers read.
ENGLISH = (
    "ecare/settings.py",
    "ecare/sealing.py",
    "ecare/letters/emails.py",
    "applications/management/commands/workflow.py",
)


def is_wrong(text: str) -> bool:
    """Whether a sign, a unit or the minutes of an hour may begin a line."""
    return bool(PLAIN_SPACE.search(text) or AFTER_A_NUMBER.search(text))


def sources(*patterns: str) -> list[str]:
    listed = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    return listed.stdout.splitlines()


def of_python(text: str) -> Iterator[str]:
    """Strings that are not docstrings."""
    tree = ast.parse(text)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


def of_template(text: str) -> Iterator[str]:
    """Text, and the attributes that are read aloud or shown."""
    text = SUBJECT.sub("", text)
    text = re.sub(r"\{#.*?#\}|\{%.*?%\}", "", text, flags=re.DOTALL)
    text = re.sub(r"\{\{.*?\}\}", "X", text)
    yield from re.findall(r'(?:title|aria-label|placeholder|alt)="([^"]*)"', text)
    yield from re.split(r"<[^>]*>", text)


def of_data(text: str) -> Iterator[str]:
    """Values of a YAML file."""
    for line in text.splitlines():
        yield re.sub(r"(^|\s)#.*$", "", line)


def of_script(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if not line.lstrip().startswith("//"):
            yield from (re.sub(r"\$\{[^}]*\}", "X", found) for found in re.findall(r'"[^"]*"|`[^`]*`', line))


def of_typst(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if not line.lstrip().startswith("//"):
            yield re.sub(r"#[\w.]+(?:\([^)]*\))*", "X", line)


KINDS = {
    "python": (of_python, ["*.py", ":!tests", ":!*/migrations/*"]),
    "templates": (of_template, ["templates/*.html", "templates/*.txt"]),
    "data": (of_data, ["fixtures/*.yaml"]),
    "typst": (of_typst, ["templates/typst/*.typ"]),
    "scripts": (of_script, ["static/ecare/*.js"]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_no_sign_can_be_left_alone_on_a_line(kind):
    read, patterns = KINDS[kind]
    files = [path for path in sources(*patterns) if path not in ENGLISH]
    assert files
    texts = [(path, text) for path in files for text in read((ROOT / path).read_text(encoding="utf-8"))]
    assert [(path, text.strip()[:120]) for path, text in texts if is_wrong(text)] == []


def test_the_pattern_sees_what_it_looks_for():
    for wrong in ("Erreur : trop long", " : deux choses", "« un mot\u00a0»", "«\u00a0un mot »", "Pourquoi ?", "n° ABC"):
        assert is_wrong(wrong), wrong
    for wrong in ("90 %", "X % engagés", " % de l’enveloppe", "7 €", "23 h 59", "23 h\u00a059", "23\u00a0h 59"):
        assert is_wrong(wrong), wrong
    for right in (
        "Erreur\u00a0: trop long",
        "«\u00a0un mot\u00a0»",
        "14\u00a0h\u00a005",
        "90\u00a0%",
        "http://x",
        "a != b",
        "%d %s",
    ):
        assert not is_wrong(right), right


def test_an_e_mail_is_called_by_one_name():
    told = re.compile(r"adresses? (?:e)?mails?\b|adresses? de messagerie", re.IGNORECASE)
    found = {path: told.findall(of) for path in sources("*.py", "*.html", "*.txt") if "tests/" not in path
             if told.search(of := (ROOT / path).read_text())}  # fmt: skip
    assert found == {}
