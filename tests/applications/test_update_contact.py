"""« Contacts de l’établissement »: changed at any stage, from the form and from the dialog alike."""

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from playwright.sync_api import expect

from applications import actions, people
from applications.models import Answer, Application, Contact, Submission, values_of
from applications.states import State
from ecare.journal.models import Entry
from ecare.letters.models import Letter
from tests.applications.life_cycle import ROLES, STATES, dossier, traces
from tests.applications.life_cycle import people as cast_of
from tests.applications.pages import address, text_of
from tests.factories import ApplicationFactory, EstablishmentFactory, UserFactory

NEW = {"civility": "monsieur", "last_name": "Neuf", "first_name": "Noé", "email": "noe.neuf@exemple.fr"}
CLOSED = (State.WITHDRAWN, State.ABANDONED)


@pytest.mark.django_db
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("role", ROLES)
def test_the_referent_alone_changes_a_contact_in_every_state_but_two(role, state):
    cast = cast_of(EstablishmentFactory())
    application = dossier(state, owner=cast["owner"])
    before = traces(application)
    if role == "owner" and state not in CLOSED:
        assert people.update_contact(application, by=cast[role], role="dsi", values=NEW)
        assert Contact.objects.get(application=application, role="dsi").last_name == "Neuf"
        assert Application.objects.get(pk=application.pk).version == application.version
        return
    with pytest.raises(actions.NotNow if role == "owner" else PermissionDenied):
        people.update_contact(application, by=cast[role], role="dsi", values=NEW)
    assert traces(application) == before


def test_the_form_and_the_dialog_edit_the_same_data(complete, client, referent):
    client.post(address("update_contact", complete, "dsi"), NEW)
    values = values_of(complete)
    assert (values["dsi-last-name"], values["dsi-civility"]) == ("Neuf", "monsieur")
    actions.save_answers(complete, by=referent, values={"dsi-last-name": "Encore"}, at=timezone.now())
    assert "Encore" in text_of(client.get(address("contacts", complete)))


def test_after_the_sending_what_was_sent_stands_and_the_desk_is_told(complete, client, referent):
    ars = UserFactory(ars=True, regions=[complete.establishment.region])
    actions.submit(complete, by=referent, version=complete.version, at=timezone.now())
    Letter.objects.all().delete()
    page = client.post(address("update_contact", complete, "rssi"), NEW, follow=True)
    assert "Les coordonnées du contact RSSI sont enregistrées." in text_of(page)
    assert Submission.objects.get().content["answers"]["rssi-last-name"] == "Petit"
    assert Answer.objects.get(application=complete, question__key="rssi-email").value == NEW["email"]
    assert {letter.recipient for letter in Letter.objects.filter(name="contacts_changed")} == {
        referent.email,
        ars.email,
    }
    entry = Entry.objects.filter(subject=complete.subject).last()
    assert entry.verb == "update_contact"
    assert entry.data["before"]["last_name"] == "Petit" and entry.data["after"]["last_name"] == "Neuf"
    assert entry.message == (
        "RSSI : Monsieur Karim Petit, karim.petit@exemple.fr → Monsieur Noé Neuf, noe.neuf@exemple.fr"
    )


def test_of_a_draft_the_desk_learns_nothing(complete, client, referent):
    UserFactory(ars=True, regions=[complete.establishment.region])
    client.post(address("update_contact", complete, "rssi"), NEW)
    assert [letter.recipient for letter in Letter.objects.filter(name="contacts_changed")] == [referent.email]
    assert Entry.objects.filter(verb="update_contact").get().message == ""


def test_nothing_changed_writes_nothing(complete, client):
    same = {"civility": "madame", "last_name": "Martin", "first_name": "Claire", "email": "claire.martin@exemple.fr"}
    page = client.post(address("update_contact", complete, "dsi"), same, follow=True)
    assert "Vous n’avez rien changé" in text_of(page)
    assert not Letter.objects.filter(name="contacts_changed").exists()


def test_what_is_wrong_is_said_at_the_field_and_what_was_typed_stays(complete, client):
    page = client.post(address("update_contact", complete, "dsi"), NEW | {"email": "noe", "last_name": ""})
    text = page.content.decode()
    assert "Écrivez une adresse e-mail sous la forme nom@exemple.fr." in text
    assert 'value="noe"' in text and "Des réponses sont à corriger" in text
    assert Contact.objects.get(application=complete, role="dsi").last_name == "Martin"


@pytest.mark.parametrize("page", ["detail", "recap"])
def test_the_card_leads_to_the_contacts_from_the_form(complete, client, page):
    text = client.get(address(page, complete)).content.decode()
    assert 'aria-controls="contacts"' in text and 'id="contact-rssi"' in text
    assert address("contacts", complete) in text


