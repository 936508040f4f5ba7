"""The code of the application, after the mailed one: nothing is open in between; guesses, replays and the way out."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts import actions, second_factor
from accounts.actions import Outcome
from accounts.models import Authenticator, RecoveryCode, SignInCode
from ecare.journal.models import Entry
from ecare.letters.models import Letter
from tests.accounts.steps import (
    NEW_PASSWORD,
    another,
    enrolled,
    give_code,
    give_password,
    give_second,
    secret_of,
    shown,
)
from tests.applications.pages import text_of
from tests.factories import UserFactory
from tests.racing import at_once

PAGE = "/connexion/double-authentification/"


@pytest.fixture
def user(db):
    return UserFactory(ans=True)


@pytest.fixture
def key(user):
    return enrolled(user)[0]


def half_way(user, **query):
    """A browser that gave the password and the mailed code."""
    client = Client()
    give_password(client, user, **query)
    assert give_code(client, secret_of("code", to=user.email))["Location"] == PAGE
    return client


def test_the_third_step_opens_the_session(user, key):
    client = half_way(user, next="/compte/")
    assert "Code de votre application" in client.get(PAGE).text
    assert give_second(client, shown(key))["Location"] == "/compte/"
    assert client.get("/compte/").status_code == 200
    assert Entry.objects.filter(subject=f"user:{user.pk}", verb="sign_in").get().data == {
        "second_factor": "application"
    }


def test_nothing_is_open_between_the_codes(user, key):
    client = half_way(user)
    for page in ("/compte/", "/verification/", "/compte/double-authentification/", "/administration/"):
        assert client.get(page)["Location"].startswith(("/connexion/", "/administration/login/")), page
    assert not SignInCode.objects.filter(user=user, confirmed=True, given_at__isnull=False).exists()
    assert not Entry.objects.filter(verb="sign_in").exists()
    assert client.get("/connexion/code/").status_code == 302, "the mailed code is behind"


def test_the_page_is_nobodys_without_the_mailed_code(user, key, client):
    assert client.get(PAGE)["Location"] == "/connexion/"
    give_password(client, user)
    assert give_second(client, shown(key))["Location"] == "/connexion/"
    assert client.get("/compte/").status_code == 302


def test_whoever_has_no_application_is_not_asked(db, client):
    user = UserFactory(ars=True)
    give_password(client, user)
    assert give_code(client, secret_of("code"))["Location"] == "/verification/"


@pytest.mark.parametrize(("steps", "is_taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_one_step_before_and_after_is_taken(user, steps, is_taken, time_machine):
    time_machine.move_to("2026-03-02 10:00:07Z", tick=False)
    key, _ = enrolled(user)
    Authenticator.objects.update(last_t=-1)
    assert (give_second(half_way(user), shown(key, steps=steps)).status_code == 302) == is_taken


def test_the_same_step_opens_nothing_twice(user, key):
    code = shown(key)
    assert give_second(half_way(user), code).status_code == 302
    page = give_second(half_way(user), code)
    assert page.status_code == 200 and "Un code ne sert qu’une fois" in text_of(page)
    assert give_second(half_way(user), shown(key, steps=-1)).status_code == 200, "nor does an earlier one"


def test_the_code_of_the_enrolment_does_not_sign_in(user):
    key, _ = enrolled(user)
    assert give_second(half_way(user), shown(key, steps=-1)).status_code == 200


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "BCDFG"])
def test_what_is_no_code_costs_no_try(user, key, typed):
    page = give_second(half_way(user), typed)
    assert page.status_code == 200 and page.context["form"].errors
    assert not SignInCode.objects.filter(second_failures__gt=0).exists()


def test_spaces_are_forgiven(user, key):
    code = shown(key)
    assert give_second(half_way(user), f" {code[:3]} {code[3:]} ").status_code == 302


def test_five_wrong_codes_end_the_sign_in(user, key):
    client, code = half_way(user), another(shown(key))
    for left in ("4 essais", "3 essais", "2 essais", "1 essai"):
        assert f"Il vous reste {left}." in text_of(give_second(client, code))
    answer = give_second(client, code)
    assert answer["Location"] == "/connexion/"
    assert "Recommencez-la" in text_of(client.get("/connexion/"))
    assert give_second(client, shown(key))["Location"] == "/connexion/", "it is over"


def test_ten_failures_a_day_close_the_application_not_the_recovery_codes(user, time_machine):
    time_machine.move_to("2026-03-02 10:00Z", tick=False)
    key, codes = enrolled(user)
    SignInCode.objects.filter(user=user).update(second_failures=10)
    client = half_way(user)
    told = text_of(give_second(client, shown(key)))
    assert "Patientez jusqu’au 3 mars 2026 à 11 h 00" in told and "codes de secours" in told
    assert "incorrect" not in told
    assert give_second(client, codes[0], secours="").status_code == 302
    time_machine.move_to("2026-03-03 10:00:01Z", tick=False)
    assert give_second(half_way(user), shown(key)).status_code == 302


def test_a_new_password_does_not_lift_the_throttle_of_the_application(user, key):
    """Whoever reads the mailbox can choose a new password: it must not buy ten guesses more."""
    SignInCode.objects.filter(user=user).update(second_failures=10)
    actions.change_password(user, NEW_PASSWORD)
    client = Client()
    give_password(client, user, password=NEW_PASSWORD)
    give_code(client, secret_of("code"))
    assert "Patientez" in text_of(give_second(client, shown(key)))


def test_a_new_password_ends_a_sign_in_that_waits_for_the_application(user, key):
    client = half_way(user)
    actions.change_password(user, NEW_PASSWORD)
    assert give_second(client, shown(key))["Location"] == "/connexion/"
    assert client.get("/compte/").status_code == 302


def test_a_recovery_code_opens_once_and_its_owner_is_told(user):
    _, codes = enrolled(user)
    client = half_way(user)
    assert "Code de secours" in client.get(PAGE, {"secours": ""}).text
    assert give_second(client, codes[0].lower().replace("-", " "), secours="").status_code == 302
    assert client.get("/compte/").status_code == 200
    letter = Letter.objects.get(name="recovery_code_used")
    assert letter.recipient == user.email and "Il vous reste 9 codes de secours" in letter.text
    assert codes[0] not in letter.text
    assert give_second(half_way(user), codes[0], secours="").status_code == 200, "once"
    assert second_factor.codes_left(user) == 9


def test_the_code_of_somebody_else_opens_nothing(user, key):
    _, codes = enrolled(UserFactory(ans=True))
    assert give_second(half_way(user), codes[0], secours="").status_code == 200


def test_recovery_codes_are_kept_as_hashes_bound_to_the_person(user):
    _, codes = enrolled(user)
    kept = RecoveryCode.objects.filter(user=user).values_list("token", flat=True)
    assert len(kept) == 10 and all(len(token) == 64 for token in kept)
    assert not any(code.replace("-", "") in "".join(kept) for code in codes)
    assert RecoveryCode.digest(user, codes[0]) != RecoveryCode.digest(UserFactory(), codes[0])


def test_the_key_is_sealed_at_rest(user, key):
    device = Authenticator.objects.get()
    assert device.key == "" and key not in bytes(device.sealed_key) and device.bin_key == key


def test_a_session_without_the_application_ends_once_one_is_enrolled(user, signed_in):
    """Also one that was opened while another browser enrolled."""
    client = signed_in(user)
    assert client.get("/compte/").status_code == 200
    attempt = SignInCode.objects.filter(user=user).first()
    enrolled(user)
    late = Client()
    late.force_login(user, backend="accounts.backends.ActivatedBackend")
    session = late.session
    session["otp_device_id"] = attempt.persistent_id
    session.save()
    for browser in (client, late):
        assert browser.get("/compte/").status_code == 302


def test_a_deactivated_person_is_stopped_here_too(user, key):
    client = half_way(user)
    user.is_active = False
    user.save()
    give_second(client, shown(key))
    assert client.get("/compte/").status_code == 302


def test_going_back_ends_the_attempt(user, key):
    client = half_way(user)
    assert client.post(PAGE, {"cancel": "1"})["Location"] == "/connexion/"
    assert client.get(PAGE)["Location"] == "/connexion/"


def test_the_key_of_the_session_changes_at_each_step(user, key):
    client = Client()
    give_password(client, user)
    seen = [client.cookies["sessionid"].value]
    give_code(client, secret_of("code"))
    seen.append(client.cookies["sessionid"].value)
    give_second(client, shown(key))
    seen.append(client.cookies["sessionid"].value)
    assert len(set(seen)) == 3


# --- at once ------------------------------------------------------------------------------------------------------
def _together(call, times):
    return [checked.outcome for checked in at_once(*[lambda rank=rank: call(rank) for rank in range(times)])]


def _attempts(user, count):
    given = {"user": user, "confirmed": False, "given_at": timezone.now(), "created_at": timezone.now()}
    return [SignInCode.objects.create(**given) for _ in range(count)]


@pytest.mark.django_db(transaction=True)
def test_of_parallel_guesses_five_are_looked_at():
    user = UserFactory(ans=True)
    key, _ = enrolled(user)
    [attempt], wrong = _attempts(user, 1), another(shown(key))
    found = _together(lambda _: second_factor.check(attempt, wrong), 12)
    assert found.count(Outcome.WRONG) == 5 and found.count(Outcome.SPENT) == 7


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["application", "recovery"])
def test_one_code_opens_one_of_many_simultaneous_sign_ins(kind):
    user = UserFactory(ans=True)
    key, codes = enrolled(user)
    code = shown(key) if kind == "application" else codes[0].replace("-", "")
    attempts = _attempts(user, 5)
    found = _together(lambda rank: second_factor.check(attempts[rank], code), 5)
    assert found.count(Outcome.RIGHT) == 1
    assert SignInCode.objects.filter(user=user, second_factor_at__isnull=False, given_at__isnull=False).count() == 1


@pytest.mark.django_db
def test_failures_a_day_old_no_longer_count(user):
    key, _ = enrolled(user)
    old = {"created_at": timezone.now() - timedelta(days=1, minutes=1), "second_failures": 10}
    SignInCode.objects.filter(user=user).update(**old)
    assert give_second(half_way(user), shown(key)).status_code == 302
