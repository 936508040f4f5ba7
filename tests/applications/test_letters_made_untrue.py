"""A letter still waiting that calls somebody to act goes as soon as the dossier moves on."""

import pytest

from applications import actions
from applications.states import State
from ecare.letters.models import Letter
from tests.factories import ApplicationFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_a_call_to_review_goes_when_the_candidature_is_withdrawn():
    application = ApplicationFactory()
    UserFactory(ars=True, regions=[application.establishment.region])
    actions.submit(application, by=application.referent, version=1, at=application.created_at)
    assert set(Letter.objects.values_list("name", "state")) == {("to_review", "queued"), ("submitted", "queued")}

    actions.withdraw(application, by=application.referent, version=2)

    assert Letter.objects.get(name="to_review").state == Letter.State.CANCELLED
    assert Letter.objects.get(name="submitted").state == Letter.State.QUEUED, "a receipt stays true"


def test_the_letters_of_another_dossier_stay():
    application, other = ApplicationFactory(state=State.SUBMITTED), ApplicationFactory(state=State.SUBMITTED)
    agent = UserFactory(ars=True, regions=[application.establishment.region])
    for dossier in (application, other):
        actions.request_changes(dossier, by=agent, version=1, message="Complétez le RIB.")
    actions.submit(application, by=application.referent, version=2, at=application.created_at)

    states = dict(Letter.objects.filter(name="changes_requested").values_list("subject", "state"))
    assert states == {application.subject: Letter.State.CANCELLED, other.subject: Letter.State.QUEUED}
