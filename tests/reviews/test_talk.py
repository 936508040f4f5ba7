"""Notes, opinions and phrases: what agents write beside a dossier, and who reads it."""

from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from applications.actions import NotNow
from applications.states import State
from ecare.journal.models import Entry
from ecare.letters.emails import compose
from ecare.letters.models import Letter
from ecare.letters.rules import is_still_true
from reviews.models import Note, Opinion, Phrase
from reviews.remarks import RESENT_A_DAY, add_note, ask_opinion, give_opinion, remove_note, resend_letter
from tests.applications.pages import text_of
from tests.factories import ApplicationFactory, RegionFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def application():
    return ApplicationFactory(state=State.SUBMITTED)


@pytest.fixture
def ars(application):
    return UserFactory(ars=True, regions=[application.establishment.region])


@pytest.fixture
def ans():
    return UserFactory(ans=True)


def dossier(application, fragment=""):
    return f"{reverse('reviews:dossier', args=[application.reference])}{fragment}"


# --- notes --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("is_shared", [True, False])
def test_a_note_is_read_by_the_desk_and_by_the_other_one_if_it_is_meant_to(is_shared, application, ars, ans, signed_in):
    colleague = UserFactory(ars=True, regions=[application.establishment.region])
    address = reverse("reviews:add_note", args=[application.reference])
    typed = {"text": "Le RIB est à vérifier."} | ({"is_shared": "on"} if is_shared else {})
    assert signed_in(ars).post(address, typed).url == dossier(application, "#notes")
    for reader, reads in ((ars, True), (colleague, True), (ans, is_shared)):
        page = signed_in(reader).get(dossier(application)).content.decode()
        assert ("Le RIB est à vérifier." in page) == reads, reader.role
    assert not Letter.objects.exists()


def test_no_page_of_the_establishment_shows_a_note_or_an_opinion(application, ars, ans, signed_in):
    add_note(application, by=ars, text="Note secrète.", is_shared=True)
    opinion = ask_opinion(application, by=ars, of=ans, question="Question secrète ?")
    give_opinion(opinion, by=ans, advice="against", answer="Avis secret.", at=timezone.now())
    browser = signed_in(application.referent)
    for name in ("detail", "history", "submitted"):
        page = browser.get(reverse(f"applications:{name}", args=[application.reference]), follow=True).content.decode()
        assert "secr" not in page
        assert "avis" not in page.lower().replace("avisé", "")


def test_a_note_is_taken_back_by_its_author_alone_and_the_journal_keeps_that_it_was(application, ars, signed_in):
    colleague = UserFactory(ars=True, regions=[application.establishment.region])
    note = add_note(application, by=ars, text="Le RIB est à vérifier.", is_shared=False)
    address = reverse("reviews:remove_note", args=[application.reference, note.pk])
    assert signed_in(colleague).post(address).status_code == 403
    with pytest.raises(PermissionDenied):
        remove_note(note, by=colleague)
    assert signed_in(ars).post(address).status_code == 302
    assert not Note.objects.exists()
    kept = Entry.objects.filter(subject=application.subject, verb__in=["add_note", "remove_note"])
    assert [entry.verb for entry in kept] == ["add_note", "remove_note"]
    assert "RIB" not in str([entry.data for entry in kept])


def test_a_note_of_the_other_desk_is_not_found(application, ars, ans, signed_in):
    note = add_note(application, by=ars, text="Le RIB est à vérifier.", is_shared=False)
    address = reverse("reviews:remove_note", args=[application.reference, note.pk])
    assert signed_in(ans).post(address).status_code == 404


