"""« Aide »: questions and answers that are found as people ask them, with and without script."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse
from playwright.sync_api import expect

from ecare.help import LINK, search, topics
from tests.browsing import faults, is_too_wide

QUESTIONS = [question for topic in topics() for question in topic.questions]
SLUGS = {question.slug for question in QUESTIONS}


def test_there_are_enough_of_them_each_once():
    assert len(QUESTIONS) >= 25
    assert len(SLUGS) == len(QUESTIONS) == len({question.question for question in QUESTIONS})


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.slug)
def test_every_answer_is_readable_and_its_links_lead_somewhere(client, question):
    assert list(question.blocks)
    for link in LINK.finditer(question.answer):
        assert reverse(link["name"])
    assert "](" not in "".join(str(line) for _, lines in question.blocks for line in lines)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("mot de passe oublié", "mot-de-passe-oublie"),
        ("MOT DE PASSE OUBLIE", "mot-de-passe-oublie"),
        ("le code n'arrive pas", "code-non-recu"),
        ("pas reçu le mail d'activation", "courrier-d-activation"),
        ("captcha illisible image", "controle-de-securite"),
        ("fichiers refusés", "piece-refusee"),
        ("minuit outre-mer", "date-limite"),
        ("mon collègue est parti", "collegue-parti"),
        ("IBAN refusé", "iban-refuse"),
        ("changer le RSSI", "contacts"),
        ("trop de courriers", "courrier-quotidien"),
        ("zed", "conteneur-zed"),
        ("combien de Mo", "taille-des-fichiers"),
        ("suis-je éligible", "suis-je-eligible"),
        ("brouillon transmis ?", "brouillon"),
        ("téléphone Réunion +262", "telephone-outre-mer"),
    ],
)
def test_a_question_is_found_as_people_ask_it(asked, found):
    assert found in [question.slug for question in search(asked).questions][:3]


@pytest.mark.parametrize("asked", ["", "   ", "le la les", "xyzzy", "\0", "%", "a" * 5000, "<script>"])
def test_nothing_is_found_for_nothing(client, asked):
    assert search(asked).questions == []
    page = client.get("/aide/", {"q": asked})
    assert page.status_code == 200 and b"<script>" not in page.content.split(b"<main")[1].split(b"</main>")[0]


def test_words_that_no_question_holds_together_find_the_nearest(client):
    found = search("iban fusée")
    assert found.is_partial and found.questions[0].slug == "iban-refuse"
    assert "Aucune question ne contient tous ces mots." in client.get("/aide/", {"q": "iban fusée"}).text


def test_the_page_says_how_many_and_keeps_what_was_typed(client):
    page = client.get("/aide/", {"q": "captcha"}).text
    assert 'value="captcha"' in page and "1 question pour «\u00a0captcha\u00a0»." in page
    assert page.count('<details class="ecare-help__question" open>') == 1


@pytest.mark.parametrize("query", ["", "?q=code"])
def test_the_page_asks_nothing_of_the_database(client, django_assert_num_queries, db, query):
    with django_assert_num_queries(0):
        client.get(f"/aide/{query}")


def test_every_question_that_a_page_leads_to_exists():
    named = {
        slug
        for path in (Path(settings.BASE_DIR) / "templates").rglob("*.html")
        for slug in re.findall(r"""url ['"]help['"] %\}#([\w-]+)""", path.read_text())
    }
    assert named - SLUGS == set() and len(named) >= 8


@pytest.fixture
def browse(page, live_server):
    def to(address):
        page.goto(live_server.url + address)
        expect(page.locator("html")).to_have_attribute("data-fr-theme", re.compile("light|dark"))
        return page

    return to


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_list_answers_while_one_types(browse):
    page = browse("/aide/")
    page.get_by_label("Rechercher dans l’aide").press_sequentially("captcha")
    expect(page.locator("#found")).to_have_text("1 question pour «\u00a0captcha\u00a0».")
    expect(page.locator(".ecare-help__question")).to_have_count(1)
    assert page.url.endswith("?q=captcha")
    assert faults(page) == []


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_an_address_that_names_a_question_opens_it(browse):
    page = browse("/aide/#piece-refusee")
    expect(page.locator("#piece-refusee")).to_be_visible()
    expect(page.locator("#code-de-connexion")).to_be_hidden()


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("width", [1280, 390, 320])
def test_the_questions_are_accessible_and_fit_the_screen(browse, page, width):
    page.set_viewport_size({"width": width, "height": 844})
    for address in ("/aide/", "/aide/?q=code", "/aide/?q=xyzzy"):
        browse(address)
        assert faults(page) == [] and not is_too_wide(page), address


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_without_script_one_searches_and_opens(browser, live_server):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(live_server.url + "/aide/")
    page.get_by_label("Rechercher dans l’aide").fill("captcha")
    page.get_by_role("button", name="Rechercher").click()
    expect(page.locator("#controle-de-securite")).to_be_visible()
    context.close()
