"""The only writer of the journal."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from operator import attrgetter

from django.db import connection, transaction
from django.utils import timezone

from ecare.journal.models import Chain, Entry, Veil

SYSTEM = ("system", "eCaRE")
_ON_BOTH = {
    "journal_anchor_kept",
    "journal_chain_kept",
    "journal_chain_moves_on",
    "journal_entry_kept",
}
GUARDS = {
    "postgresql": _ON_BOTH | {f"journal_{one}_not_emptied" for one in ("anchor", "chain", "entry")},
    "sqlite": _ON_BOTH
    | {f"journal_{one}_not_replaced" for one in ("anchor", "chain", "entry")}
    | {f"journal_{one}_unaltered" for one in ("anchor", "entry")},
}
"""The triggers that the migrations make."""
STANDING = {
    "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled IN ('O', 'A') AND tgrelid IN "
    "('journal_anchor'::regclass, 'journal_chain'::regclass, 'journal_entry'::regclass)",
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
}


@transaction.atomic
def record(subject, verb, *, actor=SYSTEM, from_state="", to_state="", message="", data=None) -> Entry:
    """Append one entry to `subject`'s chain, in the caller's transaction.

    `subject` is a reference such as "application:VEHCXTRMWL"; `actor` a pair (reference, label).
    """
    Chain.objects.get_or_create(subject=subject)
    chain = Chain.objects.select_for_update().get(subject=subject)
    reference, label = actor
    entry = Entry(
        subject=subject,
        sequence=chain.length + 1,
        at=timezone.now(),
        verb=verb,
        actor=reference,
        actor_label=label,
        from_state=from_state,
        to_state=to_state,
        message=message,
        data=data or {},
        previous=chain.digest,
    )
    entry.digest = entry.computed_digest()
    entry.save()
    Chain.objects.filter(pk=subject).update(length=entry.sequence, digest=entry.digest)
    return entry


@transaction.atomic
def record_each(subjects: Iterable[str], verb: str, *, actor=SYSTEM, data: Callable[[str], dict]) -> None:
    """Append an entry to the chain of each subject, in the caller's transaction: four statements for a batch.

    `data`: what the entry of a subject holds."""
    subjects = sorted(set(subjects))  # always locked in one order: two batches never wait for each other
    Chain.objects.bulk_create([Chain(subject=subject) for subject in subjects], ignore_conflicts=True)
    chains = list(Chain.objects.select_for_update().filter(subject__in=subjects).order_by("subject"))
    now, (reference, label) = timezone.now(), actor
    entries = []
    for chain in chains:
        entry = Entry(
            subject=chain.subject,
            sequence=chain.length + 1,
            at=now,
            verb=verb,
            actor=reference,
            actor_label=label,
            data=data(chain.subject),
            previous=chain.digest,
        )
        entry.digest = chain.digest = entry.computed_digest()
        chain.length = entry.sequence
        entries.append(entry)
    Entry.objects.bulk_create(entries)
    Chain.objects.bulk_update(chains, ["length", "digest"])


Anchored = Mapping[int, tuple[str, str]]
"""Of a chain, by rank: what an anchor says the digest of that entry is, and the day of the anchor."""


def broken_links(subject: str, *, anchored: Anchored | None = None) -> Iterator[str]:
    """The entries of `subject` that do not follow from the one before, or were altered; and a shortened chain."""
    entries = Entry.objects.filter(subject=subject).order_by("sequence")
    yield from _faults(subject, entries, Chain.objects.filter(pk=subject).first(), anchored or {})


def all_broken_links(anchored: Mapping[str, Anchored] | None = None) -> Iterator[str]:
    """The same of every chain, in one pass over the journal: entries whose chain is gone are found too, and a chain
    that only an anchor knows."""
    heads = {chain.subject: chain for chain in Chain.objects.iterator()}
    left = dict(anchored or {})
    entries = Entry.objects.order_by("subject", "sequence").iterator(chunk_size=2000)
    for subject, own in groupby(entries, key=attrgetter("subject")):
        yield from _faults(subject, own, heads.pop(subject, None), left.pop(subject, {}))
    for subject in sorted(heads.keys() | left.keys()):
        yield from _faults(subject, (), heads.get(subject), left.get(subject, {}))


def _faults(subject: str, entries: Iterable[Entry], chain: Chain | None, anchored: Anchored) -> Iterator[str]:
    digest, rank = "0" * 64, 0
    for entry in entries:
        rank += 1
        if entry.sequence != rank or entry.previous != digest or entry.computed_digest() != entry.digest:
            yield f"{subject} #{entry.sequence}"
        kept, day = anchored.get(entry.sequence, (entry.digest, ""))
        if kept != entry.digest:
            yield f"{subject} #{entry.sequence}: not what was anchored on {day}"
        digest, rank = entry.digest, entry.sequence
    if chain is None and rank:
        yield f"{subject}: the head of the chain is gone"
    elif chain and (chain.length, chain.digest) != (rank, digest):
        yield f"{subject} #{chain.length}: the chain ends early"
    if anchored and (last := max(anchored)) > rank:
        yield f"{subject} #{last}: anchored on {anchored[last][1]}, is gone"


def missing_guards() -> list[str]:
    """The triggers that should keep the journal append-only and are not there, or are switched off."""
    with connection.cursor() as cursor:
        cursor.execute(STANDING[connection.vendor])
        standing = {name for (name,) in cursor.fetchall()}
    return sorted(GUARDS[connection.vendor] - standing)


def veil(reference: str) -> list[str]:
    """From now on no page shows who this was, nor what entries about them alone say; the chains stay as they are.

    Returns what the journal called them."""
    labels = Entry.objects.filter(actor=reference).order_by().values_list("actor_label", flat=True).distinct()
    names = sorted({label.rpartition(" (")[0] or label for label in labels})
    Veil.objects.bulk_create([Veil(reference=reference, name=name) for name in names or [""]], ignore_conflicts=True)
    return names
