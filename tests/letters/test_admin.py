from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from ecare.journal.models import Entry
from ecare.letters import actions, names, texts
from ecare.letters.models import SECRET_MARK, Letter
from ecare.sealing import seal
from tests.applications.pages import text_of
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def administration(signed_in):
    return signed_in(UserFactory(administrator=True))


def test_an_administrator_reads_the_outbox(administration, write):
    letter = write()
    assert "camille@exemple.fr" in administration.get(reverse("admin:letters_letter_changelist")).text
    assert (
        "Votre dossier est arrivé." in administration.get(reverse("admin:letters_letter_change", args=[letter.pk])).text
    )


def test_no_word_of_a_letter_that_carries_a_secret_is_shown(administration, write):
    letter = write(text=f"Votre code : {SECRET_MARK}", secret=seal(b"48151623", purpose="letter"))
    text = administration.get(reverse("admin:letters_letter_change", args=[letter.pk])).text
    assert "Courrier confidentiel." in text and "Votre code" not in text and "48151623" not in text


@pytest.mark.parametrize("name", ["letters_letter", "journal_entry"])
def test_nobody_writes_there(administration, name, write):
    letter = write()
    assert administration.get(reverse(f"admin:{name}_add")).status_code == 403
    if name == "letters_letter":
        change = reverse("admin:letters_letter_change", args=[letter.pk])
        assert administration.post(change, {"recipient": "autre@exemple.fr"}).status_code == 403
        assert administration.post(reverse("admin:letters_letter_delete", args=[letter.pk])).status_code == 403


@pytest.mark.parametrize("count", [1, 3])
def test_the_outbox_costs_the_same_however_long(administration, count, write, django_assert_num_queries):
    for _rank in range(count):
        write()
    with django_assert_num_queries(9):
        administration.get(reverse("admin:letters_letter_changelist"))


def page(letter, name="change"):
    return reverse(f"admin:letters_letter_{name}", args=[letter.pk])


@pytest.mark.parametrize("state", ["sent", "failed"])
def test_a_letter_is_sent_again_from_its_page(administration, write, state):
    letter = write(state=state, sent_at=timezone.now())
    assert "Renvoyer à camille@exemple.fr" in administration.get(page(letter)).text
    administration.post(page(letter, "resend"))
    again = Letter.objects.exclude(pk=letter.pk).get()
    assert (again.text, again.state) == (letter.text, "queued")
    entry = Entry.objects.get(subject="outbox", verb="resend_letter")
    assert entry.data == {"letter": str(letter.pk), "name": letter.name, "again": str(again.pk)}


def test_a_letter_with_a_secret_is_not_sent_again(administration, write):
    letter = write(text=f"Votre code : {SECRET_MARK}", state="sent", sent_at=timezone.now())
    assert "Renvoyer" not in administration.get(page(letter)).text
    answer = administration.post(page(letter, "resend"), follow=True)
    assert "en demande un nouveau elle-même" in answer.text
    assert Letter.objects.count() == 1


def test_a_letter_that_waits_is_not_sent_twice(administration, write):
    letter = write()
    answer = administration.post(page(letter, "resend"), follow=True)
    assert "Seul un courrier envoyé ou en échec" in answer.text
    assert Letter.objects.count() == 1


def test_a_letter_that_waits_is_cancelled_with_its_secret(administration, write):
    letter = write(text=f"Votre code : {SECRET_MARK}", secret=seal(b"48151623", purpose="letter"))
    administration.post(page(letter, "withdraw"))
    letter.refresh_from_db()
    assert (letter.state, letter.secret) == ("cancelled", None)
    assert Entry.objects.filter(subject="outbox", verb="withdraw_letter").count() == 1


@pytest.mark.parametrize("state", ["sent", "failed", "cancelled"])
def test_what_has_left_is_not_cancelled(administration, write, state):
    letter = write(state=state, sent_at=timezone.now())
    answer = administration.post(page(letter, "withdraw"), follow=True)
    assert "déjà parti" in answer.text
    letter.refresh_from_db()
    assert letter.state == state
    assert not Entry.objects.exists()


def test_one_that_a_worker_is_sending_is_not_cancelled(administration, write):
    letter = write()
    actions.claim(timezone.now())
    administration.post(page(letter, "withdraw"))
    letter.refresh_from_db()
    assert letter.state == "sending"


def test_each_letter_has_a_french_name(administration, write):
    assert set(texts.names()) - set(names.NAMES) == set()
    write(name="sent_back", attempts=2)
    page = administration.get(reverse("admin:letters_letter_changelist")).text
    assert "Tentatives" in page
    page = page.partition("<tbody>")[2].partition("</tbody>")[0]
    assert "Dossier renvoyé à l’ARS" in page and "sent_back" not in page
    listed = administration.get(reverse("admin:letters_lettertext_changelist")).text
    assert "Dossier renvoyé à l’ARS</a>" in listed and "numéro du dossier" not in listed
    found = administration.get(reverse("admin:letters_letter_changelist"), {"name__exact": "accepted"})
    assert not found.context["cl"].queryset


def test_letters_that_are_late_are_said_on_the_first_page_and_above_the_outbox(administration, write):
    pages = [reverse("admin:index"), reverse("admin:letters_letter_changelist")]
    write()
    for address in pages:
        assert "en retard" not in administration.get(address).text
    past = timezone.now() - timedelta(minutes=20)
    late = write(recipient="claude@exemple.fr", created_at=past, send_after=past, error="ConnectionRefusedError")
    write(created_at=past, send_after=past)
    for address in pages:
        page = text_of(administration.get(address))
        assert "2 courriers en retard." in page
        assert "le serveur de messagerie est arrêté (ConnectionRefusedError)" in page
    listed = administration.get(pages[1], {"anomalie": "en-retard"})
    assert late in listed.context["cl"].queryset and listed.context["cl"].queryset.count() == 2


def test_late_letters_without_an_error_lead_to_the_workers(administration, write):
    past = timezone.now() - timedelta(minutes=20)
    write(created_at=past, send_after=past)
    page = text_of(administration.get(reverse("admin:index")))
    assert "1 courrier en retard." in page and "vérifiez que les processus « worker » et « beat » tournent" in page
