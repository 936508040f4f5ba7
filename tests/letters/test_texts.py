"""The texts of letters that administrators write: what they may say, what is refused, what leaves."""

from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone

from ecare.journal.models import Entry
from ecare.letters import emails, texts, wording, words
from ecare.letters.emails import compose
from ecare.letters.models import SECRET_MARK, Letter, LetterText
from ecare.letters.specimens import CASES
from tests.applications.pages import text_of

pytestmark = pytest.mark.django_db
NAMES = texts.names()
WITH_SECRET = (
    "activation code email_change_requested email_change_to_confirm email_correction_to_stop invitation password_reset"
).split()
BY = ("user:1", "Alix (Administrateur)")


@pytest.fixture
def desk(signed_in, administrator):
    return signed_in(administrator)


def page(name, letter="submitted", query="") -> str:
    return reverse(f"admin:letters_lettertext_{name}", args=[letter]) + query


def write(name, title="Objet neuf", body="Un texte neuf.", *, in_force=True) -> LetterText:
    shown = wording.last_number(name)
    text = wording.save_text(name, title=title, body=body, by=BY, at=timezone.now(), shown=shown)
    if in_force:
        wording.put_in_force(text, by=BY, at=timezone.now())
    return text


def written(name, case=0, **options) -> Letter:
    return compose(name, to="camille@exemple.fr", context=CASES[case], **options)


# --- every letter -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", NAMES)
def test_every_letter_reads_in_french_and_back_to_its_very_file(name):
    """A place without a word? Give it one in ecare/letters/words.py."""
    source = texts.file_of(name)
    assert unescape(words.expanded(words.in_french(source), words.places(source))) == source


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("case", [0, 1])
def test_every_letter_says_the_same_from_its_text_as_from_its_file(name, case):
    """And its specimen gives every place something to say."""
    title, body = texts.original(name)
    made = [
        emails.write(name, source, to="a@exemple.fr", context=CASES[case], is_secret=False)
        for source in (texts.file_of(name), texts.source_from(name, title, body))
    ]
    assert made[0].title == made[1].title
    assert made[0].text == made[1].text
    assert made[0].html == made[1].html
    assert "{{" not in made[0].text
    assert "  " not in made[0].title.replace("\u00a0", "")


def test_no_two_places_have_one_word():
    assert len(words._FRENCH) == len(words._CODE_OF)


def test_the_letters_with_a_secret_are_those(monkeypatch):
    found = [name for name in NAMES if any(words.is_secret(word) for word in words.places(texts.file_of(name)))]
    assert found == WITH_SECRET


# --- what an edited text says -------------------------------------------------------------------------------------
def test_letters_are_written_from_the_text_in_force_and_from_no_other():
    before = written("withdrawn")
    text = write("withdrawn", "Retrait du {{ numéro du dossier }}", "Bonjour {{ nom }},\n\nC’est fait.", in_force=False)
    assert written("withdrawn").text == before.text
    wording.put_in_force(text, by=BY, at=timezone.now())
    letter = written("withdrawn")
    assert letter.title == "Retrait du EXEMPLEABC"
    assert letter.text.startswith("Bonjour EXEMPLE,\n\nC’est fait.")
    assert "Merci de ne pas y répondre" in letter.text


def test_a_passage_shows_one_side_or_the_other():
    write("rejected", body="{{ si déclaration }}La déclaration{{ sinon }}La candidature{{ fin }} est rejetée.")
    assert "La candidature est rejetée." in written("rejected").text
    assert "La déclaration est rejetée." in written("rejected", case=1).text


def test_a_button_leads_where_the_file_leads_or_to_a_literal_address():
    write("withdrawn", body="[Voir]({{ adresse de la page }})\n\n[Guide](https://esante.gouv.fr/guide?a=1&b=2)")
    letter = written("withdrawn")
    assert letter.link.startswith("http")
    assert "Guide\u00a0: https://esante.gouv.fr/guide?a=1&b=2" in letter.text or (
        "Guide : https://esante.gouv.fr/guide?a=1&b=2" in letter.text
    )
    assert letter.html.count("<a ") >= 2


def test_words_stay_words_in_html():
    write("withdrawn", "A & B <b>", "<script>alert(1)</script> & <img src=x>")
    letter = written("withdrawn")
    assert letter.title == "A & B <b>"
    assert "<script>alert(1)</script> & <img src=x>" in letter.text
    assert "<script" not in letter.html
    assert "<img src=x" not in letter.html


def test_what_the_person_wrote_makes_no_button_either():
    write("rejected", body="Le motif :\n\n{{ motif }}")
    case = CASES[0] | {"reason": "[Cliquez](https://exemple.com/)"}
    letter = compose("rejected", to="a@exemple.fr", context=case)
    assert "https://exemple.com" in letter.text
    assert 'href="https://exemple.com' not in letter.html
    assert letter.link == ""


