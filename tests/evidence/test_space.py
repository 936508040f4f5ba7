"""How a space and its files are shown: one definition for the sentence, the browser and the server."""

import pytest
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.urls import reverse

from applications.models import values_of
from demo.ole import zed_bytes
from demo.specimens import docx, pdf
from evidence.models import StoredFile
from tests.evidence.conftest import dossier_with, put_in, space_of
from tests.factories import UserFactory


def shown(application, *, user=None, editable=True, key="espace-1"):
    request = RequestFactory().get("/")
    request.user, request.session = user or application.referent, {}
    context = {
        "question": space_of(application, key),
        "files": values_of(application).get(key, []),
        "editable": editable,
        "application": application,
    }
    return render_to_string("components/evidence_space.html", context, request)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            {"formats": ["doc", "docx", "zip"], "max_megabytes": 10, "max_files": 10},
            "Taille : 10 Mo maximum par fichier. Formats autorisés : doc, docx, zip. 10 fichiers maximum.",
        ),
        (
            {"formats": ["pdf", "jpg", "png"], "max_megabytes": 10, "max_files": 1},
            "Taille : 10 Mo maximum par fichier. Formats autorisés : pdf, jpg, png. 1 fichier maximum.",
        ),
        (
            {"formats": ["zed"], "max_megabytes": 49, "max_files": 10},
            "Taille : 49 Mo maximum par fichier. Formats autorisés : zed. 10 fichiers maximum.",
        ),
    ],
)
def test_the_limits_are_one_sentence_and_the_browsers_too(db, fields, sentence):
    html = shown(dossier_with(fields))
    assert sentence in html.replace("\u00a0", " ")
    assert f'data-max-bytes="{fields["max_megabytes"] * 1048576}"' in html
    assert f'data-max-files="{fields["max_files"]}"' in html
    assert all(f".{known}" in html for known in fields["formats"])
    assert (" multiple" in html) == (fields["max_files"] > 1)


def test_a_space_for_jpg_offers_jpeg_files_too(db):
    assert 'accept=".jpg,.jpeg"' in shown(dossier_with({"formats": ["jpg"]}))


def test_a_full_space_offers_no_control(db):
    application = dossier_with({"max_files": 1})
    assert "data-zone hidden" not in shown(application)
    put_in(application)
    assert "data-zone hidden" in shown(application)
    assert "data-full>" in shown(application)


def test_hint_rule_and_messages_are_announced_with_the_control(application):
    html = shown(application)
    assert 'aria-describedby="id_espace-1_rule id_espace-1_error"' in html
    assert 'id="id_espace-1_rule"' in html
    assert 'aria-live="polite"' in html
    assert '<label class="fr-label" for="id_espace-1">' in html


def test_no_style_and_no_script_stands_in_the_page(application):
    put_in(application)
    assert not {"style=", "<script", "onclick", "<style"} & set(shown(application).split())
    assert "style=" not in shown(application)


def test_read_only_shows_files_without_any_control(application):
    put_in(application)
    html = shown(application, editable=False)
    assert "RIB.pdf" in html
    assert "<input" not in html
    assert "<button" not in html


def test_an_empty_space_says_so_when_read(application):
    assert "Aucun fichier déposé" in shown(application, editable=False)


def test_the_ars_reads_name_size_and_digest_of_a_container_but_gets_no_link(db):
    application = dossier_with({"formats": ["zed"]})
    file = put_in(application, zed_bytes(), "conteneur.zed").file
    link = reverse("evidence:download", args=[file.pk])
    ars = shown(application, user=UserFactory(ars=True), editable=False)
    assert "conteneur.zed" in ars
    assert file.sha256 in ars
    assert "20\u00a0ko" in ars
    assert "Téléchargement réservé à l’ANS" in ars
    assert link not in ars
    for reader in (UserFactory(ans=True), application.referent):
        assert link in shown(application, user=reader, editable=False)


def test_a_file_waiting_for_the_antivirus_has_no_link(application):
    put_in(application)
    StoredFile.objects.update(scan=StoredFile.Scan.PENDING)
    html = shown(application)
    assert "Analyse en cours" in html
    assert "Télécharger" not in html


@pytest.mark.parametrize("count", [1, 3])
def test_two_spaces_ask_the_database_once_however_many_files(db, count, django_assert_num_queries):
    application = dossier_with({}, {"formats": ["docx"]})
    for n in range(count):
        put_in(application, pdf(line=str(n)))
        put_in(application, docx(line=str(n)), "liste.docx", key="espace-2")
    values = values_of(application)
    request = RequestFactory().get("/")
    request.user, request.session = application.referent, {}
    with django_assert_num_queries(1):
        for key in ("espace-1", "espace-2"):
            context = {"files": values[key], "application": application, "editable": True}
            render_to_string("components/evidence_files.html", context, request)
