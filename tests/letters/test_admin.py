import pytest
from django.urls import reverse

from ecare.letters.models import SECRET_MARK
from ecare.sealing import seal
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
