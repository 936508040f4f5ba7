"""Who reads a file, how it leaves, and what the history keeps of it."""

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse

from applications.actions import write_answer
from applications.models import Application
from applications.states import State
from demo.ole import zed_bytes
from demo.specimens import pdf
from ecare.journal.models import Entry
from evidence.models import Evidence, StoredFile
from tests.evidence.conftest import dossier_with, put_in, space_of, transmit
from tests.factories import RegionFactory, UserFactory


def address(evidence):
    return reverse("evidence:download", args=[evidence.file_id])


def status(client, evidence) -> int:
    """Of a download read to its end."""
    answer = client.get(address(evidence))
    assert not answer.streaming or len(answer.getvalue()) == evidence.file.size
    return answer.status_code


def headers_of(client, evidence):
    answer = client.get(address(evidence))
    answer.close()
    return answer.headers


@pytest.fixture
def cast(application):
    region = application.establishment.region
    return {
        "referent": application.referent,
        "colleague": UserFactory(establishment=application.establishment),
        "stranger": UserFactory(),
        "ars": UserFactory(ars=True, regions=[region]),
        "other_ars": UserFactory(ars=True, regions=[RegionFactory(code="75")]),
        "ans": UserFactory(ans=True),
        "administrator": UserFactory(administrator=True),
    }


DRAFT = {
    "referent": 200,
    "colleague": 404,
    "stranger": 404,
    "ars": 404,
    "other_ars": 404,
    "ans": 404,
    "administrator": 404,
}
SENT = DRAFT | {"ars": 200, "ans": 200}
CONTAINER = SENT | {"ars": 403}


@pytest.mark.parametrize(("role", "expected"), DRAFT.items())
def test_a_file_not_yet_sent_is_its_referents_alone(application, cast, signed_in, role, expected):
    evidence = put_in(application)
    assert status(signed_in(cast[role]), evidence) == expected
    assert Entry.objects.filter(verb="download_evidence").count() == (expected == 200)


@pytest.mark.parametrize(("role", "expected"), SENT.items())
def test_a_sent_file_is_read_by_those_who_review_it(application, cast, signed_in, role, expected):
    evidence = put_in(application)
    transmit(application)
    assert status(signed_in(cast[role]), evidence) == expected


@pytest.mark.parametrize(("role", "expected"), CONTAINER.items())
def test_a_container_is_for_the_ans(db, signed_in, role, expected, application, cast):
    container = dossier_with({"formats": ["zed"]}, referent=application.referent)
    evidence = put_in(container, zed_bytes(), "conteneur.zed")
    transmit(container)
    assert status(signed_in(cast[role]), evidence) == expected


def test_a_visitor_is_led_to_the_sign_in(application):
    answer = Client().get(address(put_in(application)))
    assert answer.status_code == 302
    assert reverse("account_login") in answer.headers["Location"]


def test_reviewers_do_not_see_what_was_added_since_the_sending(application, cast, signed_in):
    first = put_in(application)
    transmit(application)
    Application.objects.filter(pk=application.pk).update(state=State.CHANGES_REQUESTED)
    later = put_in(Application.objects.get(pk=application.pk), pdf(line="2"))
    ars = signed_in(cast["ars"])
    assert (status(ars, first), status(ars, later)) == (200, 404)


def test_what_was_sent_then_taken_back_is_still_read_by_reviewers(application, cast, signed_in):
    evidence = put_in(application)
    transmit(application)
    Evidence.objects.update(withdrawn_after=1)
    assert status(signed_in(cast["ars"]), evidence) == 200


def test_a_file_in_a_space_that_the_answers_hid_at_the_sending_was_not_sent(db, signed_in):
    application = dossier_with({"shown_if": {"espace-2": ["non"]}}, {"kind": "text"})
    write_answer(application, space_of(application, "espace-2"), "non")
    hidden = put_in(application)
    # The référent knows its number, and may even type it.
    typed = f'oui {{"id": "{hidden.file_id}"}} {hidden.file_id}'
    write_answer(application, space_of(application, "espace-2"), typed)
    transmit(application)
    for agent in (UserFactory(ans=True), UserFactory(ars=True, regions=[application.establishment.region])):
        assert status(signed_in(agent), hidden) == 404
    assert status(signed_in(application.referent), hidden) == 200


