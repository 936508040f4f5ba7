"""« Double authentification » under « Votre compte »: enrolled, its codes shown once, renewed, removed, reset."""

import re
from base64 import b32decode, b32encode
from xml.etree import ElementTree

import pytest
from django.core.cache import cache
from django.test import Client

from accounts import second_factor
from accounts.models import Authenticator, OpenSession, RecoveryCode, SignInCode
from ecare.journal.models import Entry
from ecare.letters.models import Letter
from tests.accounts.steps import another, enrolled, give_code, give_password, give_second, secret_of, shown
from tests.applications.pages import text_of
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

HOME = "/compte/double-authentification/"
ENROL, IMAGE, CODES = f"{HOME}activer/", f"{HOME}activer/qr.svg", f"{HOME}codes/"
RENEW, REMOVE = f"{CODES}renouveler/", f"{HOME}desactiver/"


@pytest.fixture
def user():
    return UserFactory(ars=True)


@pytest.fixture
def client(user, signed_in):
    return signed_in(user)


def key_on(page) -> bytes:
    """As a person copies it."""
    return b32decode(re.search(r"<code>([A-Z2-7 ]+)</code>", page.text)[1].replace(" ", ""))


def verbs_of(user):
    return list(Entry.objects.filter(subject=f"user:{user.pk}").order_by("sequence").values_list("verb", flat=True))


# --- enrolment ----------------------------------------------------------------------------------------------------
def test_an_agent_enrols_and_signs_in_with_the_application(user, client):
    assert "Activer la double authentification" in client.get(HOME).text
    page = client.get(ENROL)
    key = key_on(page)
    assert len(key) == 20 and re.search(r"<code>([A-Z2-7]{4} ){7}[A-Z2-7]{4}</code>", page.text)
    answer = client.post(ENROL, {"code": shown(key)})
    assert answer["Location"] == CODES
    user.refresh_from_db()
    assert user.second_factor_since is not None
    assert client.get(HOME).status_code == 200, "this session goes on"
    assert verbs_of(user) == ["enrol"]
    assert "dix codes de secours" in Letter.objects.get(name="second_factor_enrolled").text
    other = Client()
    give_password(other, user)
    give_code(other, secret_of("code"))
    assert give_second(other, shown(key, steps=1)).status_code == 302
    assert other.get("/compte/").status_code == 200


def test_the_image_carries_the_key_that_the_page_shows(user, client):
    assert client.get(IMAGE).status_code == 404, "nothing is offered yet"
    key = key_on(client.get(ENROL))
    image = client.get(IMAGE)
    assert image["Content-Type"] == "image/svg+xml" and "no-store" in image["Cache-Control"]
    assert ElementTree.fromstring(image.content).tag.endswith("svg") and b"<script" not in image.content
    address = Authenticator.of(user, key).config_url
    assert address.startswith(f"otpauth://totp/eCaRE%3A{user.username}?secret={b32encode(key).decode()}")
    assert client.get(IMAGE).content == image.content


def test_the_page_takes_the_image_from_its_own_address(client):
    page = client.get(ENROL).text
    assert f'src="{IMAGE}"' in page and "data:image" not in page


def test_the_key_is_offered_to_one_session_alone(user, client, signed_in):
    assert key_on(client.get(ENROL)) == key_on(client.get(ENROL))
    assert key_on(client.get(ENROL)) != key_on(signed_in(user).get(ENROL))
    assert not Authenticator.objects.exists(), "nothing is kept before it is confirmed"


def test_the_session_holds_the_key_sealed(client):
    key = key_on(client.get(ENROL))
    kept = str(OpenSession.objects.get().get_decoded())
    for form in (key.hex(), b32encode(key).decode()):
        assert form not in kept


def test_a_wrong_code_enrols_nothing(user, client):
    key = key_on(client.get(ENROL))
    page = client.post(ENROL, {"code": another(shown(key))})
    assert "Ce n’est pas le code attendu" in text_of(page) and key_on(page) == key
    user.refresh_from_db()
    assert user.second_factor_since is None
    assert not Authenticator.objects.exists() and not RecoveryCode.objects.exists() and not Letter.objects.exists()


