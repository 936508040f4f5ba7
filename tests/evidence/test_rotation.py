"""A change of keys: everything goes over to the new one, whoever works meanwhile, wherever it is stopped."""

import base64
import os
import signal
import sqlite3
import subprocess
import sys
from functools import partial

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import DatabaseError, models
from django.urls import reverse
from django.utils import timezone

from accounts.models import Authenticator
from demo.specimens import pdf
from ecare.journal.models import Entry
from ecare.letters.emails import compose
from ecare.letters.models import Letter
from ecare.sealing import columns, unseal
from evidence import arrivals, purges, rotation, vault
from evidence.containers import password_of
from evidence.models import Container, Evidence, StoredFile
from exports.models import Export
from tests.evidence.arriving import LARGE, TWELVE, opened, send
from tests.evidence.arriving import start as announce
from tests.evidence.conftest import assert_no_orphan, dossier_with, put_in, stored_names, transmit
from tests.evidence.pool import dossier_that_asks, fill_pool
from tests.exports.conftest import built, content_of
from tests.factories import UserFactory
from tests.faults import break_updates_of, mend
from tests.portal import ROOT, wait_for
from tests.stores import put_raw, raw
from tests.webhooks.conftest import subscribe
from webhooks.models import Subscription
from webhooks.payloads import live_secrets

KEY_A, KEY_B, KEY_C = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2, 3))
OLD, BOTH, NEW = [f"2025:{KEY_A}"], [f"2026:{KEY_B}", f"2025:{KEY_A}"], [f"2026:{KEY_B}"]
SECRET = b"20 octets de secret."


@pytest.fixture(autouse=True)
def old_key(settings):
    settings.VAULT_KEYS = OLD


def rotate(**options):
    call_command("rotate_keys", **({"grace": 0} | options))


def left_with(key: str) -> int:
    return sum(found[key] for found in rotation.count().values())


@pytest.fixture
def everything(db, store, django_capture_on_commit_callbacks):
    """Something of each kind that is sealed, all of it with the first key."""
    application = dossier_with(LARGE)
    with django_capture_on_commit_callbacks(execute=True):
        evidence = put_in(application)
        transmit(application)
        export = built(Export.Kind.DOSSIER_ZIP, by=UserFactory(ans=True), what=application.reference)
        [container] = fill_pool(dossier_that_asks())
        under_way = dossier_with(LARGE)
        upload = announce(under_way, TWELVE)
        send(upload, TWELVE, 0, 2)
        compose("code", to="camille@exemple.fr", secret="12345678", context={"minutes": 10}).save()
        subscription = subscribe("https://si.exemple.fr/ecare")
        Subscription.objects.update(former_secret=subscription.secret, former_until=timezone.now())
        authenticator = Authenticator.of(UserFactory(ans=True), SECRET)
        authenticator.save()
    return {
        "evidence": evidence,
        "export": export,
        "container": container,
        "upload": upload,
        "subscription": subscription,
        "authenticator": authenticator,
    }


def test_everything_is_sealed_anew_and_still_opens(
    everything, settings, django_capture_on_commit_callbacks, capsys, caplog
):
    before = stored_names()
    settings.VAULT_KEYS = BOTH
    total = left_with("2025")
    assert total == 2 + 2 + 1 + 1 + 1 + 2 + 1  # files, parts, export, letter, password, secrets, authenticator
    rotate()
    said = capsys.readouterr().out
    assert "2025: nothing is left, it may be dropped" in said
    assert "2026 (seals now): 2 evidence.StoredFile, 2 evidence.UploadPart, 1 exports.Export, 1 letters" in said
    settings.VAULT_KEYS = NEW
    assert not stored_names() & before and len(stored_names()) == len(before)
    for file in StoredFile.objects.all():
        assert file.key_name == "2026" and len(opened(file)) == file.size
    assert content_of(Export.objects.get())
    assert password_of(Container.objects.get()).startswith("eCaRE")
    assert Authenticator.objects.get().bin_key == SECRET
    assert live_secrets(Subscription.objects.get(), timezone.now()) == [everything["subscription"].plain]
    assert unseal(bytes(Subscription.objects.get().former_secret), purpose="webhook")
    assert unseal(bytes(Letter.objects.get(name="code").secret), purpose="letter") == b"12345678"
    upload = everything["upload"]
    send(upload, TWELVE, 1)
    with django_capture_on_commit_callbacks(execute=True):
        arrivals.finish(upload, by=upload.started_by, at=timezone.now())
    assert opened(Evidence.objects.exclude(pk=everything["evidence"].pk).get().file) == TWELVE
    entry = Entry.objects.get(verb="rotate_keys")
    assert entry.data["key"] == "2026" and sum(entry.data["resealed"].values()) == total
    assert KEY_A not in caplog.text + said and KEY_B not in caplog.text + said


