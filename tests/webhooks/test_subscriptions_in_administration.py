"""« Abonnements » in the administration: created, tried, changed, renewed, suspended, resumed, ended, replayed."""

import re

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils import timezone

from applications import actions as applications
from ecare.clock import paris_day
from ecare.journal.models import Entry
from tests.factories import ApplicationFactory, DomainFactory, RegionFactory, UserFactory
from tests.webhooks.conftest import BY, again, send_due, states, subscribe, system, verifies
from webhooks import actions
from webhooks.models import Delivery, Event, Subscription

pytestmark = pytest.mark.django_db
LIST = reverse("admin:webhooks_subscription_changelist")
ADD = reverse("admin:webhooks_subscription_add")
SECRET = re.compile(r"whsec_[\w+/]+=*")


def page(name, subscription):
    return reverse(f"admin:webhooks_subscription_{name}", args=[subscription.pk])


def move():
    made = ApplicationFactory()
    applications.submit(made, by=made.referent, version=1, at=timezone.now())
    return made


def verbs(subscription):
    entries = Entry.objects.filter(subject=subscription.subject).order_by("sequence")
    return list(entries.values_list("verb", flat=True))


def said(response) -> str:
    return " ".join(str(one) for one in get_messages(response.wsgi_request))


def errors_of(response) -> dict:
    return {name: " ".join(told) for name, told in response.context["adminform"].form.errors.items()}


def typed(**more):
    return {
        "system": system().pk,
        "address": "https://systeme.exemple.fr/ecare",
        "all_states": "on",
        "all_domains": "on",
        "all_regions": "on",
    } | more


def test_a_subscription_is_made_and_its_secret_is_shown_once(admin, administrator):
    shown = admin.post(ADD, typed())
    assert shown.status_code == 200 and "no-store" in shown["Cache-Control"]
    [secret] = SECRET.findall(shown.text)
    made = Subscription.objects.get()
    assert made.state == "active" and secret.encode() not in bytes(made.secret)
    entry = Entry.objects.get(subject=made.subject, verb="create_subscription")
    assert entry.actor == f"user:{administrator.pk}" and secret not in str(entry.data)
    for address in (LIST, page("change", made), page("history", made), reverse("admin:journal_entry_changelist")):
        answered = admin.get(address)
        assert answered.status_code == 200 and not SECRET.search(answered.text), address
    assert secret not in str(admin.session.items())
    repeated = admin.post(ADD, typed())
    assert "déjà un abonnement à cette adresse" in errors_of(repeated)["address"]
    assert Subscription.objects.count() == 1


def test_closed_by_default_and_nothing_typed_is_lost(admin):
    domain, region = DomainFactory(), RegionFactory()
    nothing = typed(all_states="", all_domains="", all_regions="", address="http://exemple.fr/?jeton=1")
    refused = admin.post(ADD, nothing)
    assert set(errors_of(refused)) == {"address", "states", "domains", "regions"}
    assert "http://exemple.fr/?jeton=1" in refused.text
    assert "au moins un domaine" in errors_of(refused)["domains"]
    both = admin.post(ADD, typed(domains=[domain.pk], states=["paid"], regions=[region.pk]))
    assert all("pas les deux" in errors_of(both)[name] for name in ("states", "domains", "regions"))
    inactive = system("Arrêté", is_active=False)
    assert "system" in errors_of(admin.post(ADD, typed(system=inactive.pk)))
    assert "draft" not in dict(refused.context["adminform"].form.fields["states"].choices)
    assert not Subscription.objects.exists()
    chosen = {"all_states": "", "all_domains": "", "all_regions": ""}
    chosen |= {"states": ["paid", "validated"], "domains": [domain.pk], "regions": [region.pk]}
    assert admin.post(ADD, typed(**chosen)).status_code == 200
    made = Subscription.objects.get()
    assert made.states == ["paid", "validated"] and not (made.all_states or made.all_domains or made.all_regions)
    assert (list(made.domains.all()), list(made.regions.all())) == ([domain], [region])


def test_a_change_is_in_the_journal_and_leaves_the_secret_alone(admin):
    made = subscribe("https://exemple.fr/a")
    before = bytes(again(made).secret)
    answered = admin.post(page("change", made), typed(address="https://exemple.fr/b"))
    assert answered.status_code == 302
    assert again(made).address == "https://exemple.fr/b" and bytes(again(made).secret) == before
    assert Entry.objects.get(verb="change_subscription").data["changed"] == ["address"]
    admin.post(page("change", made), typed(address="https://exemple.fr/b"))
    assert verbs(made) == ["create_subscription", "change_subscription"]


def test_a_trial_leaves_at_once_and_its_answer_is_shown(admin, receiver, start_receiver):
    made = subscribe(receiver.address)
    answered = admin.post(page("test", made), follow=True)
    assert "L’essai est reçu" in answered.text and "204" in answered.text
    [(headers, body)] = receiver.came
    assert verifies(made.plain, headers, body)
    assert receiver.bodies[0]["type"] == "ecare.test" and receiver.bodies[0]["data"] == {}
    receiver.status, receiver.headers = 403, {"Content-Type": "text/plain"}
    receiver.body = b"mauvaise signature"
    answered = admin.post(page("test", made), follow=True)
    assert "L’essai n’est pas reçu" in answered.text and "mauvaise signature" in answered.text
    assert "Vérifiez qu’il contrôle la signature" in answered.text
    assert states(made) == ["delivered", "failed"], "a trial is not tried again"
    assert again(made).failing_since is None and send_due() == 0
    assert verbs(made) == ["create_subscription", "send_test", "send_test"]
    actions.suspend(made, by=BY)
    receiver.status = 200
    assert "L’essai est reçu" in admin.post(page("test", made), follow=True).text
    actions.end(made, by=BY, at=timezone.now())
    assert admin.post(page("test", made)).status_code == 409 and len(receiver.came) == 3


