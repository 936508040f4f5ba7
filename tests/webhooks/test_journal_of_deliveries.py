"""« Notifications » in the administration: what was sent, why it failed, sent again."""

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from applications import actions as applications
from ecare.journal.models import Entry
from tests.factories import ApplicationFactory
from tests.webhooks.conftest import BY, send_due, states, subscribe
from webhooks import actions, deliveries
from webhooks.models import Delivery

pytestmark = pytest.mark.django_db
LIST = reverse("admin:webhooks_delivery_changelist")


def move():
    made = ApplicationFactory()
    applications.submit(made, by=made.referent, version=1, at=timezone.now())
    return made


def replay_page(delivery):
    return reverse("admin:webhooks_delivery_replay", args=[delivery.pk])


def test_an_administrator_reads_why_it_failed(admin, receiver):
    receiver.status, receiver.headers = 500, {"Content-Type": "text/plain"}
    receiver.body = b"<script>panne()</script> base indisponible"
    subscribe(receiver.address)
    made = move()
    send_due()
    delivery = Delivery.objects.get()
    listed, shown = admin.get(LIST).text, admin.get(reverse("admin:webhooks_delivery_change", args=[delivery.pk])).text
    for text in (listed, shown):
        assert made.reference in text and "erreur de sa part" in text and "500" in text
        assert "Premier envoi → Candidature à vérifier (ARS)" in text
    assert "Prochain essai le" in shown and "base indisponible" in shown and "<script>panne" not in shown
    assert "&quot;replay&quot;:false" in shown
    assert 'name="_save"' not in shown


def test_it_is_filtered_by_subscription_state_date_and_reference(admin, receiver):
    first, second = subscribe(receiver.address), subscribe(f"{receiver.address}/2")
    one, other = move(), move()
    send_due()
    Delivery.objects.filter(event__reference=other.reference, subscription=second).update(
        state="failed", created_at="2026-01-02T10:00Z"
    )

    def found(**query):
        return admin.get(LIST, query).context["cl"].result_count

    assert found() == 4
    assert found(abonnement=first.pk) == 2
    assert found(state__exact="failed") == 1
    assert found(q=one.reference) == 2 == found(q=f" {one.reference.lower()} ")
    assert found(q=one.reference[:8]) == 2 and found(q=one.reference[1:]) == 0
    assert found(created_at__gte="2026-01-02T00:00+01:00", created_at__lt="2026-01-03T00:00+01:00") == 1
    assert admin.get(LIST, {"subscription__secret__startswith": "a"}).status_code != 200


def test_one_is_sent_again_after_a_question(admin, receiver):
    subscription = subscribe(receiver.address)
    move()
    waiting = Delivery.objects.get()
    assert admin.get(replay_page(waiting)).status_code == 409, "it waits already"
    send_due()
    asked = admin.get(replay_page(waiting))
    assert asked.status_code == 200 and "même identifiant" in asked.text and states(subscription) == ["delivered"]
    assert admin.post(replay_page(waiting), {"confirmed": 1}).status_code == 302
    assert admin.post(replay_page(waiting), {"confirmed": 1}).status_code == 409
    again = Delivery.objects.latest("pk")
    assert again.is_replay and again.event == waiting.event and again.state == "waiting"
    send_due()
    assert receiver.ids() == [waiting.event.public_key] * 2
    assert [body["replay"] for body in receiver.bodies] == [False, True]
    assert Entry.objects.get(subject=subscription.subject, verb="replay").data["count"] == 1


def test_a_selection_is_sent_again_after_a_question(admin, receiver):
    receiver.status = 500
    failing, other = subscribe(receiver.address), subscribe(f"{receiver.address}/2")
    for _ in range(2):
        move()
    Delivery.objects.update(state="failed", ended_at=timezone.now(), next_attempt=None)
    move()  # still waits
    ticked = {"action": "replay_selection", ACTION_CHECKBOX_NAME: list(Delivery.objects.values_list("pk", flat=True))}
    asked = admin.post(LIST, ticked)
    assert asked.status_code == 200 and len(asked.context["concerned"]) == 4
    assert states(failing) == ["failed", "failed", "waiting"]
    told = admin.post(LIST, ticked | {"confirmed": "1"}, follow=True)
    assert "4 notifications à envoyer de nouveau" in told.text
    assert states(failing) == states(other) == ["failed", "failed", "waiting", "waiting", "waiting"]
    assert Entry.objects.filter(verb="replay").count() == 2
    told = admin.post(LIST, ticked | {"confirmed": "1"}, follow=True)
    assert "Rien n’est à rejouer" in told.text


def test_what_is_no_longer_wanted_is_not_replayed(admin, receiver):
    ended, narrowed = subscribe(receiver.address), subscribe(f"{receiver.address}/2")
    move()
    send_due()
    actions.end(ended, by=BY, at=timezone.now())
    narrowed.all_regions = False
    narrowed.save()
    for one in Delivery.objects.all():
        assert admin.post(replay_page(one)).status_code == 409
    assert Delivery.objects.count() == 2


def test_a_trial_is_not_replayed(admin, receiver):
    trial = deliveries.begin_test(subscribe(receiver.address), by=BY, at=timezone.now())
    Delivery.objects.update(state="delivered", ended_at=timezone.now(), lease=None, leased_until=None)
    assert admin.get(replay_page(trial)).status_code == 409


def test_the_lists_cost_the_same_however_long(admin, receiver):
    counts = []
    for rank in range(2):
        for more in range(1 + 3 * rank):
            subscribe(f"{receiver.address}/{rank}-{more}")
            move()
        found = []
        for address in (LIST, reverse("admin:webhooks_subscription_changelist")):
            with CaptureQueriesContext(connection) as asked:
                assert admin.get(address).status_code == 200
            found.append(len(asked))
        counts.append(found)
    assert counts[0] == counts[1]
