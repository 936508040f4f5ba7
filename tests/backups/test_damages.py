"""A backup that is not whole, was altered, or is met with other keys: said by name, and nothing is touched."""

import json

import pytest

from tests.backups.conftest import KEYS

OTHER = "A" * 43 + "="


def flip(path, place: int = -10) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def cut(path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def an_object(folder):
    line = json.loads((folder / "vault.jsonl").read_text().splitlines()[3])
    return folder / "vault" / line["name"], line["row"]


def assert_untouched(portal):
    asked = (
        "from django.db import connection; from evidence import vault;"
        "print(connection.introspection.table_names(), list(vault.names()))"
    )
    assert portal.python(asked).strip() == "[] []"


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda folder: flip(folder / "database.sealed"), "database.sealed was altered"),
        (lambda folder: cut(folder / "database.sealed"), "database.sealed has "),
        (lambda folder: (folder / "database.sealed").unlink(), "database.sealed is missing"),
        (lambda folder: flip(folder / "vault.jsonl"), "vault.jsonl was altered"),
        (lambda folder: cut(folder / "vault.jsonl"), "it was cut short"),
        (lambda folder: (folder / "manifest.json").unlink(), "this backup was not finished"),
        (lambda folder: cut(folder / "manifest.json"), "manifest.json cannot be read"),
    ],
)
def test_a_damage_is_named_and_nothing_is_done(copy, elsewhere, damage, sentence):
    """Protection: `check_files`, before anything is touched."""
    damage(copy)
    said = elsewhere.refused("restore", copy)
    assert sentence in said and "Nothing was done" in said
    assert_untouched(elsewhere)


def test_a_manifest_that_somebody_changed_is_named(copy, elsewhere):
    """Protection: its signature. Whoever writes to the backups could make digests agree with what they altered."""
    path = copy / "manifest.json"
    signed = json.loads(path.read_text())
    signed["content"]["counts"]["accounts.User"] += 1
    path.write_text(json.dumps(signed))
    assert "manifest.json was altered" in elsewhere.refused("restore", copy)
    assert_untouched(elsewhere)


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), cut])
def test_an_object_that_is_not_there_or_not_whole_is_named_before_anything_is_done(copy, elsewhere, damage):
    path, row = an_object(copy)
    damage(path)
    said = elsewhere.refused("restore", copy)
    assert path.name in said and row in said and "1 fault(s)" in said
    assert_untouched(elsewhere)
    said = elsewhere.refused("restore", copy, "--despite-faults")
    assert f"{row}: missing" in said and "restored and verified" in said


def test_a_flipped_byte_of_an_object_is_named_and_the_rest_restored(copy, elsewhere):
    """Protection: digests are compared as objects are put back."""
    path, row = an_object(copy)
    flip(path)
    said = elsewhere.refused("restore", copy)
    assert f"{row}: vault/{path.parent.name}/{path.name} was altered in the backup" in said
    assert "Restored, but not as it was: 2 fault(s)" in said  # and, therefore, missing
    code, said = elsewhere.run("manage.py", "verify_vault")
    assert code == 1 and "1 of" in said


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"ECARE_VAULT_KEYS": f"2027:{OTHER}"}, "ECARE_VAULT_KEYS lacks 2025, 2026"),
        ({"ECARE_VAULT_KEYS": KEYS[0]}, "ECARE_VAULT_KEYS lacks 2025"),
        ({"ECARE_VAULT_KEYS": f"2026:{OTHER},{KEYS[1]}"}, "another key named 2026"),
        ({"SECRET_KEY": "une-autre-clé-que-celle-de-la-sauvegarde-0123456789-abcdefghij"}, "SECRET_KEY is another"),
    ],
)
def test_other_keys_are_named_and_nothing_is_done(backup, elsewhere, changes, sentence):
    """Protection: check values, before anything is touched."""
    assert sentence in elsewhere.refused("restore", backup, **changes)
    assert_untouched(elsewhere)


def test_a_further_key_does_no_harm(backup, elsewhere):
    keys = ",".join([f"2027:{OTHER}", *KEYS])
    assert "restored and verified" in elsewhere.manage("restore", backup, ECARE_VAULT_KEYS=keys)
