"""What is said of privacy and security is true: periods, tests that documents name, requirements that they count."""

import re
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(__file__).parents[2]
PRIVACY = (ROOT / "docs" / "privacy.md").read_text()
SETTINGS = (ROOT / "docs" / "settings.md").read_text()
PERIODS = {
    "ECARE_DRAFTS_KEPT_DAYS": "DRAFTS_KEPT_DAYS",
    "ECARE_NEVER_ACTIVATED_KEPT_DAYS": "NEVER_ACTIVATED_KEPT_DAYS",
    "ECARE_UNUSED_ACCOUNTS_KEPT_DAYS": "UNUSED_ACCOUNTS_KEPT_DAYS",
    "ECARE_CLOSED_ACCOUNTS_KEPT_DAYS": "CLOSED_ACCOUNTS_KEPT_DAYS",
    "ECARE_INVITATIONS_KEPT_DAYS": "INVITATIONS_KEPT_DAYS",
    "ECARE_LETTER_WORDS_KEPT_DAYS": "LETTER_WORDS_KEPT_DAYS",
    "ECARE_WARNED_DAYS": "WARNED_DAYS",
}


def test_the_document_and_the_page_say_the_periods_of_the_settings(client):
    page = client.get("/donnees-personnelles/").content.decode()
    for variable, name in PERIODS.items():
        days = getattr(settings, name)
        [row] = [line for line in PRIVACY.splitlines() if f"`{variable}`" in line]
        assert f" {days} days" in row, variable
        assert f"| `{variable}` |" in SETTINGS and f"| `{days}` |" in SETTINGS
        assert f"{days}&nbsp;jours" in page, variable


@pytest.mark.parametrize("name", PERIODS.values())
def test_the_page_follows_the_setting(client, settings, name):
    setattr(settings, name, 4321)
    assert "4321&nbsp;jours" in client.get("/donnees-personnelles/").content.decode()


def test_every_period_that_is_a_setting_is_in_the_document():
    known = set(re.findall(r'env\.int\("(ECARE_\w+_DAYS)"', (ROOT / "ecare" / "settings.py").read_text()))
    elsewhere = {"ECARE_LATE_AFTER_DAYS", "ECARE_WEBHOOK_SUSPEND_AFTER_DAYS", "ECARE_WEBHOOK_KEPT_DAYS"}
    assert known - elsewhere == set(PERIODS)


# --- tests that documents name ----------------------------------------------------------------------------------------
DOCUMENTS = ("threat-model.md", "asvs.md")
NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_test_that_a_document_names_exists(name):
    named = NAMED.findall((ROOT / "docs" / name).read_text())
    assert len(named) > 20
    missing = []
    for path, test in named:
        file = ROOT / path
        if not file.exists() or (test and f"def {test}(" not in file.read_text()):
            missing.append(f"{path}::{test}")
    assert missing == []


ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| ([12]) \| (.+?) \| (\w[\w ]*?) \| (.+) \|$", re.MULTILINE)
VERDICTS = {"test", "document", "not applicable", "not met"}


def test_each_requirement_has_one_verdict_and_says_what_shows_it():
    text = (ROOT / "docs" / "asvs.md").read_text()
    rows = ROW.findall(text)
    numbers = [number for number, *_ in rows]
    assert len(numbers) == len(set(numbers)) == len(re.findall(r"^\| \d+\.", text, re.MULTILINE))
    assert [sum(row[1] == level for row in rows) for level in "12"] == [70, 183], "as many as the standard has"
    for number, _, _, verdict, shown in rows:
        assert verdict in VERDICTS, number
        if verdict == "test":
            assert NAMED.search(shown), number
        if verdict == "document":
            paths = re.findall(r"\]\([\w./-]+\)|`(?:(?:docs|deploy|ecare)/[\w./-]+|pyproject\.toml)`", shown)
            assert paths, number
        if verdict in ("not applicable", "not met"):
            assert len(shown) > 5, number
    counted = {verdict: sum(row[3] == verdict for row in rows) for verdict in VERDICTS}
    told = dict(re.findall(r"^\| (test|document|not applicable|not met) \| (\d+) \|$", text, re.MULTILINE))
    assert told == {verdict: str(count) for verdict, count in counted.items()}
