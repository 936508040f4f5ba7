"""An administrator who wants to read what the administration does not show."""

import pytest
from django.contrib import admin
from django.contrib.admin.utils import get_fields_from_path
from django.urls import reverse

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
     ("accounts/user", "regions__isnull=True"), ("establishments/legalentity", "etat=ouverts"),
     ("applications/formversion", "domain__id__exact=1"), ("journal/entry", "verb__exact=submit"),
     ("journal/entry", "at__gte=2026-11-21%2000:00:00%2B01:00"), ("letters/letter", "state__exact=sent")],
)  # fmt: skip
def test_what_a_list_offers_still_filters(client, model, offered):
    assert client.get(f"/administration/{model}/?{offered}").status_code == 200


# Of third parties, and closed to everybody: tests/test_access_matrix.py.
CLOSED = {"auth", "account", "otp_totp", "dsfr"}
OURS = {model: page for model, page in admin.site._registry.items() if model._meta.app_label not in CLOSED}
HOSTILE = ["exact", "iexact", "in", "startswith", "istartswith", "contains", "icontains", "regex", "iregex", "lte"]


@pytest.fixture
def request_of(rf):
    request = rf.get("/")
    request.user = UserFactory(administrator=True)
    return request


def columns_of(page, request) -> dict[str, set[str]]:
    """The path of each column that a list filters by, and what Django's own filter looks for in an address."""
    found = {}
    for one in page.get_list_filter(request):
        if not isinstance(one, type):
            name, kind = one if isinstance(one, tuple | list) else (one, admin.FieldListFilter.create)
            field = get_fields_from_path(page.model, name)[-1]
            words = kind(field, request, {}, page.model, page, field_path=name).expected_parameters()
            found[name] = {word for word in words if word}
    return found


def ways_from(model, depth):
    """The columns of a model, and of every model that a relation leads to, by path."""
    for field in model._meta.get_fields():
        yield field.name
        if field.is_relation and field.related_model and depth:
            yield from (f"{field.name}__{rest}" for rest in ways_from(field.related_model, depth - 1))


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label_lower)
def test_a_list_is_asked_what_it_offers_and_nothing_through_it(model, request_of):
    """Each filter in Django's own words; no other ending, no walk to another table."""
    page, columns = OURS[model], columns_of(OURS[model], request_of)
    words = {one.parameter_name for one in page.get_list_filter(request_of) if isinstance(one, type)}.union(
        *columns.values()
    )
    for word in words:
        assert page.lookup_allowed(word, "1", request_of), word
    ways = {*ways_from(model, 2), *columns}
    for name in columns:
        field = get_fields_from_path(model, name)[-1]
        if field.is_relation:
            ways |= {f"{name}__{way}" for way in ways_from(field.related_model, 2)}
    for question in {f"{way}__{ending}" for way in ways for ending in HOSTILE} - words:
        if question.removesuffix("__exact") not in columns:
            assert not page.lookup_allowed(question, "a", request_of), question


def test_every_filter_that_a_list_shows_leads_somewhere(client):
    """As its links are written, the first three of each filter."""
    dossier = ApplicationFactory()
    UserFactory(ars=True, regions=[dossier.establishment.region])
    followed = 0
    for model in OURS:
        list_of = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        page = client.get(list_of)
        shown = page.context.get("cl") if page.status_code == 200 else None
        for spec in shown.filter_specs if shown else ():
            for choice in list(spec.choices(shown))[:3]:
                followed += 1
                assert client.get(list_of + choice["query_string"]).status_code == 200, choice
    assert followed > 50


@pytest.mark.parametrize(
    "question",
    [
        "accounts/termsacceptance/?terms__acceptances__user__sessions__session_key__regex=^8",
        "accounts/termsacceptance/?terms__acceptances__user__username=ans",
        "accounts/user/?regions__agents__password__startswith=p",
        "accounts/user/?regions__code__startswith=7",
        "accounts/user/?regions__code__exact=%00",
        "journal/entry/?at__gte=0001-01-01",
        "journal/entry/?at__lt=9999-12-31T23:59:59-14:00",
        "accounts/terms/?acceptances__user__password__startswith=p",
        "applications/domain/?applications__answers__value__icontains=FR",
        "applications/formversion/?domain__applications__answers__value__iregex=FR",
        "applications/application/?domain__applications__answers__value__iregex=FR",
        "conventions/conventiontext/?domain__applications__answers__value__icontains=FR76",
        "evidence/container/?domain__applications__submissions__content__icontains=FR76",
        "establishments/establishment/?region__agents__password__startswith=p",
    ],
)
def test_no_question_through_a_relation_is_answered(client, question):
    assert client.get(f"/administration/{question}").status_code == 400


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
