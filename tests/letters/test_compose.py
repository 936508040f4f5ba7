"""One readable source becomes a letter in text and HTML."""

import pytest
from django.template import TemplateDoesNotExist

from ecare.letters.emails import compose
from ecare.letters.models import SECRET_MARK
from ecare.sealing import unseal

pytestmark = pytest.mark.django_db

SOURCE = """Objet : Votre dossier {{ reference }}

Bonjour {{ name }},

À faire :
- relire ;
- transmettre.

[Ouvrir le dossier]({{ site_address }}/candidatures/{{ reference }}/)

{{ message }}
"""


@pytest.fixture
def source(settings, tmp_path):
    """Puts a letter's source where templates are looked for."""

    def write_source(text):
        folder = tmp_path / "templates" / "letters"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "trial.txt").write_text(text)
        [engine] = settings.TEMPLATES
        settings.TEMPLATES = [engine | {"DIRS": [tmp_path / "templates", *engine["DIRS"]]}]

    return write_source


@pytest.fixture
def trial(source):
    def trial_letter(text=SOURCE, **context):
        source(text)
        context = {"reference": "VEHCXTRMWL", "name": "Camille", "message": ""} | context
        return compose("trial", to="camille@exemple.fr", subject="application:VEHCXTRMWL", context=context)

    return trial_letter


def test_the_letter_says_what_it_is_about_and_to_whom(trial):
    letter = trial()
    assert (letter.name, letter.subject, letter.recipient) == ("trial", "application:VEHCXTRMWL", "camille@exemple.fr")
    assert letter.title == "Votre dossier VEHCXTRMWL"
    assert letter.secret is None and letter._state.adding


def test_text_and_html_say_the_same(trial, settings):
    letter = trial()
    address = f"{settings.SITE_ADDRESS}/candidatures/VEHCXTRMWL/"
    assert letter.text.startswith("Bonjour Camille,\n\nÀ faire :\n\n- relire ;\n- transmettre.\n\n")
    assert f"Ouvrir le dossier : {address}" in letter.text
    assert f'<a href="{address}"' in letter.html and ">Ouvrir le dossier</a>" in letter.html
    assert letter.html.count("<li") == 2
    assert settings.SUPPORT_ADDRESS in letter.text and settings.SUPPORT_ADDRESS in letter.html


def test_typed_html_stays_text(trial):
    letter = trial(name="<script>alert(1)</script> L’Haÿ & Cie")
    assert "Bonjour <script>alert(1)</script> L’Haÿ & Cie," in letter.text
    assert "<script" not in letter.html and "&lt;script&gt;" in letter.html and "L’Haÿ &amp; Cie" in letter.html


def test_a_typed_message_makes_no_button_that_leads_elsewhere(trial):
    letter = trial(message="[Votre compte](https://piege.exemple/)")
    assert 'href="https://piege.exemple/' not in letter.html


def test_a_typed_message_makes_no_button_at_all(trial, settings):
    """Not even one that leads to a page of ours: its label would be the person's own."""
    letter = trial(
        message="Fin.\n\n[Valider mon compte](SITE/verification/)\n\n- [Ici](SITE/compte/)".replace(
            "SITE", settings.SITE_ADDRESS
        )
    )
    assert f'href="{settings.SITE_ADDRESS}/verification/"' not in letter.html
    assert f'href="{settings.SITE_ADDRESS}/compte/"' not in letter.html


def test_the_words_of_a_genuine_button_make_no_second_one(trial, settings):
    source = SOURCE.replace("{{ message }}", "").replace("Bonjour", "{{ message }}\n\nBonjour")
    letter = trial(source, message=f"[Ouvrir le dossier]({settings.SITE_ADDRESS}/deconnexion/)")
    assert letter.link == f"{settings.SITE_ADDRESS}/candidatures/VEHCXTRMWL/"
    assert f'href="{settings.SITE_ADDRESS}/deconnexion/"' not in letter.html
    assert f"[Ouvrir le dossier]({settings.SITE_ADDRESS}/deconnexion/)" in letter.text, "it stays what it is: words"


def test_a_button_written_in_the_source_may_lead_elsewhere(trial):
    letter = trial("Objet : Guide\n\n[Le guide](https://esante.gouv.fr/guide?a=1&b=2)")
    assert "Le guide : https://esante.gouv.fr/guide?a=1&b=2" in letter.text
    assert 'href="https://esante.gouv.fr/guide?a=1&b=2"' in letter.html


def test_a_typed_line_break_adds_no_header(trial):
    assert trial("Objet : Bonjour {{ name|safe }}\n\nTexte", name="A Bcc").title == "Bonjour A Bcc"
    assert "\n" not in trial(reference="A\nBcc: autre@exemple.fr").title


def test_the_title_keeps_its_non_breaking_spaces(trial):
    assert trial("Objet : Dossier n°\u00a0{{ reference }}  reçu\n\nTexte").title == "Dossier n°\u00a0VEHCXTRMWL reçu"


def test_a_long_message_keeps_its_paragraphs(trial):
    letter = trial(message="Premier point.\n\nSecond point,\nsuite.")
    assert "Premier point.\n\nSecond point,\nsuite." in letter.text
    assert "Second point,<br>suite." in letter.html


def test_a_secret_is_sealed_and_only_marked_in_the_text(source):
    source("Objet : Code\n\nVotre code : {{ secret }}")
    letter = compose("trial", to="camille@exemple.fr", secret="48151623")
    assert unseal(letter.secret, purpose="letter") == b"48151623"
    assert letter.carries_secret and SECRET_MARK in letter.text and SECRET_MARK in letter.html
    assert "48151623" not in letter.text + letter.html + letter.title


def test_a_source_without_its_heading_is_refused(trial):
    with pytest.raises(ValueError, match="Objet"):
        trial("Bonjour")


def test_an_unknown_letter_is_refused():
    with pytest.raises(TemplateDoesNotExist):
        compose("no_such_letter", to="camille@exemple.fr")
