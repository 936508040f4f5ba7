"""What an envelope holds, when the ANS is told, and that nothing goes past it unnoticed."""

import pytest
from django.urls import reverse
from django.utils import timezone

from applications.actions import NotNow
from applications.models import Domain
from ecare.journal.models import Entry
from ecare.letters.models import Letter
from funding import actions, rules
from funding.tasks import warn_of_envelopes
from reviews.actions import sign_convention
from tests.factories import UserFactory
from tests.funding.deciding import decide, domain_that_pays, dossier_in, line, now, pay, validate, validated
from tests.reviews.conftest import PDF, pdf  # noqa: F401

pytestmark = pytest.mark.django_db


@pytest.fixture
def ans():
    return UserFactory(ans=True)


def accepted(domain, **fields):
    """Through the verb, by an agent of its ARS."""
    application = dossier_in("submitted", domain=domain, **fields)
    agent = UserFactory(ars=True, regions=[application.establishment.region])
    actions.accept(application, by=agent, version=1)
    return now(application)


def told():
    return sorted(Letter.objects.filter(name="envelope_near").values_list("recipient", "once"))


def sums(domain):
    found = rules.consumption(domain)
    return found.committed, found.validated, found.paid, found.left


def test_each_dossier_counts_once_where_it_stands(ans):
    domain = domain_that_pays(envelope=30_000_000)
    dossier_in("submitted", domain=domain)
    dossier_in("accepted", domain=domain, requested=1_000_000)
    dossier_in("under_control", domain=domain)
    validated(by=ans, domain=domain)
    pay(validated(by=ans, domain=domain, lines=[line(900_000)]), by=ans)
    gone = validated(by=ans, domain=domain)
    actions.abandon(gone, by=ans, version=gone.version, message="Fermeture de l’établissement.")
    lost = dossier_in("under_control", domain=domain)
    actions.reject(lost, by=ans, version=1, message="Objectifs non atteints.")
    dossier_in("accepted", domain=domain_that_pays())
    assert sums(domain) == (6_000_000, 1_200_000, 900_000, 21_900_000)
    assert rules.consumption(domain).dossiers == 4


def test_an_envelope_that_is_not_set_warns_of_nothing(ans):
    domain = domain_that_pays(envelope=0)
    accepted(domain)
    found = rules.consumption(domain)
    assert (found.over, found.percent, found.threshold, told()) == (0, 0, 0, [])


@pytest.mark.parametrize(
    ("envelope", "percent", "threshold", "over"),
    [
        (5_555_556, 89, 0, 0),
        (5_555_555, 90, 90, 0),
        (5_000_001, 99, 90, 0),
        (5_000_000, 100, 100, 0),
        (4_999_999, 100, 100, 1),
    ],
)
def test_the_thresholds_to_the_cent(ans, envelope, percent, threshold, over):
    domain = domain_that_pays(envelope=envelope)
    accepted(domain)
    found = rules.consumption(domain)
    assert (found.percent, found.threshold, found.over) == (percent, threshold, over)
    assert [once.split(":")[3] for _, once in told()] == ([str(threshold)] if threshold else [])


def test_each_agent_is_told_once_of_each_threshold(ans):
    other, _inactive = UserFactory(ans=True), UserFactory(ans=True, is_active=False)
    domain = domain_that_pays(envelope=10_000_000)
    for requested in (5_000_000, 4_500_000):
        accepted(domain, requested=requested)
    assert {recipient for recipient, _ in told()} == {ans.email, other.email}
    assert len(told()) == 2
    assert warn_of_envelopes() == 0
    accepted(domain, requested=700_000)
    assert len(told()) == 4
    accepted(domain)
    assert (len(told()), warn_of_envelopes()) == (4, 0)
    words = Letter.objects.filter(name="envelope_near").latest("created_at").text.replace("\u00a0", " ")
    assert "dépassent de 2 000 € l’enveloppe du domaine" in words and "/verification/enveloppes/" in words


def test_whoever_passed_both_at_once_is_told_of_the_higher_alone(ans):
    domain = domain_that_pays(envelope=4_000_000)
    application = accepted(domain)
    assert [once.split(":")[3] for _, once in told()] == ["100"]
    actions.abandon(application, by=ans, version=application.version, message="Le projet est arrêté.")
    accepted(domain, requested=3_700_000)
    assert len(told()) == 1, "90 % after 100 % is no news"