@pytest.mark.parametrize("state", ["declaration_open", "submitted", "paid", "rejected"])
def test_the_card_leads_to_the_contacts_at_any_stage(client, referent, state):
    application = ApplicationFactory(referent=referent, state=state)
    assert address("contacts", application) in client.get(address("detail", application)).content.decode()


@pytest.mark.parametrize("state", CLOSED)
def test_not_of_a_dossier_that_ended_early(client, referent, state):
    application = ApplicationFactory(referent=referent, state=state)
    assert "Modifier les contacts" not in text_of(client.get(address("detail", application)))
    assert client.get(address("contacts", application)).status_code == 409


def test_the_signatory_and_nobody_else_are_contacts_to_change_here(complete, client):
    assert client.get(address("update_contact", complete, "signatory")).status_code == 404


@pytest.mark.parametrize(
    "name", ["https://arnaque.example/x", "Dupont\n\n[Valider](http://127.0.0.1/)", "<b>Dupont</b>"]
)
def test_a_name_carries_no_link_into_a_letter(complete, client, name):
    page = client.post(address("update_contact", complete, "dsi"), NEW | {"last_name": name})
    assert "Écrivez des lettres" in page.context["form"].errors["last_name"][0]
    assert not Letter.objects.filter(name="contacts_changed").exists()


def test_the_form_holds_a_name_to_the_same_rule_as_the_dialog(complete, client):
    answer = client.post(
        address("answer", complete, "dsi-last-name"),
        {"dsi-last-name": "https://arnaque.example/x"},
        headers={"accept": "application/json"},
    )
    assert answer.status_code == 422 and "Écrivez des lettres" in answer.json()["errors"][0]
    assert values_of(complete)["dsi-last-name"] == "Martin"


def test_of_several_changes_in_a_row_the_last_is_told(complete, client, referent):
    for name in ("Un", "Deux", "Trois"):
        client.post(address("update_contact", complete, "dsi"), NEW | {"last_name": name})
    told = Letter.objects.filter(name="contacts_changed", recipient=referent.email)
    waiting = [letter for letter in told if letter.state == Letter.State.QUEUED]
    assert len(waiting) == 1 and "Trois" in waiting[0].text
    client.post(address("update_contact", complete, "rssi"), NEW | {"last_name": "Quatre"})
    assert told.filter(state=Letter.State.QUEUED).count() == 2  # another contact is another matter


# --- two pages --------------------------------------------------------------------------------------------------------
def test_a_page_never_writes_over_a_contact_that_changed_since_it_was_shown(complete, client, referent):
    """The e-mail alone is typed: the name given meanwhile by another page must not go back to the former one."""
    place = address("update_contact", complete, "dsi")
    shown = client.get(place).context["form"]
    typed = shown.initial | {"email": "autre@exemple.fr"}
    actions.save_answers(complete, by=referent, values={"dsi-last-name": "Plus-Récent"}, at=timezone.now())
    page = client.post(place, typed)
    assert "Ce contact a été modifié ailleurs" in text_of(page) and "Plus-Récent" in text_of(page)
    assert 'value="autre@exemple.fr"' in page.text
    contact = Contact.objects.get(application=complete, role="dsi")
    assert (contact.last_name, contact.email) == ("Plus-Récent", shown.initial["email"])
    client.post(place, typed | {"mark": page.context["form"]["mark"].value()})  # seen, and saved all the same
    contact = Contact.objects.get(application=complete, role="dsi")
    assert (contact.last_name, contact.email) == (shown.initial["last_name"], "autre@exemple.fr")


def test_an_answer_saved_as_it_is_typed_brings_the_dialogs_up_to_date(complete, client):
    answer = client.post(
        address("answer", complete, "dsi-last-name"),
        {"dsi-last-name": "Nouveau"},
        headers={"accept": "application/json"},
    )
    assert 'value="Nouveau"' in answer.json()["dialogs"] and 'id="contact-dsi"' in answer.json()["dialogs"]
    other = client.post(
        address("answer", complete, "bic"), {"bic": "BDFEFRPPCCT"}, headers={"accept": "application/json"}
    )
    assert "dialogs" not in other.json()


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_in_a_browser_the_dialog_shows_what_was_just_typed_in_the_form(
    complete, referent, page, live_server, signed_in
):
    session = signed_in(referent).cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page.goto(live_server.url + address("detail", complete))
    page.locator("[name=dsi-last-name]").fill("Tout-Neuf")
    page.locator("[name=dsi-last-name]").blur()
    expect(page.locator("#question-dsi-last-name [data-saving]")).to_contain_text("Enregistré")
    page.get_by_role("link", name="Modifier les contacts").first.click()
    expect(page.locator("#contacts")).to_contain_text("Tout-Neuf")
    page.locator("#contacts").get_by_role("link", name="Modifier").first.click()
    expect(page.locator("#contact-dsi")).to_be_visible()
    expect(page.locator("#contact-dsi-last_name")).to_have_value("Tout-Neuf")
