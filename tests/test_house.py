"""The promises of the house, kept by a machine: what is said in docs/ and in the house rules is true of the code."""

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest
import yaml
from django.apps import apps
from django.urls import URLPattern, get_resolver

from applications.models import Application

ROOT = Path(__file__).parents[1]
ROOMS = (
    "accounts", "applications", "backups", "conventions", "demo", "ecare", "establishments", "evidence", "exports",
    "funding", "privacy", "reviews", "steering", "systems", "webhooks",
)  # fmt: skip
TEMPLATES = ROOT / "templates"


@cache
def floors() -> dict[str, set[str]]:
    """The modules of each floor, as import-linter keeps them."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    [layers] = [contract["layers"] for contract in contracts if contract["id"] == "floors"]
    names = ("doors", "pages", "paper", "verbs", "law", "memory")
    return {name: set(re.findall(r"\((\w+)\)", layer)) for name, layer in zip(names, layers, strict=True)}


# Pages that a visitor may open without signing in; every other page is closed.
PUBLIC = {
    "account_confirm_email",
    "account_email_verification_sent",
    "account_inactive",
    "account_login",
    "account_logout",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "account_second_factor",
    "account_sign_in_code",
    "account_signup",
    "accessibility",
    "accounts:accept_invitation",
    "accounts:activation_resent",
    "accounts:confirm_email_change",
    "accounts:challenge",
    "accounts:check_establishment",
    "accounts:choose_establishment",
    "accounts:password_strength",
    "accounts:register",
    "accounts:register_establishment",
    "accounts:register_recap",
    "accounts:registered",
    "accounts:resend_activation",
    "accounts:stop_email_correction",
    "accounts:terms",
    "accounts:terms_version",
    "admin:login",
    "agents",
    "alive",
    "captcha-image",
    "eligibility",
    "eligibility_of",
    "guide_of_referent",
    "health",
    "help",
    "home",
    "legal_notice",
    "letters:html",
    "letters:letter",
    "letters:mailbox",
    "metrics",
    "personal_data",
    "preparation",
    "preparations",
    "sitemap",
    "steering:download_published",
    "steering:publication",
    "steering:publications",
    "systems:documentation",
    # A token instead of a session: tests/systems/test_who_may_read.py
    "systems:dossier",
    "systems:dossiers",
    "systems:domains",
    "systems:nothing",
    "systems:openapi",
    "systems:statistics",
}
# Django and allauth render these by name.
RENDERED_BY_OTHERS = {"400.html", "403.html", "403_csrf.html", "404.html", "429.html", "500.html"}


def python_files(*folders):
    for folder in folders:
        yield from sorted(path for path in (ROOT / folder).rglob("*.py") if "migrations" not in path.parts)


def name_of(path):
    return str(path.relative_to(ROOT))


@cache
def tree_of(path):
    return ast.parse(path.read_text(), str(path))


@cache
def template_files():
    return tuple(sorted(path for path in TEMPLATES.rglob("*") if path.suffix in (".html", ".txt")))


def all_views(patterns, namespace=""):
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            yield f"{namespace}{pattern.name or pattern.pattern}", pattern.callback
        else:
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from all_views(pattern.url_patterns, inner)


def test_every_page_is_closed_but_those_named_here():
    views = all_views(get_resolver().url_patterns)
    assert {name for name, view in views if not getattr(view, "login_required", True)} == PUBLIC


def test_every_template_is_rendered_somewhere():
    rooms = "\n".join(path.read_text() for path in python_files(*ROOMS))
    pages = "\n".join(path.read_text() for path in template_files())
    unused = []
    for path in template_files():
        name, folder = str(path.relative_to(TEMPLATES)), path.parent.name
        ways = [f'"{name}"' in rooms, f'"{name}"' in pages, name in RENDERED_BY_OTHERS]
        # A letter is named by its verb, a family of pages by an f-string.
        ways.append(f'"{path.stem}"' in rooms and (folder == "letters" or f'f"{folder}/{{' in rooms))
        ways.append(any((Path(app.path) / "templates" / name).exists() for app in apps.get_app_configs()))
        if not any(ways):
            unused.append(name)
    assert unused == []


def test_no_room_is_named_after_nothing():
    nothing = {"utils", "util", "helpers", "helper", "common", "core", "services", "service", "misc", "lib"}
    assert [name_of(path) for path in python_files(*ROOMS, "tests") if nothing & set(path.with_suffix("").parts)] == []


def test_imports_stand_at_the_top():
    inline = [
        f"{name_of(path)}:{node.lineno}"
        for path in python_files(*ROOMS, "tests")
        for function in ast.walk(tree_of(path))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert inline == []


def test_nobody_sends_a_task_from_a_request():
    calls = [
        f"{name_of(path)}:{node.lineno}"
        for path in python_files(*ROOMS)
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Attribute) and node.attr in ("delay", "apply_async", "send_task")
    ]
    assert calls == []


def test_verbs_know_no_page():
    pages = ("django.http", "django.shortcuts", "django.contrib.messages", "django.template")
    known = [
        f"{name_of(path)}: {module}"
        for path in python_files(*ROOMS)
        if path.stem in floors()["verbs"] or "actions" in path.parts
        for node in ast.walk(tree_of(path))
        for module in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else []
        )
        if module.startswith(pages)
    ]
    assert known == []


@pytest.mark.parametrize(
    ("what", "pattern"),
    [
        ("a style element", r"<style\b"),
        ("a style attribute", r"\sstyle\s*="),
        ("a script of its own", r"<script(?![^>]*\bsrc=)"),
        ("an event attribute", r"\son[a-z]+\s*="),
        ("a script address", r"javascript:"),
    ],
)
def test_no_template_needs_a_lax_policy(what, pattern):
    """But the mail's own layout, which no page of ours includes."""
    pages = [path for path in template_files() if path != TEMPLATES / "letters" / "layout.html"]
    assert [name_of(path) for path in pages if re.search(pattern, path.read_text(), re.IGNORECASE)] == [], what


