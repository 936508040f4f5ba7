"""What is sent, and how it is signed (Standard Webhooks): see docs/webhooks.md."""

import base64
import hashlib
import hmac
import json
import secrets
from datetime import UTC, datetime

from django.conf import settings
from django.urls import reverse

from ecare.sealing import seal, unseal
from webhooks.models import Delivery, Event, Subscription

USER_AGENT = "eCaRE-webhooks/1"
PREFIX = "whsec_"
PURPOSE = "webhook"


def body_of(delivery: Delivery) -> bytes:
    """The same bytes at each attempt. Never an amount, a name or a message: whoever may read more asks the API."""
    event = delivery.event
    content = {
        "id": event.public_key,
        "type": event.kind,
        "number": event.number,
        "timestamp": event.at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "replay": delivery.is_replay,
        "data": _dossier(event) if event.kind == Event.Kind.MOVE else {},
    }
    return json.dumps(content, separators=(",", ":")).encode()


def _dossier(event: Event) -> dict:
    return {
        "reference": event.reference,
        "version": event.version,
        "domain": event.domain,
        "region": event.region,
        "state_before": event.state_before or None,
        "state_after": event.state_after,
        "url": settings.SITE_ADDRESS + reverse("systems:dossier", args=[event.reference]),
    }


def headers_of(delivery: Delivery, body: bytes, *, at: datetime) -> dict[str, str]:
    """One signature for each secret that lives."""
    key, instant = delivery.event.public_key, int(at.timestamp())
    signatures = [sign(secret, key, instant, body) for secret in live_secrets(delivery.subscription, at)]
    return {
        "content-type": "application/json",
        "user-agent": USER_AGENT,
        "webhook-id": key,
        "webhook-timestamp": str(instant),
        "webhook-signature": " ".join(signatures),
    }


def sign(secret: str, key: str, instant: int, body: bytes) -> str:
    """« v1, » and the base64 of HMAC-SHA256 over id.timestamp.body."""
    signed = f"{key}.{instant}.".encode() + body
    digest = hmac.new(base64.b64decode(secret.removeprefix(PREFIX)), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def sealed(secret: str) -> bytes:
    return seal(secret.encode(), purpose=PURPOSE)


def live_secrets(subscription: Subscription, at: datetime) -> list[str]:
    """The present one, then the former one while it is still valid. Raises CannotOpen."""
    kept = [subscription.secret]
    if subscription.former_until is not None and subscription.former_until > at:
        kept.append(subscription.former_secret)
    return [unseal(bytes(one), purpose=PURPOSE).decode() for one in kept if one is not None]
