"""One JSON object per line; one line per request and per row that a worker took; one reference through both."""

import json
import logging
import re

import pytest
from celery import shared_task
from django.core import mail
from django.db import IntegrityError, connection
from django.test import Client
from django.urls import reverse

from accounts.models import User
from ecare import tracing, views
from ecare.access import HEADER
from ecare.letters.models import Letter
from ecare.letters.tasks import deliver
from ecare.logs import Line, configuration
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def crash(monkeypatch):
    """« Aide » fails, and the fault repeats what was typed."""

    def fail(request):
        raise ValueError(f"bad words: {request.GET['q']}")

    monkeypatch.setattr(views, "searched", fail)
    return lambda words: Client(raise_request_exception=False).get("/aide/", {"q": words})


# --- a line -------------------------------------------------------------------------------------------------------
def test_a_request_is_one_line(client, lines):
    client.get("/mentions-legales/?q=confidentiel")
    [line] = lines.all(logger="ecare.access")
    assert {name: line[name] for name in ("event", "method", "route", "status", "role", "level")} == {
        "event": "request",
        "method": "GET",
        "route": "legal_notice",
        "status": 200,
        "role": "anonymous",
        "level": "INFO",
    }
    assert isinstance(line["ms"], int) and re.fullmatch(r"[0-9a-f]{16}", line["request_id"])
    assert "confidentiel" not in lines.text and "127.0.0.1" not in lines.text


def test_a_line_says_the_role_and_nobody(signed_in, lines):
    person = UserFactory(ans=True, username="quelquun", email="quelquun@ans.example")
    signed_in(person).get(reverse("accounts:account"))
    [line] = lines.all(logger="ecare.access")
    assert line["role"] == "ans"
    assert set(line) == {"at", "level", "logger", "event", "request_id", "method", "route", "status", "ms", "role"}
    assert "quelquun" not in lines.text


def test_an_address_that_leads_nowhere_is_not_repeated(client, lines):
    assert client.get("/dupont-jean-0612345678/").status_code == 404
    [line] = lines.all(logger="ecare.access")
    assert (line["route"], line["status"]) == ("none", 404)
    assert "dupont" not in lines.text


def test_whoever_polls_fills_no_log(client, lines):
    client.get("/sante/vivant/")
    assert lines.all(logger="ecare.access") == []


def test_a_fault_is_said_by_its_kind_its_place_and_its_cause(crash, lines):
    assert crash("mots-du-visiteur").status_code == 500
    [line] = lines.all(logger="django.request", level="ERROR")
    [fault] = line["fault"]
    assert fault["type"] == "builtins.ValueError"
    assert fault["at"][-1].endswith(" fail") and any("ecare/views.py" in place for place in fault["at"])
    assert "mots-du-visiteur" not in lines.text


def test_a_refusal_of_the_database_is_said_by_its_code(lines):
    with pytest.raises(IntegrityError) as refused:
        User.objects.create(username="a", email="prenom.nom@exemple.fr", role="referent")
    logging.getLogger("accounts.trial").error("refused", exc_info=refused.value)
    [line] = lines.all(event="refused")
    code = {"sqlite": "SQLITE_CONSTRAINT_CHECK", "postgresql": "23514"}[connection.vendor]
    assert code in [fault["code"] for fault in line["fault"]]
    assert "prenom.nom" not in lines.text


def test_of_a_librarys_line_the_sentence_and_numbers_are_kept(lines):
    logging.getLogger("some.library").warning("%s sent %d bytes", "prenom.nom@exemple.fr", 12)
    logging.getLogger("accounts.trial").warning("user %s left", 12)
    assert [line["event"] for line in lines.all(level="WARNING")] == ["… sent 12 bytes", "user 12 left"]


