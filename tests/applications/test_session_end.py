"""What was typed when the session ended: kept for the person who typed it, for nobody else, and not for long."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Terms
from applications import actions
from applications.models import Answer, Application, values_of
from applications.states import State
from tests.accounts.steps import give_code, give_password, secret_of
from tests.applications.conftest import page_of
from tests.applications.pages import address, text_of
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
KEPT = "Ce que vous aviez saisi est conservé"


@pytest.fixture
def typed(application):
    data = page_of(application, account_holder="CH du Port", bic="FAUX")
    return data | {"_page": address("detail", application), "_step": application.step}


@pytest.fixture
def late(client, time_machine):
    """The same browser, after two idle hours."""
    time_machine.move_to(timezone.now() + timedelta(hours=2, minutes=1))
    return client


def sign_in(client, user):
    give_password(client, user)
    return give_code(client, secret_of("code", to=user.email))


def test_what_was_typed_comes_back_after_signing_in_again(late, application, typed, referent):
    page = late.post(address("detail", application), typed, follow=True)
    assert page.redirect_chain == [(f"/connexion/?next={address('detail', application)}", 302)]
    assert "Votre session a expiré." in text_of(page)
    assert KEPT in text_of(page)
    assert not Answer.objects.exists()
    sign_in(late, referent)
    page = late.get(address("detail", application))
    assert "est revenu dans le formulaire et n’est pas encore enregistré" in text_of(page)
    assert 'value="CH du Port"' in text_of(page)
    assert 'value="FAUX"' in text_of(page)
    assert "Un BIC compte 8 ou 11 caractères" in text_of(page)
    assert not Answer.objects.exists(), "looking at a page saves nothing"
    assert late.post(address("detail", application), typed | {"bic": "AGRIFRPP"}).status_code == 302
    assert values_of(application)["account-holder"] == "CH du Port"
    assert 'value="CH du Port"' in text_of(late.get(address("detail", application)))


def test_it_comes_back_once(late, application, typed, referent):
    late.post(address("detail", application), typed)
    sign_in(late, referent)
    late.get(address("detail", application))
    assert "CH du Port" not in text_of(late.get(address("detail", application)))


def test_another_page_that_answered_meanwhile_is_not_written_over(late, application, typed, referent):
    shown = typed | {"_version:account-holder": "0-e3b0c44298fc"}
    late.post(address("detail", application), shown)
    actions.save_answers(application, by=referent, values={"account-holder": "CH de la Ville"}, at=timezone.now())
    sign_in(late, referent)
    page = text_of(late.get(address("detail", application)))
    assert "« CH de la Ville »" in page
    assert 'value="CH du Port"' in page


def test_a_file_on_its_way_leads_back_to_the_form(late, application, typed):
    answer = late.post(
        reverse("evidence:add", args=[application.reference]),
        typed,
        headers={"Referer": f"http://testserver{address('detail', application)}"},
    )
    assert answer["Location"] == f"/connexion/?next={address('detail', application)}"
    assert KEPT in text_of(late.get(answer["Location"]))


def test_somebody_else_finds_nothing_of_it(late, application, typed, referent):
    late.post(address("detail", application), typed)
    other = UserFactory(establishment=referent.establishment)
    sign_in(late, other)
    assert late.get(address("detail", application)).status_code == 404
    Application.objects.filter(pk=application.pk).update(referent=other)
    assert "CH du Port" not in text_of(late.get(address("detail", application)))


def test_it_is_sealed_while_it_waits(late, application, typed):
    late.post(address("detail", application), typed)
    assert "Port" not in str(dict(late.session.items()))


def test_it_does_not_wait_for_long(late, application, typed, referent, time_machine):
    late.post(address("detail", application), typed)
    time_machine.shift(timedelta(minutes=61))
    sign_in(late, referent)
    assert "CH du Port" not in text_of(late.get(address("detail", application)))


def test_a_dossier_that_moved_meanwhile_is_shown_as_it_is(late, application, typed, referent):
    late.post(address("detail", application), typed)
    Application.objects.filter(pk=application.pk).update(
        state=State.SUBMITTED, candidature_submitted_at=timezone.now(), sendings=1
    )
    sign_in(late, referent)
    page = text_of(late.get(address("detail", application)))
    assert "CH du Port" not in page and "Ce dossier a changé pendant votre absence" in page


def test_a_page_of_another_site_puts_nothing_by(application, typed, referent, signed_in, time_machine):
    browser = Client(enforce_csrf_checks=True)
    browser.cookies = signed_in(referent).cookies
    time_machine.move_to(timezone.now() + timedelta(hours=2, minutes=1))
    answer = browser.post(reverse("evidence:add", args=[application.reference]), typed)
    assert KEPT not in text_of(browser.get(answer["Location"]))


def test_new_terms_are_asked_for_first_and_lose_nothing(late, application, typed, referent):
    late.post(address("detail", application), typed)
    terms = Terms.objects.create(version="2.0", text="Nouvelles", published_at=timezone.now() - timedelta(hours=1))
    sign_in(late, referent)
    assert late.get(address("detail", application)).status_code == 302
    late.post(reverse("accounts:accept_terms"), {"is_accepted": "on", "version": terms.version})
    assert 'value="CH du Port"' in text_of(late.get(address("detail", application)))


# --- a session of which nothing is known any more -------------------------------------------------------------------
def test_a_session_that_is_gone_is_said_to_have_ended(client, application):
    client.session.flush()
    page = client.get(address("detail", application), follow=True)
    assert "Votre session a pris fin. Reconnectez-vous pour continuer." in text_of(page)


def test_without_any_cookie_what_was_sent_is_said_to_be_lost(client, application, typed):
    del client.cookies["sessionid"]
    page = text_of(client.post(address("detail", application), typed, follow=True))
    assert "Votre session a pris fin." in page
    assert "Votre dernière saisie n’a pas été enregistrée." in page


def test_who_comes_without_any_cookie_is_told_that_a_session_may_have_ended(application):
    page = text_of(Client().get(address("detail", application), follow=True))
    assert "Connectez-vous pour ouvrir la page demandée." in page
    assert "Si vous étiez déjà connecté, votre session a pris fin" in page
    assert not Client().get(address("detail", application)).cookies, "nothing is stored for a visitor"


def test_who_comes_to_sign_in_is_told_nothing_of_sessions(db):
    assert "votre session" not in text_of(Client().get("/connexion/"))


def test_a_form_whose_address_is_no_page_leads_back_to_its_page(late, complete):
    page = f"http://testserver{address('recap', complete)}"
    answer = late.post(address("submit", complete), {"version": 1}, headers={"Referer": page})
    assert answer["Location"] == f"/connexion/?next={address('recap', complete)}"


def test_another_site_is_never_led_back_to(late, complete):
    answer = late.post(address("submit", complete), {"version": 1}, headers={"Referer": "https://ailleurs.example/"})
    assert answer["Location"] == f"/connexion/?next={address('submit', complete)}"


@pytest.mark.parametrize("gone", [True, False])
def test_a_script_reads_that_the_session_ended(client, application, gone, time_machine):
    if gone:
        client.session.flush()
    else:
        time_machine.move_to(timezone.now() + timedelta(hours=2, minutes=1))
    url = reverse("applications:answer", args=[application.reference, "bic"])
    for _ in range(2):
        answer = client.post(url, {"bic": "AGRIFRPP"}, headers={"Accept": "application/json"})
        assert answer.status_code == 401
        assert "session a pris fin" in answer.json()["message"]
    assert not Answer.objects.exists()
