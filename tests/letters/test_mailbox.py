"""The local mailbox of embedded mode."""

import pytest
from django.http import Http404
from django.urls import reverse

from ecare.letters import actions, views
from ecare.letters.files import path_of
from ecare.letters.models import SECRET_MARK, Letter
from ecare.sealing import seal

pytestmark = pytest.mark.django_db
MAILBOX = "/boite-aux-lettres/"


@pytest.fixture
def sent(write):
    """Writes a letter and lets it leave."""

    def send(**fields):
        letter = write(**fields)
        assert actions.deliver() == 1
        return Letter.objects.get(pk=letter.pk)

    return send


def test_each_letter_that_leaves_is_one_file_for_its_owner_alone(sent, settings):
    letter = sent()
    [file] = settings.MAILBOX_DIR.iterdir()
    assert file.suffix == ".eml" and file == path_of(letter)
    assert file.stat().st_mode & 0o777 == 0o600
    assert letter.message_id.encode() in file.read_bytes()


def test_a_letter_sent_twice_stays_one_file(sent, settings):
    letter = sent()
    Letter.objects.filter(pk=letter.pk).update(state=Letter.State.QUEUED)
    actions.deliver()
    assert len(list(settings.MAILBOX_DIR.iterdir())) == 1


def test_a_letter_that_the_server_refused_is_no_file(sink, write, settings):
    sink.start()
    sink.refusals["camille@exemple.fr"] = "550 No such user"
    write()
    actions.deliver()
    assert not settings.MAILBOX_DIR.exists()


def test_anybody_reads_the_list_newest_first(client, sent):
    sent(title="Premier courrier")
    sent(title="Second courrier", recipient="claude@exemple.fr")
    text = client.get(MAILBOX).text
    assert text.index("Second courrier") < text.index("Premier courrier")
    assert "claude@exemple.fr" in text


def test_the_list_keeps_the_letters_of_one_person(client, sent):
    sent(title="Premier courrier")
    sent(title="Second courrier", recipient="claude@exemple.fr")
    text = client.get(MAILBOX, {"destinataire": "claude"}).text
    assert "Second courrier" in text and "Premier courrier" not in text


def test_a_letter_that_waits_is_not_in_the_mailbox(client, write):
    letter = write(title="En attente")
    assert "En attente" not in client.get(MAILBOX).text
    assert client.get(reverse("letters:letter", args=[letter.pk])).status_code == 404


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_costs_the_same_for_one_and_three_letters(client, sent, django_assert_num_queries, count):
    for _ in range(count):
        sent()
    client.get(MAILBOX)
    with django_assert_num_queries(2):
        client.get(MAILBOX)


def test_the_page_of_a_letter_shows_the_secret_and_its_links(client, sent):
    letter = sent(
        text=f"Activer : http://127.0.0.1:8000/activation/{SECRET_MARK}/",
        secret=seal(b"cle-48151623", purpose="letter"),
    )
    response = client.get(reverse("letters:letter", args=[letter.pk]))
    assert '<a href="http://127.0.0.1:8000/activation/cle-48151623/"' in response.text
    assert "frame-src 'self'" in response["Content-Security-Policy"]
    assert "no-store" in response["Cache-Control"]


def test_typed_html_in_a_letter_stays_text(client, sent):
    letter = sent(text="Bonjour <script>alert(1)</script>")
    assert "<script>alert" not in client.get(reverse("letters:letter", args=[letter.pk])).text


def test_the_html_of_a_letter_is_a_document_that_can_do_nothing(client, sent):
    letter = sent()
    response = client.get(reverse("letters:html", args=[letter.pk]))
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "sandbox" in policy and "script-src" not in policy
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert '<base target="_top">' in response.text


def test_a_letter_whose_file_is_gone_is_absent(client, sent):
    letter = sent()
    path_of(letter).unlink()
    assert client.get(reverse("letters:letter", args=[letter.pk])).status_code == 404


def test_outside_embedded_mode_there_is_no_mailbox(rf, settings):
    settings.EMBEDDED = False
    with pytest.raises(Http404):
        views.mailbox(rf.get(MAILBOX))


def test_outside_embedded_mode_nothing_is_written(write, settings):
    settings.EMBEDDED = False
    write()
    assert actions.deliver() == 1
    assert not list(settings.DATA_DIR.rglob("*.eml"))
