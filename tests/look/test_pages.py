"""The pages of the site that anybody may read."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from accounts.models import Terms
from ecare.clock import paris_day
from ecare.french import paris_date
from tests.factories import DomainFactory, UserFactory
from tests.test_house import PUBLIC

pytestmark = pytest.mark.django_db

PAGES = [
    "/inscription/agents/",
    "/mentions-legales/",
    "/donnees-personnelles/",
    "/accessibilite/",
    "/plan-du-site/",
    "/aide/",
]


@pytest.fixture
def today():
    return paris_day(timezone.now())


@pytest.mark.parametrize("address", PAGES)
def test_a_page_of_text_is_open_and_asks_nothing_of_the_database(client, django_assert_num_queries, address):
    with django_assert_num_queries(0):
        answer = client.get(address)
    assert answer.status_code == 200
    assert answer.content.decode().count("<h1") == 1


def test_a_visitor_sees_three_doors(client):
    page = client.get("/").content.decode()
    assert "Convergence\u00a0: Une plateforme nationale" in page.replace("&nbsp;", "\u00a0")
    for door in (
        "Vous êtes un établissement de santé ou un établissement social ou médico-social",
        "Vous êtes une Entreprise du Numérique en Santé",
        "Vous êtes une ARS ou un GRADeS",
    ):
        assert page.count(door) == 1


@pytest.mark.parametrize("rows", [1, 3])
def test_the_home_page_asks_once_for_the_domains(client, django_assert_num_queries, rows):
    DomainFactory.create_batch(rows)
    with django_assert_num_queries(1):
        client.get("/")


def test_the_home_page_says_which_domains_are_open_and_until_when(client, today):
    last = today + timedelta(days=12)
    DomainFactory(name="Domaine ouvert", candidature_until=last)
    DomainFactory(name="Domaine fermé", candidature_until=today - timedelta(days=1))
    DomainFactory(name="Domaine sans fin", candidature_until=None)
    DomainFactory(name="Domaine à venir", candidature_from=today + timedelta(days=3))
    page = client.get("/").content.decode()
    assert f"jusqu’au {paris_date(last)} inclus" in page
    assert "encore 12&nbsp;jours" in page
    assert "sans date de fin" in page
    assert f"à partir du {paris_date(today + timedelta(days=3))}" in page
    assert "Domaine fermé" not in page.partition("Déclarations ouvertes")[0]


@pytest.mark.parametrize("days", [1, 45, 400])
def test_the_days_left_are_said_however_many(client, today, days):
    DomainFactory(candidature_until=today + timedelta(days=days))
    assert f"(encore {days}&nbsp;jour{'s' if days > 1 else ''})" in client.get("/").text


def test_the_home_page_says_which_declarations_are_open(client, today):
    DomainFactory(name="Domaine déclarant", declaration_from=today, declaration_until=today + timedelta(days=40))
    DomainFactory(name="Domaine sans calendrier", candidature_until=today - timedelta(days=1))
    DomainFactory(name="Domaine trop tôt", candidature_until=today, declaration_from=today + timedelta(days=1))
    declaring = client.get("/").text.partition("Déclarations ouvertes")[2].partition("</ul>")[0]
    assert "Domaine déclarant" in declaring and f"jusqu’au {paris_date(today + timedelta(days=40))}" in declaring
    assert "trop tôt" not in declaring
    undated = declaring.partition("Domaine sans calendrier")[2].partition("</li>")[0]
    assert "dès la convention signée, sans date de fin" in undated


def test_the_last_day_is_said_aloud(client, today):
    DomainFactory(candidature_until=today)
    assert "dernier jour" in client.get("/").content.decode()


def test_the_home_page_says_when_nothing_is_open(client):
    assert "Aucun domaine n’est ouvert" in client.get("/").content.decode()


def test_the_footer_leads_to_the_sites_of_the_guide(client):
    footer = client.get("/").text.partition("<footer")[2]
    for address in ("https://esante.gouv.fr", "https://x.com/esante_gouv_fr", "linkedin.com/company/asip-sante"):
        assert address in footer


@pytest.mark.parametrize(
    "links", [{}, {"SIGN_IN": "connexion"}, {"SIGN_IN": "connexion", "REGISTRATION": "inscription"}]
)
def test_a_company_is_told_where_to_go_without_a_dead_link(client, settings, links):
    for door in ("SIGN_IN", "REGISTRATION"):
        address = f"https://exemple.gouv.fr/{links[door]}" if door in links else ""
        setattr(settings, f"VENDOR_{door}_URL", address)
    page = client.get("/").content.decode()
    door = page.partition('id="porte-entreprise"')[2].partition("</section>")[0]
    assert re.findall(r'href="([^"]+)"', door) == [f"https://exemple.gouv.fr/{name}" for name in links.values()]
    assert ("industriels.esante.gouv.fr" in door) is (not links)


@pytest.mark.parametrize(
    ("trait", "entry"),
    [(None, "Tableau de bord"), ("ars", "Dossiers"), ("ans", "Dossiers"), ("administrator", "Administration")],
)
def test_each_role_has_its_own_menu(signed_in, trait, entry):
    page = signed_in(UserFactory(**({trait: True} if trait else {}))).get("/aide/").content.decode()
    assert f">{entry}</a>" in page
    assert "Votre compte" in page
    for other in {"Tableau de bord", "Dossiers", "Administration"} - {entry}:
        assert f">{other}</a>" not in page


def test_the_demonstration_says_where_letters_are_read(client, settings):
    assert "boîte aux lettres" in client.get("/aide/").content.decode()
    settings.EMBEDDED = False
    assert "boîte aux lettres" not in client.get("/aide/").content.decode()


def test_the_publisher_is_named_with_a_telephone(client, settings):
    assert "La directrice ou le directeur" in client.get("/mentions-legales/").text
    settings.PUBLISHER, settings.PUBLISHER_PHONE = "Camille Exemple, directrice", "01\u00a000\u00a000\u00a000\u00a000"
    page = client.get("/mentions-legales/").text
    assert settings.PUBLISHER in page and f"Téléphone&nbsp;: {settings.PUBLISHER_PHONE}" in page
    assert "La directrice ou le directeur" not in page


def test_the_hosting_company_is_named(client, settings):
    settings.EMBEDDED = False
    settings.HOSTING = "Hébergeur Exemple, 1 rue de la Paix, 75002 Paris"
    assert settings.HOSTING in client.get("/mentions-legales/").content.decode()


# Public addresses that are a step of something, or belong to one object: one comes to them from another page.
STEPS = {
    "account_confirm_email",
    "account_email_verification_sent",
    "account_inactive",
    "account_logout",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "account_sign_in_code",
    "account_signup",
    "accounts:activation_resent",
    "accounts:challenge",
    "accounts:check_establishment",
    "accounts:choose_establishment",
    "accounts:confirm_email_change",
    "accounts:password_strength",
    "accounts:register_establishment",
    "accounts:accept_invitation",
    "accounts:register_recap",
    "accounts:registered",
    "accounts:stop_email_correction",
    "accounts:terms_version",
    "account_second_factor",
    "admin:login",
    "captcha-image",
    "eligibility_of",
    "health",
    "alive",
    "metrics",
    "letters:html",
    "letters:letter",
    "letters:mailbox",
    "preparation",
    "steering:download_published",
    "steering:publication",
    "systems:dossier",
    "systems:dossiers",
    "systems:domains",
    "systems:nothing",
    "systems:openapi",
    "systems:statistics",
}


def test_the_site_map_names_every_public_page(client):
    """A new public page belongs in `templates/ecare/sitemap.html`, or among the steps above."""
    page = client.get("/plan-du-site/").text
    main = page.partition("<main")[2].partition("</main>")[0]
    linked = set(re.findall(r'href="(/[^"#]*)"', main))
    assert {name for name in PUBLIC - STEPS - {"sitemap"} if reverse(name) not in linked} == set()
    assert STEPS <= PUBLIC


def test_every_link_of_the_site_map_leads_somewhere(client, signed_in):
    Terms.objects.create(version="1.0", text="Texte", published_at=timezone.now())
    people = [client, signed_in(UserFactory()), signed_in(UserFactory(ans=True))]
    main = client.get("/plan-du-site/").text.partition("<main")[2].partition("</main>")[0]
    for address in set(re.findall(r'href="(/[^"#]*)"', main)):
        assert 200 in {person.get(address).status_code for person in people}, address


def test_the_statement_of_accessibility_promises_no_more_than_was_tested(client):
    page = client.get("/accessibilite/").text
    assert "<strong>non conforme</strong>" in page and "Ce qui n’a pas été vérifié" in page
    assert "Accessibilité&nbsp;: non conforme" in client.get("/").text


def test_the_page_on_personal_data_says_what_the_settings_say(client, settings):
    page = client.get("/donnees-personnelles/").text
    assert timedelta(hours=2) == settings.SESSION_IDLE_LIMIT and timedelta(hours=8) == settings.SESSION_AGE_LIMIT
    assert "deux heures sans activité, huit heures au plus" in page
    assert settings.SESSION_COOKIE_AGE == 24 * 3600 and "effacé vingt-quatre heures après votre dernière" in page
    assert timedelta(minutes=10) == settings.SIGN_IN_CODE_LIFETIME and "un code vaut dix minutes" in page.lower()
    for words in ("article 6.1.e", "article 6.1.c", "cnil.fr", settings.SUPPORT_ADDRESS):
        assert words in page


@pytest.mark.urls("tests.look.gallery")
def test_a_message_is_escaped(client):
    page = client.get("/dit/").content.decode()
    assert "<script>alert(1)</script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "fr-alert--success" in page
    assert settings.DSFR_CONTENT_IS_SAFE is False
