"""« Aperçu »: a PDF or a picture in the browser's own window, where nothing of it runs."""

import pytest
from django.urls import reverse

from demo.ole import zed_bytes
from demo.specimens import docx, pdf
from ecare.journal.models import Entry
from evidence.models import StoredFile
from tests.evidence.conftest import dossier_with, put_in, transmit
from tests.evidence.documents import jpg, png
from tests.factories import UserFactory

FORMATS = {"formats": ["pdf", "jpg", "png", "docx", "zed"], "max_files": 9}


def address(evidence):
    return reverse("evidence:preview", args=[evidence.file_id])


@pytest.fixture
def dossier(db):
    return dossier_with(FORMATS)


@pytest.mark.parametrize(
    ("content", "name", "media_type"),
    [(pdf(), "RIB.pdf", "application/pdf"), (jpg(), "scan.JPEG", "image/jpeg"), (png(), "scan.png", "image/png")],
)
def test_it_is_shown_in_place_and_in_a_sandbox(dossier, signed_in, content, name, media_type):
    answer = signed_in(dossier.referent).get(address(put_in(dossier, content, name)))
    assert answer.getvalue() == content
    assert answer["Content-Type"] == media_type
    assert answer["Content-Disposition"] == f'inline; filename="{dossier.reference}-espace-1-{name}"'
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'; frame-ancestors 'self'"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert answer["Cache-Control"] == "no-store, private"


@pytest.mark.parametrize(("content", "name"), [(docx(), "liste.docx"), (zed_bytes(), "preuves.zed")])
def test_what_no_browser_shows_has_none(dossier, signed_in, content, name):
    evidence = put_in(dossier, content, name)
    assert signed_in(dossier.referent).get(address(evidence)).status_code == 404
    assert not Entry.objects.filter(verb="download_evidence").exists()


def test_the_type_is_that_of_the_content_not_of_the_name(dossier, signed_in):
    evidence = put_in(dossier)
    StoredFile.objects.update(media_type="text/html")
    assert signed_in(dossier.referent).get(address(evidence)).status_code == 404


def test_it_is_noted_as_a_download_is(dossier, signed_in):
    evidence = put_in(dossier)
    transmit(dossier)
    agent = UserFactory(ars=True, regions=[dossier.establishment.region])
    signed_in(agent).get(address(evidence)).getvalue()
    assert Entry.objects.get(verb="download_evidence").actor == agent.actor[0]


def test_a_file_not_found_clean_is_not_shown(dossier, signed_in):
    evidence = put_in(dossier)
    StoredFile.objects.update(scan=StoredFile.Scan.PENDING)
    assert signed_in(dossier.referent).get(address(evidence)).status_code == 409


def test_only_files_that_can_be_shown_have_the_link(dossier, signed_in):
    shown, other = put_in(dossier), put_in(dossier, docx(), "liste.docx")
    page = signed_in(dossier.referent).get(reverse("applications:detail", args=[dossier.reference])).text
    assert address(shown) in page and address(other) not in page
    assert (
        f'href="{address(shown)}" target="_blank" rel="noopener" title="Aperçu de RIB.pdf – nouvelle fenêtre"' in page
    )