def test_spaces_and_apostrophe_may_be_typed_otherwise():
    write("code", body="{{code  confidentiel}}", title="Code {{ référence\u00a0du code }}")
    assert SECRET_MARK in written("code", secret="12345678").text


# --- the secret ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", WITH_SECRET)
def test_a_secret_stays_in_the_text_of_its_letter_and_leaves_sealed(name):
    with pytest.raises(words.Fault, match="doit rester dans le texte"):
        write(name, body="Bonjour.", title="Sans rien")
    [word] = [word for word in words.places(texts.file_of(name)) if words.is_secret(word)]
    body = f"[Ici]({{{{ {word} }}}})" if words.is_address(word) else f"Voici : {{{{ {word} }}}}"
    write(name, body=body)
    letter = written(name, secret="48151623")
    assert letter.carries_secret
    assert "48151623" not in letter.text + letter.html + letter.title
    assert letter.link == ""


@pytest.mark.parametrize(
    ("name", "title", "body", "told"),
    [
        ("code", "{{ code confidentiel }}", "{{ code confidentiel }}", "ne porte ni code"),
        ("password_reset", "Objet", "{{ lien personnel de mot de passe }}", "est l’adresse d’un bouton"),
        ("password_reset", "Objet", "[a](https://exemple.com/{{ lien personnel de mot de passe }})", "adresse"),
        ("activation", "Objet", "{{ code confidentiel }}", "n’est pas connu"),
        ("withdrawn", "Objet", "{{ code confidentiel }}", "n’est pas connu"),
    ],
)
def test_a_secret_goes_nowhere_else(name, title, body, told):
    with pytest.raises(words.Fault, match=told):
        write(name, title=title, body=body)


def test_a_secret_within_a_passage_would_be_missing_for_some(monkeypatch):
    monkeypatch.setattr(texts, "file_of", lambda _name: "Objet : x\n\n{% if left %}a{% endif %}{{ secret }}")
    with pytest.raises(words.Fault, match="hors de tout passage"):
        texts.source_from("code", "Objet", "{{ s’il en reste }}{{ code confidentiel }}{{ fin }}")
    texts.source_from("code", "Objet", "{{ s’il en reste }}a{{ fin }}{{ code confidentiel }}")


# --- what is refused ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("title", "body", "told"),
    [
        ("", "Texte", "L’objet tient sur une ligne"),
        ("Deux\nlignes", "Texte", "L’objet tient sur une ligne"),
        ("Objet", " \n ", "Le texte est vide"),
        ("Objet", "{{ application.referent.password }}", "n’est pas connu de ce courrier. Connus"),
        ("Objet", "{{ settings.SECRET_KEY }}", "n’est pas connu"),
        ("Objet", "{{ motif }}", "n’est pas connu"),
        ("Objet", "{% load static %}", "Une accolade est de trop"),
        ("Objet", "{% include 'letters/code.txt' %}", "Une accolade est de trop"),
        ("Objet", "{{ nom|safe }}", "n’est pas connu"),
        ("Objet", "{# rien #}", "Une accolade est de trop"),
        ("Objet", "{{ nom", "Une accolade est de trop"),
        ("Objet", "{{ {{ nom }} }}", "Une accolade est de trop"),
        ("Objet", "{{{ nom }}}", "n’est pas connu|Une accolade est de trop"),
        ("Objet", "[Voir](javascript:alert(1))", "un bouton mène à une adresse https"),
        ("Objet", "[Voir](http://exemple.com)", "un bouton mène à une adresse https"),
        ("Objet", "[Voir](https://exemple.com/{{ nom }})", "n’est pas une adresse"),
        ("Objet", "[Voir]({{ nom }})", "n’est pas une adresse"),
        ("Objet", "[Voir](https://exemple.com/{{ adresse de la page }})", "est l’adresse d’un bouton"),
        ("Objet", "x" * 20_001, "caractères au plus"),
    ],
)
def test_a_text_that_says_what_its_letter_does_not_know_is_refused(title, body, told):
    with pytest.raises(words.Fault, match=told):
        write("withdrawn", title=title, body=body)
    assert not LetterText.objects.exists()


@pytest.mark.parametrize(
    "body", ["{{ si déclaration }}a", "a{{ fin }}", "{{ sinon }}", "{{ si déclaration }}a{{ fin }}{{ fin }}"]
)
def test_a_passage_that_is_not_closed_is_refused(body):
    with pytest.raises(words.Fault, match="n’est pas refermé"):
        write("rejected", body=body)


def test_a_text_that_an_upgrade_made_unreadable_loses_no_letter(caplog):
    write("withdrawn")
    LetterText.objects.update(body="{{ mot disparu }}")
    assert "est retirée" in written("withdrawn").text
    assert "left aside" in caplog.text


