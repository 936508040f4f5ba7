"""A portal full of dossiers, drawn from a seed: the same rows for the same number and seed, on either engine.

Two domains, an establishment for every two dossiers, with its référent; each dossier was led to its state by the moves
of `ROUTES`, written in the journal with true digests, and was sent as often as the moves say.
"""

import hashlib
import itertools
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db import transaction

from accounts.models import User
from applications.models import Application, Bracket, Domain, FormVersion, Question, Section, Submission
from applications.models.application import LETTERS_WITHOUT_LOOK_ALIKES
from applications.states import IN_DECLARATION, State, Step
from ecare.clock import PARIS
from ecare.journal.models import Chain, Entry
from establishments.models import Activity, Department, Establishment, Ght, LegalEntity, Region, normalised

BATCH = 2_000
END = datetime(2026, 11, 20, 18, tzinfo=PARIS)
"""No row bears a later instant."""
SPAN = timedelta(days=400)
UNUSABLE = "!"
REGIONS = {
    "01": "Guadeloupe",
    "02": "Martinique",
    "03": "Guyane",
    "04": "La Réunion",
    "06": "Mayotte",
    "11": "Île-de-France",
    "24": "Centre-Val de Loire",
    "27": "Bourgogne-Franche-Comté",
    "28": "Normandie",
    "32": "Hauts-de-France",
    "44": "Grand Est",
    "52": "Pays de la Loire",
    "53": "Bretagne",
    "75": "Nouvelle-Aquitaine",
    "76": "Occitanie",
    "84": "Auvergne-Rhône-Alpes",
    "93": "Provence-Alpes-Côte d'Azur",
    "94": "Corse",
}
KINDS = (Establishment.Kind.PRIVATE, Establishment.Kind.PRIVATE, Establishment.Kind.PUBLIC, Establishment.Kind.GHT)

_SENT = [("submit", State.SUBMITTED)]
_CORRECTED = [*_SENT, ("request_changes", State.CHANGES_REQUESTED), ("submit", State.SUBMITTED)]
_SIGNED = [("accept", State.ACCEPTED), ("sign_convention", State.CONVENTION_SIGNED)]
_OPENED = [*_SIGNED, ("open_declaration", State.DECLARATION_OPEN)]
_DECLARED = [*_OPENED, ("submit", State.DECLARATION_SUBMITTED)]
_CONTROLLED = [*_DECLARED, ("accept", State.UNDER_CONTROL)]
_VALIDATED = [*_CONTROLLED, ("accept", State.VALIDATED)]
# How many dossiers of a hundred go which way from their draft.
ROUTES: list[tuple[int, list[tuple[str, State]]]] = [
    (12, []),
    (10, _SENT),
    (6, _CORRECTED),
    (5, _CORRECTED[:2]),
    (6, [*_SENT, ("reject", State.REJECTED)]),
    (3, [*_SENT, ("withdraw", State.WITHDRAWN)]),
    (6, [*_SENT, _SIGNED[0]]),
    (4, [*_SENT, *_SIGNED]),
    (8, [*_SENT, *_OPENED]),
    (8, [*_CORRECTED, *_DECLARED]),
    (4, [*_SENT, *_DECLARED, ("request_changes", State.DECLARATION_CHANGES_REQUESTED)]),
    (8, [*_SENT, *_CONTROLLED]),
    (6, [*_SENT, *_VALIDATED]),
    (9, [*_CORRECTED, *_VALIDATED, ("record_payment", State.PAID)]),
    (3, [*_SENT, *_CONTROLLED, ("reject", State.DECLARATION_REJECTED)]),
    (2, [*_SENT, *_VALIDATED, ("abandon", State.ABANDONED)]),
]
REFERENT_VERBS = ("submit", "withdraw")


@dataclass
class Portal:
    """What every dossier refers to."""

    domains: list[Domain] = field(default_factory=list)
    forms: dict[tuple[int, str], FormVersion] = field(default_factory=dict)
    departments: list[Department] = field(default_factory=list)
    referents: list[User] = field(default_factory=list)