@pytest.mark.parametrize("is_readable", [True, False])
def test_of_a_token_or_a_personal_link_the_beginning_alone_is_written(is_readable):
    """Wherever it comes from, and whatever the form of the line: a last guard behind the others."""
    said = "ecare_abcdefghijklmnop and /invitation/secret-of-a-letter/ and /activation/another"
    record = logging.LogRecord("ecare", logging.ERROR, "", 1, "%s", (said,), None)
    text = Line(is_readable=is_readable).format(record)
    assert "ecare_abcdef… and /invitation/…/ and /activation/…" in text
    assert is_readable or json.loads(text)["event"].endswith("/activation/…")


def test_a_readable_line_shows_a_fault_whole():
    """Where everybody is invented, whoever develops reads the words of a fault."""
    readable = configuration(is_readable=True, level="INFO")["formatters"]["line"]
    line = readable["()"](is_readable=True)
    try:
        raise ValueError("the very words")
    except ValueError as fault:
        record = logging.LogRecord(
            "ecare", logging.ERROR, "", 1, "fault", (), (type(fault), fault, fault.__traceback__)
        )
    text = line.format(record)
    assert "ERROR ecare fault" in text and "the very words" in text and "Traceback" in text


# --- its reference ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("given", ["", "court", "x" * 65, "une référence-12", "abcdefgh\n", "-abcdefgh", "a'><script>"])
def test_a_reference_that_is_not_one_is_not_taken_over(client, settings, given):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    assert re.fullmatch(r"[0-9a-f]{16}", client.get("/mentions-legales/", headers={HEADER: given})[HEADER])


def test_the_reference_of_a_proxy_is_taken_over_only_where_there_is_one(client, settings):
    given = "0f3a9c5d7e1b2a4c0f3a9c5d7e1b2a4c"
    assert client.get("/mentions-legales/", headers={HEADER: given})[HEADER] != given
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    assert client.get("/mentions-legales/", headers={HEADER: given})[HEADER] == given


def test_a_page_that_failed_says_its_reference(crash, client, lines):
    for answer in (crash("x"), client.get("/nulle-part/"), Client(enforce_csrf_checks=True).post("/connexion/")):
        assert answer[HEADER] in answer.content.decode()
        assert "Référence à donner au support" in answer.content.decode()
        assert lines.all(logger="ecare.access", request_id=answer[HEADER], status=answer.status_code)


def test_a_page_that_is_right_says_none(client):
    assert "Référence à donner" not in client.get("/mentions-legales/").content.decode()


def test_one_reference_follows_a_click_to_the_letter_that_it_causes(client, settings, lines):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    person = UserFactory()
    answer = client.post(reverse("account_reset_password"), {"email": person.email})
    letter = Letter.objects.get(name="password_reset")
    assert letter.request_id == answer[HEADER]
    deliver.apply()
    [line] = lines.all(logger="ecare.work", request_id=answer[HEADER])
    assert (line["kind"], line["row"], line["task"]) == ("letter", str(letter.pk), "ecare.letters.tasks.deliver")
    assert person.email not in lines.text and len(mail.outbox) == 1


def test_what_a_worker_writes_about_a_row_carries_the_same_reference():
    with tracing.work("export", 1, request_id="reference-of-the-click"):
        assert Letter(name="export_ready").request_id == "reference-of-the-click"
    assert Letter(name="reminder").request_id == ""


@shared_task
def fail_loudly(words):
    raise ValueError(f"bad words: {words}")


def test_a_task_that_fails_repeats_neither_its_fault_nor_its_arguments(lines):
    fail_loudly.apply(args=["mots-du-visiteur"], throw=False)
    [line] = lines.all(logger="celery.app.trace", level="ERROR")
    assert "fail_loudly" in line["event"] and line["fault"][0]["type"] == "builtins.ValueError"
    assert "mots-du-visiteur" not in lines.text


def test_nothing_of_one_task_is_left_for_the_next(lines):
    with pytest.raises(ValueError), tracing.work("letter", 1, request_id="reference-of-the-click"):
        raise ValueError
    fail_loudly.apply(args=["x"], throw=False)
    [line] = lines.all(logger="celery.app.trace", level="ERROR")
    assert "request_id" not in line
