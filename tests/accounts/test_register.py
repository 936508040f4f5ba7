"""Registration in three steps."""

import re

import pytest
from allauth.account.models import EmailAddress
from captcha.models import CaptchaStore
from django.contrib.auth.hashers import check_password
from django.core.cache import cache
from django.db import IntegrityError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.captcha import CHARACTERS
from accounts.drafts import KEY
from accounts.forms import NAME
from accounts.models import User
from ecare.journal.models import Entry
from ecare.letters.models import Letter
from establishments.models import Establishment
from tests.accounts.steps import (
    NEW_PASSWORD,
    answer_to,
    fill_establishment,
    fill_person,
    person,
    register,
    secret_of,
)
from tests.establishments.conftest import MEASURES_LIKENESS
from tests.factories import (
    EstablishmentFactory,
    GhtFactory,
    LegalEntityFactory,
    RegionFactory,
    SiteFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
STEP_1 = "/inscription/"


@pytest.fixture
def establishment():
    return EstablishmentFactory()


def test_spaces_around_a_pasted_name_are_no_fault(client):
    fill_person(client, username=" jean.sante ", last_name="Santé ", first_name=" Jean")
    kept = client.session[KEY]["person"]
    assert (kept["username"], kept["last_name"], kept["first_name"]) == ("jean.sante", "Santé", "Jean")


def test_a_visitor_registers_in_three_steps(client, establishment):
    assert fill_person(client)["Location"] == reverse("accounts:register_establishment")
    assert fill_establishment(client, establishment)["Location"] == reverse("accounts:check_establishment")
    recap = client.get(reverse("accounts:register_recap")).content.decode()
    assert "jean.sante@exemple.fr" in recap and establishment.finess in recap and "+33 6 12 34 56 78" in recap
    end = client.post(reverse("accounts:register_recap"), follow=True).content.decode()
    assert "Nous avons bien pris en compte votre inscription." in end
    assert "Nous vous avons envoyé un e-mail contenant un lien d’activation de votre compte." in end
    assert "Une fois votre compte activé vous pourrez accéder à la plateforme." in end

    user = User.objects.get(username="jean.sante")
    assert (user.role, user.establishment, user.phone.as_e164) == ("referent", establishment, "+33612345678")
    assert user.check_password(NEW_PASSWORD)
    assert not EmailAddress.objects.get(user=user).verified
    assert Letter.objects.filter(name="activation", recipient=user.email).count() == 1
    assert Entry.objects.filter(subject=f"user:{user.pk}", verb="register").exists()
    assert KEY not in client.session


def test_the_session_knows_the_password_by_its_hash_alone(client):
    fill_person(client)
    assert NEW_PASSWORD not in str(dict(client.session))
    assert check_password(NEW_PASSWORD, client.session[KEY]["password"])


WRONG = [
    ("username", "", "Renseignez ce champ."),
    ("username", "ab", "tirets, sans @."),
    ("username", "jean@exemple.fr", "sans @"),
    ("username", "jean sante", "tirets, sans @."),
    ("civility", "", "Choisissez une réponse."),
    ("civility", "docteur", "Choisissez une réponse de la liste."),
    ("last_name", "", "Renseignez ce champ."),
    ("last_name", "http://arnaque.example", "Écrivez des lettres"),
    ("first_name", "Jean\n\nCliquez", "Écrivez des lettres"),
    ("last_name", "Allez sur evil.com", "Écrivez des lettres"),
    ("email", "", "Renseignez ce champ."),
    ("email", "jean.sante", "nom@exemple.fr"),
    ("phone", "", "Renseignez ce champ."),
    ("phone", "06 12 34", "Ce numéro n’est pas reconnu."),
    ("password1", "Court-1", "12"),
    ("password1", "123456789012345", "numérique"),
    ("password1", "motdepasse123", "courant"),
    ("password1", "jean.sante@exemple", "trop semblable"),
    ("password2", "", "Renseignez ce champ."),
    ("password2", "Autre-Montagne-88", "différents"),
    ("captcha", "", "Renseignez ce champ."),
    ("captcha", "ZZZZ", "Un nouveau contrôle vous est proposé."),
]


@pytest.mark.parametrize(("field", "typed", "told"), WRONG)
def test_a_wrong_input_has_its_message_and_loses_nothing(client, field, typed, told):
    data = person() | answer_to(client) | {field: typed}
    if field == "password1":
        data["password2"] = typed
    response = client.post(STEP_1, data)
    assert response.status_code == 200
    form = response.context["form"]
    bound = form[field] if field in form.fields else None
    assert bound is not None and any(told in error for error in bound.errors), form.errors
    page = response.content.decode()
    for kept in ("username", "last_name", "first_name", "email", "phone"):
        if kept != field:
            assert f'value="{data[kept]}"' in page
    assert NEW_PASSWORD not in page
    assert not User.objects.exists()


def test_a_wrong_answer_does_not_ask_for_the_password_again(client):
    data = person() | answer_to(client) | {"captcha": "ZZZZ"}
    page = client.post(STEP_1, data).content.decode()
    assert "Mot de passe déjà saisi. Laissez vide pour le garder." in page
    again = person(password1="", password2="") | answer_to(client)
    assert client.post(STEP_1, again).status_code == 302
    assert check_password(NEW_PASSWORD, client.session[KEY]["password"])


NAMED = {"username": "jeanne.lambertin", "first_name": "Jeanne", "last_name": "Lambertin", "email": "jl@exemple.fr"}
LIKE_THE_NAME = {"password1": "jeanne.lambertin-x", "password2": "jeanne.lambertin-x"}


def test_a_password_sent_before_the_name_that_it_resembles_is_not_kept(client):
    alone = dict.fromkeys(NAMED, "") | LIKE_THE_NAME
    client.post(STEP_1, person(**alone) | answer_to(client))
    page = client.post(STEP_1, person(**NAMED, password1="", password2=""))
    assert page.status_code == 200 and "password1" in page.context["form"].errors
    page = client.post(STEP_1, person(**NAMED | LIKE_THE_NAME))
    assert "trop semblable" in page.text and "person" not in client.session[KEY]


def test_a_name_changed_after_the_password_asks_for_it_again_and_keeps_the_rest(client):
    marc = {"username": "marc.roux", "first_name": "Marc", "last_name": "Roux", "email": "marc.roux@exemple.fr"}
    other = person(**marc, **LIKE_THE_NAME) | answer_to(client)
    assert client.post(STEP_1, other).status_code == 302
    page = client.post(STEP_1, person(**NAMED, password1="", password2=""))
    assert page.status_code == 200
    assert "Vos informations ont changé" in page.context["form"].errors["password1"][0]
    assert 'value="jeanne.lambertin"' in page.text and "Laissez vide pour le garder" not in page.text
    assert not client.session[KEY]["password"]
    assert client.post(STEP_1, person(**NAMED, password1="", password2="")).status_code == 200
    assert client.post(STEP_1, person(**NAMED)).status_code == 302
    assert check_password(NEW_PASSWORD, client.session[KEY]["password"])


def test_a_right_answer_does_not_ask_for_another_challenge(client):
    page = client.post(STEP_1, person(phone="06 12") | answer_to(client)).content.decode()
    assert "captcha_key" not in page
    assert client.post(STEP_1, person()).status_code == 302


def test_a_challenge_opens_step_1_ten_times_at_most(client):
    client.post(STEP_1, person(phone="06 12") | answer_to(client))
    pages = [client.post(STEP_1, person(phone="06 12")).content.decode() for _ in range(9)]
    assert ["captcha_key" in page for page in pages] == [False] * 8 + [True]


def test_a_challenge_takes_one_answer(client):
    right = answer_to(client)
    client.post(STEP_1, person() | right | {"captcha": "ZZZZ"})
    assert client.post(STEP_1, person() | right).status_code == 200


def test_an_old_challenge_is_refused(client, time_machine):
    right = answer_to(client)
    CaptchaStore.objects.update(expiration=timezone.now())
    assert client.post(STEP_1, person() | right).status_code == 200


def test_the_image_shows_four_characters(client, monkeypatch):
    """Each of them, none with a look-alike; neither the page nor a header tells them."""
    assert not set(CHARACTERS) & set("0125689BGIJLOQSUVZ")
    monkeypatch.setattr("captcha.conf.settings.CAPTCHA_LETTER_ROTATION", None)
    monkeypatch.setattr("captcha.conf.settings.CAPTCHA_NOISE_FUNCTIONS", ())
    images, answers, told = {}, [], []
    for shown in ("ACDE", "HCDE", "AHDE", "ACHE", "ACDH", "ACDE"):
        page = client.get(STEP_1)
        challenge = page.context["challenge"]
        [answer] = (store := CaptchaStore.objects.filter(hashkey=challenge["key"])).values_list("challenge", flat=True)
        assert len(answer) == 4 and set(answer) <= set(CHARACTERS)
        answers.append(answer.lower())
        told.append(set(re.findall(r"\w+", f"{page.headers} {page.content.decode()}".lower())))
        store.update(challenge=shown)
        image = client.get(challenge["image"])
        assert image["Content-Type"] == "image/png"
        images.setdefault(shown, set()).add(image.content)
    in_every_page = set.intersection(*told)
    assert not [answer for answer, words in zip(answers, told, strict=True) if answer in words - in_every_page]
    assert [len(same) for same in images.values()] == [1] * 5  # the same characters, the same image
    assert len(set.union(*images.values())) == 5


def test_who_cannot_read_the_image_answers_a_written_question(client):
    asked = client.post(STEP_1, person() | {"challenge": "written"})
    page = asked.content.decode()
    assert "Écrivez" in asked.context["challenge"]["question"] and asked.context["challenge"]["question"] in page
    assert 'value="jean.sante"' in page
    assert "fr-message--error" not in page
    assert client.post(STEP_1, person() | answer_to(client, kind="written")).status_code == 302


def test_another_image_keeps_what_was_typed(client):
    page = client.post(STEP_1, person() | {"challenge": "image"}).content.decode()
    assert 'value="jean.sante@exemple.fr"' in page
    assert "Mot de passe déjà saisi" in page


def test_every_written_question_fits_the_store_and_has_its_answer(client):
    for _ in range(60):
        answer = answer_to(client, kind="written")
        assert answer["captcha"]
        cache.clear()


def test_a_taken_user_name_is_said_at_once_with_others_to_choose_from(client):
    UserFactory(username="Jean.Sante")
    response = fill_person(client)
    assert "Ce nom d’utilisateur est déjà pris." in response.content.decode()
    suggestions = response.context["form"].suggestions
    assert len(suggestions) == 3 and "j.sante" in suggestions
    assert fill_person(client, username=suggestions[0]).status_code == 302


def test_a_robot_does_not_learn_which_user_names_are_taken(client):
    UserFactory(username="jean.sante")
    response = client.post(STEP_1, person() | answer_to(client) | {"captcha": "ZZZZ"})
    assert "déjà pris" not in response.content.decode()


def test_one_address_cannot_try_without_end(client):
    statuses = [client.post(STEP_1, {}).status_code for _ in range(61)]
    assert statuses == [200] * 60 + [429]


# --- a taken e-mail -----------------------------------------------------------------------------------------
def test_a_taken_email_is_never_revealed(client, establishment):
    owner = UserFactory(email="jean.sante@exemple.fr")
    other = Client()
    for visitor, email in ((client, "jean.sante@exemple.fr"), (other, "libre@exemple.fr")):
        username = f"visiteur.{email[0]}"
        step = fill_person(visitor, email=email, username=username)
        assert (step.status_code, step["Location"]) == (302, reverse("accounts:register_establishment"))
        fill_establishment(visitor, establishment)
        end = visitor.post(reverse("accounts:register_recap"))
        assert (end.status_code, end["Location"]) == (302, reverse("accounts:registered"))
    pages = [_words(visitor.get(reverse("accounts:registered"))) for visitor in (client, other)]
    assert pages[0] == pages[1]
    assert User.objects.filter(email__iexact=owner.email).count() == 1
    assert Letter.objects.filter(name="registration_attempted", recipient=owner.email).count() == 1
    assert not Letter.objects.filter(name="activation", recipient=owner.email).exists()


def test_the_user_name_does_not_reveal_it_either(client, establishment):
    UserFactory(email="prise@exemple.fr")
    for email in ("prise@exemple.fr", "libre@exemple.fr"):
        name = email.split("@")[0]
        register(Client(), establishment, email=email, username=f"curieux.{name}")
        told = fill_person(Client(), email="autre@exemple.fr", username=f"curieux.{name}")
        assert "Ce nom d’utilisateur est déjà pris." in told.content.decode()
        again = fill_person(Client(), email=email, username=f"curieux.{name}")
        assert again.status_code == 302
        cache.clear()


def test_neither_does_a_sign_in_with_the_chosen_password(client, establishment):
    UserFactory(email="prise@exemple.fr")
    pages = []
    for email in ("prise@exemple.fr", "libre@exemple.fr"):
        register(Client(), establishment, email=email, username=f"curieux.{email[0]}")
        form = {"login": f"curieux.{email[0]}", "password": NEW_PASSWORD}
        response = Client().post(reverse("account_login"), form)
        pages.append((response.status_code, _words(response).replace(form["login"], "")))
    assert pages[0] == pages[1]


def test_the_owner_of_an_email_gets_few_letters(establishment):
    owner = UserFactory(email="jean.sante@exemple.fr")
    for rank in range(5):
        register(Client(), establishment, username=f"curieux{rank}")
    assert Letter.objects.filter(name="registration_attempted", recipient=owner.email).count() == 3


def test_the_newest_registration_of_an_email_wins(client, establishment):
    register(Client(), establishment, username="premier", first_name="Premier")
    first_link = f"/activation/{secret_of('activation')}/"
    register(Client(), establishment, username="second", first_name="Second")
    assert list(User.objects.values_list("username", flat=True)) == ["second"]
    assert client.post(first_link).status_code == 410
    assert not EmailAddress.objects.get().verified
    assert Letter.objects.filter(name="activation", state="cancelled").count() == 1
    assert client.post(f"/activation/{secret_of('activation')}/").status_code == 302
    assert EmailAddress.objects.get(user__username="second").verified


def test_a_name_never_activated_is_free_once_its_link_expired(client, establishment, time_machine):
    time_machine.move_to("2026-03-02 10:00Z")
    register(client, establishment, email="autre@exemple.fr")
    time_machine.move_to("2026-03-06 10:00Z")
    register(client, establishment)
    assert User.objects.get(username="jean.sante").email == "jean.sante@exemple.fr"


# --- the establishment --------------------------------------------------------------------------------------
def test_steps_cannot_be_skipped(client):
    for name in ("register_establishment", "choose_establishment", "check_establishment", "register_recap"):
        response = client.get(reverse(f"accounts:{name}"), follow=True)
        assert response.redirect_chain[-1][0] == STEP_1


def test_a_wrong_type_or_region_has_its_message(client):
    fill_person(client)
    response = client.post(reverse("accounts:register_establishment"), {"kind": "ehpad", "region": "00"})
    form = response.context["form"]
    assert form["kind"].errors == ["Choisissez une réponse de la liste."]
    assert form["region"].errors == ["Choisissez une réponse de la liste."]


def test_the_list_holds_the_open_ones_of_that_type_and_region(client, establishment):
    elsewhere = EstablishmentFactory(region=RegionFactory(code="75"))
    closed = EstablishmentFactory(closed_on="2025-01-01")
    private = EstablishmentFactory(private=True)
    fill_person(client)
    fill_establishment(client, establishment)
    page = client.get(reverse("accounts:choose_establishment")).content.decode()
    assert establishment.finess in page
    for other in (elsewhere, closed, private):
        assert other.finess not in page
        response = client.post(reverse("accounts:choose_establishment"), {"establishment": other.pk})
        assert "Cet établissement ne peut pas être choisi." in response.content.decode()


@pytest.mark.parametrize("sent", ["", "0", "abc", "²", "9" * 30])
def test_what_the_browser_sends_is_checked_again(client, establishment, sent):
    fill_person(client)
    fill_establishment(client, establishment)
    response = client.post(reverse("accounts:choose_establishment"), {"establishment": sent})
    assert "Cet établissement ne peut pas être choisi." in response.content.decode()


def test_an_establishment_that_closes_meanwhile_is_refused(client, establishment):
    fill_person(client)
    fill_establishment(client, establishment)
    Establishment.objects.update(closed_on="2026-01-01")
    assert client.post(reverse("accounts:register_recap")).status_code == 302
    assert not User.objects.exists()


@MEASURES_LIKENESS
def test_a_misspelt_town_shows_the_nearest_and_says_so_without_a_query_more_when_well_spelt(client):
    meant = EstablishmentFactory(legal_entity=LegalEntityFactory(name="CLINIQUE DU PARC", town="CARCASSONNE"))
    EstablishmentFactory()
    fill_person(client)
    fill_establishment(client, meant)

    def look_for(words):
        with CaptureQueriesContext(connection) as asked:
            page = client.get(reverse("accounts:choose_establishment"), {"q": words})
        is_guess = "Rien ne correspond exactement à votre recherche." in page.content.decode()
        similar = [query for query in asked if "similarity" in query["sql"].lower()]
        return [row.record for row in page.context["table"].paginated_rows], is_guess, bool(similar)

    assert look_for("carcassonne") == ([meant], False, False)
    assert look_for("carcasone") == ([meant], True, True)
    assert look_for("strasbourg") == ([], False, True)


def test_a_ght_is_found_by_its_code_and_shows_its_members(client):
    member = LegalEntityFactory(name="CH LODEVE", town="LODEVE")
    ght = GhtFactory(code="OCC-77", name="COEUR D’OC", members=[member])
    EstablishmentFactory.create_batch(2, as_ght=True)
    establishment = EstablishmentFactory(kind="ght", ght=ght, legal_entity=ght.support)
    fill_person(client)
    fill_establishment(client, establishment)
    page = client.get(reverse("accounts:choose_establishment"), {"q": "occ-77"}).content.decode()
    assert page.count("Sélectionner</button>") == 1 and "Code GHT" in page
    facts = client.get(reverse("accounts:check_establishment")).content.decode()
    assert "OCC-77" in facts and ght.support.finess in facts and "CH LODEVE" in facts
    found = client.get(reverse("accounts:check_establishment"), {"q": "lodève"}).context["table"]
    assert [row.record.name for row in found.rows] == ["CH LODEVE"]


def test_the_entities_are_searched_paged_by_the_length_one_chooses_and_lead_to_the_support(client, settings):
    establishment = EstablishmentFactory()
    for letter in "ABCDEFGHIJK":
        SiteFactory(legal_entity=establishment.legal_entity, name=f"CENTRE {letter * 3}")
    fill_person(client)
    fill_establishment(client, establishment)
    address = reverse("accounts:check_establishment")
    page = client.get(address).text
    assert page.count("CENTRE ") == 10 and 'name="per_page"' in page and settings.SUPPORT_ADDRESS in page
    assert "CENTRE KKK" not in page and "CENTRE KKK" in client.get(address, {"page": 2}).text
    assert client.get(address, {"per_page": 25}).text.count("CENTRE ") == 11
    few = client.get(address, {"q": "centre hhh"}).text
    assert few.count("CENTRE ") == 1 and 'name="per_page"' in few


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_costs_the_same_however_long(client, django_assert_num_queries, count):
    establishments = EstablishmentFactory.create_batch(count, as_ght=True)
    fill_person(client)
    fill_establishment(client, establishments[0])
    with django_assert_num_queries(4):
        client.get(reverse("accounts:choose_establishment"))


@pytest.mark.parametrize("count", [1, 3])
def test_the_entities_cost_the_same_however_many(client, django_assert_num_queries, count):
    establishment = EstablishmentFactory()
    SiteFactory.create_batch(count - 1, legal_entity=establishment.legal_entity)
    fill_person(client)
    fill_establishment(client, establishment)
    with django_assert_num_queries(4):
        client.get(reverse("accounts:check_establishment"))


# --- the database has the last word -------------------------------------------------------------------------
def test_two_people_never_share_an_email_or_a_name():
    user = UserFactory()
    with pytest.raises(IntegrityError):
        UserFactory(email=user.email.upper())


def test_a_signed_in_person_does_not_register(signed_in):
    assert signed_in(UserFactory()).get(STEP_1)["Location"] == reverse("accounts:account")


def _words(response) -> str:
    """The page without its tokens."""
    return response.content.decode().replace(str(response.context["csrf_token"]), "")


@pytest.mark.parametrize("name", ["J.-M.", "St. Jean", "Le Goff-D’Arc", "O'Brien", "Martin Jr.", "Nguyễn", "De la Rue"])
def test_names_of_all_kinds_are_names(name):
    assert re.fullmatch(NAME, name)
