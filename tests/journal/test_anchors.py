"""A history rewritten as a whole verifies by itself: what was signed and kept outside contradicts it.

The signed files are the protection here; without `--anchors` none of these forgeries is found (`looks_whole`).
"""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone

from ecare.journal import anchors, files, tasks
from ecare.journal.actions import broken_links, record
from ecare.journal.anchors import digest_of, export_heads
from ecare.journal.models import Anchor, Chain, Entry
from ecare.letters.models import Letter
from tests.racing import at_once
from tests.tampering import unguarded

pytestmark = pytest.mark.django_db
DOSSIER, OTHER = "application:VEHCXTRMWL", "application:AUTREDOSSI"
DAY = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
OTHER_KEY = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="


@pytest.fixture
def history(settings):
    """Three days: two dossiers begin, one goes on, nothing happens."""
    settings.VAULT_KEYS = [f"2026:{KEY}"]
    with time_machine.travel(DAY) as clock:
        for subject in (DOSSIER, OTHER):
            record(subject, "start")
            record(subject, "submit")
        export_heads()
        clock.shift(timedelta(days=1))
        record(DOSSIER, "accept")
        export_heads()
        clock.shift(timedelta(days=5))
        export_heads()


def verify(*arguments) -> list[str]:
    """The faults that are found."""
    errors = StringIO()
    try:
        call_command("verify_audit", *arguments, stdout=StringIO(), stderr=errors)
    except CommandError as error:
        return errors.getvalue().splitlines() or [str(error)]
    return []


def found():
    assert verify() == [], "it looks whole by itself"
    return verify("--anchors")


def write_anew(subject, verbs):
    """The whole chain, with the right digests: as somebody with the code and the database."""
    with unguarded():
        Entry.objects.filter(subject=subject).delete()
        Chain.objects.filter(pk=subject).delete()
    for verb in verbs:
        record(subject, verb)


def file(day) -> files.Path:
    return files.folder() / f"{day}.json"


def said(day) -> dict:
    return json.loads(file(day).read_text().splitlines()[0])


def put(day, text):
    file(day).unlink()
    file(day).write_text(text)


def test_what_nobody_touched_is_as_its_anchors_say(history):
    output = StringIO()
    record(DOSSIER, "sign_convention")
    call_command("verify_audit", "--anchors", stdout=output)
    assert output.getvalue() == "2 chain(s) intact, as 3 anchor(s) say.\n"


def test_a_day_tells_the_heads_that_moved_and_the_digest_of_all(history):
    first, second, third = (said(day) for day in ("2026-11-20", "2026-11-21", "2026-11-26"))
    assert [head[0] for head in first["heads"]] == [OTHER, DOSSIER]
    assert [head[:2] for head in second["heads"]] == [[OTHER, 2], [DOSSIER, 3]]  # a day of overlap
    assert (third["chains"], third["entries"]) == (2, 5)
    assert (
        third["digest"]
        == second["digest"]
        == digest_of(Chain.objects.order_by("subject").values_list("subject", "length", "digest"))
    )
    signatures = list(Anchor.objects.order_by("day").values_list("signature", flat=True))
    assert [one["former"] for one in (first, second, third)] == ["0" * 64, *signatures[:2]]


@pytest.mark.parametrize(
    ("verbs", "fault"),
    [
        (["start", "submit", "reject"], f"{DOSSIER} #2: not what was anchored on 2026-11-20"),
        (["start"], f"{DOSSIER} #3: anchored on 2026-11-21, is gone"),
        ([], f"{DOSSIER} #3: anchored on 2026-11-21, is gone"),
    ],
    ids=["rewritten", "shortened", "deleted"],
)
def test_a_history_written_anew_with_the_right_digests_is_found(history, verbs, fault):
    write_anew(DOSSIER, verbs)
    faults = found()
    assert fault in faults
    assert not any(OTHER in one for one in faults)


def forge(day, **changes):
    """The content altered, with the signature that it had."""
    content, signature = file(day).read_text().splitlines()
    put(day, json.dumps(json.loads(content) | changes) + f"\n{signature}\n")


def sign(day, **changes):
    """As somebody who invents a key."""
    content = json.dumps(said(day) | changes)
    put(day, f"{content}\n{anchors._signature(content, b'x' * 32)}\n")


