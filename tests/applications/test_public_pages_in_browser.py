"""In a real browser: the pages to read before any account are accessible, fit the screen, answer while one types,
and print."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from applications.models import Bracket
from establishments.models import Activity
from tests.browsing import faults, is_too_wide
from tests.factories import DomainFactory, EstablishmentFactory, FormFactory, GhtFactory, LegalEntityFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SCREENS = [{"width": 1280, "height": 900}, {"width": 390, "height": 844}, {"width": 320, "height": 640}]


@pytest.fixture
def group(db):
    member = LegalEntityFactory(name="CH DE LUNEL", town="LUNEL")
    group = EstablishmentFactory(as_ght=True, name="EST", ght=GhtFactory(code="OCC-44", name="EST", members=[member]))
    group.search_text += " ch de lunel"
    group.save()
    Activity.objects.create(legal_entity=member, year=2023, days=12_345)
    for name in ("Domaine A", "Domaine B"):
        space = {"key": "rib", "kind": "evidence", "formats": ["pdf"], "label": "Fichier RIB"}
        form = FormFactory(domain=DomainFactory(name=name), questions=[{"key": "nom"}, space])
        Bracket.objects.create(domain=form.domain, kind="ght", days_from=0, ceiling=1_200_000)
    DomainFactory(name="Domaine C", kinds=["private"])
    return group


@pytest.mark.parametrize("screen", SCREENS, ids=lambda s: str(s["width"]))
def test_they_are_accessible_and_fit_the_screen(page, live_server, group, screen):
    page.set_viewport_size(screen)
    member = group.ght.members.get(name="CH DE LUNEL")
    domain = Bracket.objects.first().domain
    for address in (
        reverse("eligibility"),
        reverse("eligibility") + "?q=lunel",
        reverse("eligibility_of", args=["OCC-44"]),
        reverse("eligibility_of", args=[member.finess]),
        reverse("preparations"),
        reverse("preparation", args=[domain.slug]),
    ):
        page.goto(live_server.url + address)
        for summary in page.locator("summary").all():
            summary.click()
        assert not is_too_wide(page), address
        assert faults(page) == [], address


def test_the_search_answers_while_one_types_and_leads_to_the_group(page, live_server, group):
    page.goto(live_server.url + reverse("eligibility"))
    page.get_by_role("searchbox").press_sequentially("lunl")
    expect(page.get_by_text("Rien ne correspond exactement")).to_be_visible()
    page.get_by_role("link", name="CH DE LUNEL").click()
    page.get_by_role("link", name="Voir l’éligibilité du GHT OCC-44").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("OCC-44 – EST")
    card = page.get_by_role("region", name="Domaine A")
    expect(card.get_by_text("Plafond : 12 000 €")).to_be_visible()
    card.get_by_text("Comment ce plafond est calculé").click()
    expect(card.get_by_text("12 345 journées").first).to_be_visible()


def test_without_script_everything_is_there(browser, live_server, group):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(live_server.url + reverse("eligibility"))
    page.get_by_role("searchbox").fill("lunel")
    page.get_by_role("button", name="Rechercher").click()
    page.get_by_role("link", name="CH DE LUNEL").click()
    expect(page.get_by_text("C’est votre GHT qui candidate")).to_be_visible()
    page.goto(live_server.url + reverse("preparations"))
    page.get_by_role("link", name="Domaine A").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Domaine A")
    expect(page.get_by_role("button", name="Imprimer")).to_be_hidden()
    context.close()


def test_on_paper_the_questions_stand_without_what_one_clicks_on(page, live_server, group):
    page.goto(live_server.url + reverse("preparation", args=[Bracket.objects.first().domain.slug]))
    expect(page.get_by_role("button", name="Imprimer")).to_be_visible()
    page.emulate_media(media="print")
    for hidden in (page.get_by_role("button", name="Imprimer"), page.locator("header"), page.locator("footer")):
        expect(hidden).to_be_hidden()
    expect(page.get_by_text("Fichier RIB").first).to_be_visible()
