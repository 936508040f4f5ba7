"""Every last day counts until its last second in Paris; the instant is that at which the request arrived."""

from datetime import UTC, date, datetime

import pytest
import time_machine
from django.urls import reverse

from applications import rules
from applications.models import Answer, Application
from applications.states import State
from applications.tasks import open_declarations
from tests.applications.pages import address, text_of
from tests.factories import ApplicationFactory, DomainFactory, FormFactory, UserFactory

# the last day, its last instant and the next one, in UTC
DAYS = {
    "winter": (
        date(2024, 1, 31),
        datetime(2024, 1, 31, 22, 59, 59, 999_000, UTC),
        datetime(2024, 1, 31, 23, 0, tzinfo=UTC),
    ),
    "summer": (
        date(2024, 4, 19),
        datetime(2024, 4, 19, 21, 59, 59, 999_000, UTC),
        datetime(2024, 4, 19, 22, 0, tzinfo=UTC),
    ),
    "23 hours": (
        date(2024, 3, 31),
        datetime(2024, 3, 31, 21, 59, 59, 999_000, UTC),
        datetime(2024, 3, 31, 22, tzinfo=UTC),
    ),
    "25 hours": (
        date(2024, 10, 27),
        datetime(2024, 10, 27, 22, 59, 59, 999_000, UTC),
        datetime(2024, 10, 27, 23, tzinfo=UTC),
    ),
}
each_day = pytest.mark.parametrize(("day", "last", "after"), DAYS.values(), ids=DAYS)
OPENING = date(2023, 1, 1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def browse(signed_in, referent):
    """`browse(instant)`: the référent's browser at that instant, with a session opened just before."""

    def at(instant):
        with time_machine.travel(instant, tick=False):
            return signed_in(referent)

    return at


def draft(referent, **calendar):
    return ApplicationFactory(referent=referent, domain=DomainFactory(candidature_from=OPENING, **calendar))


def post(client, instant, address, data):
    with time_machine.travel(instant, tick=False):
        return client.post(address, data)


@each_day
def test_a_candidature_is_started_until_the_last_second(browse, day, last, after):
    domain = FormFactory(domain__candidature_from=OPENING, domain__candidature_until=day).domain
    data = {"domain": domain.slug}
    assert "applications" not in post(browse(after), after, reverse("applications:start"), data).get("location", "")
    assert not Application.objects.exists()
    assert post(browse(last), last, reverse("applications:start"), data).status_code == 302
    assert Application.objects.count() == 1


@each_day
def test_a_candidature_is_started_from_the_first_second(browse, day, last, after):
    """`after` is the first second of the day that follows `day`."""
    opening = date.fromordinal(day.toordinal() + 1)
    domain = FormFactory(domain__candidature_from=opening).domain
    post(browse(last), last, reverse("applications:start"), {"domain": domain.slug})
    assert not Application.objects.exists()
    post(browse(after), after, reverse("applications:start"), {"domain": domain.slug})
    assert Application.objects.count() == 1


@each_day
def test_a_candidature_is_sent_for_the_first_time_until_the_last_second(browse, referent, day, last, after):
    in_time, late = draft(referent, candidature_until=day), draft(referent, candidature_until=day)
    assert post(browse(last), last, address("submit", in_time), {"version": 1}).status_code == 302
    response = post(browse(after), after, address("submit", late), {"version": 1})
    assert response.status_code == 409
    assert "La date limite de premier envoi est passée" in text_of(response)
    assert Application.objects.get(pk=in_time.pk).candidature_submitted_at == last
    assert Application.objects.get(pk=late.pk).state == State.DRAFT


@each_day
def test_a_declaration_is_sent_for_the_first_time_until_the_last_second(browse, referent, day, last, after):
    domains = [DomainFactory(candidature_from=OPENING, declaration_until=day) for _ in range(2)]
    in_time, late = (ApplicationFactory(referent=referent, domain=d, state="declaration_open") for d in domains)
    assert post(browse(last), last, address("submit", in_time), {"version": 1}).status_code == 302
    assert post(browse(after), after, address("submit", late), {"version": 1}).status_code == 409


@each_day
def test_a_draft_is_typed_in_until_the_last_second_then_read_only(browse, referent, day, last, after):
    application = draft(referent, candidature_until=day)
    data = {"_page": "1", "precision": "À temps"}
    assert post(browse(last), last, address("detail", application), data).status_code == 302
    assert (
        post(browse(after), after, address("detail", application), data | {"precision": "Trop tard"}).status_code == 409
    )
    assert Answer.objects.get().value == "À temps"
    client = browse(after)
    with time_machine.travel(after, tick=False):
        page = text_of(client.get(address("detail", application)))
        assert client.get(address("recap", application)).url == address("detail", application)
    assert "data-step-form" not in page
    assert "Date limite passée : non transmise" in page
    assert "À temps" in page


def test_a_page_opened_before_and_sent_after_is_refused(browse, referent):
    day, last, after = DAYS["summer"]
    application = draft(referent, candidature_until=day)
    client = browse(last)
    with time_machine.travel(last, tick=False):
        assert "Transmettre votre candidature" in text_of(client.get(address("recap", application)))
    assert post(client, after, address("submit", application), {"version": 1}).status_code == 409


@pytest.mark.parametrize("state", ["changes_requested", "declaration_changes_requested"])
def test_what_was_sent_once_is_corrected_and_sent_again_after_the_last_day(browse, referent, state):
    day, _, after = DAYS["summer"]
    domain = DomainFactory(candidature_from=OPENING, candidature_until=day, declaration_until=day)
    application = ApplicationFactory(referent=referent, domain=domain, state=state)
    client = browse(after)
    assert (
        post(client, after, address("detail", application), {"_page": "1", "precision": "Corrigé"}).status_code == 302
    )
    assert post(client, after, address("submit", application), {"version": 1}).url == address("submitted", application)


def test_the_last_first_transmission_may_be_later_than_the_last_start(browse, referent):
    _, _, after = DAYS["summer"]
    application = draft(
        referent, candidature_until=date(2024, 4, 19), candidature_first_submission_until=date(2024, 4, 26)
    )
    assert post(browse(after), after, address("submit", application), {"version": 1}).status_code == 302


def test_without_end_nothing_is_ever_late(referent):
    application = draft(referent)
    assert not rules.is_late(application, datetime(2999, 1, 1, tzinfo=UTC))


@each_day
def test_the_worker_opens_declarations_from_the_first_second_of_their_day(day, last, after):
    opening = date.fromordinal(day.toordinal() + 1)
    domain = DomainFactory(candidature_from=OPENING, declaration_from=opening)
    application = ApplicationFactory(domain=domain, state="convention_signed")
    FormFactory(domain=domain, step="declaration")
    with time_machine.travel(last, tick=False):
        assert open_declarations() == 0
    with time_machine.travel(after, tick=False):
        assert open_declarations() == 1
        assert open_declarations() == 0
    assert Application.objects.get(pk=application.pk).state == State.DECLARATION_OPEN


def test_a_declaration_that_cannot_open_holds_back_no_other(caplog):
    """Its domain has no published declaration form."""
    without, with_form = (DomainFactory(candidature_from=OPENING) for _ in range(2))
    ApplicationFactory(domain=without, state="convention_signed")
    application = ApplicationFactory(domain=with_form, state="convention_signed", referent=UserFactory())
    FormFactory(domain=with_form, step="declaration")
    assert open_declarations() == 1
    assert Application.objects.get(pk=application.pk).state == State.DECLARATION_OPEN
