"""The directory closes an establishment: its dossiers stay, the agents of its region and the ANS are told, once."""

import pytest
from django.conf import settings
from django.core import mail
from django.urls import reverse

from applications.models import Application
from applications.states import State
from applications.tasks import alert_of_closures
from ecare.letters.actions import deliver
from ecare.letters.models import Letter
from establishments.models import Establishment
from tests.applications.life_cycle import people
from tests.establishments.conftest import Folder
from tests.factories import ApplicationFactory, EstablishmentFactory, UserFactory, finess

pytestmark = pytest.mark.django_db

STAYS, CLOSES = finess("30", 1), finess("30", 2)  # where no factory puts any


@pytest.fixture
def folder(tmp_path):
    """Two private hospitals in Occitanie."""
    path = tmp_path / "finess"
    path.mkdir()
    folder = Folder(path)
    folder.departments.append(["30", "Gard", "76"])
    folder.entity(STAYS, "CLINIQUE DU PARC", status="73", town="30000 NIMES")
    folder.entity(CLOSES, "CLINIQUE DES PINS", status="73", town="30000 NIMES")
    folder.run()
    return folder


@pytest.fixture
def closing(folder):
    return Establishment.objects.get(legal_entity__finess=CLOSES)


@pytest.fixture
def cast(closing):
    return people(closing)


def closed(**fields):
    return EstablishmentFactory(closed_on="2026-11-02", **fields)


def dossier_of(establishment, state=State.SUBMITTED):
    return ApplicationFactory(referent=UserFactory(establishment=establishment), state=state)


def alerts():
    return Letter.objects.filter(name="establishment_closed").order_by("pk")


def recipients():
    return sorted(letter.recipient for letter in alerts())


# --- the import, then the worker ----------------------------------------------------------------------------------
def test_an_import_that_closes_it_keeps_the_dossier_and_alerts_its_region_and_the_ans_once(folder, closing, cast):
    dossier = ApplicationFactory(referent=cast["owner"], state=State.SUBMITTED)
    dossier_of(Establishment.objects.get(legal_entity__finess=STAYS))
    assert alert_of_closures() == 0
    folder.entities.pop(CLOSES)
    folder.run()
    closing.refresh_from_db()
    assert closing.closed_on is not None
    kept = Application.objects.get(pk=dossier.pk)
    assert (kept.establishment, kept.state, kept.referent) == (closing, State.SUBMITTED, cast["owner"])

    assert alert_of_closures() == 1
    assert recipients() == sorted([cast["ars"].email, cast["ans"].email])

    folder.run()
    assert alert_of_closures() == 0
    assert alerts().count() == 2


def test_the_worker_is_woken_for_it():
    assert alert_of_closures.name in {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}


def test_the_letter_names_the_establishment_and_each_dossier_under_way(cast, closing):
    Establishment.objects.filter(pk=closing.pk).update(closed_on="2026-11-02")
    drafted, sent = dossier_of(closing, State.DRAFT), dossier_of(closing, State.UNDER_CONTROL)
    withdrawn = dossier_of(closing, State.WITHDRAWN)
    alert_of_closures()
    letter = alerts().first()
    assert "CLINIQUE DES PINS" in letter.title and "2 dossiers en cours" in letter.title
    for said in (CLOSES, "2 novembre 2026", "Occitanie", drafted.reference, sent.reference, sent.domain.name):
        assert said in letter.text
    assert reverse("reviews:dossier", args=[sent.reference]) in letter.text
    assert withdrawn.reference not in letter.text
    assert letter.link.endswith(f"/verification/?etat=tous&q={CLOSES}")


@pytest.mark.parametrize(
    "state", [State.PAID, State.REJECTED, State.DECLARATION_REJECTED, State.WITHDRAWN, State.ABANDONED]
)
def test_dossiers_that_are_over_call_for_no_alert(state):
    UserFactory(ans=True)
    dossier_of(closed(), state)
    assert alert_of_closures() == 0
    assert not alerts().exists()


def test_without_anybody_to_tell_the_alert_waits_for_somebody():
    dossier_of(closed())
    assert alert_of_closures() == 0
    UserFactory(ans=True)
    assert alert_of_closures() == 1


def test_who_becomes_an_agent_afterwards_is_not_told_of_old_closures():
    UserFactory(ans=True)
    dossier_of(closed())
    alert_of_closures()
    UserFactory(ans=True)
    assert alert_of_closures() == 0
    assert alerts().count() == 1


def test_a_second_closure_is_told_too():
    UserFactory(ans=True)
    establishment = closed()
    dossier_of(establishment)
    alert_of_closures()
    Establishment.objects.update(closed_on=None)
    assert alert_of_closures() == 0
    Establishment.objects.filter(pk=establishment.pk).update(closed_on="2026-12-01")
    assert (alert_of_closures(), alert_of_closures()) == (1, 0)
    assert alerts().count() == 2


def test_an_alert_does_not_leave_once_the_establishment_is_open_again():
    UserFactory(ans=True)
    for establishment in (closed(), closed()):
        dossier_of(establishment)
    assert alert_of_closures() == 2
    reopened = alerts().first().subject.partition(":")[2]
    Establishment.objects.filter(pk=reopened).update(closed_on=None)
    deliver()
    assert len(mail.outbox) == 1
    assert alerts().get(state="cancelled").subject == f"establishment:{reopened}"


@pytest.mark.parametrize("count", [1, 3])
def test_ticks_with_nothing_new_cost_two_queries_however_many_closed(count, django_assert_num_queries):
    UserFactory(ans=True)
    for _rank in range(count):
        dossier_of(closed())
    assert alert_of_closures() == count
    with django_assert_num_queries(2):
        alert_of_closures()