def test_a_report_changes_nothing(everything, settings, capsys):
    settings.VAULT_KEYS = BOTH
    before = stored_names()
    rotate(report=True)
    assert "2025: 2 evidence.StoredFile, 2 evidence.UploadPart, 1 exports.Export, 1 letters" in capsys.readouterr().out
    assert stored_names() == before and left_with("2025") == 10
    assert not Entry.objects.filter(verb="rotate_keys").exists()


def test_a_second_run_does_nothing(everything, settings):
    settings.VAULT_KEYS = BOTH
    rotate()
    before = stored_names()
    rotate()
    assert stored_names() == before
    assert Entry.objects.filter(verb="rotate_keys").count() == 1


def test_nothing_that_is_sealed_is_forgotten():
    """A new column of sealed bytes, or a new model with bytes in storage, says so when its room starts."""
    ours = [model for model in apps.get_models() if model.__module__.split(".")[0] not in ("django", "captcha")]
    binary = {
        (model._meta.label, field.name)
        for model in ours
        for field in model._meta.local_fields
        if isinstance(field, models.BinaryField)
    }
    plain = {("evidence.SpaceTemplate", "content")}
    assert binary - plain == {(column.label, column.field) for column in columns()}
    keepers = {model._meta.label for model in ours if any(f.name == "storage_name" for f in model._meta.fields)}
    assert keepers == {shelf.label for shelf in vault.shelves()}


# --- what does not open ---------------------------------------------------------------------------------------------
def test_what_does_not_open_is_named_and_left_as_it_is(application, settings, store, capsys):
    lost, altered = put_in(application), put_in(application, pdf(900_000), name="2.pdf")
    content = bytearray(raw(altered.file.storage_name))
    content[-1] ^= 1
    put_raw(altered.file.storage_name, bytes(content))
    names = stored_names()
    settings.VAULT_KEYS = [f"2026:{KEY_B}", f"2025:{KEY_A}"]
    with pytest.raises(CommandError, match="1 cannot be opened"):
        rotate()
    assert str(altered.file_id) in capsys.readouterr().err
    assert altered.file.storage_name in stored_names() and len(stored_names()) == 2
    settings.VAULT_KEYS = [f"2027:{KEY_C}", f"2025:{KEY_A}"]
    with pytest.raises(CommandError, match="2 cannot be opened"):
        rotate()
    told = capsys.readouterr()
    assert str(lost.file_id) in told.err and str(altered.file_id) in told.err
    assert "2026 (NOT in ECARE_VAULT_KEYS): 1 evidence.StoredFile" in told.out
    assert len(names) == len(stored_names())


def test_bytes_that_are_not_those_noted_are_not_led_to(application, settings):
    """Protection: the digest is compared before the row is led to the new object, and the former one discarded."""
    evidence = put_in(application)
    StoredFile.objects.update(sha256="0" * 64)
    settings.VAULT_KEYS = BOTH
    with pytest.raises(CommandError, match="1 cannot be opened"):
        rotate()
    assert StoredFile.objects.get().storage_name == evidence.file.storage_name
    assert_no_orphan()


# --- while people work ----------------------------------------------------------------------------------------------
def test_a_download_under_way_comes_to_its_end(db, store, settings, signed_in):
    """Protection: `--grace`. Without it a bucket takes the object away under the hands of whoever reads it."""
    application = dossier_with(LARGE)
    evidence = put_in(application, content=TWELVE)
    answer = signed_in(application.referent).get(reverse("evidence:download", args=[evidence.file_id]))
    pieces = iter(answer.streaming_content)
    got = [next(pieces)]
    settings.VAULT_KEYS = BOTH
    former = rotation.Former(60)
    [shelf] = [shelf for shelf in vault.shelves() if shelf.label == "evidence.StoredFile"]
    rotation._reseal_shelf(shelf, rotation.Outcome(), former, print)
    assert StoredFile.objects.get().key_name == "2026"
    former.discard_due()
    assert b"".join([*got, *pieces]) == TWELVE
    assert len(stored_names()) == 2


class Meddler:
    """Does something between the reading of an object and the leading of its row to the new one."""

    def __init__(self, monkeypatch, deed):
        lead = rotation._lead

        def meddled(*arguments):
            deed()
            return lead(*arguments)

        monkeypatch.setattr(rotation, "_lead", meddled)


def test_a_file_purged_meanwhile_does_not_come_back(
    application, settings, monkeypatch, django_capture_on_commit_callbacks
):
    evidence = put_in(application)
    settings.VAULT_KEYS = BOTH

    def purge():
        with django_capture_on_commit_callbacks(execute=True):
            purges.purge_evidence(evidence, by=UserFactory(ans=True), reason="Liste de patients.", at=timezone.now())

    Meddler(monkeypatch, purge)
    rotate()
    assert StoredFile.objects.get().is_purged
    assert not stored_names()


