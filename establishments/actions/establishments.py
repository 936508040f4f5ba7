"""Who may apply: the establishments of three kinds that the directory makes, changes and closes."""

from collections.abc import Iterator

from ecare.journal.actions import record
from establishments.actions.run import Run
from establishments.models import Establishment, Ght, LegalEntity, Site, searchable
from establishments.rules import may_apply

FIELDS = ["kind", "legal_entity_id", "region_id", "name", "search_text", "closed_on"]
Held = dict[tuple, Establishment]


def update_establishments(run: Run):
    """One row per open group and per hospital entity that may apply alone; what may no longer apply is closed."""
    held = {_place_of(one): one for one in Establishment.objects.all()}
    counts, created, changed = run.counts["establishments"], [], []
    for one in _wanted(run, held):
        counts["read"] += 1
        before = held.pop(_place_of(one), None)
        if before is None:
            created.append(one)
        elif _facts(before) == _facts(one):
            counts["unchanged"] += 1
        else:
            one.pk = before.pk
            changed.append(one)
            _note(run, one, "reopened" if before.closed_on else "changed")
    for gone in held.values():
        if gone.closed_on is None:
            gone.closed_on = run.today
            changed.append(gone)
            _note(run, gone, "closed")
    counts["created"] = len(created)
    Establishment.objects.bulk_create(created)
    Establishment.objects.bulk_update(changed, [field.removesuffix("_id") for field in FIELDS], batch_size=100)


def _note(run: Run, one: Establishment, measure: str):
    run.counts["establishments"][measure] += 1
    if measure != "changed":
        record(one.subject, measure, actor=run.by, data={"kind": str(one.kind), "name": one.name})


def _wanted(run: Run, held: Held) -> Iterator[Establishment]:
    """What the directory now makes of its open groups and hospital entities."""
    hospital_sites = Site.objects.filter(closed_on=None, category_aggregate__in=Site.HOSPITAL_AGGREGATES)
    hospitals = set(hospital_sites.values_list("legal_entity", flat=True))
    in_ghts: set[int] = set()
    ghts = Ght.objects.filter(closed_on=None).select_related("support__department").prefetch_related("members")
    for ght in ghts:
        in_ghts |= {member.pk for member in ght.members.all()}
        one = Establishment(kind=Establishment.Kind.GHT, ght=ght, legal_entity=ght.support, name=ght.name)
        one.search_text = _search_text(ght)
        if _place_in_region(run, one, held):
            yield one
    for entity in LegalEntity.objects.filter(closed_on=None).exclude(legal_status="").select_related("department"):
        if may_apply(entity, is_hospital=entity.pk in hospitals, is_in_ght=entity.pk in in_ghts):
            kind = Establishment.Kind.PUBLIC if entity.is_public else Establishment.Kind.PRIVATE
            one = Establishment(kind=kind, legal_entity=entity, name=entity.name, search_text=entity.search_text)
            if _place_in_region(run, one, held):
                yield one


def _place_in_region(run: Run, one: Establishment, held: Held) -> bool:
    """An unreadable department does not take away a region known before; without any, nobody could review it."""
    department, before = one.legal_entity.department, held.get(_place_of(one))
    if department:
        one.region_id = department.region_id
    elif before:
        one.region_id = before.region_id
    else:
        run.remark("establishments", "warned", f"{one.finess} {one.name} : région inconnue, ne peut pas candidater")
    return bool(one.region_id)


def _place_of(one: Establishment) -> tuple:
    """What makes two rows the same establishment: the group, or the entity, be it public today and private tomorrow."""
    return ("ght", one.ght_id) if one.ght_id else ("entity", one.legal_entity_id)


def _facts(one: Establishment) -> tuple:
    return tuple(getattr(one, field) for field in FIELDS)


def _search_text(ght: Ght) -> str:
    """A member finds its group: by the code however it is typed (OCC-04, occ 4, occ04), and by each member."""
    prefix, _, rank = ght.code.partition("-")
    short = rank.lstrip("0")
    members = sorted(ght.members.all(), key=lambda member: (member.pk != ght.support_id, member.finess))
    codes = (ght.code, f"{prefix}{rank}", f"{prefix} {short}", f"{prefix}{short}")
    return " ".join([searchable(*codes, ght.name), *(member.search_text for member in members)])
