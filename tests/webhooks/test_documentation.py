"""What docs/webhooks.md tells receivers is what is sent, and its example verifies it."""

import json
import re
import time
from pathlib import Path

import pytest
from django.utils import timezone

from applications import actions as applications
from tests.factories import ApplicationFactory
from tests.webhooks.conftest import BY, send_due, subscribe
from webhooks import actions, payloads

TEXT = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text()


def block(language: str) -> str:
    return re.search(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)[1]


def keys(content: dict) -> list:
    return [(name, keys(value) if isinstance(value, dict) else type(value)) for name, value in content.items()]


@pytest.mark.django_db
def test_the_example_verifies_what_is_sent_and_nothing_else(receiver):
    subscription = subscribe(receiver.address)
    made = ApplicationFactory(state="submitted")
    renewed = actions.rotate_secret(subscription, shown=1, keep_former=True, by=BY, at=timezone.now())
    applications.withdraw(made, by=made.referent, version=1)
    send_due()
    [(headers, body)] = receiver.came
    told: dict = {}
    exec(compile(block("python"), "docs/webhooks.md", "exec"), told)
    is_from_ecare = told["is_from_ecare"]
    assert is_from_ecare(renewed, headers, body) and is_from_ecare(subscription.plain, headers, body)
    assert not is_from_ecare(payloads.new_secret(), headers, body)
    assert not is_from_ecare(renewed, headers, body.replace(b"withdrawn", b"accepted"))
    assert not is_from_ecare(renewed, headers | {"webhook-id": "evt_1"}, body)
    later = headers | {"webhook-timestamp": str(int(headers["webhook-timestamp"]) + 1)}
    assert not is_from_ecare(renewed, later, body)
    past = str(int(time.time()) - 301)
    old = payloads.sign(renewed, headers["webhook-id"], int(past), body)
    assert not is_from_ecare(renewed, headers | {"webhook-timestamp": past, "webhook-signature": old}, body)
    assert keys(json.loads(block("json"))) == keys(json.loads(body))


def test_the_signature_is_that_of_the_specification():
    """The known answer of the Standard Webhooks project."""
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    signature = payloads.sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_rooms_of_the_example_are_those_of_the_table():
    named = set(re.findall(r"`(\w+)`", TEXT.partition("| field |")[2].partition("\n\n")[0]))
    told = json.loads(block("json"))
    assert (set(told) | set(told["data"])) - {"data", "reference", "domain", "region"} <= named
