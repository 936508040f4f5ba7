"""From the click to the file and its end: asked, claimed, carried on, killed, cancelled, fetched, forgotten."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.models import User
from applications.actions import NotNow
from ecare.journal.actions import broken_links
from ecare.journal.models import Entry
from ecare.letters.actions import deliver
from ecare.letters.models import Letter
from evidence import vault
from evidence.actions import sweep
from evidence.models import Evidence
from evidence.purges import purge_evidence, report_patient_data
from exports import actions, builders, rules
from exports.models import Export
from tests.evidence.conftest import stored_names
from tests.exports.conftest import asked, built, content_of, domain_of_all_kinds, sent_dossier
from tests.factories import ApplicationFactory, RegionFactory, UserFactory

pytestmark = pytest.mark.django_db
Kind, State = Export.Kind, Export.State
CSV = Kind.QUEUE_CSV


def again(export) -> Export:
    return Export.objects.get(pk=export.pk)


def verbs(export) -> list[str]:
    return list(Entry.objects.filter(subject=export.subject).order_by("sequence").values_list("verb", flat=True))


def letters(export) -> list[str]:
    return list(Letter.objects.about(export.subject).order_by("created_at").values_list("name", flat=True))


# --- ask ----------------------------------------------------------------------------------------------------------
def test_the_same_request_within_a_minute_is_the_same_row(ars):
    now = timezone.now()
    first, second, other, later = (
        actions.ask(CSV, what=what, label="Vue", by=ars, at=now + timedelta(seconds=seconds))
        for what, seconds in (("etat=tous", 0), ("etat=tous", 59), ("etat=draft", 59), ("etat=tous", 61))
    )
    assert first.pk == second.pk
    assert len({first.pk, other.pk, later.pk}) == 3
    assert verbs(first) == ["ask_export"]


def test_a_fourth_waits_until_one_of_three_is_done(ars):
    first, *_ = [asked(CSV, by=ars, what=f"q={rank}") for rank in range(3)]
    with pytest.raises(NotNow, match="3 exports sont déjà en préparation"):
        asked(CSV, by=ars, what="q=4")
    asked(CSV, by=UserFactory(ans=True), what="q=4")
    actions.cancel(first, by=ars)
    asked(CSV, by=ars, what="q=4")


def test_only_agents_ask_and_only_the_ans_archives(ars):
    for person in (UserFactory(), UserFactory(administrator=True), UserFactory(ans=True, is_active=False)):
        with pytest.raises(PermissionDenied):
            asked(CSV, by=person)
    with pytest.raises(PermissionDenied):
        asked(Kind.DOMAIN_ARCHIVE, by=ars, what="domaine")
    assert not Export.objects.exists() and not Entry.objects.filter(verb="ask_export").exists()


# --- build --------------------------------------------------------------------------------------------------------
def test_a_worker_makes_it_ready_and_a_letter_says_so_without_the_file(ars):
    ApplicationFactory()
    export = built(CSV, by=ars)
    assert export.expires_at - export.finished_at == timedelta(days=7)
    assert (export.done, export.total, export.lease, export.attempts) == (1, 1, None, 1)
    assert verbs(export) == ["ask_export", "build_export"]
    letter = Letter.objects.get()
    assert (letter.name, letter.recipient, letter.title) == ("export_ready", ars.email, "Votre export est prêt")
    assert "/verification/exports/" in letter.text and str(export.number) not in letter.text
    assert not builders.build(), "nothing waits any more"
    assert list(broken_links(export.subject)) == []


def test_its_bytes_rest_sealed(ars):
    ApplicationFactory()
    export = built(CSV, by=ars)
    with default_storage.open(export.storage_name) as file:
        raw = file.read()
    assert raw.startswith(vault.MAGIC) and "Référence".encode() not in raw
    assert "Référence".encode() in content_of(export)


def test_the_letter_does_not_leave_once_there_is_nothing_to_fetch(ars):
    export = built(CSV, by=ars)
    Export.objects.filter(pk=export.pk).update(expires_at=timezone.now())
    deliver()
    assert Letter.objects.get().state == Letter.State.CANCELLED


def test_what_they_may_see_is_asked_when_it_is_built(ars):
    dossier = ApplicationFactory()
    export = actions.of_dossier(Kind.DOSSIER_PDF, dossier, by=ars, at=timezone.now())
    view = asked(CSV, by=ars)
    ars.regions.set([RegionFactory(code="75")])
    while builders.build():
        pass
    export, view = again(export), again(view)
    assert (export.state, export.error) == (State.FAILED, rules.NO_LONGER_SEEN)
    assert letters(export) == ["export_failed"]
    assert "Vous n’avez plus accès à ce dossier." in Letter.objects.get(name="export_failed").text
    assert dossier.reference not in content_of(view).decode()


def test_somebody_who_left_gets_nothing_and_no_letter(ars):
    export = asked(CSV, by=ars)
    ars.is_active = False
    ars.save()
    builders.build()
    assert again(export).state == State.FAILED
    assert stored_names() == set() and letters(export) == []


def test_a_dossier_that_leaves_their_region_in_the_middle_is_left_out(ars, monkeypatch):
    """The second chunk is asked for after the first one was written."""
    dossiers = [ApplicationFactory() for _ in range(3)]
    monkeypatch.setattr("exports.readers.CHUNK", 1)
    export = asked(CSV, by=ars, what="etat=tous&sort=reference")
    first, *others = sorted(one.reference for one in dossiers)
    carry_on = actions.carry_on

    def moving(*arguments, done, **options):
        carry_on(*arguments, done=done, **options)
        if done == 1:
            ars.regions.clear()

    monkeypatch.setattr("exports.actions.carry_on", moving)
    builders.build()
    content = content_of(again(export)).decode()
    assert first in content and not any(reference in content for reference in others)


# --- the lease ----------------------------------------------------------------------------------------------------
class Killed(BaseException):
    """What no handler of ours catches: the process is gone."""


def killed_at(monkeypatch, place):
    def die(*arguments, **options):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(place, die)
        with pytest.raises(Killed):
            builders.build()


@pytest.mark.parametrize("place", ["exports.actions.carry_on", "evidence.vault.keep", "exports.emails.export_ready"])
def test_when_a_worker_is_killed_another_starts_anew_and_nothing_half_stays(
    ars, monkeypatch, django_capture_on_commit_callbacks, place
):
    ApplicationFactory()
    export = asked(CSV, by=ars)
    killed_at(monkeypatch, place)
    left = again(export)
    assert left.state == State.BUILDING and left.lease is not None
    assert not builders.build(), "its lease has not run out"
    with django_capture_on_commit_callbacks(execute=True):
        assert builders.build(timezone.now() + timedelta(minutes=3))
    ready = again(export)
    assert (ready.state, ready.attempts) == (State.READY, 2)
    assert stored_names() == {ready.storage_name}
    assert letters(ready) == ["export_ready"]


def test_what_was_put_away_before_the_death_goes(ars, monkeypatch, django_capture_on_commit_callbacks):
    """The bytes were in storage, and the row did not say « ready » yet."""
    export = asked(CSV, by=ars)
    killed_at(monkeypatch, "exports.emails.export_ready")
    [half] = stored_names()
    with default_storage.open(half) as file:
        default_storage.save(f"{half}.part", file)
    with django_capture_on_commit_callbacks(execute=True):
        builders.build(timezone.now() + timedelta(minutes=3))
    assert stored_names() == {again(export).storage_name} and half not in stored_names()


def test_a_worker_that_comes_back_too_late_changes_nothing(ars):
    ApplicationFactory()
    export = asked(CSV, by=ars)
    late = actions.claim(timezone.now() - timedelta(minutes=5))
    other = actions.claim(timezone.now())
    assert late.pk == other.pk and late.lease != other.lease
    with pytest.raises(actions.Lost):
        actions.carry_on(late, done=1, total=1)
    with vault.sealed([b"late"]) as spool, pytest.raises(actions.Lost):
        actions.finish(late, spool, name="x", size=4, sha256="0" * 64, by=ars, regions=[])
    actions.give_back(late)
    with pytest.raises(actions.Lost):
        actions.fail(late, "Trop tard.")
    assert again(export).lease == other.lease and stored_names() == set()


def test_a_lease_is_renewed_as_it_goes(ars):
    asked(CSV, by=ars)
    export = actions.claim(timezone.now())
    before = again(export).leased_until
    actions.carry_on(export, done=1, total=4)
    found = again(export)
    assert found.leased_until > before and found.percent == 25


def test_a_fault_is_tried_again_then_told(ars, monkeypatch, caplog):
    ApplicationFactory()
    export = asked(CSV, by=ars)

    def fault(*arguments):
        raise RuntimeError("broken")

    monkeypatch.setattr("exports.builders.columns", fault)
    for attempt in range(1, 4):
        assert builders.build(timezone.now() + timedelta(minutes=2))
        assert again(export).attempts == attempt
        assert not builders.build(timezone.now()), "not at once"
    failed = again(export)
    assert failed.state == State.FAILED and "écrivez à l’équipe support" in failed.error
    assert letters(failed) == ["export_failed"] and stored_names() == set()
    assert caplog.text.count("could not be built") == 3


def test_one_that_kills_its_worker_each_time_is_given_up(ars, monkeypatch, django_capture_on_commit_callbacks):
    export = asked(CSV, by=ars)
    for attempt in range(2):
        assert actions.claim(timezone.now() + attempt * timedelta(minutes=5)).pk == export.pk
    Export.objects.filter(pk=export.pk).update(leased_until=timezone.now())
    killed_at(monkeypatch, "exports.emails.export_ready")
    assert len(stored_names()) == 1 and again(export).attempts == 3
    with django_capture_on_commit_callbacks(execute=True):
        assert actions.claim(timezone.now() + timedelta(hours=1)) is None
    assert again(export).state == State.FAILED and stored_names() == set()


def test_somebody_who_leaves_while_it_is_built_gets_nothing(ars, monkeypatch, django_capture_on_commit_callbacks):
    export = asked(CSV, by=ars)
    keep = vault.keep

    def leaving(*arguments, **options):
        User.objects.filter(pk=ars.pk).update(is_active=False)
        return keep(*arguments, **options)

    monkeypatch.setattr(vault, "keep", leaving)
    with django_capture_on_commit_callbacks(execute=True):
        builders.build()
    assert (again(export).state, stored_names(), letters(export)) == (State.FAILED, set(), [])


def test_a_long_one_holds_back_no_short_one(ars, ans):
    dossier = ApplicationFactory()
    archive = asked(Kind.DOMAIN_ARCHIVE, by=ans, what=dossier.domain.slug)
    queue, second = asked(CSV, by=ars), asked(Kind.QUEUE_XLSX, by=ars)
    pieces = actions.of_dossier(Kind.DOSSIER_ZIP, dossier, by=ans, at=timezone.now())
    taken = [actions.claim(timezone.now()) for _ in range(4)]
    assert [one and one.pk for one in taken] == [archive.pk, queue.pk, pieces.pk, None]
    assert again(second).state == State.WAITING


# --- cancel -------------------------------------------------------------------------------------------------------
def test_a_cancelled_one_is_not_built_and_one_in_hand_stops(ars, monkeypatch):
    waiting = asked(CSV, by=ars)
    actions.cancel(waiting, by=ars)
    assert not builders.build() and again(waiting).state == State.CANCELLED
    ApplicationFactory()
    export = asked(CSV, by=ars, what="q=a")
    carry_on = actions.carry_on

    def cancelled(found, **options):
        actions.cancel(found, by=ars)
        carry_on(found, **options)

    monkeypatch.setattr("exports.actions.carry_on", cancelled)
    builders.build()
    assert again(export).state == State.CANCELLED
    assert stored_names() == set() and letters(export) == []
    with pytest.raises(NotNow, match="annulé"):
        actions.cancel(export, by=ars)
    with pytest.raises(PermissionDenied):
        actions.cancel(asked(CSV, by=ars, what="q=b"), by=UserFactory(ans=True))


# --- the end ------------------------------------------------------------------------------------------------------
def test_after_seven_days_the_bytes_go_and_the_log_stays(ars, django_capture_on_commit_callbacks):
    export = built(CSV, by=ars)
    actions.note_download(export, by=ars)
    assert actions.forget(at=timezone.now() + timedelta(days=6, hours=23)) == 0
    with django_capture_on_commit_callbacks(execute=True):
        assert actions.forget(at=timezone.now() + timedelta(days=7, minutes=1)) == 1
    gone = again(export)
    assert (gone.state, gone.storage_name, gone.downloads) == (State.EXPIRED, "", 1)
    assert stored_names() == set()
    assert verbs(gone) == ["ask_export", "build_export", "download_export", "expire_export"]
    assert Letter.objects.get().state == Letter.State.CANCELLED
    with pytest.raises(NotNow, match="Demandez-en un nouveau"):
        actions.check_download(gone, by=ars, at=timezone.now())


def test_sweeping_the_vault_leaves_exports_alone(ars):
    export = built(CSV, by=ars)
    assert sweep(older_than=timedelta(0)) == ([], [])
    assert content_of(export)


# --- patient data found meanwhile ---------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", [Kind.DOSSIER_ZIP, Kind.DOSSIER_PDF, Kind.QUEUE_XLSX])
def test_a_file_found_to_hold_patient_data_is_in_no_export_any_more(kind, ars, ans, django_capture_on_commit_callbacks):
    """Reported, it stays with the ANS, which alone reads it; purged, with nobody: the bytes of the export go too."""
    dossier = sent_dossier(domain_of_all_kinds())
    what = dossier.reference if kind in Export.OF_DOSSIER else "etat=tous"
    theirs, of_ans = built(kind, by=ars, what=what), built(kind, by=ans, what=what)
    file = Evidence.objects.filter(application=dossier).select_related("file").first()
    report_patient_data(file, by=ars, reason="Noms de patients", at=timezone.now())
    at = timezone.now()
    with pytest.raises(NotNow, match="signalé ou purgé"):
        actions.check_download(theirs, by=ars, at=at)
    actions.check_download(of_ans, by=ans, at=at)
    assert actions.forget(at=at) == 0  # it may be kept after all
    purge_evidence(file, by=ans, reason="Noms de patients", at=at)
    with pytest.raises(NotNow, match="signalé ou purgé"):
        actions.check_download(of_ans, by=ans, at=timezone.now())
    with django_capture_on_commit_callbacks(execute=True):
        assert actions.forget(at=timezone.now()) == 2
    assert [again(export).state for export in (theirs, of_ans)] == [State.EXPIRED] * 2
    assert not {theirs.storage_name, of_ans.storage_name} & set(stored_names())
    actions.check_download(built(kind, by=ars, what=what), by=ars, at=timezone.now())  # one built since then


def test_a_file_of_another_dossier_holds_back_no_export(ars, ans):
    domain = domain_of_all_kinds()
    dossier, other = sent_dossier(domain), sent_dossier(domain)
    export = built(Kind.DOSSIER_ZIP, by=ars, what=dossier.reference)
    file = Evidence.objects.filter(application=other).first()
    purge_evidence(file, by=ans, reason="Noms de patients", at=timezone.now())
    actions.check_download(export, by=ars, at=timezone.now())
    assert actions.forget(at=timezone.now()) == 0


def test_a_person_keeps_so_many_and_the_oldest_goes(ars, monkeypatch, django_capture_on_commit_callbacks):
    monkeypatch.setattr(rules, "MOST_KEPT", 2)
    ApplicationFactory()
    first, second, third = (built(CSV, by=ars, what=f"q={rank}") for rank in range(3))
    assert [again(export).state for export in (first, second, third)] == [State.READY] * 3
    with django_capture_on_commit_callbacks(execute=True):
        asked(CSV, by=ars, what="q=4")
    assert [again(export).state for export in (first, second, third)] == [State.EXPIRED, State.READY, State.READY]
    assert first.storage_name not in stored_names()
