"""A dossier that was never sent, and in which nobody types any more: warned, then erased with its files."""

from datetime import timedelta

import pytest
from django.utils import timezone

from applications.actions import save_answers
from applications.models import Answer, Application
from ecare.journal.actions import broken_links
from ecare.journal.models import Entry
from ecare.letters.models import Letter
from evidence import retention
from evidence.models import StoredFile
from tests.evidence.conftest import assert_no_orphan, dossier_with, put_in, stored_names, transmit

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def aged(application, days):
    at = timezone.now() - days * DAY
    Application.objects.filter(pk=application.pk).update(created_at=at, moved_at=at)
    StoredFile.objects.update(created_at=at)
    Answer.objects.filter(application=application).update(updated_at=at)
    return application


def forget(*, days=0):
    return retention.forget(timezone.now() + days * DAY)


@pytest.fixture
def draft():
    application = dossier_with({"is_required": False}, {"key": "nom", "kind": "text", "is_required": False})
    save_answers(application, by=application.referent, values={"nom": "Canari"}, at=timezone.now())
    put_in(application, name="canari.pdf")
    return aged(application, 336)


def test_its_referent_is_warned_once_and_it_goes_with_its_files(draft, django_capture_on_commit_callbacks):
    assert forget() == {"drafts warned": 1, "drafts": 0}
    assert forget() == {"drafts warned": 0, "drafts": 0}
    letter = Letter.objects.get(name="draft_expiring")
    assert letter.recipient == draft.referent.email and draft.reference in letter.title
    assert forget(days=28)["drafts"] == 0
    with django_capture_on_commit_callbacks(execute=True):
        assert forget(days=31)["drafts"] == 1
    assert not Application.objects.exists() and not Answer.objects.exists() and not StoredFile.objects.exists()
    assert stored_names() == set()
    assert_no_orphan()
    assert Entry.objects.filter(subject=draft.subject, verb="forget_draft").exists()
    assert list(broken_links(draft.subject)) == []
    assert not Letter.objects.filter(text__icontains=draft.reference).exists()


def test_whoever_types_again_keeps_it_and_is_warned_anew_when_they_stop(draft):
    forget()
    save_answers(draft, by=draft.referent, values={"nom": "Autre"}, at=timezone.now())
    assert forget(days=31) == {"drafts warned": 0, "drafts": 0}
    aged(draft, 330)
    assert forget(days=6)["drafts warned"] == 1


def test_nobody_loses_a_draft_without_a_warning_that_is_old_enough(draft):
    aged(draft, 3000)
    assert forget() == {"drafts warned": 1, "drafts": 0}


def test_what_was_sent_once_is_never_erased(draft):
    transmit(draft)
    aged(draft, 5000)
    assert forget() == forget(days=60) == {"drafts warned": 0, "drafts": 0}
