"""An administrator takes an access away, gives it back, changes a role; the last administrator stays."""

import pytest
from django.test import Client
from django.utils import timezone

from accounts import agents
from accounts.models import OpenSession, SignInCode, User
from applications.actions import submit
from ecare.journal.models import Entry
from ecare.letters.actions import gather
from ecare.letters.emails import compose
from ecare.letters.models import Letter
from ecare.letters.rules import calls_to_act
from tests.accounts.steps import give_code, give_password, secret_of
from tests.accounts.test_admin import change
from tests.factories import ApplicationFactory, RegionFactory, UserFactory
from tests.racing import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent():
    return UserFactory(ars=True, regions=[RegionFactory()])


def errors_of(response):
    return {name: list(said) for name, said in response.context["adminform"].form.errors.items()}


def test_a_deactivated_agent_is_out_at_once_and_their_history_stays(admin, agent, signed_in, administrator):
    theirs, half = signed_in(agent), Client()
    give_password(half, agent)
    assert change(admin, agent, is_active=None).status_code == 302
    assert theirs.get("/compte/").status_code == 302
    assert half.get("/connexion/code/")["Location"] == "/connexion/"
    assert not OpenSession.objects.filter(user=agent).exists()
    assert not SignInCode.objects.filter(user=agent, confirmed=False).exists()
    assert Letter.objects.get(name="code").state == "cancelled"
    entry = Entry.objects.get(subject=f"user:{agent.pk}", verb="deactivate")
    assert entry.actor == f"user:{administrator.pk}"
    give_password(half, agent)
    assert half.get("/compte/").status_code == 302
    assert User.objects.filter(pk=agent.pk).exists()


def test_it_is_given_back(admin, agent):
    change(admin, agent, is_active=None)
    agent.refresh_from_db()
    change(admin, agent, is_active="on")
    agent.refresh_from_db()
    assert agent.is_active
    verbs = Entry.objects.filter(subject=f"user:{agent.pk}").exclude(verb="vouch_for").order_by("sequence")
    assert list(verbs.values_list("verb", flat=True)) == ["deactivate", "reactivate"]
    client = Client()
    give_password(client, agent)
    assert give_code(client, secret_of("code", to=agent.email)).status_code == 302


def test_what_asked_them_to_act_no_longer_leaves(admin, agent):
    other = UserFactory(ars=True, regions=[RegionFactory()])
    dossier = ApplicationFactory()
    submit(dossier, by=dossier.referent, version=dossier.version, at=timezone.now())
    compose("password_changed", to=agent.email, context={"person": agent}).save()
    assert Letter.objects.filter(name="to_review", state="queued").count() == 2
    change(admin, agent, is_active=None)
    states = dict(Letter.objects.filter(name="to_review").values_list("recipient", "state"))
    assert states == {agent.email: "cancelled", other.email: "queued"}
    assert Letter.objects.get(name="password_changed").state == "queued", "no call to act"
    assert Letter.objects.filter(name="submitted", state="queued").exists()


def test_nor_does_what_a_daily_letter_was_to_tell(admin, agent):
    User.objects.filter(pk=agent.pk).update(wants_daily_letter=True)
    letter = compose("password_changed", to=agent.email, context={"person": agent})
    letter.name, letter.state, letter.subject = "to_review", Letter.State.HELD, ApplicationFactory().subject
    letter.save()
    assert gather() == 1
    change(admin, agent, is_active=None)
    letter = Letter.objects.get(pk=letter.pk)
    assert letter.state == "cancelled"


def test_calls_to_act_are_those_named_here():
    assert calls_to_act() == {
        "changes_requested",
        "convention_to_countersign",
        "declaration_opened",
        "desk_digest",
        "dossiers_assigned",
        "due_date_moved",
        "establishment_closed",
        "file_quarantined",
        "opinion_asked",
        "patient_data_reported",
        "pool_low",
        "reminder",
        "sent_back",
        "signature_reminder",
        "signed_copy_refused",
        "subscription_suspended",
        "take_over_to_decide",
        "to_review",
    }


# --- what is refused ----------------------------------------------------------------------------------------------
def test_nobody_deactivates_themselves(admin, administrator):
    UserFactory(administrator=True)
    said = errors_of(change(admin, administrator, is_active=None))
    assert "désactiver votre propre compte" in said["is_active"][0]
    administrator.refresh_from_db()
    assert administrator.is_active


def test_nobody_changes_their_own_role(admin, administrator):
    UserFactory(administrator=True)
    said = errors_of(change(admin, administrator, role="ans"))
    assert "changer votre propre rôle" in said["role"][0]
    administrator.refresh_from_db()
    assert administrator.role == "administrator" and administrator.is_staff


def test_an_administrator_still_edits_their_own_name(admin, administrator):
    assert change(admin, administrator, first_name="Éva").status_code == 302
    administrator.refresh_from_db()
    assert administrator.first_name == "Éva" and administrator.is_staff


@pytest.mark.parametrize("wanted", [{"role": "ans", "is_active": True}, {"role": "administrator", "is_active": False}])
def test_the_last_administrator_stays(administrator, wanted):
    inactive = UserFactory(administrator=True, is_active=False)
    with pytest.raises(agents.CannotChangeAccess, match="dernier administrateur actif"):
        agents.change_access(administrator, by=inactive, **wanted)
    administrator.refresh_from_db()
    assert administrator.is_active and administrator.role == "administrator"


def test_another_administrator_may_be_deactivated_or_given_another_role(admin):
    first, second = UserFactory(administrator=True), UserFactory(administrator=True)
    change(admin, first, is_active=None)
    change(admin, second, role="ans")
    for person in (first, second):
        person.refresh_from_db()
    assert not first.is_active
    assert (second.role, second.is_staff) == ("ans", False)
    assert Entry.objects.get(subject=f"user:{second.pk}", verb="change_role").data == {
        "from": "administrator",
        "to": "ans",
    }


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("rank", range(3))
def test_two_administrators_who_deactivate_each_other_leave_one(rank):
    pair = [UserFactory(administrator=True), UserFactory(administrator=True)]

    def act(person, by):
        return agents.change_access(person, by=by, role="administrator", is_active=False)

    deeds = [lambda two=two: act(*two) for two in (pair, pair[::-1])]
    told = at_once(*deeds, refusals=(agents.CannotChangeAccess,))
    assert User.objects.filter(role="administrator", is_active=True).count() == 1
    assert told.count(True) == 1 and "dernier administrateur actif" in str(told)
