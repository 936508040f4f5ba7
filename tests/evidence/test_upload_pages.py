"""The requests of upload.js, and what the form says of a file on its way."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from applications.actions import submit
from applications.models import Application, values_of
from demo.specimens import pdf
from evidence import arrivals
from evidence.models import Evidence, StoredFile, Upload, UploadPart
from evidence.vault import PART
from tests.evidence.arriving import LARGE, TWELVE, parts_of, send, sha256
from tests.evidence.arriving import start as announce
from tests.evidence.conftest import dossier_with, put_in, stored_names, transmit
from tests.factories import UserFactory

RAW = "application/octet-stream"


@pytest.fixture
def application(db):
    return dossier_with(LARGE, {"kind": "text"})


def announcement(content=TWELVE, **fields):
    said = {"space": "espace-1", "name": "grand.pdf", "size": len(content), "first": sha256(content[:PART])} | fields
    return {f"_upload-{name}": value for name, value in said.items()}


def start(client, application, **fields):
    return client.post(reverse("evidence:start_upload", args=[application.reference]), announcement(**fields))


def push(client, upload: dict, rank: int, content=TWELVE):
    return client.post(upload["parts"][rank], parts_of(content)[rank], content_type=RAW)


def finish(client, upload: dict):
    return client.post(upload["finish"])


def form_page(client, application):
    return client.get(reverse("applications:detail", args=[application.reference])).text.replace("\u00a0", " ")


def test_from_the_announcement_to_the_list(application, signed_in):
    client = signed_in(application.referent)
    answer = start(client, application)
    assert answer.status_code == 201
    upload = answer.json()
    assert (upload["part_bytes"], len(upload["parts"]), upload["received"]) == (PART, 3, {})
    for rank in (2, 0, 1):
        assert push(client, upload, rank).json() == {"received": rank}
    answer = finish(client, upload)
    assert answer.status_code == 200
    assert "grand.pdf" in answer.json()["lists"]["espace-1"]
    assert Evidence.objects.get().file.sha256 == sha256(TWELVE)


def test_the_same_announcement_tells_what_has_come(application, signed_in):
    client = signed_in(application.referent)
    upload = start(client, application).json()
    push(client, upload, 1)
    again = start(client, application).json()
    assert again["id"] == upload["id"]
    assert again["received"] == {"1": sha256(parts_of(TWELVE)[1])}


def test_an_answer_that_was_lost_may_be_asked_for_again(application, signed_in):
    client = signed_in(application.referent)
    upload = start(client, application).json()
    for rank in (0, 1, 2, 2):
        push(client, upload, rank)
    assert finish(client, upload).json() == finish(client, upload).json()
    assert Evidence.objects.count() == 1
    assert push(client, upload, 0).status_code == 404


def test_missing_parts_are_named(application, signed_in):
    client = signed_in(application.referent)
    upload = start(client, application).json()
    push(client, upload, 1)
    answer = finish(client, upload)
    assert (answer.status_code, answer.json()) == (409, {"missing": [0, 2]})


def test_a_part_that_the_file_does_not_have(application, signed_in):
    client = signed_in(application.referent)
    upload = start(client, application).json()
    answer = client.post(upload["parts"][0].replace("/0/", "/7/"), b"x", content_type=RAW)
    assert answer.status_code == 422
    assert "cette partie ne figure pas" in answer.json()["message"]


@pytest.mark.parametrize(("body", "status"), [(b"x" * 100, 400), (b"", 400), (TWELVE[: PART + 1], 422)])
def test_a_part_of_another_length_leaves_nothing(application, signed_in, body, status):
    client = signed_in(application.referent)
    upload = start(client, application).json()
    assert client.post(upload["parts"][0], body, content_type=RAW).status_code == status
    assert not stored_names()


def test_a_form_is_not_a_part(application, signed_in):
    client = signed_in(application.referent)
    upload = start(client, application).json()
    assert client.post(upload["parts"][0], {"part": "x"}).status_code in (400, 422)
    assert not UploadPart.objects.exists()


def test_a_refusal_reads_on_after_the_name(application, signed_in):
    client = signed_in(application.referent)
    answer = start(client, application, name="programme.exe")
    assert answer.status_code == 422
    assert answer.json()["message"].startswith("le format «\u00a0exe\u00a0»")
    bad = b"MZ" + bytes(PART + 5)
    upload = start(client, application, content=bad).json()
    for rank in range(2):
        push(client, upload, rank, bad)
    answer = finish(client, upload)
    assert answer.status_code == 422
    assert answer.json()["message"].startswith("ce fichier porte l’extension pdf")
    assert not StoredFile.objects.exists()
    assert finish(client, upload).status_code == 404


@pytest.mark.parametrize(
    "wrong", [{"first": "abc"}, {"size": "beaucoup"}, {"size": -1}, {"name": ""}, {"replaces": "1"}]
)
def test_a_malformed_announcement_is_refused(application, signed_in, wrong):
    answer = start(signed_in(application.referent), application, **wrong)
    assert answer.status_code == 422
    assert "n’a pas pu commencer" in answer.json()["message"]


@pytest.mark.parametrize("key", ["autre", "espace-2"])
def test_what_is_no_space_takes_nothing(application, signed_in, key):
    assert start(signed_in(application.referent), application, space=key).status_code == 404


def test_what_is_typed_on_the_page_is_kept(application, signed_in):
    address = reverse("evidence:start_upload", args=[application.reference])
    signed_in(application.referent).post(address, announcement() | {"_page": "1", "espace-2": "Précision"})
    assert values_of(application)["espace-2"] == "Précision"


def test_a_closed_form_is_told(application, signed_in):
    client = signed_in(application.referent)
    upload = start(client, application).json()
    now = Application.objects.get(pk=application.pk)
    submit(now, by=now.referent, version=now.version, at=timezone.now())
    for answer in (start(client, application), push(client, upload, 0)):
        assert answer.status_code == 409
        assert "plus modifiable" in answer.json()["message"]


def test_a_replacement_in_parts_leads_back_to_the_form(application, signed_in):
    evidence = put_in(application, name="ancien.pdf")
    transmit(application)
    Application.objects.filter(pk=application.pk).update(state="changes_requested")
    client = signed_in(application.referent)
    upload = start(client, application, replaces=str(evidence.file_id)).json()
    for rank in range(3):
        push(client, upload, rank)
    assert finish(client, upload).json()["next"].endswith("#espace-espace-1")
    assert Evidence.objects.get(replaces=evidence)
    assert "« ancien.pdf » est remplacé" in form_page(client, application)


def test_a_file_of_another_dossier_is_not_replaced_from_here(application, signed_in):
    other = dossier_with(LARGE, referent=application.referent)
    assert start(signed_in(application.referent), application, replaces=put_in(other).file_id).status_code == 404


# --- who ----------------------------------------------------------------------------------------------------------
def addresses(upload: dict) -> list[str]:
    return [upload["parts"][0], upload["finish"], reverse("evidence:give_up", args=[upload["id"]])]


def test_nobody_else_finds_it(application, signed_in):
    upload = start(signed_in(application.referent), application).json()
    region = application.establishment.region
    others = [UserFactory(), UserFactory(establishment=application.establishment)]
    others += [UserFactory(ars=True, regions=[region]), UserFactory(ans=True), UserFactory(administrator=True)]
    for other in others:
        client = signed_in(other)
        for address in addresses(upload):
            assert client.post(address, b"x", content_type=RAW).status_code == 404
    assert Upload.objects.get().parts.count() == 0


def test_a_visitor_is_led_to_the_sign_in(application, signed_in):
    upload = start(signed_in(application.referent), application).json()
    for address in addresses(upload):
        assert reverse("account_login") in Client().post(address, b"x", content_type=RAW).headers["Location"]
    assert not stored_names()


def test_without_token_nothing_is_taken(application, signed_in):
    client = signed_in(application.referent)
    upload = start(client, application).json()
    client.handler.enforce_csrf_checks = True
    assert push(client, upload, 0).status_code == 403
    assert start(client, application).status_code == 403
    assert not stored_names()


# --- on the form --------------------------------------------------------------------------------------------------
def test_the_form_tells_what_is_on_its_way_and_gives_it_up(application, signed_in):
    upload = announce(application, TWELVE)
    send(upload, TWELVE, 0)
    client = signed_in(application.referent)
    page = form_page(client, application)
    assert "Envoi non terminé : grand.pdf" in page
    assert "5 Mo sur 12 Mo" in page
    address = reverse("evidence:give_up", args=[upload.pk])
    answer = client.post(address, {"_page": "1", "espace-2": "Précision"})
    assert answer.headers["Location"].endswith("#espace-espace-1")
    page = form_page(client, application)
    assert "L’envoi du fichier « grand.pdf » est abandonné" in page
    assert "Envoi non terminé" not in page
    assert values_of(application)["espace-2"] == "Précision"
    assert not Upload.objects.exists()


def test_what_is_finished_or_expired_is_no_longer_on_its_way(application, signed_in):
    client = signed_in(application.referent)
    content = pdf(PART + 1)
    upload = announce(application, content, name="fini.pdf")
    send(upload, content)
    arrivals.finish(upload, by=application.referent, at=timezone.now())
    Upload.objects.filter(pk=announce(application, TWELVE).pk).update(expires_at=timezone.now())
    assert "Envoi non terminé" not in form_page(client, application)


@pytest.mark.parametrize("count", [1, 3])
def test_the_form_asks_as_much_for_three_on_their_way_as_for_one(
    application, signed_in, django_assert_max_num_queries, count
):
    for n in range(count):
        announce(application, TWELVE, name=f"{n}.pdf")
    client = signed_in(application.referent)
    form_page(client, application)
    with django_assert_max_num_queries(25) as asked:
        form_page(client, application)
    assert sum('"evidence_upload"' in query["sql"] for query in asked.captured_queries) == 1
