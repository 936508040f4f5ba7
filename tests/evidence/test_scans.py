"""The line of the antivirus: each file is looked at once, by one worker, whatever dies on the way; down, nothing is
clean and nothing is lost."""

import logging
import tempfile
import threading
import tracemalloc
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from applications.actions import NotNow
from demo.ole import zed_bytes
from demo.specimens import docx, pdf
from ecare.journal.models import Entry
from ecare.sealing import CannotOpen
from evidence import actions, clamd, purges, quarantine, scanning, scans, vault
from evidence.models import Evidence, StoredFile
from evidence.states import Scan
from evidence.tasks import scan as tick
from tests.evidence.conftest import dossier_with, put_in, transmit
from tests.evidence.scanning import FOUND, MARK, forget_outage, in_hand, infected_pdf, now, with_entry
from tests.evidence.scanning import clamd as server
from tests.factories import UserFactory
from tests.racing import at_once

MEGABYTE = 1024 * 1024
PDF_OR_DOCX = {"formats": ["pdf", "docx", "zed"], "max_megabytes": 60, "max_files": 9}
pytestmark = pytest.mark.django_db


@pytest.fixture
def application(db):
    return dossier_with(PDF_OR_DOCX)


def later(file: StoredFile) -> None:
    """The pause that the file was put off for is over, and so is any lease."""
    StoredFile.objects.filter(pk=file.pk, scan_after__isnull=False).update(scan_after=timezone.now())
    StoredFile.objects.filter(pk=file.pk).update(scan_lease=None, scan_leased_until=None)


# --- what becomes of a file ---------------------------------------------------------------------------------------
def test_each_file_ends_as_the_antivirus_says(antivirus, application):
    clean, infected = put_in(application), put_in(application, infected_pdf(), "b.pdf")
    hidden = put_in(application, with_entry(docx(), "word/media/i.png", MARK * 9), "c.docx")
    container = put_in(application, zed_bytes(), "d.zed")
    assert {now(one).scan for one in (clean, infected, hidden, container)} == {Scan.PENDING}
    assert tick() == 4
    assert [now(one).scan for one in (clean, infected, hidden, container)] == [
        Scan.CLEAN,
        Scan.INFECTED,
        Scan.INFECTED,
        Scan.CONTAINER,
    ]
    assert now(infected).scan_found == FOUND
    assert not StoredFile.objects.queued().exists() and tick() == 0


def test_a_container_whose_wrapping_is_known_is_infected_all_the_same(antivirus, application):
    marked = put_in(application, zed_bytes() + MARK, "d.zed")
    tick()
    assert now(marked).scan == Scan.INFECTED


def test_over_a_limit_a_file_is_impossible_to_scan_and_never_clean(settings, application):
    with server(settings, MaxFileSize="1M"):
        evidence = put_in(application, pdf(2 * MEGABYTE))
        tick()
    file = now(evidence)
    assert file.scan == Scan.FAILED and not file.is_readable
    assert file.scan_found.startswith(clamd.OVER_LIMIT)
    assert Entry.objects.get(verb="fail_scan_of_draft").data["sha256"] == file.sha256


def test_without_an_antivirus_a_demonstration_reads_its_files(application):
    evidence = put_in(application)
    assert (now(evidence).scan, tick(), now(evidence).is_readable) == (Scan.NOT_SCANNED, 0, True)


def test_a_demonstration_that_gets_an_antivirus_scans_what_it_had(application, request):
    evidence = put_in(application, infected_pdf())
    request.getfixturevalue("antivirus")
    tick()
    assert now(evidence).scan == Scan.INFECTED


def test_the_database_keeps_no_pending_file_out_of_the_line(application):
    evidence = put_in(application)
    with pytest.raises(IntegrityError), transaction.atomic():
        StoredFile.objects.filter(pk=evidence.file_id).update(scan=Scan.PENDING, scan_after=None)