def test_a_file_listed_in_another_dossier_was_not_sent_in_this_one(application, cast, signed_in):
    evidence, other = put_in(application), dossier_with({}, referent=application.referent)
    transmit(application)
    Evidence.objects.filter(pk=evidence.pk).update(application=other)
    assert status(signed_in(cast["ans"]), evidence) == 404


def test_the_bytes_come_back_whole(application, signed_in):
    content = pdf(700_000)
    answer = signed_in(application.referent).get(address(put_in(application, content)))
    assert answer.getvalue() == content
    assert answer.headers["Content-Length"] == "700000"


def test_it_leaves_as_an_attachment_that_nothing_runs(application, signed_in):
    evidence = put_in(application, name="Relevé d’identité (signé).pdf")
    headers = headers_of(signed_in(application.referent), evidence)
    assert headers["Content-Disposition"].startswith("attachment; filename*=utf-8''")
    assert f"{application.reference}-espace-1-Relev%C3%A9" in headers["Content-Disposition"]
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'; frame-ancestors 'none'"
    assert "no-store" in headers["Cache-Control"]


@pytest.mark.parametrize("name", ['a"; filename="evil.exe.pdf', "a;b=c.pdf", "a%0d%0ab.pdf"])
def test_a_name_cannot_write_into_the_headers(application, signed_in, name):
    evidence = put_in(application)
    StoredFile.objects.update(name=name)
    headers = headers_of(signed_in(application.referent), evidence)
    assert headers["Content-Disposition"].count("filename") == name.count("filename") + 1
    assert "\r" not in headers["Content-Disposition"]
    assert headers["Content-Disposition"].split('"')[0] in ("attachment; filename=", "attachment; filename*=utf-8''")


def test_each_download_is_a_line_of_the_history(application, cast, signed_in):
    evidence = put_in(application)
    transmit(application)
    for _ in range(2):
        assert status(signed_in(cast["ars"]), evidence) == 200
    entries = Entry.objects.filter(subject=application.subject, verb="download_evidence")
    assert [entry.actor for entry in entries] == [cast["ars"].actor[0]] * 2
    assert entries[0].data["sha256"] == evidence.file.sha256


@pytest.mark.parametrize("scan", [StoredFile.Scan.PENDING, StoredFile.Scan.INFECTED, StoredFile.Scan.FAILED])
def test_a_file_not_found_clean_is_not_given_out(application, cast, signed_in, scan):
    evidence = put_in(application)
    transmit(application)
    StoredFile.objects.update(scan=scan)
    for role in ("referent", "ars", "ans"):
        answer = signed_in(cast[role]).get(address(evidence))
        assert answer.status_code == 409
        assert "L’antivirus" in answer.text
    assert not Entry.objects.filter(verb="download_evidence").exists()


@pytest.mark.parametrize("place", [0, 30, 60, -1])
def test_a_file_altered_in_storage_is_not_given_out(application, signed_in, place, caplog):
    evidence = put_in(application)
    path = default_storage.path(evidence.file.storage_name)
    with open(path, "rb+") as file:
        content = bytearray(file.read())
        content[place] ^= 1
        file.seek(0)
        file.write(content)
    answer = signed_in(application.referent).get(address(evidence))
    assert answer.status_code == 409
    assert "absent ou altéré" in answer.text
    assert "cannot be opened" in caplog.text
    assert not Entry.objects.filter(verb="download_evidence").exists()


def test_a_file_that_is_no_longer_in_storage_is_told(application, signed_in):
    evidence = put_in(application)
    default_storage.delete(evidence.file.storage_name)
    assert "absent ou altéré" in signed_in(application.referent).get(address(evidence)).text


def test_another_method_is_refused(application, signed_in):
    assert signed_in(application.referent).post(address(put_in(application))).status_code == 405