@pytest.mark.parametrize("typed", ["", "12345", "BCDFG-HJKMN"])
def test_only_six_digits_are_asked_for_here(client, typed):
    page = client.post(ENROL, {"code": typed})
    assert page.status_code == 200 and page.context["form"].errors


def test_every_other_session_ends(user, client, signed_in):
    elsewhere, half = signed_in(user), Client()
    give_password(half, user)
    client.post(ENROL, {"code": shown(key_on(client.get(ENROL)))})
    assert elsewhere.get("/compte/").status_code == 302
    assert half.get("/connexion/code/")["Location"] == "/connexion/"


def test_a_second_application_is_not_taken(user, client):
    key = key_on(client.get(ENROL))
    enrolled(user)
    attempt = SignInCode.objects.filter(user=user).first()
    with pytest.raises(second_factor.AlreadyEnrolled):
        second_factor.enrol(user, key=key, typed=shown(key), attempt=attempt, current="")
    assert Authenticator.objects.count() == 1


def test_the_key_is_never_shown_again(user, signed_in):
    key, codes = enrolled(user)
    client = signed_in(user)
    assert client.get(ENROL)["Location"] == HOME
    assert client.get(IMAGE).status_code == 404
    page = client.get(HOME).text
    assert b32encode(key).decode()[:4] not in page and codes[0] not in page


def test_guesses_are_limited(client):
    client.get(ENROL)
    assert [client.post(ENROL, {"code": "000000"}).status_code for _ in range(21)][-1] == 429


# --- recovery codes -----------------------------------------------------------------------------------------------
def test_the_codes_are_shown_once(user, client):
    client.post(ENROL, {"code": shown(key_on(client.get(ENROL)))})
    assert client.head(CODES).status_code == 302, "looking at the headers takes nothing"
    page = client.get(CODES)
    codes = page.context["codes"]
    assert len(set(codes)) == 10 and all(re.fullmatch(r"[A-Z0-9]{5}-[A-Z0-9]{5}", code) for code in codes)
    assert all(code in page.text for code in codes) and "no-store" in page["Cache-Control"]
    assert client.get(CODES)["Location"] == HOME
    assert codes[0] not in str(OpenSession.objects.get(user=user).get_decoded())


def test_the_number_left_is_shown(user, signed_in):
    _, codes = enrolled(user)
    RecoveryCode.objects.filter(token__in=[RecoveryCode.digest(user, code) for code in codes[:8]]).update(
        used_at=user.second_factor_since
    )
    page = text_of(signed_in(user).get(HOME))
    assert "2 sur 10" in page and "Il vous reste peu de codes" in page


def test_others_are_made_with_the_password(user, signed_in):
    _, former = enrolled(user)
    client = signed_in(user)
    assert "mot de passe actuel" in text_of(client.post(RENEW, {"password": "faux"}))
    assert client.post(RENEW, {"password": PASSWORD})["Location"] == CODES
    codes = client.get(CODES).context["codes"]
    assert len(codes) == 10 and not set(codes) & set(former)
    assert second_factor.codes_left(user) == RecoveryCode.objects.count() == 10
    assert not RecoveryCode.objects.filter(token=RecoveryCode.digest(user, former[0])).exists()
    assert Letter.objects.filter(name="recovery_codes_renewed", recipient=user.email).exists()


# --- removal and reset --------------------------------------------------------------------------------------------
def test_it_is_given_up_with_password_and_code(user, signed_in):
    key, _ = enrolled(user)
    client = signed_in(user)
    wrong = client.post(REMOVE, {"password": "faux", "code": shown(key)})
    assert "mot de passe actuel" in text_of(wrong)
    assert "Code incorrect" in text_of(client.post(REMOVE, {"password": PASSWORD, "code": another(shown(key))}))
    user.refresh_from_db()
    assert user.second_factor_since is not None
    assert client.post(REMOVE, {"password": PASSWORD, "code": shown(key)})["Location"] == HOME
    user.refresh_from_db()
    assert user.second_factor_since is None
    assert not Authenticator.objects.exists() and not RecoveryCode.objects.exists()
    assert "a été désactivée" in Letter.objects.get(name="second_factor_removed").text
    assert client.get("/compte/").status_code == 200
    assert verbs_of(user) == ["enrol", "remove_second_factor"]