def test_another_envelope_is_watched_anew_and_the_worker_sees_it(ans):
    domain = domain_that_pays(envelope=10_000_000)
    accepted(domain)
    assert told() == []
    Domain.objects.filter(pk=domain.pk).update(envelope=5_000_000)
    assert (warn_of_envelopes(), warn_of_envelopes(), len(told())) == (1, 0, 1)


# --- never unnoticed --------------------------------------------------------------------------------------------------
def test_the_ars_reads_a_neutral_sentence_and_accepts(ans, signed_in):
    domain = domain_that_pays(envelope=4_000_000)
    application = dossier_in("submitted", domain=domain)
    browser = signed_in(UserFactory(ars=True, regions=[application.establishment.region]))
    address = reverse("reviews:accept", args=[application.reference])
    page = browser.get(address).text.replace("&nbsp;", "\u00a0").replace("\u00a0", " ")
    assert "Cette acceptation dépasse l’enveloppe du domaine." in page and "50 000 €" in page
    assert "dépassée de" not in page and "40 000" not in page
    assert browser.post(address, {"version": 1}).status_code == 302
    assert Entry.objects.get(subject=application.subject, verb="accept").data["over"] == 1_000_000


def test_the_ans_confirms_the_excess_before_a_convention(ans, signed_in, pdf):  # noqa: F811
    domain = domain_that_pays(envelope=4_000_000)
    application, browser = accepted(domain), signed_in(ans)
    address = reverse("reviews:sign_convention", args=[application.reference])
    page = browser.get(address)
    assert "dépassée de 10\u00a0000\u00a0€" in page.text
    today = timezone.localdate().isoformat()
    typed = {"version": application.version, "establishment_signed_on": today, "signed_on": today}
    answer = browser.post(address, typed | {"over": 1_000_000, "upload": pdf()})
    assert answer.context["form"].errors["confirms_over"]
    assert now(application).state == "accepted"
    answer = browser.post(address, typed | {"over": 1_000_000, "confirms_over": "on", "upload": pdf()})
    assert answer.status_code == 302
    assert Entry.objects.get(verb="confirm_envelope").data == {"over": 1_000_000}


def test_an_excess_that_grew_since_the_page_was_shown_is_refused(ans, pdf):  # noqa: F811
    domain = domain_that_pays(envelope=4_000_000)
    application = accepted(domain)
    accepted(domain, requested=800_000)
    today = timezone.localdate()
    given = {"by": ans, "version": application.version, "establishment_signed_on": today, "signed_on": today}
    given["at"] = timezone.now()
    with pytest.raises(NotNow, match="dépassée de 18"):
        sign_convention(application, upload=pdf(), over=1_000_000, **given)
    assert now(application).state == "accepted" and not Entry.objects.filter(verb="confirm_envelope").exists()
    sign_convention(application, upload=pdf(), over=1_800_000, **given)


def test_a_validation_counts_what_is_decided_in_the_place_of_what_was_committed(ans):
    domain = domain_that_pays(envelope=4_500_000)
    application = dossier_in("under_control", domain=domain, requested=1_000_000, lines=[line(4_000_000)])
    dossier_in("accepted", domain=domain, requested=900_000)
    decide(application, by=ans)
    with pytest.raises(NotNow, match="dépassée de 4"):
        validate(application, by=ans)
    assert validate(application, by=ans, over=400_000).state == "validated"
    assert Entry.objects.get(subject=application.subject, verb="accept").data["over"] == 400_000
    assert sums(domain)[:3] == (900_000, 4_000_000, 0)


def test_the_page_of_the_envelopes(ans, signed_in):
    full, near, trial = (domain_that_pays(envelope=cents) for cents in (4_000_000, 5_400_000, 0))
    for domain in (full, near, trial):
        dossier_in("accepted", domain=domain)
    page = signed_in(ans).get(reverse("funding:envelopes"))
    text = page.text.replace("\u00a0", " ")
    assert "Dépassée de 10 000 €" in text and "Presque épuisée" in text and "n’a pas d’enveloppe" in text
    assert text.count("<svg") == 2
