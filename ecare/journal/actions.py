"""The only writer of the journal."""

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from operator import attrgetter

from django.db import transaction
from django.utils import timezone

from ecare.journal.models import Chain, Entry

SYSTEM = ("system", "eCaRE")


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


def broken_links(subject: str) -> Iterator[str]:
    """The entries of `subject` that do not follow from the one before, or were altered; and a shortened chain."""
    entries = Entry.objects.filter(subject=subject).order_by("sequence")
    yield from _faults(subject, entries, Chain.objects.filter(pk=subject).first())


def all_broken_links() -> Iterator[str]:
    """The same of every chain, in one pass over the journal; an entry whose chain is gone is found too."""
    heads = {chain.subject: chain for chain in Chain.objects.iterator()}
    entries = Entry.objects.order_by("subject", "sequence").iterator(chunk_size=2000)
    for subject, own in groupby(entries, key=attrgetter("subject")):
        yield from _faults(subject, own, heads.pop(subject, None))
    for subject, chain in heads.items():
        yield from _faults(subject, (), chain)


def _faults(subject: str, entries: Iterable[Entry], chain: Chain | None) -> Iterator[str]:
    digest, rank = "0" * 64, 0
    for entry in entries:
        rank += 1
        if entry.sequence != rank or entry.previous != digest or entry.computed_digest() != entry.digest:
            yield f"{subject} #{entry.sequence}"
        digest, rank = entry.digest, entry.sequence
    if chain is None and rank:
        yield f"{subject}: the head of the chain is gone"
    elif chain and (chain.length, chain.digest) != (rank, digest):
        yield f"{subject} #{chain.length}: the chain ends early"