# --- versions -----------------------------------------------------------------------------------------------------
def test_one_goes_back_to_the_file_and_the_history_stays():
    before = written("withdrawn").text
    write("withdrawn")
    wording.restore("withdrawn", by=BY, at=timezone.now(), shown=1)
    assert written("withdrawn").text == before
    assert list(LetterText.objects.values_list("number", "is_original")) == [(2, True), (1, False)]
    verbs = Entry.objects.filter(subject="letter_text:withdrawn").order_by("sequence")
    assert [(one.verb, one.data["version"], one.data["before"]) for one in verbs] == [
        ("edit_letter", 1, 0), ("restore_letter", 2, 1)
    ]  # fmt: skip
    with pytest.raises(wording.NotNow, match="déjà"):
        wording.restore("withdrawn", by=BY, at=timezone.now(), shown=2)


def test_nobody_writes_over_anothers_version():
    write("withdrawn", in_force=False)
    with pytest.raises(wording.NotNow):
        wording.save_text("withdrawn", title="a", body="b", by=BY, at=timezone.now(), shown=0)


def test_an_older_version_is_not_put_in_force():
    old = write("withdrawn", in_force=False)
    write("withdrawn", in_force=False)
    with pytest.raises(wording.NotNow):
        wording.put_in_force(old, by=BY, at=timezone.now())


# --- the pages ----------------------------------------------------------------------------------------------------
def test_an_administrator_writes_reads_and_puts_in_force(desk):
    said = text_of(desk.get(page("write")))
    assert "{{ numéro du dossier }}" in said
    assert "application.reference" not in said
    sent = {"title": "Reçu : {{ numéro du dossier }}", "body": "Nous avons tout reçu.", "shown": 0}
    answer = desk.post(page("write"), sent)
    assert answer["Location"] == page("preview", query="?cas=0&version=1").replace("cas=0&", "")
    assert "Reçu : EXEMPLEABC" in text_of(desk.get(answer["Location"]))
    assert "Nous avons tout reçu." in desk.get(page("html", query="?version=1")).text
    assert "Nous avons tout reçu." not in written("submitted").text
    desk.post(page("inforce"), {"version": "1"})
    assert "Nous avons tout reçu." in written("submitted").text
    listed = text_of(desk.get(reverse("admin:letters_lettertext_changelist")))
    assert "modifié, version 1" in listed
    desk.post(page("restore"))
    assert "Nous avons tout reçu." not in written("submitted").text


def test_what_is_refused_is_said_with_the_known_words_and_nothing_typed_is_lost(desk):
    answer = desk.post(page("write"), {"title": "Objet", "body": "Perdu ? {{ mot de passe }}", "shown": 0})
    said = text_of(answer)
    assert "« {{ mot de passe }} » n’est pas connu de ce courrier" in said
    assert "« numéro du dossier »" in said
    assert "Perdu ? {{ mot de passe }}" in said
    assert not LetterText.objects.exists()


@pytest.mark.parametrize("name", NAMES)
def test_every_letter_has_its_pages(desk, name):
    assert desk.get(page("write", name)).status_code == 200
    for query in ("", "?cas=1"):
        assert desk.get(page("preview", name, query)).status_code == 200
        html = desk.get(page("html", name, query))
        assert html.status_code == 200
        assert SECRET_MARK not in html.text
        assert "sandbox" in html["Content-Security-Policy"]


@pytest.mark.parametrize("name", ["nulle-part", "footer", "layout"])
def test_what_is_no_letter_is_not_found(desk, name):
    for one in ("write", "preview", "html"):
        assert desk.get(page(one, name)).status_code == 404
    for one in ("inforce", "restore", "trial"):
        assert desk.post(page(one, name)).status_code == 404


@pytest.mark.parametrize("name", ["withdrawn", *WITH_SECRET])
def test_a_trial_goes_to_whoever_asks_and_carries_no_secret(desk, administrator, name):
    desk.post(page("trial", name), {"cas": "1", "recipient": "autre@exemple.fr"})
    letter = Letter.objects.get()
    assert letter.recipient == administrator.email
    assert letter.title.startswith("[Essai] ")
    assert (letter.name, letter.subject, letter.secret, letter.carries_secret) == ("trial", "", None, False)
    assert Entry.objects.get(verb="try_letter").actor == administrator.actor[0]


def test_a_version_is_tried_before_it_is_in_force(desk):
    write("withdrawn", body="Version à essayer.", in_force=False)
    desk.post(page("trial", "withdrawn"), {"version": "1"})
    assert "Version à essayer." in Letter.objects.get().text


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_asks_as_much_for_one_text_as_for_three(desk, rows, django_assert_num_queries):
    for name in ("withdrawn", "accepted", "paid")[:rows]:
        write(name)
    address = reverse("admin:letters_lettertext_changelist")
    desk.get(address)
    with django_assert_num_queries(7):
        desk.get(address)
