"""What an administrator may do with domains, forms and dossiers."""

import pytest
from django.urls import reverse

from applications.models import Submission
from applications.states import State
from tests.applications.conftest import put_evidence
from tests.applications.pages import text_of
from tests.factories import ApplicationFactory, EstablishmentFactory, LegalEntityFactory, UserFactory


@pytest.fixture
def desk(signed_in):
    return signed_in(UserFactory(administrator=True))


def page(name, *args):
    return reverse(f"admin:applications_{name}", args=args)


def test_every_list_and_every_page_opens(desk, complete):
    form = complete.candidature_form
    for address in (
        page("domain_changelist"),
        page("domain_add"),
        page("domain_change", complete.domain_id),
        page("formversion_changelist"),
        page("formversion_change", form.pk),
        page("section_change", form.sections.first().pk),
        page("application_changelist"),
        page("application_change", complete.pk),
        page("submission_changelist"),
    ):
        assert desk.get(address).status_code == 200


def test_dossiers_are_consulted_without_answers_or_evidence(desk, complete):
    put_evidence(complete, "ps1-1-documents", name="Secret.pdf")
    page_text = text_of(desk.get(page("application_change", complete.pk)))
    for hidden in ("FR7630006000011234567890189", "Secret.pdf", "RIB.pdf", "claire.martin@exemple.fr"):
        assert hidden not in page_text
    assert desk.post(page("application_change", complete.pk), {"state": "paid"}).status_code == 403
    assert desk.post(page("application_delete", complete.pk), {"post": "yes"}).status_code == 403
    assert desk.get(page("application_add")).status_code == 403
    assert desk.post(page("domain_delete", complete.domain_id), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("role", ["ars", "ans", None])
def test_nobody_else_enters(signed_in, domain, role):
    person = UserFactory(**({role: True} if role else {}))
    assert signed_in(person).get(page("domain_changelist")).status_code in (302, 403)


def test_a_dossier_is_found_by_its_establishment_accents_forgiven(desk):
    entity = LegalEntityFactory(name="HOPITAL SAINT ELOI")
    found = ApplicationFactory(referent=UserFactory(establishment=EstablishmentFactory(legal_entity=entity)))
    ApplicationFactory()
    for words in ("saint-éloi", found.reference.lower()):
        assert list(desk.get(page("application_changelist"), {"q": words}).context["cl"].queryset) == [found]


@pytest.mark.parametrize(("name", "queries"), [("application", 9), ("submission", 8), ("formversion", 10)])
@pytest.mark.parametrize("count", [1, 3])
def test_each_list_costs_the_same_however_long(desk, name, queries, count, django_assert_num_queries):
    for _rank in range(count):
        ght = EstablishmentFactory(as_ght=True)
        application = ApplicationFactory(state=State.SUBMITTED, referent=UserFactory(establishment=ght))
        Submission.objects.create(
            application=application, step=application.step, number=1, by=application.referent, content={}, digest=""
        )
    desk.get(page(f"{name}_changelist"))
    with django_assert_num_queries(queries):
        desk.get(page(f"{name}_changelist"))
