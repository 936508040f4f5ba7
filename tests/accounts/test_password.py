"""A forgotten password, and another one."""

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.test import Client

from accounts.passwords import CommonWordsValidator
from ecare.letters.models import Letter
from tests.accounts.steps import NEW_PASSWORD, give_code, give_password, secret_of
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return UserFactory()


def _link():
    return f"/mot-de-passe/nouveau/{secret_of('password_reset')}/"


def _new(password=NEW_PASSWORD, again=None):
    return {"password1": password, "password2": password if again is None else again}


def test_a_forgotten_password_is_replaced_by_mail(client, user, signed_in):
    elsewhere = signed_in(user)
    assert client.post("/mot-de-passe/", {"email": user.email.upper()})["Location"] == "/mot-de-passe/demande/"
    form = client.get(_link(), follow=True)
    assert secret_of("password_reset") not in form.redirect_chain[-1][0]
    assert client.post(form.redirect_chain[-1][0], _new())["Location"] == "/mot-de-passe/change/"
    assert elsewhere.get("/compte/").status_code == 302
    assert Letter.objects.filter(name="password_changed", recipient=user.email).count() == 1
    assert "incorrect" in give_password(Client(), user).content.decode()
    assert give_password(client, user, password=NEW_PASSWORD).status_code == 302
    assert give_code(client, secret_of("code")).status_code == 302


def test_a_link_serves_once(client, user):
    client.post("/mot-de-passe/", {"email": user.email})
    link = _link()
    form = client.get(link, follow=True).redirect_chain[-1][0]
    client.post(form, _new())
    assert "Ce lien n’est plus valable" in Client().get(link).content.decode()


def test_an_old_link_is_explained(client, user, time_machine):
    time_machine.move_to("2026-03-02 10:00Z")
    client.post("/mot-de-passe/", {"email": user.email})
    link = _link()
    time_machine.move_to("2026-03-03 10:00:01Z")
    assert "Ce lien n’est plus valable" in client.get(link).content.decode()


@pytest.mark.parametrize("key", ["1-abc-def", "zz-set-password", "9-x"])
def test_a_made_up_link_is_explained(client, key):
    assert "Ce lien n’est plus valable" in client.get(f"/mot-de-passe/nouveau/{key}/").content.decode()


def test_asking_tells_nothing_of_who_exists(user):
    answers = []
    for email in (user.email, "inconnue@exemple.fr"):
        response = Client().post("/mot-de-passe/", {"email": email}, follow=True)
        page = response.content.decode().replace(str(response.context["csrf_token"]), "")
        answers.append((response.status_code, response.redirect_chain, page))
    assert answers[0] == answers[1]
    assert Letter.objects.get(recipient="inconnue@exemple.fr").name == "account_not_found"


def test_a_stranger_elsewhere_keeps_nobody_from_asking(client, user):
    stranger = Client(REMOTE_ADDR="203.0.113.9")
    assert [stranger.post("/mot-de-passe/", {"email": user.email}).status_code for _ in range(7)][-1] == 429
    assert client.post("/mot-de-passe/", {"email": user.email}).status_code == 302


def test_a_mailbox_cannot_be_flooded(client, user):
    for _ in range(6):
        client.post("/mot-de-passe/", {"email": user.email})
        cache.clear()
    assert Letter.objects.filter(name="password_reset").count() == 3


@pytest.mark.parametrize(
    ("data", "field", "told"),
    [
        (_new("Court-1"), "password1", "12"),
        (_new("Montagne-Bleue-77", "Montagne-Verte-77"), "password2", "différents"),
        (_new("Motdepasse-2026!"), "password1", "trop courant"),
        (_new(""), "password1", "Renseignez ce champ."),
    ],
)
def test_a_weak_password_is_refused(client, user, data, field, told):
    client.post("/mot-de-passe/", {"email": user.email})
    form = client.get(_link(), follow=True).redirect_chain[-1][0]
    assert told in " ".join(client.post(form, data).context["form"][field].errors)
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_a_signed_in_person_changes_their_password(user, signed_in):
    client, elsewhere = signed_in(user), signed_in(user)
    former = client.session.session_key
    response = client.post("/compte/mot-de-passe/", {"oldpassword": PASSWORD} | _new(), follow=True)
    assert "Votre mot de passe est changé." in response.content.decode()
    assert client.session.session_key != former
    assert client.get("/compte/").status_code == 200
    assert elsewhere.get("/compte/").status_code == 302
    assert Letter.objects.filter(name="password_changed").count() == 1


def test_the_present_password_is_asked(user, signed_in):
    response = signed_in(user).post("/compte/mot-de-passe/", {"oldpassword": "faux"} | _new())
    assert response.context["form"]["oldpassword"].errors == [
        "Ce n’est pas votre mot de passe actuel. Tapez-le à nouveau, ou passez par « Mot de passe oublié ? »."
    ]
    assert not Letter.objects.exists()


@pytest.mark.parametrize("password", ["motdepasse123", "Hopital.Paris.75", "AzertyAzerty1!", "Convergence-2026"])
def test_french_common_words_are_no_password(password):
    with pytest.raises(ValidationError):
        CommonWordsValidator().validate(password)


@pytest.mark.parametrize("password", ["Sommeil-Profond-42", "Montagne-Bleue-77", "xK3!fQ9-zzRt", "492-17-88-3341"])
def test_other_words_are(password):
    CommonWordsValidator().validate(password)


def test_a_common_password_is_refused_once_with_what_to_do():
    for password in ("password1234", "Motdepasse-2026!"):
        with pytest.raises(ValidationError) as refused:
            validate_password(password)
        assert refused.value.messages == ["Ce mot de passe est trop courant. Mélangez des mots sans rapport entre eux."]
