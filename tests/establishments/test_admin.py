"""The directory and the reports of its imports in the administration: to read, never to write."""

import pytest
from django.urls import reverse

from establishments.models import DirectoryImport, Establishment, LegalEntity
from tests.establishments.conftest import CLINIC
from tests.factories import EstablishmentFactory, GhtFactory, SiteFactory, UserFactory, finess

pytestmark = pytest.mark.django_db
MODELS = ["region", "department", "legalentity", "site", "ght", "establishment", "directoryimport"]


@pytest.mark.parametrize("model", MODELS)
def test_an_administrator_reads_each_table_and_writes_none(admin, folder, model):
    folder.run()
    assert admin.get(reverse(f"admin:establishments_{model}_changelist")).status_code == 200
    assert admin.get(reverse(f"admin:establishments_{model}_add")).status_code == 403


def test_an_administrator_reads_an_entity_with_its_sites_but_may_not_change_or_delete_it(admin, folder):
    folder.run()
    entity = LegalEntity.objects.get(finess=CLINIC)
    address = reverse("admin:establishments_legalentity_change", args=[entity.pk])
    page = admin.get(address)
    assert entity.sites.get().finess in page.text
    assert 'name="_save"' not in page.text
    assert admin.post(address, {"name": "AUTRE"}).status_code == 403
    assert admin.post(reverse("admin:establishments_legalentity_delete", args=[entity.pk])).status_code == 403
    entity.refresh_from_db()
    assert entity.name == "CLINIQUE SAINTE-THÉRÈSE"


def test_a_referent_and_an_agent_do_not_enter(signed_in):
    for user in (UserFactory(), UserFactory(ans=True)):
        assert signed_in(user).get(reverse("admin:establishments_establishment_changelist")).status_code != 200


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_of_establishments_asks_as_much_for_1_and_3(admin, django_assert_num_queries, rows):
    EstablishmentFactory.create_batch(rows, as_ght=True)
    with django_assert_num_queries(9):
        admin.get(reverse("admin:establishments_establishment_changelist"))


@pytest.mark.parametrize("model", ["establishment", "legalentity"])
def test_search_forgives_accents_and_case(admin, folder, model):
    folder.run()
    page = admin.get(reverse(f"admin:establishments_{model}_changelist"), {"q": "sainte therese"})
    assert [one.name for one in page.context["cl"].queryset] == ["CLINIQUE SAINTE-THÉRÈSE"]


@pytest.mark.parametrize("words", ["site éloi", "SITE ELOI", "éloi 34"])
def test_a_site_is_found_by_name_town_and_finess(admin, words):
    found = SiteFactory(name="SITE ELOI")
    SiteFactory(name="AUTRE SITE")
    page = admin.get(reverse("admin:establishments_site_changelist"), {"q": words})
    assert list(page.context["cl"].queryset) == [found]


def test_a_group_is_found_by_its_code_and_by_its_support(admin):
    found = EstablishmentFactory(as_ght=True, ght=GhtFactory(code="OCC-77", support__name="CH LODEVE")).ght
    EstablishmentFactory(as_ght=True)
    for words in ("occ-77", "lodève"):
        page = admin.get(reverse("admin:establishments_ght_changelist"), {"q": words})
        assert list(page.context["cl"].queryset) == [found]


@pytest.mark.parametrize(("state", "number"), [("ouverts", 2), ("fermes", 1), (None, 3)])
def test_open_and_closed_are_told_apart(admin, folder, state, number):
    folder.run()
    folder.entities.pop(CLINIC)
    folder.run()
    query = {"etat": state} if state else {}
    page = admin.get(reverse("admin:establishments_establishment_changelist"), query)
    assert page.context["cl"].result_count == number
    assert Establishment.objects.count() == 3


def test_the_report_shows_files_figures_and_lines_without_running_what_they_hold(admin, folder):
    folder.entities[CLINIC]["siren"] = "<script>alert(1)</script>"
    folder.write()
    folder.append("activite-*", f"{finess('34', 99)};2025;12")
    folder.run()
    address = reverse("admin:establishments_directoryimport_change", args=[DirectoryImport.objects.get().pk])
    page = admin.get(address).text
    assert "etalab-cs1100501-stock-20261101.csv" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert(1)" not in page
    assert "Entités juridiques (EJ)" in page
