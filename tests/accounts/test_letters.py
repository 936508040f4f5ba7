"""« Vos courriers »: one letter a day, or each at once."""

import pytest

from accounts.models import User
from ecare.journal.models import Entry
from ecare.letters.rules import patient_names
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

AT_ONCE = {
    "abandoned",
    "accepted",
    "account_not_found",
    "activation",
    "changes_requested",
    "code",
    "declaration_opened",
    "digest",
    "paid",
    "password_changed",
    "password_reset",
    "registration_attempted",
    "rejected",
    "reopened",
    "submitted",
    "validated",
    "withdrawn",
}


@pytest.mark.parametrize("trait", [None, "ars", "ans", "administrator"])
def test_everybody_chooses(signed_in, trait):
    user = UserFactory(**({trait: True} if trait else {}))
    client = signed_in(user)
    assert client.get("/compte/courriers/").context["form"]["daily"].value() == "non"
    assert client.post("/compte/courriers/", {"daily": "oui"}).status_code == 302
    assert User.objects.get(pk=user.pk).wants_daily_letter
    assert "Votre choix est enregistré." in client.get("/compte/courriers/").text


def test_the_same_choice_twice_is_written_once(signed_in):
    user = UserFactory()
    for _ in range(2):
        signed_in(user).post("/compte/courriers/", {"daily": "oui"})
    assert Entry.objects.filter(subject=f"user:{user.pk}", verb="choose_letters").count() == 1


@pytest.mark.parametrize("choice", ["", "peut-être"])
def test_a_choice_that_is_none_is_refused_with_a_sentence(signed_in, choice):
    user = UserFactory()
    page = signed_in(user).post("/compte/courriers/", {"daily": choice})
    assert page.status_code == 200 and page.context["form"].errors
    assert not User.objects.get(pk=user.pk).wants_daily_letter


def test_what_has_legal_value_or_keeps_an_account_safe_never_waits():
    assert patient_names() & AT_ONCE == set()


def test_the_tab_is_marked(signed_in):
    page = signed_in(UserFactory()).get("/compte/courriers/").text
    assert '<a href="/compte/courriers/" aria-current="page">Vos courriers</a>' in page