def test_a_recovery_code_gives_it_up_too(user, signed_in):
    _, codes = enrolled(user)
    answer = signed_in(user).post(REMOVE, {"password": PASSWORD, "code": codes[3]})
    assert answer["Location"] == HOME and not Authenticator.objects.exists()


def test_guesses_here_count_with_those_of_sign_ins(user, signed_in):
    key, _ = enrolled(user)
    client = signed_in(user)
    for _ in range(10):
        client.post(REMOVE, {"password": PASSWORD, "code": another(shown(key))})
    assert "Patientez" in text_of(client.post(REMOVE, {"password": PASSWORD, "code": shown(key)}))
    cache.clear()
    half = Client()
    give_password(half, user)
    give_code(half, secret_of("code"))
    assert "Patientez" in text_of(give_second(half, shown(key)))


@pytest.mark.parametrize("page", [RENEW, REMOVE])
def test_there_is_nothing_to_renew_or_remove_without_one(client, page):
    assert client.get(page)["Location"] == HOME
    assert client.post(page, {"password": PASSWORD, "code": "000000"})["Location"] == HOME


def test_an_administrator_resets_it_for_somebody_who_lost_everything(user, signed_in):
    enrolled(user)
    theirs, admin = signed_in(user), signed_in(UserFactory(administrator=True))
    chosen = {"action": "reset_second_factor", "_selected_action": [user.pk]}
    page = admin.post("/administration/accounts/user/", chosen)
    assert str(user) in text_of(page) and "courrier" in text_of(page)
    assert Authenticator.objects.exists(), "nothing before it is confirmed"
    admin.post("/administration/accounts/user/", chosen | {"confirmed": "1"})
    user.refresh_from_db()
    assert user.second_factor_since is None and not Authenticator.objects.exists()
    assert theirs.get("/compte/").status_code == 302
    assert Letter.objects.get(name="second_factor_reset").recipient == user.email
    entry = Entry.objects.get(subject=f"user:{user.pk}", verb="reset_second_factor")
    assert entry.actor != f"user:{user.pk}"
    half = Client()
    give_password(half, user)
    assert give_code(half, secret_of("code"))["Location"] == "/verification/"


# --- who sees it --------------------------------------------------------------------------------------------------
def test_a_referent_has_no_such_tab_nor_page(signed_in):
    client = signed_in(UserFactory())
    assert "Double authentification" not in client.get("/compte/").text
    for page in (HOME, ENROL, IMAGE, CODES, RENEW, REMOVE):
        assert client.get(page).status_code == 403


@pytest.mark.parametrize("trait", ["ars", "ans", "administrator"])
def test_an_agent_has(signed_in, trait):
    page = signed_in(UserFactory(**{trait: True})).get("/compte/")
    assert f'<a href="{HOME}">Double authentification</a>' in page.text


def test_somebody_who_became_a_referent_may_still_give_it_up(user, signed_in):
    enrolled(user)
    user.role, user.establishment = "referent", UserFactory().establishment
    user.save()
    assert signed_in(user).get(REMOVE).status_code == 200


@pytest.mark.parametrize("page", [HOME, ENROL, RENEW, REMOVE])
def test_what_each_page_asks_of_the_database(user, signed_in, django_assert_num_queries, page):
    """Session, person, code of the sign-in, terms; then the application and the recovery codes."""
    if page != ENROL:
        enrolled(user)
    client = signed_in(user)
    client.get(page)
    count = {HOME: 6, ENROL: 4, RENEW: 5, REMOVE: 4}[page]
    with django_assert_num_queries(count):
        client.get(page)


def test_what_the_codes_ask(user, signed_in, django_assert_num_queries):
    enrolled(user)
    client = signed_in(user)
    client.post(RENEW, {"password": PASSWORD})
    count = 7  # and the session that forgets them, in a transaction of its own
    with django_assert_num_queries(count):
        assert client.get(CODES).status_code == 200
