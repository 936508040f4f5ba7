import re
from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from applications.models import Application, Bracket, ChangeRequest, Domain
from ecare.french import paris_date
from establishments.models import Activity
from tests.applications.pages import text_of
from tests.factories import ApplicationFactory, DomainFactory, FormFactory, UserFactory

ADDRESS = reverse("applications:dashboard")
TODAY = timezone.localdate


def test_it_says_what_the_programme_is_and_the_seven_things_one_can_do(client):
    page = text_of(client.get(ADDRESS))
    assert "Programme CaRE" in page
    assert len(re.findall(r"<li>[^<]*(?:;|dossiers de candidature\.)</li>", page)) == 7
    assert "Aucune candidature" in page


def test_a_reviewer_has_no_dashboard(signed_in):
    assert signed_in(UserFactory(ans=True)).get(ADDRESS).status_code == 403


@pytest.mark.parametrize(
    ("dates", "said"),
    [
        ({"candidature_from": 3}, "Les candidatures ouvriront le"),
        ({"candidature_from": -3, "candidature_until": 5}, "(il reste 5 jours)"),
        ({"candidature_from": -3, "candidature_until": 1}, "(il reste 1 jour)"),
        ({"candidature_from": -3, "candidature_until": 0}, "dernier jour"),
        ({"candidature_from": -3}, "sans date limite"),
        ({"candidature_from": -3}, "Dès la convention signée, les établissements peuvent déposer"),
        ({"candidature_from": -3, "declaration_until": 9}, "Dès la convention signée et jusqu’au"),
        ({"candidature_from": -9, "candidature_until": -1}, "plus aucune candidature ne peut être déposée"),
        ({"candidature_from": -9, "candidature_until": -1, "declaration_from": 9}, "pourront déposer"),
        (
            {"candidature_from": -9, "candidature_until": -1, "declaration_from": -1},
            "la convention ANS/ES ait été signée",
        ),
        (
            {"candidature_from": -9, "candidature_until": -8, "declaration_from": -7, "declaration_until": -1},
            "Le dépôt des déclarations d’atteinte des objectifs est terminé",
        ),
    ],
)
def test_the_notice_of_a_domain_follows_its_calendar(client, dates, said):
    domain = DomainFactory(candidature_from=None)
    for name, days in dates.items():
        setattr(domain, name, TODAY() + timedelta(days=days))
    domain.save()
    assert said in text_of(client.get(ADDRESS))


def test_before_one_may_apply_nothing_is_said_of_declarations(client):
    DomainFactory(candidature_from=TODAY() + timedelta(days=3))
    assert "Dès la convention signée" not in text_of(client.get(ADDRESS))


def test_a_closed_establishment_is_told_so_and_offered_nothing(client, referent, settings):
    dossier = ApplicationFactory(referent=referent)
    free = DomainFactory(name="Domaine libre")
    assert free.slug in client.get(ADDRESS).context["form"].domains
    referent.establishment.closed_on = TODAY()
    referent.establishment.save()
    page = client.get(ADDRESS)
    assert "Votre établissement est fermé dans le répertoire FINESS" in text_of(page)
    assert f"mailto:{settings.SUPPORT_ADDRESS}" in text_of(page) and dossier.reference in text_of(page)
    assert not page.context["form"].domains and not page.context["offers"]
    start = text_of(client.get(reverse("applications:start")))
    assert free.slug not in start and "Votre établissement est fermé dans le répertoire FINESS" in start


def test_the_dialog_lists_what_this_establishment_may_start_and_nothing_else(client, referent):
    free = DomainFactory(name="Domaine libre")
    ApplicationFactory(
        domain=DomainFactory(name="Domaine pris"), referent=UserFactory(establishment=referent.establishment)
    )
    ApplicationFactory(domain=DomainFactory(name="Domaine retiré"), referent=referent, state="withdrawn")
    DomainFactory(name="Domaine fermé", candidature_until=date(2024, 2, 1))
    DomainFactory(name="Domaine des cliniques", kinds=["private"])
    offered = client.get(ADDRESS).context["form"].domains
    assert set(offered) == {free.slug, Domain.objects.get(name="Domaine retiré").slug}


def test_the_table_shows_reference_domain_establishment_step_and_state(client, referent):
    dossier = ApplicationFactory(referent=referent, state="declaration_submitted")
    page = text_of(client.get(ADDRESS))
    for said in (dossier.reference, dossier.domain.name, referent.establishment.name):
        assert said in page
    assert "Déclaration d’atteinte des objectifs" in page
    assert "En cours de vérification (ARS)" in page
    assert reverse("applications:detail", args=[dossier.reference]) in page


