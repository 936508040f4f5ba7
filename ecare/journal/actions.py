"""The only writer of the journal."""

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


def broken_links(subject: str):
    """The entries of `subject` that do not follow from the one before, or were altered; and a shortened chain."""
    digest, rank = "0" * 64, 0
    for entry in Entry.objects.filter(subject=subject).order_by("sequence"):
        rank += 1
        if entry.sequence != rank or entry.previous != digest or entry.computed_digest() != entry.digest:
            yield f"{subject} #{entry.sequence}"
        digest, rank = entry.digest, entry.sequence
    chain = Chain.objects.filter(pk=subject).first()
    if chain is None and rank:
        yield f"{subject}: the head of the chain is gone"
    elif chain and (chain.length, chain.digest) != (rank, digest):
        yield f"{subject} #{chain.length}: the chain ends early"
