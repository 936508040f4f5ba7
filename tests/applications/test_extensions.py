"""More time for one establishment: every deadline follows, to the second in Paris; given, replaced, withdrawn."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from applications import actions, extensions, rules
from applications.actions import NotNow
from applications.models import Application, Extension
from applications.reminders import remind
from applications.states import State, Step
from ecare.clock import PARIS
from ecare.journal.models import Entry
from ecare.letters.models import Letter
from tests.applications.life_cycle import ROLES
from tests.applications.life_cycle import people as cast_of
from tests.applications.pages import address, text_of
from tests.applications.test_deadlines import each_day, post
from tests.factories import ApplicationFactory, DomainFactory, EstablishmentFactory, FormFactory, UserFactory

pytestmark = pytest.mark.django_db

OPENING, OVER = date(2023, 1, 1), date(2023, 12, 31)
GIVEN = datetime(2024, 1, 5, 10, tzinfo=PARIS)
UNTIL = date(2024, 2, 20)
REASON = "Un incident de sécurité a arrêté le système d’information."


@pytest.fixture
def cast():
    return cast_of(EstablishmentFactory())


@pytest.fixture
def domain():
    """Its candidatures and its declarations are over."""
    domain = DomainFactory(candidature_from=OPENING, candidature_until=OVER, declaration_until=OVER)
    FormFactory(domain=domain)
    return domain


def give(domain, cast, *, step=Step.CANDIDATURE, until=UNTIL, at=GIVEN, by="ans"):
    establishment = cast["owner"].establishment
    return extensions.give_extension(domain, establishment, step=step, until=until, reason=REASON, by=cast[by], at=at)


def draft(domain, cast, **fields):
    form = domain.forms.get(step=Step.CANDIDATURE)
    return ApplicationFactory(referent=cast["owner"], domain=domain, candidature_form=form, **fields)


def now(application) -> Application:
    return Application.objects.select_related("domain").get(pk=application.pk)


def browse(signed_in, person, instant):
    with time_machine.travel(instant, tick=False):
        return signed_in(person)


# --- to the second ----------------------------------------------------------------------------------------------
@each_day
def test_a_candidature_is_started_and_sent_until_the_last_second(domain, cast, signed_in, day, last, after):
    give(domain, cast, until=day)
    start, data = reverse("applications:start"), {"domain": domain.slug}
    refused = post(browse(signed_in, cast["owner"], after), after, start, data)
    assert refused.status_code == 200 and not Application.objects.exists()
    owner = browse(signed_in, cast["owner"], last)
    assert post(owner, last, start, data).status_code == 302
    dossier = Application.objects.get()
    sent = reverse("applications:submit", args=[dossier.reference])
    late = post(browse(signed_in, cast["owner"], after), after, sent, {"version": dossier.version})
    assert (late.status_code, now(dossier).state) == (409, State.DRAFT)
    assert post(owner, last, sent, {"version": dossier.version}).status_code == 302
    assert now(dossier).state == State.SUBMITTED


@each_day
@pytest.mark.parametrize(("step", "state"), [(Step.CANDIDATURE, "draft"), (Step.DECLARATION, "declaration_open")])
def test_a_dossier_that_was_late_opens_again_until_the_last_second(domain, cast, step, state, day, last, after):
    dossier = draft(domain, cast, state=state)
    assert rules.is_late(dossier, last)
    give(domain, cast, step=step, until=day)
    dossier = now(dossier)
    assert (rules.last_day(dossier), rules.is_late(dossier, last), rules.is_late(dossier, after)) == (day, False, True)
    assert rules.is_open_for_answers(dossier, last) and not rules.is_open_for_answers(dossier, after)
    found = rules.deadline(dossier, last)
    assert found.is_extended and found.days_left == 0
    with pytest.raises(NotNow):
        actions.submit(dossier, by=cast["owner"], version=dossier.version, at=after)
    actions.submit(dossier, by=cast["owner"], version=dossier.version, at=last)


def test_an_extension_of_one_step_or_establishment_is_no_other_s(domain, cast):
    give(domain, cast, step=Step.DECLARATION)
    assert rules.last_day(draft(domain, cast)) == OVER
    other = UserFactory()
    with pytest.raises(NotNow):
        actions.start(domain, by=other, at=GIVEN)


def test_it_never_shortens_nor_ends_what_has_no_end(domain, cast):
    dossier = draft(domain, cast, candidature_extended_until=UNTIL)
    dossier.domain.candidature_until = date(2024, 6, 1)
    assert rules.last_day(dossier) == date(2024, 6, 1)
    dossier.domain.candidature_until = None
    assert rules.last_day(dossier) is None


# --- before and after there is a dossier --------------------------------------------------------------------------
def test_a_dossier_started_later_has_the_days_of_both_steps(domain, cast):
    give(domain, cast)
    give(domain, cast, step=Step.DECLARATION, until=date(2025, 1, 1))
    dossier = actions.start(domain, by=cast["owner"], at=GIVEN)
    assert (dossier.candidature_extended_until, dossier.declaration_extended_until) == (UNTIL, date(2025, 1, 1))


def test_one_that_was_withdrawn_may_be_started_again(domain, cast):
    give(domain, cast)
    first = actions.start(domain, by=cast["owner"], at=GIVEN)
    actions.withdraw(first, by=cast["owner"], version=first.version)
    assert actions.start(domain, by=cast["owner"], at=GIVEN).candidature_extended_until == UNTIL


def test_it_is_told_to_every_referent_while_there_is_no_dossier_and_then_to_its_own(domain, cast):
    give(domain, cast)
    told = Letter.objects.filter(name="extension_given")
    assert set(told.values_list("recipient", flat=True)) == {cast["owner"].email, cast["colleague"].email}
    dossier = draft(domain, cast)
    give(domain, cast, until=UNTIL + timedelta(days=1))
    assert told.filter(subject=dossier.subject).get().recipient == cast["owner"].email
    assert "21 février 2024" in told.get(subject=dossier.subject).text and REASON in told.first().text


def test_it_is_in_the_journal_by_itself_and_on_the_dossier(domain, cast):
    dossier = draft(domain, cast)
    extension = give(domain, cast)
    own = Entry.objects.get(subject=extension.subject)
    assert (own.verb, own.message, own.actor) == ("give_extension", REASON, cast["ans"].actor[0])
    assert own.data["until"] == UNTIL.isoformat()
    assert "20 février 2024" in Entry.objects.get(subject=dossier.subject, verb="give_extension").message


# --- reminders, pages -----------------------------------------------------------------------------------------------
def test_reminders_count_from_the_new_day_and_those_of_the_former_one_go(cast):
    domain = DomainFactory(candidature_from=OPENING, candidature_until=date(2024, 1, 12))
    FormFactory(domain=domain)
    dossier = draft(
        domain, cast, created_at=datetime(2023, 6, 1, tzinfo=UTC), moved_at=datetime(2023, 6, 1, tzinfo=UTC)
    )
    assert remind(GIVEN) == 1
    give(domain, cast)
    assert Letter.objects.get(name="reminder").state == Letter.State.CANCELLED
    days = (UNTIL - timedelta(days=before) for before in (15, 14, 13, 7, 2))
    assert [remind(datetime(d.year, d.month, d.day, 9, tzinfo=PARIS)) for d in days] == [0, 1, 0, 1, 1]
    assert dossier.reference in Letter.objects.filter(name="reminder").first().text


def test_the_pages_of_the_establishment_say_it_and_no_other_s(domain, cast, signed_in):
    give(domain, cast)
    said = "prolongation accordée à votre établissement"
    owner, stranger = (browse(signed_in, cast[role], GIVEN) for role in ("owner", "stranger"))
    own = reverse("eligibility_of", args=[cast["owner"].establishment.finess])
    with time_machine.travel(GIVEN, tick=False):
        for page in (reverse("applications:dashboard"), reverse("applications:start"), own):
            text = text_of(owner.get(page))
            assert said in text and "20 février 2024" in text, page
            assert said not in text_of(stranger.get(page)), page
        assert f'value="{domain.slug}"' in owner.get(reverse("applications:start")).text
        assert f'value="{domain.slug}"' not in stranger.get(reverse("applications:start")).text
        dossier = actions.start(domain, by=cast["owner"], at=GIVEN)
        for page in (reverse("applications:dashboard"), address("detail", dossier)):
            assert said in text_of(owner.get(page)), page


@pytest.mark.parametrize("count", [1, 3])
def test_the_dashboard_costs_the_same_however_many_extensions(cast, signed_in, django_assert_num_queries, count):
    for _ in range(count):
        domain = DomainFactory(candidature_from=OPENING, candidature_until=OVER, declaration_until=OVER)
        FormFactory(domain=domain)
        give(domain, cast)
        draft(domain, cast)
    client = browse(signed_in, cast["owner"], GIVEN)
    with time_machine.travel(GIVEN, tick=False):
        client.get(reverse("applications:dashboard"))
        with django_assert_num_queries(17):
            client.get(reverse("applications:dashboard"))


# --- giving, replacing, withdrawing --------------------------------------------------------------------------------
def test_a_later_day_takes_the_place_of_the_former_one(domain, cast):
    first = give(domain, cast)
    second = give(domain, cast, until=UNTIL + timedelta(days=9))
    assert dict(Extension.objects.values_list("pk", "state")) == {first.pk: "replaced", second.pk: "in_force"}


@pytest.mark.parametrize(
    ("fields", "until", "said"),
    [
        ({}, GIVEN.date() - timedelta(days=1), "passée"),
        ({"candidature_extended_until": UNTIL}, UNTIL, "ne prolonge rien"),
        ({"state": "submitted"}, UNTIL, "déjà été transmise"),
        ({"state": "rejected"}, UNTIL, "terminé"),
    ],
)
def test_what_would_change_nothing_is_refused(domain, cast, fields, until, said):
    draft(domain, cast, **fields)
    if "candidature_extended_until" in fields:
        give(domain, cast, until=UNTIL)
        before = Extension.objects.count()
    else:
        before = 0
    with pytest.raises(NotNow, match=said):
        give(domain, cast, until=until)
    assert Extension.objects.count() == before


def test_a_domain_without_end_or_not_for_this_kind_has_none(domain, cast):
    with pytest.raises(NotNow, match="pas de date limite"):
        give(DomainFactory(), cast)
    with pytest.raises(NotNow, match="pas éligible"):
        give(DomainFactory(kinds=["ght"], candidature_until=OVER, candidature_from=OPENING), cast)


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"ans"}))
def test_only_the_ans_gives_one_and_takes_it_back(domain, cast, role):
    with pytest.raises(PermissionDenied):
        give(domain, cast, by=role)
    given = give(domain, cast)
    with pytest.raises(PermissionDenied):
        extensions.withdraw_extension(given, by=cast[role], message=REASON, at=GIVEN)
    assert Extension.objects.get().is_in_force


def withdraw(extension, cast):
    extensions.withdraw_extension(extension, by=cast["ans"], message="Accordée par erreur.", at=GIVEN)


def test_it_is_withdrawn_while_unused_with_a_reason(domain, cast):
    dossier = draft(domain, cast, created_at=datetime(2023, 6, 1, tzinfo=UTC))
    given = give(domain, cast)
    withdraw(given, cast)
    given.refresh_from_db()
    assert (given.state, given.ended_by, given.message) == ("withdrawn", cast["ans"], "Accordée par erreur.")
    assert rules.is_late(now(dossier), GIVEN) and rules.last_day(now(dossier)) == OVER
    assert "Accordée par erreur." in Letter.objects.get(name="extension_withdrawn").text
    with pytest.raises(NotNow, match="retirée"):
        withdraw(given, cast)


def test_what_was_started_or_sent_thanks_to_it_stands(domain, cast):
    started = give(domain, cast)
    with time_machine.travel(GIVEN + timedelta(days=1), tick=False):
        dossier = actions.start(domain, by=cast["owner"], at=GIVEN + timedelta(days=1))
    with pytest.raises(NotNow, match="a servi"):
        withdraw(started, cast)
    Application.objects.filter(pk=dossier.pk).update(created_at=datetime(2023, 6, 1, tzinfo=UTC))
    actions.submit(dossier, by=cast["owner"], version=dossier.version, at=GIVEN + timedelta(days=2))
    with pytest.raises(NotNow, match="a servi"):
        withdraw(started, cast)
    assert Extension.objects.get().is_in_force