def test_whoever_has_a_dossier_finds_it_before_the_presentation(client, referent):
    def order(page):
        return re.findall(r'<section aria-labelledby="(\w+)"', page.content.decode())

    assert order(client.get(ADDRESS)) == ["programme", "dossiers"]
    dossier = ApplicationFactory(referent=referent, state="submitted")
    assert order(client.get(ADDRESS)) == ["dossiers", "programme"]
    page = client.get(ADDRESS, {"q": "introuvable"})
    assert order(page) == ["dossiers", "programme"]
    assert list(page.context["table"].paginated_rows) == []
    assert "Vous suivez la candidature n° <a" in text_of(page)
    assert dossier.reference in text_of(page)


def test_the_card_of_a_domain_says_who_holds_its_place(client, referent):
    domain = DomainFactory()
    other = UserFactory(establishment=referent.establishment)
    assert "déjà suivie" not in text_of(client.get(ADDRESS))
    ApplicationFactory(referent=other, domain=domain)
    assert f"Une candidature de votre établissement est déjà suivie par {other}." in text_of(client.get(ADDRESS))


def test_a_draft_is_loudly_not_sent(client, referent):
    domain = DomainFactory(candidature_until=TODAY() + timedelta(days=2))
    ApplicationFactory(referent=referent, domain=domain)
    page = text_of(client.get(ADDRESS))
    assert "<strong>Non transmise</strong>" in page
    assert "il reste 2 jours" in page
    assert "Non transmise" in page


def test_what_awaits_stands_in_order_of_urgency(client, referent):
    """A due correction, the last days of drafts, then what has no end; what is over comes last."""
    until = {"over": -1, "far": 9, "near": 2, "endless": None}
    for name, days in until.items():
        last = None if days is None else TODAY() + timedelta(days=days)
        ApplicationFactory(referent=referent, domain=DomainFactory(name=f"Domaine {name}", candidature_until=last))
    asked = ApplicationFactory(referent=referent, domain=DomainFactory(name="Domaine due"), state="changes_requested")
    due = {"due_on": TODAY() + timedelta(days=5), "step": "candidature", "desk": "ars", "message": "Le RIB."}
    ChangeRequest.objects.create(application=asked, by=UserFactory(ars=True), **due)
    page = client.get(ADDRESS)
    names = [deadline.application.domain.name.removeprefix("Domaine ") for deadline in page.context["awaited"]]
    assert names == ["near", "due", "far", "endless", "over"]
    assert "<strong>À modifier</strong>" in text_of(page)


def test_the_last_day_says_until_which_hour(client, referent):
    domain = DomainFactory(candidature_until=TODAY())
    said = f"ce soir, {paris_date(TODAY())} à 23 h 59</strong> (heure de Paris)"
    assert said in text_of(client.get(ADDRESS))
    assert said in text_of(client.get(reverse("preparation", args=[domain.slug])))


def test_a_draft_whose_last_day_is_over_says_so(client, referent):
    domain = DomainFactory(candidature_until=TODAY() - timedelta(days=1))
    ApplicationFactory(referent=referent, domain=domain)
    assert "La date limite de premier envoi" in text_of(client.get(ADDRESS))


def test_what_awaits_is_not_shown_for_a_dossier_that_is_elsewhere(client, referent):
    ApplicationFactory(referent=referent, state="submitted")
    assert "Ce qui vous attend" not in text_of(client.get(ADDRESS))


def test_nobody_else_s_dossier_is_in_the_table(client, referent):
    others = ApplicationFactory(referent=UserFactory(establishment=referent.establishment))
    assert others.reference not in text_of(client.get(ADDRESS))


def test_the_search_finds_by_reference_domain_and_establishment(client, referent):
    found = ApplicationFactory(referent=referent, domain=DomainFactory(name="Domaine Audits"))
    ApplicationFactory(referent=referent, domain=DomainFactory(name="Domaine Secours"))
    for words in (found.reference.lower(), "audits", f"AUDITS {referent.establishment.legal_entity.finess}"):
        page = text_of(client.get(ADDRESS, {"q": words}))
        assert found.reference in page
        table = client.get(ADDRESS, {"q": words}).context["table"]
        assert [row.record for row in table.rows] == [found]
    assert "ne correspond à cette recherche" in text_of(client.get(ADDRESS, {"q": "introuvable"}))


def test_the_table_is_sorted_and_paged(client, referent):
    for rank in range(12):
        ApplicationFactory(referent=referent, domain=DomainFactory(name=f"Domaine {rank:02d}"))
    first = client.get(ADDRESS, {"sort": "-domain"}).context["table"]
    assert [row.record.domain.name for row in first.paginated_rows][:2] == ["Domaine 11", "Domaine 10"]
    assert len(first.paginated_rows) == 10
    assert len(client.get(ADDRESS, {"page": 2}).context["table"].paginated_rows) == 2
    assert len(client.get(ADDRESS, {"per_page": 25}).context["table"].paginated_rows) == 12


