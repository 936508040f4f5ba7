"""The last day ends at midnight in Paris, to the millisecond, also where a day has 23 or 25 hours; and the page, the
receipt, the letter, the journal and the database tell one story.

The protection: `ArrivalMiddleware` and `ReceptionMiddleware` stamp the instant, `is_late` of `applications/rules.py`
compares its day in Paris with the last day. A comparison in UTC, or with midnight 24 hours later, fails here.
"""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.urls import reverse

from applications.models import Application, Submission
from ecare.french import paris_second
from ecare.journal.models import Entry
from ecare.letters.models import Letter
from tests.applications.pages import text_of
from tests.factories import ApplicationFactory, DomainFactory, FormFactory, UserFactory

pytestmark = pytest.mark.django_db
MILLISECOND = timedelta(milliseconds=1)

# The last day, and the first instant of the next one.
DAYS = {
    "winter": (date(2026, 11, 20), datetime(2026, 11, 20, 23, tzinfo=UTC)),
    "summer": (date(2026, 7, 10), datetime(2026, 7, 10, 22, tzinfo=UTC)),
    "the clocks go forward": (date(2027, 3, 28), datetime(2027, 3, 28, 22, tzinfo=UTC)),
    "the day before they do": (date(2027, 3, 27), datetime(2027, 3, 27, 23, tzinfo=UTC)),
    "the clocks go back": (date(2026, 10, 25), datetime(2026, 10, 25, 23, tzinfo=UTC)),
    "the day before they do too": (date(2026, 10, 24), datetime(2026, 10, 24, 22, tzinfo=UTC)),
}
# How the last day is this one: the domain's, or more time given to this establishment.
ENDS = ["domain", "extension"]
STEPS = ["candidature", "declaration"]


def dossier(step: str, end: str, day: date) -> Application:
    last = {f"{step}_until": day} if end == "domain" else {f"{step}_until": day - timedelta(days=10)}
    domain = DomainFactory(candidature_from=date(2026, 1, 1), **last)
    fields = {f"{step}_extended_until": day} if end == "extension" else {}
    state = {"candidature": "draft", "declaration": "declaration_open"}[step]
    form = FormFactory(domain=domain, questions=[{"key": "precision", "is_required": False}])
    return ApplicationFactory(
        referent=UserFactory(), domain=domain, state=state, candidature_form=form,
        candidature_submitted_at=None if step == "candidature" else datetime(2026, 2, 1, tzinfo=UTC), **fields,
    )  # fmt: skip


class Desk:
    """The référent at their browser, at the instants that the test sets."""

    def __init__(self, application, signed_in, at):
        self.application = application
        with time_machine.travel(at, tick=False):
            self.client = signed_in(application.referent)

    def at(self, name: str, instant: datetime, data: dict | None = None, *more):
        address = reverse(f"applications:{name}", args=[self.application.reference, *more])
        with time_machine.travel(instant, tick=False):
            return self.client.get(address) if data is None else self.client.post(address, data)

    def send(self, instant: datetime):
        return self.at("submit", instant, {"version": self.application.version})


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize(("day", "midnight"), DAYS.values(), ids=list(DAYS))
def test_the_last_millisecond_is_in_time_and_every_trace_says_so(signed_in, day, midnight, end, step):
    application, instant = dossier(step, end, day), midnight - MILLISECOND
    desk = Desk(application, signed_in, instant - timedelta(minutes=5))
    assert desk.at("recap", instant).status_code == 200
    answer = desk.send(instant)
    assert answer["Location"] == reverse("applications:submitted", args=[application.reference])

    sent = Submission.objects.get(application=application)
    found = Application.objects.get(pk=application.pk)
    assert sent.at == getattr(found, f"{step}_submitted_at") == instant
    said = text_of(desk.at("submitted", midnight + timedelta(hours=1)))
    hour = paris_second(instant).replace("\u00a0", " ")
    assert hour.endswith("à 23 h 59 min 59 s") and hour.startswith(f"{day.day} ")
    assert f"{hour} (heure de Paris)" in said
    assert hour in Letter.objects.get(name="submitted").text.replace("\u00a0", " ")
    assert Entry.objects.get(subject=application.subject).at == instant
    receipt = desk.at("receipt", midnight, None, step, 1)
    assert receipt.status_code == 200 and receipt["Content-Type"] == "application/pdf"


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize(("day", "midnight"), DAYS.values(), ids=list(DAYS))
def test_midnight_is_late_for_a_page_that_was_opened_before(signed_in, day, midnight, end, step):
    application = dossier(step, end, day)
    desk = Desk(application, signed_in, midnight - timedelta(minutes=5))
    opened = text_of(desk.at("recap", midnight - MILLISECOND))
    assert "Transmettre" in opened
    answer = desk.send(midnight)
    assert answer.status_code == 409 and "La date limite de premier envoi est passée" in text_of(answer)

    found = Application.objects.get(pk=application.pk)
    assert (found.state, found.version) == (application.state, application.version)
    assert not Submission.objects.exists() and not Entry.objects.exists()
    assert not Letter.objects.filter(name="submitted").exists()
    assert desk.at("recap", midnight)["Location"] == reverse("applications:detail", args=[application.reference])
    page = text_of(desk.at("detail", midnight))
    assert "Transmettre votre" not in page and "data-step-form" not in page


@pytest.mark.parametrize(("day", "midnight"), DAYS.values(), ids=list(DAYS))
def test_an_answer_is_kept_until_then_and_not_after(signed_in, day, midnight):
    application = dossier("candidature", "domain", day)
    desk = Desk(application, signed_in, midnight - timedelta(minutes=5))
    assert desk.at("answer", midnight - MILLISECOND, {"precision": "À temps."}, "precision").status_code == 200
    late = desk.at("answer", midnight, {"precision": "Trop tard."}, "precision")
    assert late.status_code == 409
    assert application.answers.get().value == "À temps."


@pytest.mark.parametrize(("day", "midnight"), DAYS.values(), ids=list(DAYS))
def test_no_candidature_starts_at_midnight(signed_in, day, midnight):
    domain = DomainFactory(candidature_from=date(2026, 1, 1), candidature_until=day)
    FormFactory(domain=domain)
    first, second = UserFactory(), UserFactory()
    for person, instant, starts in ((first, midnight - MILLISECOND, True), (second, midnight, False)):
        with time_machine.travel(instant, tick=False):
            signed_in(person).post(reverse("applications:start"), {"domain": domain.slug})
        assert person.applications.exists() == starts