# --- opinions -----------------------------------------------------------------------------------------------------
def test_an_opinion_is_asked_by_mail_given_and_told_to_whoever_asked(application, ars, ans, signed_in):
    asked = {"of": ans.pk, "question": "Les comptes sont-ils certifiés ?"}
    signed_in(ars).post(reverse("reviews:ask_opinion", args=[application.reference]), asked)
    letter = Letter.objects.get(name="opinion_asked")
    assert (letter.recipient, "certifiés" in letter.text) == (ans.email, True)
    opinion, browser = Opinion.objects.get(), signed_in(ans)
    address = reverse("reviews:give_opinion", args=[application.reference, opinion.pk])
    assert address in browser.get(dossier(application)).content.decode()
    refused = browser.post(address, {"advice": "against", "answer": " "})
    assert "Dites pourquoi votre avis est réservé ou défavorable." in refused.content.decode()
    assert browser.post(address, {"advice": "against", "answer": "Non."}).url == dossier(application, "#avis")
    letter.refresh_from_db()
    assert letter.state == Letter.State.CANCELLED
    told = Letter.objects.get(name="opinion_given")
    assert (told.recipient, told.title.startswith("Avis défavorable")) == (ars.email, True)
    assert "Défavorable" in signed_in(ars).get(dossier(application)).content.decode()


def test_one_question_at_a_time_to_one_colleague(application, ars, ans):
    ask_opinion(application, by=ars, of=ans, question="Les comptes sont-ils certifiés ?")
    with pytest.raises(NotNow, match="déjà demandé"):
        ask_opinion(application, by=ars, of=ans, question="Et la convention ?")
    assert Letter.objects.filter(name="opinion_asked").count() == 1


@pytest.mark.parametrize("traits", [{"administrator": True}, {}, {"ans": True, "is_active": False}])
def test_nobody_is_asked_who_may_not_read_the_dossier(traits, application, ars):
    with pytest.raises(PermissionDenied):
        ask_opinion(application, by=ars, of=UserFactory(**traits), question="Les comptes sont-ils certifiés ?")
    far = UserFactory(ars=True, regions=[RegionFactory(code="75")])
    with pytest.raises(PermissionDenied):
        ask_opinion(application, by=ars, of=far, question="Les comptes sont-ils certifiés ?")


def test_an_opinion_is_given_once_by_whom_it_was_asked_of(application, ars, ans):
    opinion = ask_opinion(application, by=ars, of=ans, question="Les comptes sont-ils certifiés ?")
    with pytest.raises(PermissionDenied):
        give_opinion(opinion, by=UserFactory(ans=True), advice="for", answer="", at=timezone.now())
    give_opinion(opinion, by=ans, advice="for", answer="", at=timezone.now())
    with pytest.raises(NotNow, match="déjà"):
        give_opinion(opinion, by=ans, advice="against", answer="Non.", at=timezone.now())
    assert Opinion.objects.get().advice == "for"


def test_whoever_no_longer_sees_the_dossier_gets_no_opinion_even_written_before(application, ars, ans):
    opinion = ask_opinion(application, by=ars, of=ans, question="Les comptes sont-ils certifiés ?")
    give_opinion(opinion, by=ans, advice="for", answer="Oui.", at=timezone.now())
    asked, given = (Letter.objects.get(name=name) for name in ("opinion_asked", "opinion_given"))
    assert is_still_true(given, timezone.now())
    ars.regions.set([RegionFactory(code="75")])
    assert not is_still_true(given, timezone.now()), "it waits in the outbox"
    ans.role = ans.Role.ADMINISTRATOR
    ans.save()
    assert not is_still_true(asked, timezone.now())
    ans.role = ans.Role.ANS
    ans.save()
    again = Opinion.objects.create(application=application, asked_by=ars, of=ans, question="Et la convention ?")
    give_opinion(again, by=ans, advice="for", answer="Oui.", at=timezone.now())
    assert Letter.objects.filter(name="opinion_given").count() == 1


# --- letters ------------------------------------------------------------------------------------------------------
def sent_letter(application, **fields):
    letter = compose("withdrawn", to=application.referent.email, subject=application.subject,
                     context={"application": application, "person": application.referent, "path": "/"})  # fmt: skip
    letter.state, letter.sent_at = Letter.State.SENT, timezone.now()
    for name, value in fields.items():
        setattr(letter, name, value)
    letter.save()
    return letter