@transaction.atomic
def fill(number: int, *, seed: int = 1) -> None:
    """Into a database that knows no establishment: `number` dossiers and all that they need."""
    draw = random.Random(seed)
    portal = Portal()
    _add_domains(portal)
    _add_directory(portal, draw, -(-number // len(portal.domains)))
    pairs = itertools.islice(itertools.product(portal.referents, portal.domains), number)
    for batch in _batched(pairs):
        _add_dossiers(portal, batch, draw)


def _batched(pairs) -> Iterator[tuple]:
    while batch := tuple(itertools.islice(pairs, BATCH)):
        yield batch


def _add_domains(portal: Portal) -> None:
    for rank in (1, 2):
        domain = Domain.objects.create(
            slug=f"domaine-de-mesure-{rank}",
            position=rank,
            name=f"Domaine de mesure {rank}",
            kinds=[str(kind) for kind in Establishment.Kind],
            envelope=500_000_000_000,
            candidature_from=date(2025, 10, 1),
            candidature_until=date(2026, 12, 18),
            declaration_until=date(2027, 1, 29),
        )
        portal.domains.append(domain)
        for step in Step:
            form = FormVersion.objects.create(domain=domain, step=step, published_at=END - SPAN)
            section = Section.objects.create(form=form, position=1, title="Section")
            Question.objects.create(
                section=section, position=1, key="requested-amount", kind=Question.Kind.AMOUNT, label="Montant demandé"
            )
            portal.forms[domain.pk, step.value] = form
        for kind in Establishment.Kind:
            limits = [(0, 9_999, 1_000_000), (10_000, 99_999, 4_000_000), (100_000, None, 12_000_000)]
            Bracket.objects.bulk_create(
                Bracket(domain=domain, kind=kind, days_from=first, days_until=last, ceiling=ceiling)
                for first, last, ceiling in limits
            )


def _add_directory(portal: Portal, draw: random.Random, number: int) -> None:
    """So many establishments, spread over the regions and the kinds, and a référent for each."""
    regions = [Region(code=code, name=name, ars=f"ARS {name}") for code, name in REGIONS.items()]
    Region.objects.bulk_create(regions, ignore_conflicts=True)
    portal.departments = Department.objects.bulk_create(
        Department(code=region.code, name=f"Département {region.code}", region=region) for region in regions
    )
    for first in range(0, number, BATCH):
        _add_establishments(portal, draw, range(first, min(first + BATCH, number)))


def _add_establishments(portal: Portal, draw: random.Random, ranks: range) -> None:
    kinds = [draw.choice(KINDS) for _ in ranks]
    places = draw.choices(portal.departments, weights=[1, 1, 1, 2, 1, *[6] * 12, 1], k=len(ranks))
    entities = LegalEntity.objects.bulk_create(
        LegalEntity(
            finess=f"{place.code}{rank:07d}",
            name=f"ETABLISSEMENT {rank}",
            town=f"VILLE {rank % 997}",
            department=place,
            legal_status="73" if kind == Establishment.Kind.PRIVATE else "13",
            search_text=normalised(f"ETABLISSEMENT {rank} VILLE {rank % 997} {place.code}{rank:07d}"),
        )
        for rank, kind, place in zip(ranks, kinds, places, strict=True)
    )
    Activity.objects.bulk_create(
        Activity(legal_entity=entity, year=2023, days=int(10 ** draw.uniform(3, 6))) for entity in entities
    )
    pairs = list(zip(ranks, kinds, entities, strict=True))
    groups = {
        rank: Ght(code=f"G{rank}", name=f"GROUPEMENT {rank}", support=entity)
        for rank, kind, entity in pairs
        if kind == Establishment.Kind.GHT
    }
    Ght.objects.bulk_create(groups.values())
    Ght.members.through.objects.bulk_create(
        Ght.members.through(ght=group, legalentity=group.support) for group in groups.values()
    )
    establishments = Establishment.objects.bulk_create(
        Establishment(
            kind=kind,
            ght=groups.get(rank),
            legal_entity=entity,
            region=entity.department.region,
            name=entity.name,
            search_text=entity.search_text,
        )
        for rank, kind, entity in pairs
    )
    portal.referents += User.objects.bulk_create(
        User(
            username=f"referent{rank}",
            email=f"referent{rank}@mesure.example",
            password=UNUSABLE,
            civility="madame",
            first_name="Camille",
            last_name=f"Martin{rank}",
            establishment=establishment,
        )
        for rank, establishment in zip(ranks, establishments, strict=True)
    )


@dataclass
class _Life:
    """A dossier and everything that its moves left."""

    application: Application
    moves: list[tuple[str, str, str, datetime]]  # verb, from, to, at


def _add_dossiers(portal: Portal, pairs, draw: random.Random) -> None:
    lives = [_lead(portal, referent, domain, draw) for referent, domain in pairs]
    Application.objects.bulk_create(life.application for life in lives)
    Submission.objects.bulk_create(sending for life in lives for sending in _sendings(life))
    entries = [_chain_of(life) for life in lives]
    Entry.objects.bulk_create((entry for chain in entries for entry in chain), batch_size=BATCH)
    Chain.objects.bulk_create(
        Chain(subject=chain[-1].subject, length=len(chain), digest=chain[-1].digest) for chain in entries
    )


def _lead(portal: Portal, referent: User, domain: Domain, draw: random.Random) -> _Life:
    [route] = draw.choices([way for _, way in ROUTES], weights=[weight for weight, _ in ROUTES])
    at = END - timedelta(seconds=draw.randrange(int(SPAN.total_seconds())))
    moves, state = [("start", "", str(State.DRAFT), at)], State.DRAFT
    left = (END - at) / (len(route) + 1)  # the moves share what is left until the end
    for verb, target in route:
        at += left * draw.uniform(0.05, 1)
        moves.append((verb, str(state), str(target), at))
        state = target
    of_step = {
        step: next((at for verb, _, to, at in moves if verb == "submit" and to in states), None)
        for step, states in (
            (Step.CANDIDATURE, (State.SUBMITTED,)),
            (Step.DECLARATION, (State.DECLARATION_SUBMITTED, State.UNDER_CONTROL)),
        )
    }
    signed = next((at for verb, _, _, at in moves if verb == "sign_convention"), None)
    application = Application(
        reference="".join(draw.choices(LETTERS_WITHOUT_LOOK_ALIKES, k=10)),
        domain=domain,
        establishment=referent.establishment,
        referent=referent,
        state=state,
        version=len(moves),
        candidature_form=portal.forms[domain.pk, Step.CANDIDATURE.value],
        declaration_form=portal.forms[domain.pk, Step.DECLARATION.value]
        if any(to in IN_DECLARATION for _, _, to, _ in moves)
        else None,
        created_at=moves[0][3],
        moved_at=moves[-1][3],
        sendings=sum(verb == "submit" for verb, *_ in moves),
        candidature_submitted_at=of_step[Step.CANDIDATURE],
        declaration_submitted_at=of_step[Step.DECLARATION],
        convention_signed_on=signed.astimezone(PARIS).date() if signed else None,
        requested=draw.randrange(700_000, 15_000_000, 100) if of_step[Step.CANDIDATURE] else 0,
    )
    return _Life(application, moves)


def _sendings(life: _Life) -> Iterator[Submission]:
    application, numbers = life.application, {Step.CANDIDATURE: 0, Step.DECLARATION: 0}
    for verb, _, to, at in life.moves:
        if verb == "submit":
            step = Step.CANDIDATURE if to == State.SUBMITTED else Step.DECLARATION
            numbers[step] += 1
            content = {
                "reference": application.reference,
                "step": step.value,
                "form": 1,
                "answers": {"requested-amount": application.requested},
            }
            text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
            yield Submission(
                application=application,
                step=step,
                number=numbers[step],
                at=at,
                by=application.referent,
                content=content,
                digest=hashlib.sha256(text.encode()).hexdigest(),
            )


def _chain_of(life: _Life) -> list[Entry]:
    """As `record` writes it: each digest covers the one before."""
    chain, previous = [], "0" * 64
    referent = life.application.referent.actor
    for sequence, (verb, source, target, at) in enumerate(life.moves, start=1):
        is_theirs = verb in REFERENT_VERBS or not source
        actor, label = referent if is_theirs else ("system", "eCaRE")
        entry = Entry(
            subject=life.application.subject,
            sequence=sequence,
            at=at,
            verb=verb,
            actor=actor,
            actor_label=label,
            from_state=source,
            to_state=target,
            previous=previous,
        )
        entry.digest = previous = entry.computed_digest()
        chain.append(entry)
    return chain
