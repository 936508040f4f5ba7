"""« Historique »: what the référent reads of the life of their dossier."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from applications import actions, people
from applications.models import Application
from applications.states import State
from ecare.journal.actions import record
from tests.applications.pages import address, text_of
from tests.factories import ApplicationFactory, UserFactory


@pytest.fixture
def agent(complete):
    return UserFactory(ars=True, regions=[complete.establishment.region], first_name="Dominique", last_name="Secret")


def transmit(application):
    actions.submit(application, by=application.referent, version=Application.objects.get().version, at=timezone.now())


def test_it_says_who_did_what_and_when_with_the_message(client, complete, agent):
    transmit(complete)
    actions.request_changes(complete, by=agent, version=2, message="Le RIB <b>manque</b>.")
    page = text_of(client.get(address("history", complete)))
    assert f"{complete.referent} (Référent) a commencé la candidature".replace("<", "") in page.replace(
        "<strong>", ""
    ).replace("</strong>", "")
    assert "a transmis la candidature" in page
    assert "ARS Occitanie</strong> a demandé une modification" in page
    assert "Le RIB <b>manque</b>." in page  # unescaped by text_of
    assert "Le RIB &lt;b&gt;" in client.get(address("history", complete)).content.decode()
    assert "À modifier" in page


def test_agents_are_named_by_their_service(client, complete, agent):
    transmit(complete)
    actions.accept(complete, by=agent, version=2)
    ans = UserFactory(ans=True, last_name="Caché")
    actions.abandon(complete, by=ans, version=3, message="Renoncement.")
    page = text_of(client.get(address("history", complete)))
    assert "Secret" not in page and "Caché" not in page
    assert "ARS Occitanie</strong> a accepté la candidature" in page
    assert "ANS</strong> a abandonné le dossier" in page and "Renoncement." in page


def test_what_agents_say_among_themselves_is_not_shown(client, referent):
    application = ApplicationFactory(referent=referent, state=State.UNDER_CONTROL)
    ans = UserFactory(ans=True)
    actions.send_back(application, by=ans, version=1, message="Vérifiez mieux.")
    page = text_of(client.get(address("history", application)))
    assert "ANS</strong> a renvoyé le dossier à l’ARS" in page
    assert "Vérifiez mieux" not in page


def test_downloads_and_unknown_verbs_are_not_in_it(client, complete, agent):
    record(complete.subject, "download_evidence", actor=agent.actor)
    record(complete.subject, "note", actor=agent.actor, message="Note interne")
    page = text_of(client.get(address("history", complete)))
    assert "Note interne" not in page and "ARS Occitanie</strong>" not in page


def test_the_latest_comes_first(client, complete):
    transmit(complete)
    page = text_of(client.get(address("history", complete)))
    assert page.index("a transmis la candidature") < page.index("a commencé la candidature")


@pytest.mark.parametrize("rounds", [1, 3])
def test_the_number_of_queries_does_not_grow(client, complete, agent, rounds):
    for _ in range(rounds):
        transmit(complete)
        version = Application.objects.get().version
        actions.request_changes(complete, by=agent, version=version, message="Encore.")
    client.get(address("history", complete))
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address("history", complete)).status_code == 200
    assert len(asked) == 11


def test_the_pages_of_the_dossier_lead_to_it(client, complete):
    for name in ("detail", "recap"):
        assert address("history", complete) in text_of(client.get(address(name, complete)))


def test_recap_and_reading_pages_have_a_sheet_for_paper(client, complete):
    assert 'ecare/print.css" media="print"' in text_of(client.get(address("recap", complete)))
    transmit(complete)
    for name in ("detail", "submitted", "history"):
        assert 'ecare/print.css" media="print"' in text_of(client.get(address(name, complete)))


def test_the_referent_reads_what_changed_of_the_people(client, complete, referent):
    """Which contact and how it reads now, to whom the dossier went, why a take-over was refused."""
    contact = {"civility": "madame", "last_name": "Nouvelle", "first_name": "Ana", "email": "ana@exemple.fr"}
    people.update_contact(complete, by=referent, role="rssi", values=contact)
    colleague = UserFactory(establishment=complete.establishment)
    asked = people.request_take_over(complete, by=colleague, reason="Le référent est en congé.")
    people.refuse_take_over(asked, by=UserFactory(ans=True), holder=referent.pk, message="Il revient demain.")
    page = text_of(client.get(address("history", complete)))
    for said in ("RSSI : Ana, Nouvelle, ana@exemple.fr", "Le référent est en congé.", "Il revient demain."):
        assert said in page
