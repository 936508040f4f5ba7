"""« Prolongations »: found without script, given from the establishment or its dossier, read by the ARS."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from applications.extensions import give_extension
from applications.models import Extension
from applications.states import Step
from ecare.letters.models import Letter
from tests.applications.life_cycle import people
from tests.applications.pages import text_of
from tests.factories import ApplicationFactory, DomainFactory, EstablishmentFactory, FormFactory, GhtFactory

pytestmark = pytest.mark.django_db

REASON = "Un incident de sécurité a arrêté le système d’information."


@pytest.fixture
def cast():
    return people(EstablishmentFactory(as_ght=True, ght=GhtFactory(code="OCC-77")))


@pytest.fixture
def domain():
    today = timezone.localdate()
    domain = DomainFactory(candidature_until=today - timedelta(days=3), declaration_until=today + timedelta(days=3))
    FormFactory(domain=domain)
    return domain


def later(days=30):
    return timezone.localdate() + timedelta(days=days)


def page_of(establishment, domain, step="candidature"):
    return reverse("reviews:give_extension", args=[establishment.pk, domain.slug, step])


def give(domain, establishment, *, by, until=None, step=Step.CANDIDATURE):
    return give_extension(
        domain, establishment, step=step, until=until or later(), reason=REASON, by=by, at=timezone.now()
    )


@pytest.mark.parametrize("words", ["OCC-77", "montpellier", "finess", "name"])
def test_the_ans_finds_the_establishment_by_what_is_known_of_it_and_lengthens(words, cast, domain, signed_in):
    establishment = cast["owner"].establishment
    words = {"finess": establishment.finess, "name": establishment.name}.get(words, words)
    browser = signed_in(cast["ans"])
    of_it = reverse("reviews:extensions_of", args=[establishment.pk])
    assert of_it in browser.get(reverse("reviews:find_establishment"), {"q": words}).text
    page = browser.get(of_it).text
    assert page_of(establishment, domain) in page and page_of(establishment, domain, "declaration") in page
    before = browser.get(page_of(establishment, domain)).text
    assert cast["owner"].email in before and cast["colleague"].email in before
    data = {"until": later().isoformat(), "message": REASON}
    said = text_of(browser.post(page_of(establishment, domain), data, follow=True))
    assert "date limite prolongée au" in said and REASON in said
    recipients = set(Letter.objects.filter(name="extension_given").values_list("recipient", flat=True))
    assert recipients == {cast["owner"].email, cast["colleague"].email}


def test_the_dossier_leads_there_and_names_its_referent_alone(cast, domain, signed_in):
    establishment = cast["owner"].establishment
    dossier = ApplicationFactory(
        referent=cast["owner"], domain=domain, candidature_form=domain.forms.get(step=Step.CANDIDATURE)
    )
    browser = signed_in(cast["ans"])
    desk = reverse("reviews:dossier", args=[dossier.reference])
    assert reverse("reviews:extensions_of", args=[establishment.pk]) in browser.get(desk).text
    page = browser.get(page_of(establishment, domain)).text
    assert cast["owner"].email in page and cast["colleague"].email not in page
    browser.post(page_of(establishment, domain), {"until": later().isoformat(), "message": REASON})
    assert "une prolongation" in text_of(browser.get(desk))
    assert "a prolongé la date limite" in text_of(browser.get(desk))


@pytest.mark.parametrize(
    ("fields", "name", "said"),
    [
        ({"until": ""}, "until", "Renseignez ce champ."),
        ({"until": "2001-01-01"}, "until", "Cette date est passée"),
        ({"message": "court"}, "message", "trop court"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_given(fields, name, said, cast, domain, signed_in):
    data = {"until": later().isoformat(), "message": REASON} | fields
    page = signed_in(cast["ans"]).post(page_of(cast["owner"].establishment, domain), data)
    assert page.status_code == 200 and said in text_of(page) and page.context["form"].errors[name]
    assert not Extension.objects.exists() and not Letter.objects.exists()


def test_an_unknown_establishment_domain_or_step_is_not_found(cast, domain, signed_in):
    browser, establishment = signed_in(cast["ans"]), cast["owner"].establishment
    for arguments in ([0, domain.slug, "candidature"], [establishment.pk, "x", "candidature"]):
        assert browser.get(reverse("reviews:give_extension", args=arguments)).status_code == 404
    assert browser.get(page_of(establishment, domain, "autre")).status_code == 404
    assert browser.get(reverse("reviews:extensions_of", args=[0])).status_code == 404


def test_a_domain_without_end_is_said_to_need_none(cast, signed_in):
    domain, establishment = DomainFactory(), cast["owner"].establishment
    browser = signed_in(cast["ans"])
    assert browser.get(page_of(establishment, domain)).status_code == 409
    assert "une prolongation est inutile" in text_of(
        browser.get(reverse("reviews:extensions_of", args=[establishment.pk]))
    )


def test_the_ans_takes_it_back_and_says_why(cast, domain, signed_in):
    given = give(domain, cast["owner"].establishment, by=cast["ans"])
    address, browser = reverse("reviews:withdraw_extension", args=[given.pk]), signed_in(cast["ans"])
    assert cast["owner"].email in browser.get(address).text
    assert "la prolongation est retirée" in text_of(browser.post(address, {"message": REASON}, follow=True))
    assert browser.post(address, {"message": REASON}).status_code == 409
    assert Extension.objects.get().state == "withdrawn"


def test_the_ars_reads_those_of_its_region_and_decides_nothing(cast, domain, signed_in):
    given = give(domain, cast["owner"].establishment, by=cast["ans"])
    listed, withdraw = reverse("reviews:extensions"), reverse("reviews:withdraw_extension", args=[given.pk])
    ars, elsewhere = signed_in(cast["ars"]), signed_in(cast["ars_elsewhere"])
    assert REASON in text_of(ars.get(listed)) and withdraw not in ars.get(listed).text
    assert REASON not in text_of(elsewhere.get(listed))
    assert (ars.get(withdraw).status_code, elsewhere.get(withdraw).status_code) == (403, 404)
    closed = [reverse("reviews:find_establishment"), page_of(given.establishment, domain)]
    closed.append(reverse("reviews:extensions_of", args=[given.establishment_id]))
    assert {ars.get(one).status_code for one in closed} == {403}
    assert signed_in(cast["owner"]).get(listed).status_code == 403


def test_the_list_is_searched(cast, domain, signed_in):
    give(domain, cast["owner"].establishment, by=cast["ans"])
    browser = signed_in(cast["ans"])
    assert REASON in text_of(browser.get(reverse("reviews:extensions"), {"q": "OCC-77"}))
    assert "Aucune prolongation ne correspond" in text_of(browser.get(reverse("reviews:extensions"), {"q": "xyzzyx"}))


@pytest.mark.parametrize("count", [1, 3])
def test_the_lists_cost_the_same_however_long(cast, domain, signed_in, django_assert_num_queries, count):
    browser = signed_in(cast["ans"])
    for _ in range(count):
        give(domain, EstablishmentFactory(name="HOPITAL COMMUN", search_text="hopital commun"), by=cast["ans"])
    with django_assert_num_queries(6):
        browser.get(reverse("reviews:extensions"))
    with django_assert_num_queries(6):
        browser.get(reverse("reviews:find_establishment"), {"q": "commun"})