# --- down, and back -----------------------------------------------------------------------------------------------
def test_while_it_is_down_a_file_waits_and_no_attempt_is_counted(no_antivirus, application, caplog):
    evidence = put_in(application, name="Madame Untel.pdf")
    with caplog.at_level(logging.DEBUG):
        for _ in range(2 * scans.MOST_ATTEMPTS):
            assert tick() == 0
            forget_outage()
    file = now(evidence)
    assert (file.scan, file.scan_attempts, file.scan_lease, file.is_readable) == (Scan.PENDING, 0, None, False)
    assert "antivirus does not answer" in caplog.text
    assert "Untel" not in caplog.text and file.sha256 not in caplog.text


def test_all_workers_leave_it_alone_for_a_while_each_time_longer(no_antivirus, application, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(scans, "_now", lambda: clock[0])
    put_in(application)
    rests = []
    for _ in range(6):
        assert tick() == 0
        begun = clock[0]
        while scans.is_resting():
            clock[0] += 1
        rests.append(clock[0] - begun)
    assert rests == [5, 10, 20, 40, 60, 60]
    scans.note_answer()
    assert not scans.is_resting()


def test_frozen_then_back_it_scans_what_waited(antivirus, application):
    evidence = put_in(application, infected_pdf())
    antivirus.freeze()
    assert tick() == 0 and scans.is_resting() and now(evidence).scan == Scan.PENDING
    antivirus.thaw()
    forget_outage()
    assert tick() == 1 and now(evidence).scan == Scan.INFECTED


@pytest.mark.parametrize("deed", ["freeze", "kill"])
def test_upset_in_the_middle_of_a_file_then_back(antivirus, application, monkeypatch, deed):
    evidence = put_in(application, pdf(20 * MEGABYTE))
    pieces_of = clamd.pieces_of

    def upset(reader):
        for rank, piece in enumerate(pieces_of(reader)):
            if rank == 40:
                getattr(antivirus, deed)()
            yield piece

    monkeypatch.setattr(clamd, "pieces_of", upset)
    assert tick() == 0
    assert (now(evidence).scan, now(evidence).scan_attempts) == (Scan.PENDING, 0)
    monkeypatch.setattr(clamd, "pieces_of", pieces_of)
    antivirus.kill()
    antivirus.start()
    forget_outage()
    assert tick() == 1 and now(evidence).scan == Scan.CLEAN


def test_a_file_that_it_never_comes_to_the_end_of_ends_as_impossible(application, settings):
    """Each attempt later than the one before, the file alone in hand, and then a person decides."""
    evidence = put_in(application)
    pauses = []
    with server(settings, MaxScanTime="1"):
        StoredFile.objects.update(scan=Scan.PENDING)
        for _ in range(scans.MOST_ATTEMPTS):
            begun = timezone.now()
            scans.put_off(scans.claim(begun), at=begun, why=scanning.NO_END)
            file = now(evidence)
            pauses.append(round((file.scan_after - begun).total_seconds() / 60) if file.scan_after else None)
            later(file)
    assert pauses == [1, 2, 4, 8, None]
    assert (file.scan, file.scan_found, file.is_readable) == (Scan.FAILED, scanning.NO_END, False)
    assert not StoredFile.objects.queued().exists()


def test_a_word_of_the_antivirus_forgives_former_attempts(antivirus, application):
    evidence = put_in(application)
    StoredFile.objects.update(scan_attempts=3)
    tick()
    assert (now(evidence).scan, now(evidence).scan_attempts) == (Scan.CLEAN, 0)


def test_a_file_that_is_missing_from_the_vault_is_not_clean(antivirus, application):
    evidence = put_in(application)
    vault.discard(evidence.file.storage_name)
    with pytest.raises(CannotOpen):
        vault.open_stored(evidence.file)
    for _ in range(scans.MOST_ATTEMPTS):
        tick()
        later(now(evidence))
    assert (now(evidence).scan, now(evidence).scan_found) == (Scan.FAILED, scanning.NOT_THERE)


def test_a_store_that_fails_is_no_files_fault(antivirus, application, monkeypatch, caplog):
    evidence = put_in(application)

    def broken(stored):
        raise OSError("endpoint secret")

    monkeypatch.setattr(scanning, "open_stored", broken)
    assert tick() == 0
    file = now(evidence)
    assert (file.scan, file.scan_attempts, file.scan_lease) == (Scan.PENDING, 0, None)
    assert file.scan_after > timezone.now() and "secret" not in caplog.text


# --- one worker at a time -----------------------------------------------------------------------------------------
def test_what_a_dead_worker_had_in_hand_is_taken_up_when_its_lease_is_over(antivirus, application):
    """Killed between the claim and the mark."""
    evidence = put_in(application)
    claimed = scans.claim(timezone.now())
    assert claimed.pk == evidence.file_id and tick() == 0
    StoredFile.objects.update(scan_leased_until=timezone.now())
    assert tick() == 1 and now(evidence).scan == Scan.CLEAN


def test_a_worker_that_comes_back_too_late_says_nothing(antivirus, application):
    """Seen to fail when the mark does not ask for the lease."""
    evidence = put_in(application, infected_pdf())
    late = scans.claim(timezone.now())
    StoredFile.objects.update(scan_leased_until=timezone.now())
    tick()
    scans.clear(late, at=timezone.now())
    assert now(evidence).scan == Scan.INFECTED
    scans.put_off(late, at=timezone.now(), why="")
    scans.release(late, at=timezone.now())
    assert now(evidence).scan_after is None


@pytest.mark.django_db(transaction=True)
def test_no_two_workers_ever_scan_one_file(settings):
    """Seen to fail on PostgreSQL when the claim locks nothing and writes without the condition."""
    settings.SCANNER, settings.SCAN_LANES = "clamd:///nowhere", 100
    application = dossier_with(PDF_OR_DOCX)
    files = [put_in(application, pdf(line=str(n)), f"{n}.pdf") for n in range(5)]
    taken, lock = [], threading.Lock()

    def work():
        while (file := scans.claim(timezone.now())) is not None:
            with lock:
                taken.append(file.pk)

    at_once(*[work] * 8)
    assert sorted(taken) == sorted(one.file_id for one in files)


def test_no_more_files_at_once_than_there_are_lanes(settings, application):
    settings.SCANNER, settings.SCAN_LANES = "clamd:///nowhere", 2
    for n in range(3):
        put_in(application, pdf(line=str(n)), f"{n}.pdf")
    assert [scans.claim(timezone.now()) is not None for _ in range(3)] == [True, True, False]


def test_a_suspect_is_scanned_alone(settings, application):
    """So that what it fells is not laid at its neighbour's door: they would fail together each time."""
    settings.SCANNER = "clamd:///nowhere"
    suspect, neighbour = put_in(application), put_in(application, pdf(line="2"), "2.pdf")
    StoredFile.objects.filter(pk=suspect.file_id).update(scan_attempts=1)
    first = scans.claim(timezone.now())
    assert first.pk == suspect.file_id and scans.claim(timezone.now()) is None
    scans.clear(first, at=timezone.now())
    third = put_in(application, pdf(line="3"), "3.pdf")
    StoredFile.objects.filter(pk=third.file_id).update(scan_attempts=1, scan_after=timezone.now() - timedelta(days=1))
    StoredFile.objects.filter(pk=neighbour.file_id).update(scan_after=timezone.now() - timedelta(days=2))
    assert scans.claim(timezone.now()).pk == neighbour.file_id
    assert scans.claim(timezone.now()) is None


def test_who_is_not_readable_yet_goes_before_what_is_scanned_once_more(antivirus, application):
    old = put_in(application)
    tick()
    scans.queue(StoredFile.objects.all(), at=timezone.now() - timedelta(days=3))
    fresh = put_in(application, pdf(line="2"), "2.pdf")
    assert [scans.claim(timezone.now()).pk for _ in range(2)] == [fresh.file_id, old.file_id]


# --- what happens meanwhile ---------------------------------------------------------------------------------------
def test_a_word_on_a_file_that_was_taken_out_meanwhile_changes_nothing(antivirus, application):
    evidence = put_in(application, infected_pdf())
    claimed = scans.claim(timezone.now())
    actions.remove(evidence, by=application.referent, at=timezone.now())
    assert not quarantine.quarantine(claimed, found=FOUND, at=timezone.now())
    assert not Evidence.objects.exists() and not Entry.objects.filter(verb__startswith="quarantine").exists()


def test_a_word_on_a_file_that_was_purged_meanwhile_changes_nothing(antivirus, application):
    """Seen to fail when the mark does not ask whether the file is purged."""
    evidence = put_in(application)
    tick()
    transmit(application)
    claimed = in_hand(evidence)
    purges.purge_evidence(evidence, by=UserFactory(ans=True), reason="vu", at=timezone.now())
    scans.clear(claimed, at=timezone.now())
    assert now(evidence).scan == Scan.PURGED
    assert not StoredFile.objects.queued().exists()


def test_a_reported_file_stays_reported_when_it_is_clean_and_leaves_the_ans_too_when_it_is_not(antivirus, application):
    ans, evidence = UserFactory(ans=True), put_in(application)
    tick()
    transmit(application)
    report = purges.report_patient_data(evidence, by=ans, reason="vu", at=timezone.now())
    scans.clear(in_hand(evidence), at=timezone.now())
    assert now(evidence).scan == Scan.REPORTED
    quarantine.quarantine(in_hand(evidence), found=FOUND, at=timezone.now())
    assert now(evidence).scan == Scan.INFECTED
    purges.dismiss_report(report, by=ans, message="rien", at=timezone.now())
    assert now(evidence).scan == Scan.INFECTED, "what the antivirus said stands"


def test_what_nobody_reads_cannot_be_reported_to_be_read_by_the_ans(antivirus, application):
    """Reported, it would be handed to the ANS to decide."""
    evidence = put_in(application)
    transmit(application)
    with pytest.raises(NotNow, match="Personne ne lit ce fichier"):
        purges.report_patient_data(evidence, by=UserFactory(ans=True), reason="vu", at=timezone.now())


# --- once more ----------------------------------------------------------------------------------------------------
def test_after_new_signatures_every_file_is_scanned_anew_and_is_read_until_then(antivirus, application, capsys):
    evidence = put_in(application, pdf(line="NEW-THREAT-OF-TOMORROW"))
    tick()
    assert now(evidence).scan == Scan.CLEAN
    antivirus.stop()
    antivirus.know("eCaRE.Tomorrow", text=b"NEW-THREAT-OF-TOMORROW")
    antivirus.start()
    call_command("scan_evidence", "--again")
    assert "1 files put into the line" in capsys.readouterr().out
    assert now(evidence).is_readable
    tick()
    assert now(evidence).scan == Scan.INFECTED
    call_command("scan_evidence")
    assert "1 infected" in capsys.readouterr().out


def test_the_repair_command_takes_up_what_could_not_be_scanned(antivirus, application):
    failed, clean = put_in(application), put_in(application, pdf(line="2"), "2.pdf")
    tick()
    StoredFile.objects.filter(pk=failed.file_id).update(scan=Scan.FAILED, scan_found="x")
    call_command("scan_evidence", "--failed")
    assert (now(failed).scan, now(clean).scan_after) == (Scan.PENDING, None)
    tick()
    assert (now(failed).scan, now(failed).scan_found) == (Scan.CLEAN, "")


def test_without_an_antivirus_the_command_says_so(db):
    with pytest.raises(CommandError, match="ECARE_SCANNER"):
        call_command("scan_evidence", "--again")


@pytest.mark.parametrize(("trait", "may"), [("ars", False), ("ans", True), ("administrator", True), (None, False)])
def test_the_ans_and_administrators_ask_for_a_file_again(settings, application, trait, may):
    settings.SCANNER = "clamd:///nowhere"
    evidence = put_in(application)
    StoredFile.objects.update(scan=Scan.FAILED, scan_after=None, scan_attempts=4)
    person = UserFactory(**{trait: True}) if trait else application.referent
    if may:
        scans.scan_again(evidence.file, by=person, at=timezone.now())
        assert (now(evidence).scan, now(evidence).scan_attempts) == (Scan.PENDING, 0)
        assert Entry.objects.get(verb="scan_again").actor == person.actor[0]
    else:
        with pytest.raises(PermissionDenied):
            scans.scan_again(evidence.file, by=person, at=timezone.now())
        assert now(evidence).scan == Scan.FAILED


def test_what_was_infected_stays_in_quarantine_until_it_was_scanned_again(settings, application):
    settings.SCANNER = "clamd:///nowhere"
    evidence = put_in(application)
    StoredFile.objects.update(scan=Scan.INFECTED, scan_after=None)
    scans.scan_again(evidence.file, by=UserFactory(ans=True), at=timezone.now())
    assert now(evidence).scan == Scan.INFECTED and StoredFile.objects.due_for_scan(timezone.now()).exists()


# --- what it leaves behind ----------------------------------------------------------------------------------------
def test_49_megabytes_take_the_memory_of_a_few_segments(antivirus, application):
    evidence = put_in(application, pdf(49 * MEGABYTE))
    tracemalloc.start()
    try:
        tick()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert now(evidence).scan == Scan.CLEAN
    assert peak < 8 * MEGABYTE


def test_no_plain_byte_touches_our_disk(antivirus, application, monkeypatch, tmp_path):
    """Looked at in the middle of the stream: the folder of temporary files, and every file that this process holds."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    secret = uuid.uuid4().hex.encode()
    evidence = put_in(application, pdf(3 * MEGABYTE, line=secret.decode()))
    seen, pieces_of = [], clamd.pieces_of

    def looking(reader):
        for piece in pieces_of(reader):
            seen.append(list(folder.iterdir()))
            for descriptor in Path("/proc/self/fd").iterdir():
                try:
                    target = descriptor.readlink()
                    content = descriptor.read_bytes() if target.is_file() or "deleted" in str(target) else b""
                except OSError:
                    continue
                assert secret not in content, target
            yield piece

    monkeypatch.setattr(clamd, "pieces_of", looking)
    tick()
    assert now(evidence).scan == Scan.CLEAN
    assert len(seen) > 10 and not any(seen)


def test_no_name_and_no_content_in_the_logs(antivirus, application, caplog):
    with caplog.at_level(logging.DEBUG):
        evidence = put_in(application, infected_pdf(), "Ordonnance de Mme Untel.pdf")
        tick()
        StoredFile.objects.update(scan_after=timezone.now(), scan_attempts=scans.MOST_ATTEMPTS - 1)
        scans.put_off(scans.claim(timezone.now()), at=timezone.now(), why=scanning.NO_END)
    assert "cannot be scanned" in caplog.text
    assert "Untel" not in caplog.text and MARK.decode() not in caplog.text
    assert "Untel" not in antivirus.said()
    written = Entry.objects.filter(data__file=str(evidence.file_id)).exclude(verb="add_evidence")
    assert written and "Untel" not in str(list(written.values("data")))


# --- figures ------------------------------------------------------------------------------------------------------
def test_what_waits_what_failed_and_what_is_infected_can_be_counted(settings, application):
    settings.SCANNER = "clamd:///nowhere"
    files = [put_in(application, pdf(line=str(n)), f"{n}.pdf").file_id for n in range(4)]
    for pk, scan in zip(files, [Scan.PENDING, Scan.FAILED, Scan.INFECTED, Scan.CLEAN], strict=True):
        StoredFile.objects.filter(pk=pk).update(scan=scan)
    found = StoredFile.objects
    assert found.awaiting_scan().earliest("created_at").pk == files[0]
    assert [found.awaiting_scan().count(), found.unscannable().count(), found.infected().count()] == [1, 1, 1]
    assert {one.pk for one in found.withheld()} == set(files[1:3])
