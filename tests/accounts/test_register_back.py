"""« Précédent » of the registration: what was typed comes back."""

import pytest
from django.urls import reverse

from accounts.models import User
from tests.accounts.steps import NEW_PASSWORD, fill_establishment, fill_person, person
from tests.factories import EstablishmentFactory, UserFactory

pytestmark = pytest.mark.django_db
STEP_1 = "/inscription/"


@pytest.fixture
def establishment():
    return EstablishmentFactory()


def test_going_back_loses_nothing(client, establishment):
    fill_person(client)
    data = {"kind": establishment.kind, "region": establishment.region_id, "previous": "1"}
    assert client.post(reverse("accounts:register_establishment"), data)["Location"] == STEP_1
    page = client.get(STEP_1).content.decode()
    assert 'value="jean.sante@exemple.fr"' in page and "Mot de passe déjà saisi" in page
    assert "captcha_key" not in page
    form = client.get(reverse("accounts:register_establishment")).context["form"]
    assert form["kind"].value() == establishment.kind and form["region"].value() == establishment.region_id


@pytest.mark.parametrize("typed", [{"kind": "public"}, {"region": "76"}, {"kind": "public", "region": "99"}])
def test_going_back_keeps_what_is_right_though_the_rest_is_missing(client, establishment, typed):
    fill_person(client)
    assert client.post(reverse("accounts:register_establishment"), typed | {"previous": "1"})["Location"] == STEP_1
    form = client.get(reverse("accounts:register_establishment")).context["form"]
    assert form["kind"].value() == typed.get("kind", "")
    assert form["region"].value() == ("76" if typed.get("region") == "76" else None)
    assert client.get(reverse("accounts:choose_establishment")).status_code == 302


def test_going_back_to_the_list_keeps_the_search_and_marks_the_choice(client, establishment):
    fill_person(client)
    fill_establishment(client, establishment)
    address = f"{reverse('accounts:choose_establishment')}?q={establishment.finess}"
    assert "Votre choix" not in client.get(f"{address}0").text
    client.post(address, {"establishment": establishment.pk})
    assert f'href="{address}"' in client.get(reverse("accounts:check_establishment")).text
    page = client.get(address)
    assert page.text.count("Votre choix") == 1 and f'value="{establishment.finess}"' in page.text


def test_a_name_taken_meanwhile_is_said_at_its_field_with_others_and_keeps_the_rest(client, establishment):
    fill_person(client)
    fill_establishment(client, establishment)
    UserFactory(username="jean.sante")
    page = client.post(reverse("accounts:register_recap"), follow=True)
    form = page.context["form"]
    assert "déjà pris" in form.errors["username"][0] and form.suggestions
    assert 'value="jean.sante@exemple.fr"' in page.text and "Laissez vide pour le garder" in page.text


def test_a_password_kept_for_somebody_else_opens_no_account_of_this_person(client, establishment):
    """Step 1 refused for its phone keeps a password checked against another name: the recap must not take it."""
    jeanne = {
        "username": "jeanne.lambertin",
        "first_name": "Jeanne",
        "last_name": "Lambertin",
        "email": "jl@exemple.fr",
    }
    other = {"username": "zzz.www", "first_name": "Zoo", "last_name": "Wuk", "email": "zw@exemple.fr"}
    like_jeanne = {"password1": "jeanne.lambertin-x", "password2": "jeanne.lambertin-x"}
    fill_person(client, **jeanne)
    fill_establishment(client, establishment)
    refused = client.post(STEP_1, person(**other, **like_jeanne, phone="06 12"))
    assert set(refused.context["form"].errors) == {"phone"}
    assert client.post(reverse("accounts:register_recap")).status_code == 302
    assert not User.objects.exists()
    page = client.post(STEP_1, person(**jeanne, password1="", password2=""))
    assert "Vos informations ont changé" in page.context["form"].errors["password1"][0]
    assert client.post(STEP_1, person(**jeanne)).status_code == 302
    client.post(reverse("accounts:register_recap"))
    assert User.objects.get().check_password(NEW_PASSWORD)
