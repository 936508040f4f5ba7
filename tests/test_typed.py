"""What was typed on any page when its session ended comes back, for the person who typed it, once they signed in again.

The form of a dossier, which has more to lose, is tested in tests/applications/test_session_end.py.
"""

import html
import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import resolve, reverse
from django.utils import timezone

from accounts import typed
from accounts.models import SEEN_AT, Terms, TermsAcceptance, User
from accounts.typed import RETURNED
from applications.models import Application, TakeOverRequest
from ecare.letters.models import Letter
from evidence.models import BankDetails
from tests.accounts.steps import give_code, give_password, secret_of
from tests.addresses import GET, POST
from tests.factories import PASSWORD
from tests.test_query_counts import visits
from tests.world import World

REASON = "Une raison <b>que</b> l’on ne retape pas à 23 h 50"
CONTACT = {"civility": "madame", "last_name": "Lenoir", "first_name": "Inès", "email": "ines.lenoir@exemple"}

# The page as tests/test_query_counts.py visits it, what is typed there, and what is read again; None: a choice.
FORMS = {
    "accounts:change_email": ({"email": "nouvelle@exemple.fr", "password": PASSWORD}, "nouvelle@exemple.fr"),
    "accounts:letters": ({"daily": "oui"}, None),
    "applications:start": ({"domain": "inconnu"}, None),
    "applications:transfer": ({"dossier": "ABCDEFGHJK-1"}, None),
    "applications:request_take_over": ({"reason": REASON}, REASON),
    "applications:update_contact draft": (CONTACT, "ines.lenoir@exemple"),
    "applications:update_contact validated": (CONTACT, "Lenoir"),
    "evidence:bank_details accepted": ({"account-holder": "CH du Port", "iban": "FR00", "bic": "PSSTFRPP"}, "FR00"),
    "evidence:reissue_container changes_requested": ({"container": "1", "reason": REASON}, REASON),
    "evidence:patient_data under_control": ({"reason": REASON}, REASON),
    "evidence:dismiss_report": ({"reason": REASON}, REASON),
    "reviews:accept submitted": ({"version": "1"}, None),
    "reviews:request_changes submitted": ({"version": "1", "message": REASON}, REASON),
    "reviews:add_note": ({"text": REASON}, REASON),
    "reviews:ask_opinion": ({"question": REASON}, REASON),
    "reviews:give_opinion": ({"answer": REASON}, REASON),
    "reviews:pieces submitted": ({}, None),
    "reviews:add_phrase": ({"title": "RIB", "text": REASON}, REASON),
    "reviews:edit_phrase": ({"title": "RIB", "text": REASON}, REASON),
    "reviews:cancel_changes asked": ({"version": "1", "message": REASON}, REASON),
    "reviews:move_due_date asked": ({"due_on": "2026-02-30"}, "2026-02-30"),
    "reviews:reject submitted": ({"version": "1", "message": REASON}, REASON),
    "reviews:reopen rejected": ({"version": "1", "message": REASON}, REASON),
    "reviews:sign_convention accepted": ({"version": "1", "signed_on": "2026-02-30"}, "2026-02-30"),
    "reviews:refuse_copy accepted": ({"version": "1", "message": REASON}, REASON),
    "reviews:abandon accepted": ({"version": "1", "message": REASON}, REASON),
    "reviews:send_back under_control": ({"version": "1", "message": REASON}, REASON),
    "reviews:record_payment validated": ({"version": "1", "reference": "VIR-2026-0042"}, "VIR-2026-0042"),
    "funding:decide under_control": ({"version": "1", "seen": "0", "objective_0_remark": REASON}, REASON),
    "reviews:give_extension": ({"until": "2026-02-30", "message": REASON}, REASON),
    "reviews:withdraw_extension": ({"message": REASON}, REASON),
    "reviews:accept_take_over": ({"holder": "1"}, None),
    "reviews:refuse_take_over": ({"holder": "1", "message": REASON}, REASON),
    "reviews:confirm_bank_details": ({}, None),
    "reviews:refuse_bank_details": ({"message": REASON}, REASON),
}
# Pages that are posted to and have nothing to give back.
NOTHING_TO_KEEP = {
    "account_change_password": "passwords",
    "account_logout": "a button",
    "accounts:enrol": "a code of the moment",
    "applications:withdraw": "a button",
    "conventions:convention": "a file",
    "evidence:container": "a button",
    "evidence:containers": "files",
    "evidence:remove": "a button",
    "evidence:replace": "a file",
    "reviews:resend_letter": "a button",
}


