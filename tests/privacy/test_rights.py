"""A person asks for a copy of their data, or for their erasure: canaries of one person wherever they may be."""

import io
import json
import zipfile
from datetime import timedelta

import pytest
from django.contrib.admin import site
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from accounts import actions as accounts
from accounts.agents import change_access, invite
from accounts.models import EmailCorrection, Invitation, OpenSession, User
from applications import actions as dossiers
from applications.models import Application
from applications.people import request_take_over, transfer
from ecare.journal.actions import broken_links
from ecare.journal.models import Entry
from ecare.letters import retention as letters
from ecare.letters.models import Letter, LetterText
from ecare.letters.tasks import deliver
from establishments.models import DirectoryImport, ImportRequest
from exports.actions import ask as ask_export
from exports.models import Export
from privacy import actions, readers
from reviews.assignments import assign
from reviews.models import Phrase, SavedView
from reviews.remarks import add_note, ask_opinion
from systems.models import System
from tests.addresses import GET
from tests.evidence.conftest import dossier_with, put_in, transmit
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

NAME = {"first_name": "Canariprenom", "last_name": "Canarinom"}
USERS = "admin:accounts_user_changelist"
REASON = "Demande reçue par courrier"


def found_in(text: str) -> bool:
    return "canari" in text.lower()


@pytest.fixture
def referent(signed_in):
    """A référent who gave their dossier to a colleague, was refused another, got letters, changed their mailbox."""
    person = UserFactory(username="canari.referent", email="canari.referent@exemple.fr", phone="+33647114711", **NAME)
    colleague = UserFactory(establishment=person.establishment)
    application = dossier_with({"is_required": False}, referent=person)
    put_in(application)
    transmit(application)
    application = Application.objects.get()
    transfer(application, by=person, to=colleague, version=application.version)
    request_take_over(application, by=person, reason="Je reprends ce dossier.")
    change = accounts.request_email_change(person, "canari.deux@exemple.fr")
    for side in ("old", "new"):
        accounts.confirm_email_change(change, side)
    signed_in(person)
    EmailCorrection.objects.create(user=person, former="canari.avant@exemple.fr", until=timezone.now())
    return User.objects.get(pk=person.pk)


@pytest.fixture
def agent(administrator, signed_in):
    """An agent who was invited, follows a dossier, wrote a note, asked for opinions, keeps views and phrases."""
    application = dossier_with({"is_required": False})
    transmit(application)
    application = Application.objects.get(pk=application.pk)
    agent = UserFactory(
        ars=True, username="canari.agent", email="canari.agent@ars.example",
        regions=[application.establishment.region], **NAME,
    )  # fmt: skip
    other = UserFactory(ars=True, regions=[application.establishment.region])
    invitation = Invitation.objects.create(
        email=agent.email, role="ars", by=administrator, token="1", sent_at=timezone.now(), until=timezone.now(),
        accepted_at=timezone.now(), person=agent,
    )  # fmt: skip
    assign([application.reference], to=agent, by=other)
    add_note(application, by=agent, text="Une note.", is_shared=True)
    ask_opinion(application, by=other, of=agent, question="Qu’en pensez-vous ?")
    SavedView.objects.create(owner=agent, name="Canari vue")
    Phrase.objects.create(owner=agent, title="Canari phrase", text="Canari")
    ask_export(Export.Kind.QUEUE_CSV, what="", label="Dossiers", by=agent, at=timezone.now())
    ImportRequest.objects.create(asked_at=timezone.now(), actor=agent.actor[0], by=agent.actor[1], files=[])
    counts = {kind: dict.fromkeys(DirectoryImport.MEASURES, 0) for kind in DirectoryImport.KINDS}
    DirectoryImport.objects.create(by=agent.actor[1], files=[], counts=counts, remarks=[])
    LetterText.objects.create(name="code", number=1, by=agent.actor[1])
    LogEntry.objects.create(user=administrator, object_id=agent.pk, object_repr=str(agent), action_flag=CHANGE)
    dossiers.request_changes(application, by=agent, version=application.version, message="À revoir.")
    signed_in(agent)
    assert invitation.person == agent
    return agent


def ask(admin, person, action, **said):
    data = {"action": action, "_selected_action": [person.pk], **said}
    return admin.post(reverse(USERS), data)


