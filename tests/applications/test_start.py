import pytest
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils import timezone

from applications import actions
from applications.models import Application
from ecare.journal.models import Entry
from tests.factories import ApplicationFactory, DomainFactory, FormFactory, UserFactory
from tests.racing import at_once

ADDRESS = reverse("applications:start")


def said(response):
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


@pytest.fixture
def open_domain(db):
    return FormFactory(domain__name="Domaine ouvert").domain


def test_the_page_offers_the_open_domains_without_script(client, open_domain):
    page = client.get(ADDRESS).content.decode()
    assert "Candidater à un domaine" in page
    assert f'value="{open_domain.slug}"' in page


def test_choosing_a_domain_makes_a_draft_with_a_reference_of_ten_letters(client, referent, open_domain):
    response = client.post(ADDRESS, {"domain": open_domain.slug})
    application = Application.objects.get()
    assert response.url == reverse("applications:detail", args=[application.reference])
    assert (application.referent, application.establishment) == (referent, referent.establishment)
    assert len(application.reference) == 10
    assert set(application.reference) <= set("ABCDEFGHJKLMNPQRSTUVWXYZ")
    assert Entry.objects.get(subject=application.subject).verb == "start"
    assert "pas encore transmise" in said(response)


def test_choosing_nothing_is_said(client, open_domain):
    assert "Choisissez un domaine" in client.post(ADDRESS, {}).content.decode()


@pytest.mark.parametrize("kinds", [["private"], ["ght"]])
def test_a_domain_for_other_establishments_cannot_be_started(client, kinds):
    domain = FormFactory(domain__kinds=kinds).domain
    assert "ouvert à votre établissement" in client.post(ADDRESS, {"domain": domain.slug}).content.decode()
    assert not Application.objects.exists()


def test_a_closed_establishment_starts_nothing(referent, open_domain):
    referent.establishment.closed_on = timezone.localdate()
    referent.establishment.save()
    with pytest.raises(actions.NotNow, match="fermé dans le répertoire FINESS"):
        actions.start(open_domain, by=referent, at=timezone.now())
    assert not Application.objects.exists()


def test_a_second_click_leads_to_one_s_own_dossier(client, open_domain):
    first = client.post(ADDRESS, {"domain": open_domain.slug})
    second = client.post(ADDRESS, {"domain": open_domain.slug})
    assert second.url == first.url
    assert "déjà cette candidature" in said(second)
    assert Application.objects.count() == 1


def test_a_colleague_is_told_who_holds_the_dossier_and_sees_nothing_of_it(client, referent, open_domain):
    colleague = UserFactory(establishment=referent.establishment, first_name="Lou", last_name="Collègue")
    held = ApplicationFactory(domain=open_domain, referent=colleague, candidature_form=open_domain.forms.get())
    response = client.post(ADDRESS, {"domain": open_domain.slug})
    assert response.url == reverse("applications:dashboard")
    assert "déjà suivie par Lou Collègue" in said(response)
    assert held.reference not in said(response)


def test_the_page_says_why_a_domain_is_not_offered(client, referent, open_domain):
    colleague = UserFactory(establishment=referent.establishment, first_name="Lou", last_name="Collègue")
    held = ApplicationFactory(domain=open_domain, referent=colleague, candidature_form=open_domain.forms.get())
    for address in (ADDRESS, reverse("applications:dashboard")):
        page = client.get(address).content.decode()
        assert f'value="{open_domain.slug}"' not in page
        assert "déjà suivie par Lou Collègue" in page
        assert held.reference not in page


def test_after_a_withdrawal_the_establishment_may_start_again(client, referent, open_domain):
    client.post(ADDRESS, {"domain": open_domain.slug})
    actions.withdraw(Application.objects.get(), by=referent, version=1)
    client.post(ADDRESS, {"domain": open_domain.slug})
    assert sorted(Application.objects.values_list("state", flat=True)) == ["draft", "withdrawn"]


def test_a_reviewer_cannot_start(signed_in, open_domain):
    ars = signed_in(UserFactory(ars=True))
    assert ars.get(ADDRESS).status_code == 403
    assert ars.post(ADDRESS, {"domain": open_domain.slug}).status_code == 403


@pytest.mark.parametrize("name", ["date limite", "sans formulaire"])
def test_what_cannot_be_started_today_is_refused_by_the_verb(referent, name):
    domain = DomainFactory(candidature_until=timezone.localdate() if name == "sans formulaire" else "2024-02-01")
    domain.refresh_from_db()
    with pytest.raises(actions.NotNow):
        actions.start(domain, by=referent, at=timezone.now())


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("who", ["one person twice", "two colleagues"])
def test_two_simultaneous_clicks_make_one_dossier(who, signed_in):
    domain = FormFactory().domain
    person = UserFactory()
    people = [person, person if who == "one person twice" else UserFactory(establishment=person.establishment)]
    clients = [signed_in(one) for one in people]
    answers = at_once(*[lambda one=one: one.post(ADDRESS, {"domain": domain.slug}) for one in clients])
    assert [answer.status_code for answer in answers] == [302, 302]
    application = Application.objects.get()
    assert Entry.objects.filter(subject=application.subject).count() == 1
    detail = reverse("applications:detail", args=[application.reference])
    expected = [detail, detail] if who == "one person twice" else sorted([detail, reverse("applications:dashboard")])
    assert sorted(answer.url for answer in answers) == expected