def test_two_runs_at_once_leave_one_object(application, settings, monkeypatch):
    """Protection: the row is led to the new object only if it still leads to the former one."""
    put_in(application)
    settings.VAULT_KEYS = BOTH

    def another_run():
        monkeypatch.undo()
        settings.VAULT_KEYS = BOTH
        rotate()

    Meddler(monkeypatch, another_run)
    rotate()
    assert opened(StoredFile.objects.get())
    assert_no_orphan()


def test_a_purge_finds_the_object_of_now(application, settings, django_capture_on_commit_callbacks):
    """Protection: `_forget` reads the row anew. The page that asks may have read it before the keys changed."""
    read_before = put_in(application)
    file = read_before.file
    settings.VAULT_KEYS = BOTH
    rotate()
    with django_capture_on_commit_callbacks(execute=True):
        purges._forget(file)
    assert not stored_names()


def test_a_row_read_before_does_not_lead_back(application, settings):
    """Protection: `StoredFile.save` names its columns."""
    file = put_in(application).file
    settings.VAULT_KEYS = BOTH
    rotate()
    with pytest.raises(TypeError, match="Name the columns"):
        file.save()
    assert opened(StoredFile.objects.get())


def test_a_letter_sent_meanwhile_keeps_no_secret(db, settings, monkeypatch):
    """Protection: a secret is written only in the place of the one that was read."""
    compose("code", to="camille@exemple.fr", secret="12345678", context={"minutes": 10}).save()
    settings.VAULT_KEYS = BOTH
    seal = rotation.seal

    def meddled(*arguments, **options):
        Letter.objects.update(secret=None)
        return seal(*arguments, **options)

    monkeypatch.setattr(rotation, "seal", meddled)
    rotate()
    assert Letter.objects.get().secret is None


# --- stopped anywhere -------------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_a_database_that_refuses_leaves_only_an_orphan(settings, store):
    """As a death between the two would: the row still leads to the former object, the sweep takes the new one."""
    evidence = put_in(dossier_with({}))
    settings.VAULT_KEYS = BOTH
    break_updates_of(StoredFile)
    try:
        with pytest.raises(DatabaseError):
            rotate()
    finally:
        mend(StoredFile)
    assert StoredFile.objects.get().storage_name == evidence.file.storage_name
    assert len(stored_names()) == 2
    call_command("sweep_vault", hours=0)
    assert_no_orphan()
    rotate()
    assert left_with("2025") == 0 and opened(StoredFile.objects.get())


FILL = """
import django, hashlib, os; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0); call_command("createcachetable", verbosity=0)
from evidence import vault
from evidence.models import StoredFile
for number in range(40):
    content = os.urandom(1_500_000)
    with vault.sealed([content]) as spool:
        StoredFile.objects.create(name=f"{number}.pdf", size=len(content), sha256=hashlib.sha256(content).hexdigest(),
            media_type="application/pdf", storage_name=vault.keep(spool), key_name=spool.key_name)
"""


def test_killed_it_goes_on_and_nothing_is_lost(tmp_path):
    """A real process, killed three times."""
    variables = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    variables |= {"ECARE_EMBEDDED": "true", "ECARE_DATA": str(tmp_path), "DJANGO_SETTINGS_MODULE": "ecare.settings"}

    def run(*command, keys):
        return subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env=variables | {"ECARE_VAULT_KEYS": ",".join(keys)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def ended(*command, keys):
        process = run(*command, keys=keys)
        said, _ = process.communicate(timeout=120)
        assert process.returncode == 0, said
        return said

    def moved() -> int:
        with sqlite3.connect(f"file:{tmp_path}/ecare.sqlite3?mode=ro", uri=True) as database:
            [[count]] = database.execute("SELECT count(*) FROM evidence_storedfile WHERE key_name = '2026'")
        return count

    def has_moved(wanted: int) -> bool:
        return moved() >= wanted

    ended("-c", FILL, keys=OLD)
    for wanted in (2, 9, 20):
        process = run("manage.py", "rotate_keys", "--grace", "0", keys=BOTH)
        wait_for(partial(has_moved, wanted), seconds=60, what="it does not move")
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=20)
        assert process.returncode == -signal.SIGKILL, "it was not done yet"
        assert wanted <= moved() < 40
    assert "2025: nothing is left" in ended("manage.py", "rotate_keys", "--grace", "0", keys=BOTH)
    ended("manage.py", "sweep_vault", "--hours", "0", keys=BOTH)
    assert "40 intact" in ended("manage.py", "verify_vault", keys=NEW)
    assert len([path for path in (tmp_path / "vault").rglob("*") if path.is_file()]) == 40