# --- a copy -------------------------------------------------------------------------------------------------------
def copy_of(admin, person) -> dict:
    answer = ask(admin, person, "hand_over", confirmed="1", reason=REASON)
    assert answer["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        held = json.loads(archive.read("donnees.json"))
        plain = archive.read("donnees.txt").decode()
    assert all(name in plain for name in held)
    return held


def test_the_copy_of_a_referent_holds_all_that_is_theirs(admin, referent):
    held = copy_of(admin, referent)
    text = json.dumps(held, ensure_ascii=False)
    assert {"Compte", "Courrier", "Écriture du journal", "Demande de reprise", "Envoi"} <= set(held)
    for word in ("canari.deux@exemple.fr", "canari.avant@exemple.fr", "+33647114711", "Je reprends ce dossier."):
        assert word in text
    assert referent.password not in text and "⟦" not in json.dumps(held["Compte"])


def test_the_copy_of_an_agent_holds_all_that_is_theirs(admin, agent):
    held = copy_of(admin, agent)
    text = json.dumps(held, ensure_ascii=False)
    for word in (
        "Une note.",
        "Canari vue",
        "Canari phrase",
        "Qu’en pensez-vous",
        "À revoir.",
        "canari.agent@ars.example",
    ):
        assert word in text, word
    assert {"Session", "Invitation", "Export", "Attribution"} <= set(held)


def test_every_relation_that_leads_to_a_person_is_followed():
    """A table added tomorrow is in the copy by itself."""
    relations = [
        relation for relation in User._meta.get_fields(include_hidden=True)
        if relation.auto_created and not relation.concrete and not relation.related_model._meta.auto_created
    ]  # fmt: skip
    assert len(list(readers._related(UserFactory()))) == len(relations) > 30


def test_a_copy_is_journalled_and_the_person_is_told(admin, administrator, referent):
    copy_of(admin, referent)
    entry = Entry.objects.get(verb="hand_over_data")
    assert (entry.actor, entry.message) == (administrator.actor[0], REASON)
    letter = Letter.objects.get(name="data_handed_over")
    assert letter.recipient == referent.email and REASON in letter.text


@pytest.mark.parametrize("action", ["hand_over", "erase"])
def test_without_a_reason_nothing_is_done(admin, referent, action):
    asked = ask(admin, referent, action).content.decode()
    assert "Motif" in asked and "obligatoire" not in asked
    assert "ce motif est obligatoire" in ask(admin, referent, action, confirmed="1", reason="  ").content.decode()
    assert not Entry.objects.filter(verb__in=["hand_over_data", "erase_person"]).exists()


def test_nobody_but_an_administrator_gets_there(signed_in, referent):
    for role in ("ars", "ans"):
        answer = ask(signed_in(UserFactory(**{role: True})), referent, "hand_over", confirmed="1", reason=REASON)
        assert answer.status_code in (302, 403) and answer["Content-Type"] != "application/zip"


# --- erasure ------------------------------------------------------------------------------------------------------
def erase(admin, person):
    answer = ask(admin, person, "erase", confirmed="1", reason=REASON)
    assert answer.status_code == 302
    person.refresh_from_db()
    assert not person.is_active and not found_in(f"{person.username} {person.email} {person} {person.phone}")


def pages_of(clients, reference):
    """Every page that takes no argument or this dossier, to each role; and every page of the administration."""
    for client in clients:
        for row in GET:
            name = row.partition(" ")[0]
            if name in ("account_logout", "metrics") or row.partition(" ")[2] not in ("", "draft", "sent"):
                continue
            try:
                yield client, reverse(name, args=[reference] if row.partition(" ")[2] else [])
            except Exception:  # an address of something else
                continue


def assert_nowhere(clients, admin, reference):
    seen = 0
    for client, address in pages_of(clients, reference):
        answer = client.get(address)
        seen += answer.status_code == 200
        if answer.get("Content-Type", "").startswith(("text", "application/json")):
            assert not found_in(b"".join(answer).decode(errors="replace")), address
    assert seen > 20
    for model in sorted(site._registry, key=str):
        base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        addresses = [reverse(f"{base}_changelist")]
        for row in model._default_manager.order_by("-pk")[:60]:
            addresses += [reverse(f"{base}_{page}", args=[row.pk]) for page in ("change", "history")]
        for address in addresses:
            answer = admin.get(address)
            assert not found_in(answer.content.decode()), address


@pytest.mark.parametrize("who", ["referent", "agent"])
def test_after_an_erasure_nobody_reads_who_it_was(request, signed_in, admin, administrator, settings, who):
    """Protections: `erase`, the veil of the journal, the words of letters; without one of them a page says the name."""
    person = request.getfixturevalue(who)
    application = Application.objects.get()
    other = application.referent
    clients = [signed_in(other), signed_in(UserFactory(ans=True)), admin]
    clients.append(signed_in(UserFactory(ars=True, regions=[application.establishment.region])))
    shown = [client.get(address) for client, address in pages_of(clients, application.reference)]
    assert any(found_in(answer.content.decode()) for answer in shown if not answer.streaming)
    erase(admin, person)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    deliver()
    letters.forget(timezone.now())
    assert_nowhere(clients, admin, application.reference)
    assert not Letter.objects.filter(recipient__icontains="canari").exists()
    assert not OpenSession.objects.filter(user=person).exists()
    for subject in Entry.objects.values_list("subject", flat=True).distinct().order_by():
        assert list(broken_links(subject)) == []
    assert Entry.objects.filter(actor_label__icontains="canari").exists(), "the ledger keeps its proof"


def test_what_the_law_keeps_is_kept(admin, agent):
    application = Application.objects.get()
    before = (application.state, application.submissions.get().digest, application.notes.count())
    entries = Entry.objects.filter(subject=application.subject).count()
    erase(admin, agent)
    application = Application.objects.get()
    assert (application.state, application.submissions.get().digest, application.notes.count()) == before
    assert Entry.objects.filter(subject=application.subject).count() == entries
    assert not Phrase.objects.exists() and not SavedView.objects.exists()


def test_the_last_letter_leaves_and_then_its_mailbox_is_forgotten(admin, referent, settings, mailoutbox):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    erase(admin, referent)
    letters.forget(timezone.now())
    deliver()
    [mail] = [mail for mail in mailoutbox if "effacées" in mail.subject]
    assert mail.to == ["canari.deux@exemple.fr"] and REASON in mail.body
    letters.forget(timezone.now())
    last = Letter.objects.get(name="account_erased")
    assert (last.state, last.text, last.recipient) == ("sent", "", "personne@efface.invalid")


def test_whoever_was_erased_neither_comes_in_nor_takes_a_mailbox_away(admin, client, referent):
    erase(admin, referent)
    client.post(reverse("account_login"), {"login": "canari.referent", "password": "x"})
    client.post(reverse("account_reset_password"), {"email": "canari.deux@exemple.fr"})
    assert Letter.objects.filter(name="account_not_found").count() == 1
    assert "effacées" in "".join(str(m) for m in admin.get(reverse(USERS)).context["messages"])
    change = reverse("admin:accounts_user_change", args=[referent.pk])
    assert admin.post(change, {}).status_code == 403, "nothing is given back to an erased account"


def test_whoever_holds_a_dossier_answers_for_a_system_or_is_alone_is_not_erased(admin, administrator):
    holder = dossier_with({}).referent
    contact = UserFactory(ans=True)
    System.objects.create(name="SI", contact=contact.email, purpose="Essai")
    for person, said in ((holder, "suit encore"), (contact, "répond du système"), (administrator, "propre compte")):
        ask(admin, person, "erase", confirmed="1", reason=REASON)
        assert said in admin.get(reverse(USERS)).content.decode()
        person.refresh_from_db()
        assert person.is_active
    with pytest.raises(actions.CannotErase, match="dernier administrateur"):
        actions.erase(administrator, by=None, reason=REASON, at=timezone.now())


def test_an_account_that_was_closed_long_ago_is_erased_by_itself(administrator):
    person = UserFactory(ans=True, last_login=timezone.now(), **NAME)
    change_access(person, by=administrator, role=person.role, is_active=False)
    assert actions.erase_long_closed(timezone.now() + timedelta(days=1824)) == 0
    assert actions.erase_long_closed(timezone.now() + timedelta(days=1826)) == 1
    assert actions.erase_long_closed(timezone.now() + timedelta(days=1827)) == 0
    person.refresh_from_db()
    assert person.last_name == "Personne effacée"


# --- from the command line ------------------------------------------------------------------------------------------
def test_both_rights_from_the_command_line(tmp_path, agent):
    path = tmp_path / "copie.zip"
    call_command("export_person", "canari.agent", str(path), reason=REASON)
    assert path.stat().st_mode & 0o077 == 0 and zipfile.is_zipfile(path)
    call_command("erase_person", "canari.agent", reason=REASON)
    assert not User.objects.filter(username="canari.agent").exists()
    with pytest.raises(CommandError, match="No account"):
        call_command("erase_person", "canari.agent", reason=REASON)


def test_an_erased_mailbox_may_be_invited_again(admin, administrator, agent):
    erase(admin, agent)
    invite(Invitation(email="canari.agent@ars.example", role="ars"), regions=[], by=administrator)