@pytest.fixture
def world(db):
    return World(1)


def end(client: Client) -> None:
    """Two idle hours and more."""
    session = client.session
    session[SEEN_AT] = timezone.now().timestamp() - 3 * 60 * 60
    session.save()


def sign_in(client, person):
    give_password(client, person)
    give_code(client, secret_of("code", to=person.email))


def owner_of(client) -> User:
    return User.objects.get(pk=client.session["_auth_user_id"])


def traces():
    dossiers = Application.objects.order_by("pk").values()
    return list(dossiers), TakeOverRequest.objects.count(), BankDetails.objects.count(), Letter.objects.count()


def test_it_comes_back_on_every_page_that_has_something_to_type(world, signed_in):
    pages = visits(world, signed_in)
    for row, (sent, again) in FORMS.items():
        client, address = pages[row]
        person = owner_of(client)
        cache.clear()  # one person signs in more often here than the limits let them
        end(client)
        before = traces()
        answer = client.post(address, sent)
        assert answer["Location"] == f"/connexion/?next={address}", row
        assert traces() == before, row
        said = html.unescape(client.get(answer["Location"]).text)
        assert "vous le retrouverez dans le formulaire" in said, row
        sign_in(client, person)
        page = html.unescape(client.get(address).text)
        assert RETURNED in page, row
        assert again is None or again in page, row
        page = html.unescape(client.get(address).text)
        assert RETURNED not in page and (again is None or again not in page), f"{row}: once only"


def test_a_choice_comes_back_chosen(world, signed_in):
    client, person = signed_in(world.owner), world.owner
    end(client)
    client.post(reverse("accounts:letters"), {"daily": "oui"})
    sign_in(client, person)
    assert client.get(reverse("accounts:letters")).context["form"]["daily"].value() == "oui"
    person.refresh_from_db()
    assert not person.wants_daily_letter, "looking at a page chooses nothing"


def test_somebody_else_in_the_same_browser_finds_nothing(world, signed_in):
    client = signed_in(world.colleagues[0])
    address = reverse("applications:request_take_over", args=[world.dossiers["draft"].reference])
    end(client)
    client.post(address, {"reason": REASON})
    TermsAcceptance.objects.create(user=world.colleague, terms=Terms.objects.in_force())
    sign_in(client, world.colleague)
    page = html.unescape(client.get(address).text)
    assert client.get(address).status_code == 200
    assert REASON not in page and RETURNED not in page


def test_no_password_waits(world, signed_in, monkeypatch):
    kept = []
    monkeypatch.setattr("accounts.typed.seal", lambda plain, **_: kept.append(plain) or b"")
    client = signed_in(world.owner)
    end(client)
    token = {"csrfmiddlewaretoken": "a" * 64}
    client.post(reverse("accounts:change_email"), {"email": "nouvelle@exemple.fr", "password": PASSWORD} | token)
    assert b"nouvelle%40exemple.fr" in kept[0]
    assert PASSWORD.encode() not in kept[0] and b"password" not in kept[0] and b"csrf" not in kept[0]