FORGERIES = {
    "heads altered": (lambda: forge("2026-11-21", heads=[]), "anchor 2026-11-21: its signature is wrong"),
    "signed by another": (lambda: sign("2026-11-21", heads=[]), "anchor 2026-11-21: its signature is wrong"),
    "not an anchor": (lambda: put("2026-11-21", "bonjour"), "anchor 2026-11-21: not an anchor"),
    "gone": (
        lambda: file("2026-11-21").unlink(),
        "anchor 2026-11-26: does not follow from the one before it here; one is gone or was replaced",
    ),
    "the last one gone": (
        lambda: file("2026-11-26").unlink(),
        "anchor 2026-11-26: the file of the one in the database",
    ),
    "a former day in its place": (
        lambda: put("2026-11-21", file("2026-11-20").read_text()),
        "anchor 2026-11-21: does not follow from the one before it here",
    ),
}


@pytest.mark.parametrize(("forgery", "fault"), FORGERIES.values(), ids=list(FORGERIES))
def test_an_anchor_that_was_touched_is_found(history, forgery, fault):
    forgery()
    assert any(one.startswith(fault) for one in found())


def test_a_folder_without_anchors_proves_nothing(history, tmp_path):
    assert len(verify("--anchors", str(tmp_path))) == 3
    assert verify("--anchors", str(tmp_path / "nowhere")) == [f"{tmp_path / 'nowhere'} is not a folder."]


def test_an_anchor_outlives_the_change_of_the_key_that_signed_it(history, settings):
    settings.VAULT_KEYS = [f"2027:{OTHER_KEY}", f"2026:{KEY}"]
    with time_machine.travel(DAY + timedelta(days=30)):
        assert json.loads(export_heads().content)["key"] == "2027"
    assert found() == []
    settings.VAULT_KEYS = [f"2027:{OTHER_KEY}"]
    gone = "the key « 2026 » that signed it is no longer in ECARE_VAULT_KEYS"
    assert f"anchor 2026-11-20: {gone}" in found()


def test_what_was_being_written_when_an_anchor_was_made_is_in_the_next_one(history):
    with time_machine.travel(DAY + timedelta(days=5, hours=12)):
        record(OTHER, "accept")  # committed after the anchor of the 26th, whatever its clock says
    with time_machine.travel(DAY + timedelta(days=7)):
        export_heads()
    assert [head[0] for head in said("2026-11-27")["heads"]] == [OTHER]


def test_a_day_has_one_anchor_and_its_file_is_written_where_it_is_missing(history):
    with time_machine.travel(DAY + timedelta(hours=3)):
        assert export_heads() is None
    assert Anchor.objects.count() == 3
    kept = file("2026-11-20").read_bytes()
    assert file("2026-11-20").stat().st_mode & 0o777 == 0o400
    file("2026-11-20").unlink()
    with time_machine.travel(DAY + timedelta(days=6)):
        tasks.export_heads()
    assert file("2026-11-20").read_bytes() == kept


def test_a_file_that_is_there_is_never_written_over(history):
    put("2026-11-20", "autre")
    with time_machine.travel(DAY + timedelta(days=6)):
        export_heads()
    assert file("2026-11-20").read_text() == "autre"


def test_a_folder_that_cannot_be_written_is_told_and_the_anchor_is_kept(settings, tmp_path):
    settings.ANCHORS_DIR = tmp_path / "file" / "anchors"
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("export_heads", stdout=StringIO())
    assert Anchor.objects.count() == 1


def test_the_command_says_the_digest_of_the_day():
    record(DOSSIER, "start")
    output = StringIO()
    for _ in range(2):
        call_command("export_heads", stdout=output)
    first, second = output.getvalue().splitlines()
    assert first.endswith(f"1 chain(s), 1 entries, digest {Anchor.objects.get().digest}")
    assert second == "The anchor of today is there already."


def test_the_digest_of_the_day_leaves_by_mail_for_whoever_keeps_it_outside(settings):
    export_heads()
    assert not Letter.objects.exists()
    settings.AUDITOR_ADDRESS = "audit@exemple.fr"
    anchor = export_heads(timezone.now() + timedelta(days=1))
    letter = Letter.objects.get()
    assert (letter.name, letter.recipient) == ("journal_anchored", "audit@exemple.fr")
    assert anchor.digest in letter.text and anchor.signature in letter.text


def test_an_anchor_is_neither_changed_nor_removed():
    anchor = export_heads()
    with pytest.raises(TypeError):
        anchor.save()
    with pytest.raises(TypeError):
        anchor.delete()


@pytest.mark.django_db(transaction=True)
def test_two_workers_make_one_anchor():
    record(DOSSIER, "start")
    made = at_once(export_heads, export_heads, export_heads)
    assert sum(one is not None for one in made) == Anchor.objects.count() == 1
    assert list(broken_links(DOSSIER)) == []