def test_each_column_sorts_both_ways(client, referent):
    """By reference and by name; step and state in the order of a dossier's life."""
    made = {
        state: ApplicationFactory(referent=referent, state=state, domain=DomainFactory(name=f"Domaine {name}"))
        for state, name in (("validated", "B"), ("draft", "C"), ("submitted", "D"), ("declaration_open", "A"))
    }
    by_life = ["draft", "submitted", "declaration_open", "validated"]
    expected = {
        "reference": sorted(made, key=lambda state: made[state].reference),
        "domain": ["declaration_open", "validated", "draft", "submitted"],
        "state": by_life,
    }
    for column, states in expected.items():
        for sort, wanted in ((column, states), (f"-{column}", states[::-1])):
            rows = client.get(ADDRESS, {"sort": sort}).context["table"].rows
            assert [row.record.state for row in rows] == wanted, sort
    for sort, wanted in (("step", [1, 1, 2, 2]), ("-step", [2, 2, 1, 1])):
        rows = client.get(ADDRESS, {"sort": sort}).context["table"].rows
        assert [2 if row.record.declaration_form_id else 1 for row in rows] == wanted


def test_length_and_search_are_offered_whatever_the_number_of_dossiers(client, referent):
    for _ in range(2):
        page = client.get(ADDRESS).text
        assert 'name="per_page"' in page and 'name="q"' in page
        ApplicationFactory(referent=referent)


@pytest.mark.parametrize(("state", "who"), [("changes_requested", "ars"), ("declaration_changes_requested", "ans")])
def test_a_correction_says_who_asked_for_it_and_since_when(client, referent, state, who):
    dossier = ApplicationFactory(referent=referent, state=state)
    asked = ChangeRequest.objects.create(
        application=dossier, step=dossier.step, desk=who, by=UserFactory(ans=True), message="Le RIB."
    )
    service = {"ars": "ARS Occitanie", "ans": "ANS"}[who]
    said = f"Une modification vous est demandée, par l’{service} le {paris_date(asked.at)}."
    assert said in text_of(client.get(ADDRESS))


@pytest.mark.parametrize(
    "query", [{"page": "x"}, {"page": 999}, {"per_page": "x"}, {"per_page": 10**9}, {"sort": "password"}]
)
def test_a_forged_address_breaks_nothing(client, referent, query):
    ApplicationFactory(referent=referent)
    assert client.get(ADDRESS, query).status_code == 200


@pytest.mark.parametrize("rows", [1, 3])
def test_the_number_of_queries_does_not_grow_with_the_rows(client, referent, rows, django_assert_num_queries):
    for _ in range(rows):
        ApplicationFactory(referent=referent)
    client.get(ADDRESS)
    with django_assert_num_queries(17):
        client.get(ADDRESS)
    assert Application.objects.visible_to(referent).count() == rows


def with_ceiling(referent, ceiling, **fields):
    domain = FormFactory(domain=DomainFactory(**fields)).domain
    Bracket.objects.create(domain=domain, kind=referent.establishment.kind, days_from=0, ceiling=ceiling)
    return domain


@pytest.fixture
def known_activity(referent):
    Activity.objects.create(legal_entity=referent.establishment.legal_entity, year=2023, days=12_345)


@pytest.mark.parametrize("address", [ADDRESS, reverse("applications:start")])
def test_the_ceiling_and_the_conditions_are_read_before_applying(client, referent, known_activity, address):
    domain = with_ceiling(referent, 1_234_500, expenses_from=date(2025, 7, 16))
    page = text_of(client.get(address))
    for said in (
        "12 345 €",
        "non officiel",
        "12 345 journées",
        "Plancher du domaine : 7 000 €",
        "seules comptent les dépenses engagées à partir du <strong>16 juillet 2025</strong>",
        reverse("preparation", args=[domain.slug]),
    ):
        assert said in page, said


def test_the_dialog_says_the_ceiling_of_what_may_be_started(client, referent, known_activity):
    taken = with_ceiling(referent, 1_111_100)
    ApplicationFactory(domain=taken, referent=referent, candidature_form=taken.forms.get())
    free = with_ceiling(referent, 2_222_200)
    assert [offer.domain for offer in client.get(ADDRESS).context["startable"]] == [free]


def test_a_domain_that_is_over_says_no_ceiling_any_more(client, referent):
    with_ceiling(referent, 1_234_500, candidature_until=date(2024, 2, 1))
    assert "Plafond" not in text_of(client.get(ADDRESS))


@pytest.mark.parametrize("rows", [1, 3])
def test_neither_does_it_grow_with_the_domains_nor_with_their_scales(
    client, referent, known_activity, rows, django_assert_num_queries
):
    for rank in range(rows):
        with_ceiling(referent, 1_000_000 + rank)
    client.get(ADDRESS)
    with django_assert_num_queries(15):
        client.get(ADDRESS)
    with django_assert_num_queries(12):
        client.get(reverse("applications:start"))
