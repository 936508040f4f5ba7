import pytest

from applications.models import Application
from applications.people import request_take_over
from applications.states import State
from ecare.letters.models import Letter
from tests.applications.pages import address, text_of
from tests.factories import ApplicationFactory, UserFactory


@pytest.mark.parametrize("state", ["draft", "submitted", "changes_requested"])
def test_before_acceptance_the_referent_withdraws_after_a_question(client, referent, state):
    application = ApplicationFactory(referent=referent, state=state)
    assert address("withdraw", application) in client.get(address("detail", application)).content.decode()
    page = text_of(client.get(address("withdraw", application)))
    assert f"Retirer la candidature n° {application.reference} ?" in page
    client.post(address("withdraw", application), {"version": 1})
    assert Application.objects.get(pk=application.pk).state == State.WITHDRAWN
    assert Letter.objects.filter(name="withdrawn").count() == (state != "draft")
    assert "Candidature retirée" in text_of(client.get(address("detail", application)))


@pytest.mark.parametrize("state", ["accepted", "declaration_open", "paid", "rejected"])
def test_afterwards_it_is_too_late(client, referent, state):
    application = ApplicationFactory(referent=referent, state=state)
    assert address("withdraw", application) not in client.get(address("detail", application)).content.decode()
    assert client.get(address("withdraw", application)).status_code == 409
    assert client.post(address("withdraw", application), {"version": 1}).status_code == 409
    assert Application.objects.get(pk=application.pk).state == state


def test_another_version_is_refused(client, referent):
    application = ApplicationFactory(referent=referent)
    assert client.post(address("withdraw", application), {"version": 7}).status_code == 409
    assert Application.objects.get(pk=application.pk).state == State.DRAFT


def test_a_colleague_who_asked_for_it_is_told(client, referent):
    application = ApplicationFactory(referent=referent)
    colleague = UserFactory(establishment=referent.establishment)
    asked = request_take_over(application, by=colleague, reason="Le référent a quitté l’établissement.")
    assert f"{colleague} demande à reprendre votre dossier n° {application.reference}" in text_of(
        client.get("/tableau-de-bord/")
    )
    page = text_of(client.get(address("withdraw", application)))
    assert f"{colleague} demande à reprendre ce dossier" in page
    client.post(address("withdraw", application), {"version": 1})
    asked.refresh_from_db()
    assert asked.state == asked.State.MOOT and asked.decided_at and asked.decided_by is None
    assert Letter.objects.get(name="take_over_moot").recipient == colleague.email
    assert "demande à reprendre" not in text_of(client.get("/tableau-de-bord/"))


def test_a_request_about_a_colleagues_dossier_awaits_nobody_else(client, referent):
    theirs = ApplicationFactory(referent=UserFactory(establishment=referent.establishment))
    request_take_over(theirs, by=referent, reason="Le référent a quitté l’établissement.")
    assert "demande à reprendre" not in text_of(client.get("/tableau-de-bord/"))
