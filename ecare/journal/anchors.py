"""Once a day the heads of all chains are signed and kept outside the database: whoever rewrites a whole chain with the
right digests, or removes a subject with all its history, contradicts what was kept (ADR 35)."""

import hashlib
import hmac
import json
import logging
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.db import IntegrityError, transaction
from django.utils import timezone

from ecare.clock import paris_day
from ecare.journal import files, rules
from ecare.journal.models import Anchor, Chain, Entry
from ecare.sealing import derived_key, keyring

log = logging.getLogger(__name__)
PURPOSE = "journal anchor"
OVERLAP = timedelta(days=1)
"""Far more than a transaction lasts: what was being written when the former anchor was made is in the next one."""
NOTHING = "0" * 64


@dataclass
class Anchored:
    """What anchors say of the chains, and what is wrong with themselves."""

    faults: list[str] = field(default_factory=list)
    days: int = 0
    entries: dict[str, dict[int, tuple[str, str]]] = field(default_factory=lambda: defaultdict(dict))
    """Subject → rank → digest of that entry, and the day on which it was the head."""


def export_heads(now: datetime | None = None) -> Anchor | None:
    """Make the anchor of the day, unless it is there; write each anchor that has no file yet."""
    now = now or timezone.now()
    made = None if Anchor.objects.filter(day=paris_day(now)).exists() else _make(now)
    for anchor in Anchor.objects.order_by("day").only("day"):
        files.keep(anchor)
    return made


def _make(now: datetime) -> Anchor | None:
    former = Anchor.objects.first()
    try:
        with transaction.atomic():
            anchor = _anchor(now, former)
            anchor.save()
            rules.tell_of(anchor)
    except IntegrityError:  # another worker was first
        return None
    log.info("journal anchored: day %s, %s chains, digest %s", anchor, anchor.chains, anchor.digest)
    return anchor


def _anchor(now: datetime, former: Anchor | None) -> Anchor:
    heads = sorted(Chain.objects.values_list("subject", "length", "digest"))  # by code point, on each engine
    told = heads if former is None else _moved(heads, former.at - OVERLAP)
    name, key = next(iter(keyring().items()))
    content = {
        "day": f"{paris_day(now)}",
        "at": now.astimezone(UTC).isoformat(timespec="microseconds"),
        "chains": len(heads),
        "entries": sum(length for _, length, _ in heads),
        "digest": digest_of(heads),
        "former": former.signature if former else NOTHING,
        "key": name,
        "heads": told,
    }
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return Anchor(
        day=paris_day(now),
        at=now,
        chains=content["chains"],
        entries=content["entries"],
        digest=content["digest"],
        content=text,
        signature=_signature(text, key),
    )


def _moved(heads: list, since: datetime) -> list:
    subjects = set(Entry.objects.order_by().filter(at__gte=since).values_list("subject", flat=True).distinct())
    return [head for head in heads if head[0] in subjects]


def digest_of(heads) -> str:
    """SHA-256 over every head, by subject."""
    lines = "".join(f"{subject} {length} {digest}\n" for subject, length, digest in heads)
    return hashlib.sha256(lines.encode()).hexdigest()


def _signature(text: str, key: bytes) -> str:
    return hmac.new(derived_key(key, purpose=PURPOSE), text.encode(), hashlib.sha256).hexdigest()


# --- reading them back --------------------------------------------------------------------------------------------
def read(source: Path) -> Anchored:
    """What the files of a folder say. What contradicts the signature, the file before or the table is a fault."""
    found, former, heads, seen, is_whole = Anchored(), NOTHING, {}, set(), True
    for name, content, signature in files.read_all(source):
        try:
            said = _opened(content, signature)
            told = [(str(subject), int(length), str(digest)) for subject, length, digest in said["heads"]]
        except (ValueError, KeyError, TypeError) as error:
            found.faults.append(f"anchor {name}: {error if isinstance(error, ValueError) else 'not an anchor'}")
            seen.add(signature)
            continue
        found.days += 1
        seen.add(signature)
        if said["former"] != former:
            is_whole = False
            found.faults.append(
                f"anchor {name}: does not follow from the one before it here; one is gone or was replaced"
            )
        heads |= {subject: (length, digest) for subject, length, digest in told}
        if is_whole and digest_of((subject, *heads[subject]) for subject in sorted(heads)) != said["digest"]:
            found.faults.append(f"anchor {name}: its heads, with those of the days before, do not give its digest")
        for subject, length, digest in told:
            found.entries[subject].setdefault(length, (digest, name))
        former = signature
    for anchor in Anchor.objects.order_by("day").only("day", "signature"):
        if anchor.signature not in seen:
            found.faults.append(f"anchor {anchor}: the file of the one in the database is not in {source}")
    return found


def _opened(content: str, signature: str) -> dict:
    """Raises ValueError, with what is wrong."""
    try:
        said = json.loads(content)
        name = said["key"]
    except (ValueError, KeyError, TypeError):
        raise ValueError("not an anchor") from None
    key = keyring().get(name)
    if key is None:
        raise ValueError(f"the key « {name} » that signed it is no longer in ECARE_VAULT_KEYS")
    if not hmac.compare_digest(_signature(content, key), signature):
        raise ValueError("its signature is wrong")
    return said