@pytest.mark.parametrize("mark", ["/compte/mot-de-passe/", "/nulle-part/", "https://ailleurs.example/", "//x", ""])
def test_a_page_that_keeps_nothing_cannot_be_named(world, signed_in, mark):
    client = signed_in(world.owner)
    end(client)
    answer = client.post(reverse("account_change_password"), {"oldpassword": "x", "_page": mark})
    assert answer["Location"].startswith("/connexion/?next=/compte/mot-de-passe/")
    assert "typed:" not in str(dict(client.session.items()))


def test_the_morning_after(world, signed_in, time_machine):
    """The row of a session outlives it, and says whose it was."""
    client, address = signed_in(world.colleague), reverse("accounts:change_email")
    time_machine.move_to(timezone.now() + timedelta(hours=20))
    answer = client.post(address, {"email": "nouvelle@exemple.fr"}, follow=True)
    assert "vous le retrouverez dans le formulaire" in html.unescape(answer.text)
    sign_in(client, world.colleague)
    assert "nouvelle@exemple.fr" in client.get(address).text


def test_a_dossier_that_moved_meanwhile_says_so_and_gives_the_text_back(world, signed_in):
    client, dossier = signed_in(world.cast["ars"]), world.dossiers["submitted"]
    address = reverse("reviews:reject", args=[dossier.reference])
    end(client)
    client.post(address, {"version": str(dossier.version), "message": REASON})
    Application.objects.filter(pk=dossier.pk).update(state="accepted")
    sign_in(client, world.cast["ars"])
    page = client.get(address)
    said = html.unescape(page.text)
    assert page.status_code == 409 and REASON in said and RETURNED not in said


def is_private(answers: str) -> bool:
    return answers.startswith("302 302")


def test_every_page_that_is_posted_to_keeps_what_is_typed_or_has_nothing_to_keep():
    """Behind the sign-in, those that answer GET with a page and take a POST."""
    takes = {row.split()[0] for row, answers in POST.items() if is_private(answers) and "405" not in answers}
    shows = {row.split()[0] for row, answers in GET.items() if is_private(answers) and re.search("200|409", answers)}
    behind = takes & shows
    forms = {row.split()[0] for row in FORMS} | {"applications:detail"}
    assert behind - forms == set(NOTHING_TO_KEEP)
    assert forms <= behind


def test_pages_that_have_nothing_to_keep_are_not_marked(world, signed_in):
    found = [
        resolve(address).func
        for row, (_, address) in visits(world, signed_in).items()
        if row.split()[0] in NOTHING_TO_KEEP
    ]
    assert found and not any(hasattr(view, "comes_back") for view in found)


def test_no_page_is_opened_in_error(world, signed_in):
    for row, (client, address) in visits(world, signed_in).items():
        assert b"<title>Erreur&nbsp;:" not in b"".join(client.get(address)), row


def test_what_is_beyond_measure_is_not_kept_and_said_to_be_lost(world, signed_in):
    client, address = signed_in(world.owner), reverse("accounts:change_email")
    end(client)
    answer = client.post(address, {"email": "€" * typed.MOST_KEPT})
    assert "typed:" not in str(dict(client.session.items()))
    assert "n’a pas été enregistrée" in client.get(answer["Location"]).text


def test_looking_at_the_headers_takes_nothing_away(world, signed_in):
    client, address = signed_in(world.owner), reverse("accounts:change_email")
    end(client)
    client.post(address, {"email": "nouvelle@exemple.fr"})
    sign_in(client, world.owner)
    client.head(address)
    assert "nouvelle@exemple.fr" in client.get(address).text


@pytest.mark.parametrize("name", ["evidence:add", "evidence:replace"])
def test_another_site_neither_ends_a_session_nor_makes_one(world, signed_in, name):
    """Its post arrives without the cookies of the portal: the answer must bring none."""
    dossier = world.dossiers["changes_requested"]
    argument = dossier.reference if name == "evidence:add" else dossier.evidence.first().file_id
    answer = Client(enforce_csrf_checks=True).post(reverse(name, args=[argument]), {"_page": "1"})
    assert answer.status_code == 302 and not answer.cookies