def test_a_letter_is_read_without_sending_it(application, ars, signed_in):
    letter, browser = sent_letter(application), signed_in(ars)
    address = reverse("reviews:read_letter", args=[application.reference, letter.pk])
    assert address in browser.get(dossier(application)).content.decode()
    page = browser.get(address).content.decode()
    assert letter.title in page and "Renvoyer" not in page and "<form" not in page.split("<main")[1].split("</main>")[0]
    other = sent_letter(ApplicationFactory(state=State.SUBMITTED))
    assert browser.get(reverse("reviews:read_letter", args=[application.reference, other.pk])).status_code == 404


def test_the_same_letter_is_sent_again_once_an_hour_and_so_many_a_day(application, ars):
    letter = sent_letter(application)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        again = resend_letter(letter, application, by=ars)
        Letter.objects.filter(pk=again.pk).update(state=Letter.State.SENT, sent_at=timezone.now())
        again.refresh_from_db()
        for one in (letter, again):
            with pytest.raises(NotNow, match="moins d’une heure"):
                resend_letter(one, application, by=ars)
        clock.shift(3601)
        resend_letter(letter, application, by=ars)
        for rank in range(RESENT_A_DAY - 2):
            resend_letter(sent_letter(application, title=f"Autre {rank}"), application, by=ars)
        with pytest.raises(NotNow, match="Recommencez demain"):
            resend_letter(sent_letter(application, title="Un de trop"), application, by=ars)
        clock.shift(24 * 3600)
        resend_letter(letter, application, by=ars)


# --- phrases ------------------------------------------------------------------------------------------------------
def test_a_phrase_is_written_kept_changed_and_removed(ars, signed_in):
    browser = signed_in(ars)
    browser.post(reverse("reviews:add_phrase"), {"title": "RIB", "text": "Merci de fournir\r\nle RIB."})
    phrase = Phrase.objects.get()
    assert (phrase.owner, phrase.text) == (ars, "Merci de fournir\nle RIB.")
    browser.post(reverse("reviews:edit_phrase", args=[phrase.pk]), {"title": "RIB", "text": "Le RIB, svp."})
    assert Phrase.objects.get().text == "Le RIB, svp."
    again = browser.post(reverse("reviews:add_phrase"), {"title": "RIB", "text": "Autre."})
    assert "Vous avez déjà une phrase de ce titre" in again.content.decode()
    browser.post(reverse("reviews:remove_phrase", args=[phrase.pk]))
    assert not Phrase.objects.exists()


def test_a_phrase_is_put_at_the_end_of_what_is_typed_and_nothing_is_sent(application, ars, signed_in):
    mine = Phrase.objects.create(owner=ars, title="RIB", text="Merci de fournir le RIB.")
    theirs = Phrase.objects.create(owner=UserFactory(ans=True), title="Autre", text="D’un autre.")
    browser, address = signed_in(ars), reverse("reviews:reject", args=[application.reference])
    typed = {"version": "1", "message": "Bonjour.  "}
    answer = browser.post(address, typed | {"inserer": mine.pk})
    assert answer.context["form"]["message"].value() == "Bonjour.\n\nMerci de fournir le RIB."
    for strange in (theirs.pk, "x", "999999"):
        answer = browser.post(address, typed | {"inserer": strange})
        assert answer.context["form"]["message"].value() == "Bonjour.  "
    application = type(application).objects.get()
    assert application.state == State.SUBMITTED


def test_an_agent_reads_of_a_letter_that_it_is_late_why_and_that_it_may_have_come_twice(application, ars, signed_in):
    past = timezone.now() - timedelta(minutes=20)
    late = {"state": "queued", "created_at": past, "send_after": past, "sent_at": None}
    sent_letter(application, **late, error="ConnectionRefusedError", may_be_doubled=True)
    page = text_of(signed_in(ars).get(reverse("reviews:dossier", args=[application.reference])))
    assert "Ce courrier devait déjà être parti. Il n’est pas perdu" in page
    assert "le serveur de messagerie est arrêté (ConnectionRefusedError)" in page
    assert "son destinataire l’a peut-être reçu deux fois" in page


def test_nothing_is_said_of_a_letter_that_left(application, ars, signed_in):
    sent_letter(application)
    page = text_of(signed_in(ars).get(reverse("reviews:dossier", args=[application.reference])))
    assert "devait déjà" not in page and "deux fois" not in page