def test_the_secret_is_renewed_once_per_page(admin):
    made = subscribe("https://exemple.fr/a")
    asked = admin.get(page("rotate", made))
    assert "deux signatures" in asked.text and not SECRET.search(asked.text)
    renewed = admin.post(page("rotate", made), {"shown": 1})
    [secret] = SECRET.findall(renewed.text)
    assert secret != made.plain and again(made).former_secret is not None
    assert admin.post(page("rotate", made), {"shown": 1}).status_code == 409
    assert again(made).secret_number == 2
    assert "cesse aussitôt" in admin.get(page("rotate", made)).text
    admin.post(page("rotate", made), {"shown": 2, "has_leaked": "on"})
    assert again(made).former_secret is None and again(made).former_until is None
    assert secret not in str(list(Entry.objects.values()))


def test_suspended_resumed_ended(admin, receiver):
    made = subscribe(receiver.address)
    assert "Suspendre l’abonnement" in admin.get(page("suspend", made)).text
    assert again(made).state == "active", "asked first"
    assert admin.get(page("resume", made)).status_code == 409
    admin.post(page("suspend", made))
    assert admin.post(page("suspend", made)).status_code == 409
    move()
    assert send_due() == 0 and "1 en attente" in admin.get(page("change", made)).text
    admin.post(page("resume", made))
    assert send_due() == 1 and states(made) == ["delivered"]
    move()
    admin.post(page("end", made))
    ended = again(made)
    assert (ended.state, ended.secret, states(made)) == ("ended", None, ["delivered", "cancelled"])
    assert admin.post(page("resume", made)).status_code == 409
    assert "Terminé" in admin.get(page("change", made)).text
    assert admin.post(page("change", made), typed(address="https://exemple.fr/b")).status_code == 403
    assert subscribe(receiver.address).pk != made.pk, "the same address may be subscribed again"
    assert verbs(made) == ["create_subscription", "suspend_subscription", "resume_subscription", "end_subscription"]


def test_everything_since_a_day_is_counted_then_sent_again_under_the_same_ids(admin, receiver):
    made = subscribe(receiver.address, states=["submitted"])
    for _ in range(3):
        move()
    other = ApplicationFactory(state="submitted")
    applications.withdraw(other, by=other.referent, version=1)
    send_due()
    today = paris_day(timezone.now()).isoformat()
    assert "Compter" in admin.get(page("replay", made)).text
    counted = admin.get(page("replay", made), {"since": today})
    assert ": 3." in counted.text.replace("\u00a0", " ").replace(" :", ":") or "3" in counted.text
    assert states(made) == ["delivered"] * 3
    replayed = admin.post(page("replay", made), {"since": today})
    assert replayed.status_code == 302 and "3 notifications" in said(replayed)
    assert admin.post(page("replay", made), {"since": today}).status_code == 409, "all of them wait already"
    send_due()
    assert receiver.ids()[:3] == receiver.ids()[3:] and len(receiver.came) == 6
    assert [body["replay"] for body in receiver.bodies] == [False] * 3 + [True] * 3
    entry = Entry.objects.get(subject=made.subject, verb="replay")
    assert entry.data["count"] == 3 and entry.data["since"].startswith(today)
    for wrong in ("", "demain", "2199-01-01"):
        answered = admin.get(page("replay", made), {"since": wrong})
        assert answered.status_code == 200 and answered.context["form"].errors
        assert "Erreur" in answered.text


def test_a_new_subscription_catches_up(admin, receiver):
    move()
    made = subscribe(receiver.address)
    admin.post(page("replay", made), {"since": paris_day(timezone.now()).isoformat()})
    send_due()
    assert len(receiver.came) == 1 and receiver.bodies[0]["number"] == Event.objects.get().number


def test_nobody_else_opens_anything(admin, signed_in, client, receiver):
    made = subscribe(receiver.address)
    move()
    send_due()
    delivery = Delivery.objects.get()
    addresses = [LIST, ADD, page("change", made)]
    addresses += [page(name, made) for name in ("test", "rotate", "suspend", "resume", "end", "replay")]
    addresses += [reverse("admin:webhooks_delivery_changelist")]
    addresses += [reverse(f"admin:webhooks_delivery_{name}", args=[delivery.pk]) for name in ("change", "replay")]
    others = [client, signed_in(UserFactory()), signed_in(UserFactory(ans=True)), signed_in(UserFactory(ars=True))]
    before = (Entry.objects.count(), list(Subscription.objects.values()), list(Delivery.objects.values()))
    for browser in others:
        for address in addresses:
            for answered in (browser.get(address), browser.post(address, {"since": "2026-01-01", "shown": 1})):
                assert answered.status_code in (302, 403), address
                assert receiver.address not in answered.text
    assert before == (Entry.objects.count(), list(Subscription.objects.values()), list(Delivery.objects.values()))
    assert admin.get(reverse("admin:webhooks_subscription_delete", args=[made.pk])).status_code == 403
    assert admin.get(page("suspend", Subscription(pk=99_999))).status_code == 404
    assert len(receiver.came) == 1
