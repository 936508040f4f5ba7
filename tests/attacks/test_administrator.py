"""An administrator who wants to read what the administration does not show."""

import pytest
from django.contrib import admin
from django.db import models

from accounts.models import User
from applications.models import Submission
from tests.factories import ApplicationFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(signed_in):
    return signed_in(UserFactory(administrator=True))


@pytest.mark.parametrize(
    "query",
    ["password__startswith=md5", "password__regex=.", "emailaddress__verified=1", "signincode__token__startswith=a"],
)
def test_no_question_about_a_password_is_answered(client, query):
    assert client.get(f"/administration/accounts/user/?{query}").status_code == 400


@pytest.mark.parametrize("lookup", ["content__icontains", "content__answers__iban", "application__answers__value"])
def test_no_question_about_what_was_answered_is_answered(client, lookup):
    dossier = ApplicationFactory()
    Submission.objects.create(
        application=dossier, step="candidature", number=1, by=dossier.referent, digest="0",
        content={"form": 1, "answers": {"iban": "FR7630006000011234567890189"}},
    )  # fmt: skip
    assert client.get("/administration/applications/submission/?step__exact=candidature").status_code == 200
    answer = client.get("/administration/applications/submission/", {lookup: "FR76"})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("model", "offered"),
    [("accounts/user", "role__exact=ars"), ("accounts/user", "regions__code__exact=76"),
     ("establishments/legalentity", "etat=ouverts"), ("journal/entry", "at__gte=2026-11-21%2000:00:00%2B01:00"),
     ("letters/letter", "state__exact=sent")],
)  # fmt: skip
def test_what_a_list_offers_still_filters(client, model, offered):
    assert client.get(f"/administration/{model}/?{offered}").status_code == 200


def test_every_table_that_holds_more_than_it_shows_is_guarded(rf):
    """Columns that a page does not show: an address may not ask about them either."""
    request = rf.get("/")
    request.user = UserFactory(administrator=True)
    hidden = {"password", "secret", "content", "token", "value", "storage_name"}
    for model, page in admin.site._registry.items():
        if model._meta.app_label in ("auth", "account", "otp_totp", "dsfr"):
            continue  # closed to everybody: tests/test_access_matrix.py
        for field in model._meta.get_fields():
            if isinstance(field, models.Field) and field.name in hidden:
                assert not page.lookup_allowed(f"{field.name}__startswith", "a", request), f"{model}.{field.name}"


@pytest.mark.parametrize("posted", ["is_superuser", "is_staff", "password", "user_permissions", "groups"])
def test_no_field_beside_those_of_the_form_is_taken(client, posted):
    person = UserFactory(username="cible")
    before = User.objects.values("is_superuser", "is_staff", "password").get(pk=person.pk)
    data = {
        "civility": "madame", "last_name": "Martin", "first_name": "Camille", "email": person.email,
        "phone": "+33467336733", "username": "cible", "role": "referent", "establishment": person.establishment_id,
        "is_active": "on", posted: "1",
    }  # fmt: skip
    assert client.post(f"/administration/accounts/user/{person.pk}/change/", data).status_code == 302
    assert User.objects.values("is_superuser", "is_staff", "password").get(pk=person.pk) == before
