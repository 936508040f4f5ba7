"""A dossier with evidence spaces, and what to look at after a deposit."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from applications.actions import submit
from applications.models import Application, Question
from demo.specimens import pdf
from deploy.processes import free_port
from evidence import actions, vault
from evidence.models import Evidence, StoredFile
from tests.evidence.scanning import clamd
from tests.factories import ApplicationFactory, FormFactory

SPACE = {"kind": Question.Kind.EVIDENCE, "formats": ["pdf"], "max_megabytes": 1, "max_files": 3, "is_required": False}
AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def dossier_with(*spaces: dict, **fields):
    """A draft whose candidature asks for these evidence spaces (and any other question)."""
    form = FormFactory(questions=[{**SPACE, "key": f"espace-{n}", **space} for n, space in enumerate(spaces, start=1)])
    return ApplicationFactory(domain=form.domain, candidature_form=form, **fields)


def space_of(application, key: str = "espace-1") -> Question:
    return Question.objects.get(section__form=application.form, key=key)


def upload(content: bytes | None = None, name: str = "RIB.pdf") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, pdf() if content is None else content)


def put_in(application, content: bytes | None = None, name: str = "RIB.pdf", key: str = "espace-1") -> Evidence:
    return actions.add(
        application,
        space_of(application, key),
        upload=upload(content, name),
        by=application.referent,
        at=timezone.now(),
    )


def transmit(application) -> None:
    """The dossier goes to the ARS, its files with it."""
    now = Application.objects.get(pk=application.pk)
    submit(now, by=now.referent, version=now.version, at=timezone.now())


def stored_names() -> set[str]:
    """Everything in storage, unfinished files included."""
    return set(vault.names())


def assert_no_orphan() -> None:
    assert stored_names() == set(StoredFile.objects.values_list("storage_name", flat=True))


@pytest.fixture
def application(db):
    return dossier_with({})


@pytest.fixture
def antivirus(settings):
    """A real clamd that knows the signature of the tests; without one the test is skipped."""
    with clamd(settings) as server:
        yield server


@pytest.fixture
def no_antivirus(settings):
    """One that is configured and does not answer."""
    settings.SCANNER = f"clamd://127.0.0.1:{free_port()}"
    settings.SCANNER_SILENCE = timedelta(seconds=1)
