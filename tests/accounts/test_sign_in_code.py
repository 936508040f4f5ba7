"""The mailed code: 8 digits, 10 minutes, 5 tries, bound to its sign-in."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts import actions
from accounts.actions import Outcome
from accounts.models import SignInCode
from ecare.letters.models import Letter
from tests.accounts.steps import give_code, give_password, secret_of
from tests.factories import UserFactory
from tests.racing import at_once

CODE = "/connexion/code/"


@pytest.fixture
def user(db):
    return UserFactory()


@pytest.fixture
def visitor(user):
    """Someone who gave the right password."""
    client = Client()
    give_password(client, user)
    return client


def _wrong(code):
    return f"{(int(code) + 1) % 10**8:08d}"


def _errors(response):
    return " ".join(response.context["form"]["code"].errors).replace("\u00a0", " ")


def test_the_code_has_8_digits_and_is_stored_as_a_keyed_hash(visitor):
    code = secret_of("code")
    attempt = SignInCode.objects.get()
    assert re.fullmatch(r"[0-9]{8}", code)
    assert len(attempt.token) == 64 and code not in attempt.token
    letter = Letter.objects.get(name="code")
    assert code not in letter.text + letter.html + letter.title
    assert letter.expires_at == attempt.valid_until


def test_letter_and_page_show_the_hour_and_the_same_reference(visitor):
    attempt, letter = SignInCode.objects.get(), Letter.objects.get(name="code")
    page = visitor.get(CODE).content.decode()
    assert re.fullmatch("[A-Z]{4}", attempt.reference)
    for text in (letter.text, letter.title, page):
        assert attempt.reference in text
    assert "jusqu’au" in page and "data-countdown" in page


@pytest.mark.parametrize("form", ["{}", " {} ", "{0:.4} {1}"])
def test_the_code_may_be_typed_with_spaces(visitor, form):
    code = secret_of("code")
    typed = f"{code[:4]} {code[4:]}" if "1" in form else form.format(code)
    assert give_code(visitor, typed).status_code == 302


@pytest.mark.parametrize("typed", ["", "1234567", "123456789", "abcdefgh", "١٢٣٤٥٦٧٨"])
def test_what_is_no_code_costs_no_try(visitor, typed):
    assert give_code(visitor, typed).status_code == 200
    assert SignInCode.objects.get().tries_left == 5


def test_a_wrong_code_says_how_many_tries_are_left(visitor):
    assert _errors(give_code(visitor, _wrong(secret_of("code")))).startswith(
        "Code incorrect. Il vous reste 4 essais. Vérifiez"
    )


def test_after_5_tries_even_the_right_code_is_useless(visitor):
    code = secret_of("code")
    for _ in range(5):
        give_code(visitor, _wrong(code))
    assert _errors(give_code(visitor, code)) == "Ce code n’est plus valable. Demandez un nouveau code."
    assert SignInCode.objects.get().failures == 5


def test_after_the_last_try_the_page_no_longer_calls_the_code_valid(visitor):
    code = secret_of("code")
    for _ in range(4):
        assert "Ce code est valable" in give_code(visitor, _wrong(code)).content.decode()
    response = give_code(visitor, _wrong(code))
    assert _errors(response) == "Code incorrect. C’était le dernier essai : demandez un nouveau code."
    assert "Ce code est valable" not in response.content.decode()
    assert "Ce code n’est plus valable" in response.content.decode()


def test_an_expired_code_is_useless(user, time_machine):
    time_machine.move_to("2026-03-02 10:00Z", tick=False)
    client = Client()
    give_password(client, user)
    code = secret_of("code")
    time_machine.move_to("2026-03-02 10:10Z", tick=False)
    assert "n’est plus valable" in _errors(give_code(client, code))
    time_machine.move_to("2026-03-02 10:09:59Z", tick=False)
    assert give_code(client, code).status_code == 302


def test_a_code_serves_once(user, visitor):
    code = secret_of("code")
    attempt = SignInCode.objects.get()
    assert give_code(visitor, code).status_code == 302
    assert actions.check_code(attempt, code).outcome is Outcome.SPENT


def test_a_code_opens_only_its_own_sign_in(user, visitor):
    code = secret_of("code")
    other = Client()
    give_password(other, user)
    assert secret_of("code") != code
    assert "Code incorrect" in _errors(give_code(other, code))
    assert give_code(visitor, code).status_code == 302


def test_the_code_of_another_person_is_useless(visitor):
    stranger = UserFactory()
    client = Client()
    give_password(client, stranger)
    code = secret_of("code", to=stranger.email)
    assert "Code incorrect" in _errors(give_code(visitor, code))


def test_a_new_code_waits_30_seconds_and_says_so(visitor):
    page = visitor.post(CODE, {"resend": "1"}, follow=True).content.decode().replace("\u00a0", " ")
    assert re.search(r"Patientez (29|30) s avant de demander un nouveau code", page)
    assert Letter.objects.filter(name="code").count() == 1


def test_a_new_code_makes_the_former_useless(user, time_machine):
    time_machine.move_to("2026-03-02 10:00Z", tick=False)
    client = Client()
    give_password(client, user)
    former = secret_of("code")
    time_machine.shift(timedelta(seconds=31))
    page = client.post(CODE, {"resend": "1"}, follow=True).content.decode()
    assert "Un nouveau code vient de vous être envoyé." in page
    assert Letter.objects.filter(name="code").order_by("created_at").first().state == "cancelled"
    assert "Code incorrect" in _errors(give_code(client, former))
    assert give_code(client, secret_of("code")).status_code == 302


def test_ten_failures_a_day_close_the_account_to_codes_for_a_day(user, time_machine):
    time_machine.move_to("2026-03-02 10:00Z", tick=False)
    for _ in range(2):
        client = Client()
        give_password(client, user)
        code = secret_of("code")
        for _ in range(5):
            give_code(client, _wrong(code))
    give_password(client := Client(), user)
    told = _errors(give_code(client, secret_of("code")))
    assert "Trop de codes erronés en 24 heures. Patientez jusqu’au 3 mars 2026 à 11 h 00, ou" in told
    assert "nouveau mot de passe" in told, "the way out is told"
    assert "incorrect" not in told
    time_machine.move_to("2026-03-03 10:00:01Z", tick=False)
    give_password(client := Client(), user)
    assert give_code(client, secret_of("code")).status_code == 302


def test_the_throttle_of_one_account_leaves_the_others_alone(user, visitor):
    SignInCode.objects.update(failures=10)
    other = UserFactory()
    client = Client()
    give_password(client, other)
    assert give_code(client, secret_of("code", to=other.email)).status_code == 302


def test_a_new_password_lifts_the_throttle_and_ends_sign_ins_under_way(user, visitor):
    SignInCode.objects.update(failures=10)
    actions.change_password(user, "Montagne-Bleue-77")
    assert visitor.get(CODE)["Location"] == "/connexion/"
    give_password(client := Client(), user, password="Montagne-Bleue-77")
    assert give_code(client, secret_of("code")).status_code == 302


def test_going_back_ends_the_attempt(visitor):
    assert visitor.post(CODE, {"cancel": "1"})["Location"] == "/connexion/"
    assert visitor.get(CODE)["Location"] == "/connexion/"


def test_codes_for_one_account_are_limited(user):
    for _ in range(10):
        assert give_password(Client(), user)["Location"] == CODE
    assert give_password(Client(), user)["Location"] == "/connexion/"
    assert Letter.objects.filter(name="code").count() == 10


def test_the_page_of_the_code_is_never_stored(visitor):
    assert "no-store" in visitor.get(CODE)["Cache-Control"]


@pytest.mark.django_db(transaction=True)
def test_of_parallel_guesses_five_are_looked_at():
    user = UserFactory()
    attempt = actions.open_sign_in(user)
    code = secret_of("code")

    def guess(rank):
        return actions.check_code(attempt, f"{(int(code) + 1 + rank) % 10**8:08d}").outcome

    verdicts = at_once(*[lambda rank=rank: guess(rank) for rank in range(20)])
    assert verdicts.count(Outcome.WRONG) == 5 and verdicts.count(Outcome.SPENT) == 15
    attempt.refresh_from_db()
    assert (attempt.tries_left, attempt.failures) == (0, 5)


@pytest.mark.django_db(transaction=True)
def test_of_parallel_guesses_over_many_sign_ins_ten_are_looked_at():
    user = UserFactory()
    attempts = [actions.open_sign_in(user) for _ in range(5)]

    def guess(attempt):
        return [actions.check_code(attempt, "00000000").outcome for _ in range(5)]

    rounds = at_once(*[lambda one=one: guess(one) for one in attempts])
    verdicts = [verdict for each in rounds for verdict in each]
    assert verdicts.count(Outcome.WRONG) == 10 and verdicts.count(Outcome.WAIT) == 15


@pytest.mark.django_db(transaction=True)
def test_one_code_opens_one_of_two_simultaneous_sign_ins():
    user = UserFactory()
    attempt = actions.open_sign_in(user)
    code = secret_of("code")
    verdicts = at_once(*[lambda: actions.check_code(attempt, code).outcome] * 6)
    assert verdicts.count(Outcome.RIGHT) == 1 and verdicts.count(Outcome.SPENT) == 5


def test_old_rows_are_swept_at_the_next_sign_in(user, time_machine):
    actions.open_sign_in(user)
    SignInCode.objects.update(created_at=timezone.now() - timedelta(days=3))
    actions.open_sign_in(user)
    assert SignInCode.objects.count() == 1