def test_every_class_of_ours_is_described_in_one_place_and_used():
    sheets = {path.name: path.read_text() for path in (ROOT / "static" / "ecare").glob("*.css")}
    described = [
        (name, sheet)
        for sheet, text in sheets.items()
        for name in set(
            re.findall(r"^\s*\.(ecare-[\w-]+)(?: \{|, )", re.sub(r"@media[^{]*\{", "@", text), re.MULTILINE)
        )
    ]
    twice = {name for name, sheet in described if sum(name == other for other, _ in described) > 1}
    assert twice == set()
    texts = [path.read_text() for path in [*template_files(), *python_files(*ROOMS)]]
    texts += [path.read_text() for path in (ROOT / "static" / "ecare").glob("*.js")]
    worn = set(re.findall(r"\becare-[a-z][\w-]*", "\n".join(texts)))
    styled = set(re.findall(r"\.(ecare-[\w-]+)", "\n".join(sheets.values())))
    built = tuple(name for name in worn if name.endswith("--"))  # completed by what it shows
    assert {name for name in styled - worn if not name.startswith(built)} == set()
    assert {name for name in worn - styled if not any(one.startswith(name) for one in styled)} == set()


def test_no_file_is_too_full():
    files = [*python_files(*ROOMS, "tests"), *template_files()]
    files += [path for path in (ROOT / "static" / "ecare").rglob("*") if path.suffix in (".js", ".css")]
    rows = re.compile(r'^    "\w[\w: ]*": +"[\d ]+",\n', re.MULTILINE)  # the access matrix has one per address
    counts = {name_of(path): len(rows.sub("", path.read_text()).splitlines()) for path in files}
    assert {name: count for name, count in counts.items() if count > 450} == {}


# --- docs ---------------------------------------------------------------------------------------------------------
@cache
def glossary():
    """The English words of the table, in code."""
    rows = (
        line.split("|") for line in (ROOT / "docs" / "glossary.md").read_text().splitlines() if line.startswith("|")
    )
    return {word for row in rows for word in re.findall(r"`(\w+)`", row[2])}


def test_every_word_of_the_glossary_is_in_the_code():
    code = "\n".join(path.read_text() for path in python_files(*ROOMS))
    classes = {word for word in glossary() if word[0].isupper()}
    assert {word for word in classes if f"class {word}(" not in code} == set()
    assert {word for word in glossary() - classes if word not in code.lower()} == set()


def test_every_model_and_every_verb_has_its_word():
    ours = {model.__name__ for model in apps.get_models() if model.__module__.split(".")[0] in ROOMS}
    verbs = {transition.name for transition in Application._meta.get_field("state").get_all_transitions(Application)}
    assert (ours | verbs) - glossary() == set()


def test_every_variable_of_the_environment_is_documented():
    read = r"""(?:env(?:\.\w+)?\(|_required\(\s*|environ(?:\.get)?[\[(])"([A-Z][A-Z_]+)"|"([A-Z_]+)" in env"""
    sources = (ROOT / name for name in ("ecare/settings.py", "ecare/embedded.py", "gunicorn.conf.py"))
    known = {first or second for path in sources for first, second in re.findall(read, path.read_text())}
    documented = set(re.findall(r"^\| `([A-Z_]+)`", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE))
    assert len(known) > 10
    assert known == documented


def test_every_module_of_a_floor_is_documented_on_that_floor():
    text = (ROOT / "docs" / "architecture.md").read_text().partition("## Floors")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| [0-9] (\w+)[^|]* \| ([^|]+) \|", text, re.MULTILINE))
    documented = {floor: set(re.findall(r"`(\w+)/?`", modules)) for floor, modules in rows.items()}
    assert documented == floors()


def test_every_command_is_documented():
    ours = {path.stem for path in python_files(*ROOMS) if path.parent.name == "commands"} - {"__init__"}
    text = (ROOT / "docs" / "architecture.md").read_text().partition("## Commands")[2].partition("\n## ")[0]
    documented = {
        name for row in re.findall(r"^\| (`.*?) \|", text, re.MULTILINE) for name in re.findall(r"`(\w+)", row)
    }
    assert documented == ours


def test_every_link_of_the_documents_leads_somewhere():
    documents = [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")]
    dead = [
        f"{name_of(document)}: {target}"
        for document in documents
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text())
        if not target.startswith(("http://", "https://", "mailto:")) and not (document.parent / target).exists()
    ]
    assert dead == []


def test_every_path_that_a_document_names_exists():
    documents = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    named = [
        (document, path)
        for document in documents
        for path in re.findall(r"`([\w.-]+/[\w./-]*)`", document.read_text())
        if path.split("/")[0] not in ("var", "management", "templatetags")
    ]
    assert len(named) > 40
    assert [f"{name_of(document)}: {path}" for document, path in named if not (ROOT / path).exists()] == []


def test_the_readme_names_the_accounts_of_the_demo():
    demo = yaml.safe_load((ROOT / "fixtures" / "demo" / "demo.yaml").read_text())
    readme = (ROOT / "README.md").read_text()
    assert demo["password"] in readme
    assert [account["username"] for account in demo["accounts"] if f"`{account['username']}`" not in readme] == []
