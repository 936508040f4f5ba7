"""One letter a day: what may wait is held until 8 h in Paris, then told in one letter; nothing is lost, nothing
untrue leaves."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core import mail

from accounts.models import User
from ecare.clock import next_hour
from ecare.letters import actions, rules
from ecare.letters.emails import compose
from ecare.letters.models import SECRET_MARK, Letter
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

EVENING = datetime(2026, 11, 21, 17, 0, tzinfo=UTC)  # 18 h in Paris
MORNING = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)  # 8 h in Paris
UNTRUE: set[str] = set()


def is_true(letter, at):
    return letter.title not in UNTRUE


def breaks(letter, at):
    raise RuntimeError("the database is away")


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """Letters named « reminder » may wait, and are asked about before they leave."""
    monkeypatch.setattr(rules, "_PATIENT", {"reminder"})
    monkeypatch.setattr(rules, "_TRUTHS", {"reminder": [f"{__name__}.is_true"]})
    UNTRUE.clear()


@pytest.fixture
def daily():
    """Somebody who chose one letter a day."""
    return UserFactory(email="camille@exemple.fr", wants_daily_letter=True)


@pytest.fixture
def put(write):
    def put_letter(title="Rappel", name="reminder", **fields):
        link = f"http://127.0.0.1:8000/candidatures/{title}/"
        return write(title=title, name=name, **({"created_at": EVENING, "send_after": EVENING, "link": link} | fields))

    return put_letter


def tick(at):
    """What the workers do at an instant."""
    with time_machine.travel(at, tick=False):
        actions.deliver()
        actions.gather()
        actions.deliver()


def states() -> dict[str, str]:
    return dict(Letter.objects.values_list("title", "state"))


def test_what_may_wait_is_told_in_one_letter_at_8_h(daily, put):
    put("A"), put("B")
    tick(EVENING)
    assert mail.outbox == [] and states() == {"A": "held", "B": "held"}
    tick(MORNING - timedelta(seconds=1))
    assert mail.outbox == []
    tick(MORNING)
    [digest] = mail.outbox
    assert digest.to == ["camille@exemple.fr"] and "2 nouvelles" in digest.subject
    for name in "AB":  # written in one instant, so in either order
        assert f"- {name}\u00a0: http://127.0.0.1:8000/candidatures/{name}/" in digest.body
    assert '<a href="http://127.0.0.1:8000/candidatures/A/"' in digest.alternatives[0][0]
    assert states() == {"A": "gathered", "B": "gathered", digest.subject: "sent"}
    assert set(Letter.objects.filter(state="gathered").values_list("sent_at", flat=True)) == {MORNING}


def test_however_often_the_worker_runs_there_is_one_daily_letter(daily, put):
    put("A")
    for minutes in (0, 1, 2):
        tick(EVENING + timedelta(minutes=minutes))
        tick(MORNING + timedelta(minutes=minutes))
    assert len(mail.outbox) == 1


def test_nothing_is_lost_while_the_worker_is_down_at_8_h(daily, put):
    put("A")
    tick(EVENING)
    tick(MORNING + timedelta(days=2))
    assert len(mail.outbox) == 1 and "- A :" in mail.outbox[0].body


def test_each_gets_their_own(daily, put):
    UserFactory(email="dominique@exemple.fr", wants_daily_letter=True)
    put("A"), put("B", recipient="dominique@exemple.fr")
    tick(EVENING), tick(MORNING)
    assert {(m.to[0], "- A :" in m.body) for m in mail.outbox} == {
        ("camille@exemple.fr", True),
        ("dominique@exemple.fr", False),
    }


def test_who_did_not_ask_gets_each_at_once(put):
    UserFactory(email="camille@exemple.fr")
    put("A")
    tick(EVENING)
    assert [m.subject for m in mail.outbox] == ["A"]


def test_what_has_legal_value_leaves_at_once(daily, put):
    put("Reçu", name="submitted")
    tick(EVENING)
    assert [m.subject for m in mail.outbox] == ["Reçu"]


def test_a_secret_never_waits(daily, put):
    put("Code", text=f"Votre code : {SECRET_MARK}", html="")
    tick(EVENING)
    assert [m.subject for m in mail.outbox] == ["Code"]


def test_what_would_expire_before_the_morning_leaves_at_once(daily, put):
    put("A", expires_at=MORNING - timedelta(hours=1))
    tick(EVENING)
    assert [m.subject for m in mail.outbox] == ["A"]


def test_what_leads_nowhere_is_told_in_full(daily, put):
    put("Sans lien", link="", text="Camille Martin est arrivée.\n\n-- \nPied de page\n")
    tick(EVENING), tick(MORNING)
    assert "- Sans lien\n\nCamille Martin est arrivée." in mail.outbox[0].body
    assert "Pied de page" not in mail.outbox[0].body


# --- asked once more when it leaves -------------------------------------------------------------------------------
def test_a_letter_is_checked_when_it_is_sent_not_only_when_it_is_written(put):
    put("Vrai"), put("Faux")
    UNTRUE.add("Faux")
    tick(EVENING)
    assert [m.subject for m in mail.outbox] == ["Vrai"]
    assert states() == {"Vrai": "sent", "Faux": "cancelled"}
    assert Letter.objects.get(title="Faux").error == "n’est plus vrai"


def test_what_became_untrue_overnight_is_not_told(daily, put):
    put("A"), put("B")
    tick(EVENING)
    UNTRUE.add("A")
    tick(MORNING)
    assert "- A :" not in mail.outbox[0].body and "- B :" in mail.outbox[0].body
    assert states()["A"] == "cancelled"


def test_without_anything_true_there_is_no_daily_letter(daily, put):
    put("A")
    tick(EVENING)
    UNTRUE.add("A")
    tick(MORNING)
    assert mail.outbox == [] and states() == {"A": "cancelled"}


def test_a_daily_letter_that_became_untrue_is_written_anew(daily, put):
    """The mail server was away between its writing and its sending."""
    put("A"), put("B")
    tick(EVENING)
    with time_machine.travel(MORNING, tick=False):
        assert actions.gather() == 1
    UNTRUE.add("A")
    tick(MORNING + timedelta(hours=3))
    [digest] = mail.outbox
    assert "- A :" not in digest.body and "- B :" in digest.body
    assert sorted(Letter.objects.filter(name="digest").values_list("state", flat=True)) == ["cancelled", "sent"]
    assert states()["A"] == "cancelled" and states()["B"] == "gathered"


def test_a_verb_withdraws_what_is_held_and_what_is_told(daily, put):
    held = put("Retenu")
    tick(EVENING)
    assert actions.cancel(held.subject, ["reminder"]) == 1 and states() == {"Retenu": "cancelled"}
    put("Réuni"), put("Autre", subject="application:AUTREDOSSI")
    tick(EVENING)
    with time_machine.travel(MORNING, tick=False):
        actions.gather()
        assert actions.cancel(held.subject, ["reminder"]) == 1
    tick(MORNING)
    assert "- Réuni :" not in mail.outbox[0].body and "- Autre :" in mail.outbox[0].body


def test_a_check_that_breaks_delays_its_own_letter_only(put, monkeypatch):
    monkeypatch.setattr(rules, "_TRUTHS", {"reminder": [f"{__name__}.breaks"]})
    put("A"), put("B", name="submitted")
    tick(EVENING)
    assert states() == {"A": "queued", "B": "sent"}
    assert Letter.objects.get(title="A").attempts == 1


def test_a_refused_daily_letter_shows_at_each_of_its_letters(daily, put, sink):
    sink.refusals["camille@exemple.fr"] = "550 no such user"
    sink.start()
    put("A")
    tick(EVENING), tick(MORNING)
    assert states()["A"] == "failed"


# --- the choice ---------------------------------------------------------------------------------------------------
def test_who_changes_their_mind_gets_at_once_what_was_held(daily, put, signed_in):
    put("A")
    tick(EVENING)
    client = signed_in(daily)
    assert client.post("/compte/courriers/", {"daily": "non"})["Location"] == "/compte/courriers/"
    assert not User.objects.get(pk=daily.pk).wants_daily_letter
    actions.deliver()
    assert [m.subject for m in mail.outbox] == ["A"]


def test_what_is_held_follows_its_owner_to_a_new_mailbox(daily, put):
    put("A"), put("B", recipient="autre@exemple.fr", name="submitted")
    tick(EVENING)
    assert actions.readdress("Camille@exemple.fr", "camille.neuve@exemple.fr") == 1
    tick(MORNING)
    assert mail.outbox[-1].to == ["camille.neuve@exemple.fr"] and "- A :" in mail.outbox[-1].body


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        (datetime(2026, 3, 28, 7, 0, 0, 1, tzinfo=UTC), datetime(2026, 3, 29, 6, 0, tzinfo=UTC)),
        (datetime(2026, 3, 29, 6, 0, tzinfo=UTC), datetime(2026, 3, 29, 6, 0, tzinfo=UTC)),
        (datetime(2026, 10, 24, 6, 30, tzinfo=UTC), datetime(2026, 10, 25, 7, 0, tzinfo=UTC)),
        (datetime(2026, 10, 25, 6, 59, tzinfo=UTC), datetime(2026, 10, 25, 7, 0, tzinfo=UTC)),
    ],
    ids=["the night of 23 hours", "8 h itself", "the night of 25 hours", "before 8 h"],
)
def test_8_h_is_read_on_a_clock_in_paris(instant, expected):
    assert next_hour(instant, 8) == expected


def test_a_letter_knows_where_its_first_button_leads():
    person = UserFactory()
    context = {"person": person, "newcomer": person, "establishment": person.establishment}
    assert compose("colleague_registered", to=person.email, context=context).link.endswith("/compte/")


@pytest.mark.parametrize("count", [1, 3])
def test_a_tick_without_daily_letters_asks_once(put, count, django_assert_num_queries):
    for _ in range(count):
        put("A")
    with django_assert_num_queries(1):
        actions.gather()
