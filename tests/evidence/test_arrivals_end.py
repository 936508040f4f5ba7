"""A file in parts becomes a file, goes on another day, or is forgotten; who may, until when, and two at once."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.db import DatabaseError
from django.utils import timezone

from applications.actions import NotNow, submit
from applications.models import Application, values_of
from demo.ole import zed_bytes
from demo.specimens import pdf
from ecare.journal.models import Entry
from evidence import actions, arrivals
from evidence.files import Refused
from evidence.models import Evidence, StoredFile, Upload, UploadPart
from evidence.tasks import forget_uploads
from evidence.vault import PART
from tests.evidence.arriving import (
    LARGE,
    MEGABYTE,
    TWELVE,
    assert_nothing_remains,
    finish,
    opened,
    parts_of,
    referred_to,
    send,
    sha256,
    start,
)
from tests.evidence.conftest import dossier_with, put_in, space_of, stored_names, upload
from tests.factories import UserFactory
from tests.faults import break_inserts_into
from tests.racing import at_once


@pytest.fixture
def application(db):
    return dossier_with(LARGE)


# --- finish -------------------------------------------------------------------------------------------------------
def test_a_missing_part_is_named_and_the_others_are_kept(application):
    upload = start(application, TWELVE)
    send(upload, TWELVE, 1)
    with pytest.raises(arrivals.Missing) as missing:
        finish(upload)
    assert missing.value.ranks == [0, 2]
    assert UploadPart.objects.count() == 1
    send(upload, TWELVE, 0, 2)
    finish(upload)
    assert Evidence.objects.exists()


def test_finishing_twice_puts_the_file_in_once(application):
    upload = start(application, TWELVE)
    send(upload, TWELVE)
    seen_by_two = [Upload.objects.get(pk=upload.pk) for _ in range(2)]
    for seen in seen_by_two:
        finish(seen)
    assert Evidence.objects.count() == StoredFile.objects.count() == 1


def test_after_the_finish_no_part_is_taken(application):
    upload = start(application, TWELVE)
    send(upload, TWELVE)
    finish(upload)
    before = stored_names()
    with pytest.raises(NotNow, match="a expiré"):
        send(upload, TWELVE, 0)
    assert stored_names() == before
    arrivals.give_up(upload, by=upload.started_by)
    assert Evidence.objects.exists()


@pytest.mark.parametrize("content", [b"MZ" + bytes(6 * MEGABYTE), pdf(6 * MEGABYTE)[:-40], zed_bytes(6 * MEGABYTE)])
def test_a_refused_file_leaves_nothing(application, content, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        upload = start(application, content)
        send(upload, content)
        with pytest.raises(Refused):
            finish(upload)
    assert_nothing_remains()


def test_a_fault_at_the_finish_leaves_the_parts_for_another_attempt(application):
    upload = start(application, TWELVE)
    send(upload, TWELVE)
    before = stored_names()
    break_inserts_into(Entry)
    with pytest.raises(DatabaseError, match="fault"):
        finish(upload)
    assert stored_names() == before == referred_to()
    assert Upload.objects.get().finished_at is None


# --- go on --------------------------------------------------------------------------------------------------------
def test_the_same_file_goes_on_where_it_stopped(application):
    upload = start(application, TWELVE)
    send(upload, TWELVE, 0, 1)
    again = start(application, TWELVE)
    assert again == upload
    assert [part.sha256 for part in again.parts.all()] == [sha256(part) for part in parts_of(TWELVE)[:2]]


@pytest.mark.parametrize(
    "other", [{"name": "autre.pdf"}, {"size": len(TWELVE) + 1}, {"first_sha256": "0" * 64}, {"key": "espace-2"}]
)
def test_another_file_or_place_begins_anew(db, other):
    application = dossier_with(LARGE, LARGE)
    assert start(application, TWELVE) != start(application, TWELVE, **other)


def test_a_finished_or_expired_one_begins_anew(application):
    upload = start(application, TWELVE)
    later = timezone.now() + arrivals.KEPT + timedelta(seconds=1)
    assert start(application, TWELVE, at=later) != upload


# --- who and when -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("trait", ["ars", "ans", "administrator", None])
def test_nobody_but_who_started_it_goes_on(application, trait):
    stranger = UserFactory(**({trait: True} if trait else {}))
    upload = start(application, TWELVE)
    send(upload, TWELVE)
    for deed in (
        lambda: start(application, TWELVE, by=stranger),
        lambda: send(upload, TWELVE, 0, by=stranger),
        lambda: finish(upload, by=stranger),
        lambda: arrivals.give_up(upload, by=stranger),
    ):
        with pytest.raises(PermissionDenied):
            deed()
    assert Upload.objects.get().parts.count() == 3
    assert not Upload.objects.visible_to(stranger).exists()


def test_a_dossier_that_changed_hands_ends_what_was_on_its_way(application):
    upload = start(application, TWELVE)
    colleague = UserFactory(establishment=application.establishment)
    Application.objects.filter(pk=application.pk).update(referent=colleague)
    upload = Upload.objects.get(pk=upload.pk)
    for person in (upload.started_by, colleague):
        assert not Upload.objects.visible_to(person).exists()
        with pytest.raises(PermissionDenied):
            send(upload, TWELVE, 0, by=person)


def test_a_sent_dossier_takes_no_more_parts(application):
    upload = start(application, TWELVE)
    send(upload, TWELVE, 0, 1)
    now = Application.objects.get(pk=application.pk)
    submit(now, by=now.referent, version=now.version, at=timezone.now())
    upload = Upload.objects.get()
    with pytest.raises(NotNow, match="plus modifiable"):
        send(upload, TWELVE, 2)
    with pytest.raises(NotNow, match="plus modifiable"):
        start(now, TWELVE)


def test_past_the_last_day_nothing_is_taken_and_nothing_remains(application, django_capture_on_commit_callbacks):
    upload = start(application, TWELVE)
    send(upload, TWELVE)
    application.domain.candidature_until = date(2024, 4, 19)
    application.domain.save()
    late = Upload.objects.get()
    with pytest.raises(NotNow, match="plus modifiable"):
        send(late, TWELVE, 0)
    with django_capture_on_commit_callbacks(execute=True), pytest.raises(NotNow, match="plus modifiable"):
        finish(late)
    assert_nothing_remains()


# --- in the place of another --------------------------------------------------------------------------------------
def test_a_replacement_may_come_in_parts(application):
    sent = put_in(application)
    Application.objects.filter(pk=application.pk).update(sendings=1)
    upload = start(Application.objects.get(pk=application.pk), TWELVE, replaces=sent)
    assert start(application, TWELVE) != upload  # the same file as one more
    send(upload, TWELVE)
    finish(Upload.objects.select_related("replaces").get(pk=upload.pk))
    new = Evidence.objects.get(replaces=sent)
    assert new.file.size == len(TWELVE)
    assert Evidence.objects.get(pk=sent.pk).withdrawn_after == 1


# --- given up, forgotten ------------------------------------------------------------------------------------------
def test_what_is_given_up_leaves_nothing(application, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        upload = start(application, TWELVE)
        send(upload, TWELVE, 0, 2)
        arrivals.give_up(upload, by=upload.started_by)
    assert_nothing_remains()


@pytest.mark.parametrize("sweep", [forget_uploads, lambda: call_command("sweep_vault")])
def test_what_nobody_goes_on_with_is_forgotten(application, sweep, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        old, young = start(application, TWELVE, name="ancien.pdf"), start(application, TWELVE, name="récent.pdf")
        send(old, TWELVE, 0)
        send(young, TWELVE, 0)
        Upload.objects.filter(pk=old.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
        sweep()
    assert Upload.objects.get() == young
    assert stored_names() == referred_to()
    assert len(stored_names()) == 1


def test_the_trace_of_a_finished_one_is_forgotten_and_its_file_stays(application, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        upload = start(application, TWELVE)
        send(upload, TWELVE)
        finish(upload)
        Upload.objects.update(expires_at=timezone.now())
        forget_uploads()
    assert not Upload.objects.exists()
    assert opened(StoredFile.objects.get()) == TWELVE


def test_sweeping_leaves_the_parts_of_what_is_on_its_way(application):
    upload = start(application, TWELVE)
    send(upload, TWELVE, 0, 1)
    names = stored_names()
    assert actions.sweep(older_than=timedelta(0)) == ([], [])
    assert stored_names() == names


def test_a_part_is_a_sign_of_life(application):
    upload = start(application, TWELVE, at=timezone.now() - timedelta(hours=23))
    send(upload, TWELVE, 0)
    assert Upload.objects.get().expires_at > timezone.now() + timedelta(hours=23)


# --- at the same time ---------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_many_finishing_at_once_never_pass_the_limit():
    application = dossier_with(LARGE | {"max_files": 2})
    uploads = []
    for n in range(4):
        content = pdf(PART + 1000, line=str(n))
        uploads.append(start(application, content, name=f"{n}.pdf"))
        send(uploads[-1], content)
    fresh = [Upload.objects.get(pk=upload.pk) for upload in uploads]
    outcomes = at_once(*((lambda one=one: finish(one)) for one in fresh), refusals=(Refused,))
    assert [isinstance(outcome, Refused) for outcome in outcomes].count(True) == 2
    assert Evidence.objects.count() == len(values_of(application)["espace-1"]) == 2
    assert stored_names() == referred_to()


@pytest.mark.django_db(transaction=True)
def test_two_pages_that_finish_the_same_file_put_it_in_once():
    application = dossier_with(LARGE)
    upload = start(application, TWELVE)
    send(upload, TWELVE)
    fresh = [Upload.objects.get(pk=upload.pk) for _ in range(4)]
    at_once(*((lambda one=one: finish(one)) for one in fresh), refusals=())
    assert Evidence.objects.count() == 1
    assert stored_names() == referred_to()


@pytest.mark.django_db(transaction=True)
def test_the_same_part_sent_by_two_pages_at_once_is_kept_once():
    application = dossier_with(LARGE)
    upload = start(application, TWELVE)
    fresh = [Upload.objects.get(pk=upload.pk) for _ in range(4)]
    at_once(*((lambda one=one: send(one, TWELVE, 0)) for one in fresh), refusals=())
    assert UploadPart.objects.count() == 1
    assert stored_names() == referred_to()


def test_a_single_request_still_puts_a_large_file_in(application):
    evidence = actions.add(
        application, space_of(application), upload=upload(TWELVE), by=application.referent, at=timezone.now()
    )
    assert opened(evidence.file) == TWELVE
