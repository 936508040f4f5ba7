"""What a person does to register and to sign in, as the tests do it."""

from captcha.models import CaptchaStore
from django.urls import reverse
from django_otp.oath import totp

from accounts import second_factor
from accounts.models import Authenticator, SignInCode
from ecare.letters.models import Letter
from ecare.sealing import unseal
from tests.factories import PASSWORD

NEW_PASSWORD = "Montagne-Bleue-77"


def secret_of(name, to=None):
    """What the latest letter of that name would carry."""
    letters = Letter.objects.filter(name=name).order_by("-created_at")
    letter = letters.filter(recipient=to).first() if to else letters.first()
    return unseal(bytes(letter.secret), purpose="letter").decode()


def answer_to(client, *, kind="image"):
    """The fields of the challenge that the page shows, rightly answered."""
    challenge = client.post(reverse("accounts:challenge"), {"kind": kind}).json()
    store = CaptchaStore.objects.get(hashkey=challenge["key"])
    return {"captcha_key": challenge["key"], "captcha_kind": kind, "captcha": store.response}


def person(**changes):
    """A valid first step but for its challenge."""
    return {
        "username": "jean.sante",
        "civility": "monsieur",
        "last_name": "Santé",
        "first_name": "Jean",
        "email": "jean.sante@exemple.fr",
        "password1": NEW_PASSWORD,
        "password2": NEW_PASSWORD,
        "phone": "+33 6 12 34 56 78",
    } | changes


def fill_person(client, **changes):
    return client.post(reverse("accounts:register"), person(**changes) | answer_to(client))


def fill_establishment(client, establishment):
    client.post(
        reverse("accounts:register_establishment"), {"kind": establishment.kind, "region": establishment.region_id}
    )
    return client.post(reverse("accounts:choose_establishment"), {"establishment": establishment.pk})


def register(client, establishment, **changes):
    """The three steps."""
    assert fill_person(client, **changes).status_code == 302
    assert fill_establishment(client, establishment).status_code == 302
    return client.post(reverse("accounts:register_recap"))


def give_password(client, user, *, login=None, password=PASSWORD, **query):
    return client.post(
        reverse("account_login", query=query or None), {"login": login or user.username, "password": password}
    )


def give_code(client, code):
    return client.post(reverse("account_sign_in_code"), {"code": code})


# --- the second factor --------------------------------------------------------------------------------------------
def shown(key, *, steps=0):
    """What an application that holds this key shows, so many steps of 30 s from now."""
    return f"{totp(key, t0=-30 * steps):06d}"


def enrolled(user):
    """Give this person an application, enrolled a minute ago, and recovery codes: the key, the codes."""
    key = Authenticator.new_key()
    attempt = SignInCode.objects.create(user=user)
    codes = second_factor.enrol(user, key=key, typed=shown(key, steps=-1), attempt=attempt, current="")
    user.refresh_from_db()
    return key, codes


def give_second(client, code, **query):
    return client.post(reverse("account_second_factor", query=query or None), {"code": code})


def another(code):
    """Six digits that are not these, nor their neighbours'."""
    return f"{(int(code) + 1) % 10**6:06d}"
