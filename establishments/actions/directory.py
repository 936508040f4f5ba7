"""The import: from the lines of the published files to the tables, kind by kind, in one transaction."""

from collections import defaultdict
from dataclasses import dataclass, field

from django.db import models, transaction

from ecare.journal.actions import SYSTEM, record
from establishments.actions.establishments import update_establishments
from establishments.actions.published import Directory, Line, Progress, quiet
from establishments.actions.run import Run
from establishments.models import Activity, Department, DirectoryImport, Ght, LegalEntity, Region, Site, searchable


def import_directory(
    directory: Directory, *, by: tuple[str, str] = SYSTEM, progress: Progress = quiet, dry_run: bool = False
) -> DirectoryImport:
    """Make the directory say what the published files say, in one transaction; nothing is ever deleted.

    `directory` comes from `readers.read_folder`. What the files no longer list is closed, what they list again is
    reopened. The report is stored, except that of a dry run, which leaves no trace.
    """
    run = Run(directory, by=by, progress=progress)
    with transaction.atomic():
        list(Region.objects.select_for_update())  # one import at a time
        _import_regions(run)
        _import_legal_entities(run)
        _import_sites(run)
        _import_ghts(run)
        _import_activities(run)
        update_establishments(run)
        report = run.report()
        if dry_run:
            transaction.set_rollback(True)
        else:
            report.save()
            record("directory", "import", actor=by, data=report.counts)
    return report


def _import_regions(run: Run):
    if extract := run.directory.regions:
        run.synchronise("regions", Region, ["code"], extract.fields, run.rows("regions"))
    if extract := run.directory.departments:
        regions = set(Region.objects.values_list("pk", flat=True))
        place = extract.fields.index("region_id")

        def with_known_region(line: Line):
            if line.values[place] in regions:
                return line.values
            line.faults.append(f"région {line.values[place]} inconnue, département laissé de côté")
            return None

        rows = run.rows("departments", with_known_region)
        run.synchronise("departments", Department, ["code"], extract.fields, rows)


def _import_legal_entities(run: Run):
    extract = run.directory.legal_entities
    if extract is None:
        return
    departments = set(Department.objects.values_list("pk", flat=True))

    def complete(line: Line):
        said = dict(zip(extract.fields, line.values, strict=True))
        _forget_unknown_department(said, line, departments)
        words = searchable(said["name"], said["town"], said["postcode"], line.key, said["siren"])
        return (*said.values(), words, None)

    columns = [*extract.fields, "search_text", "closed_on"]
    run.synchronise("legal_entities", LegalEntity, ["finess"], columns, run.rows("legal_entities", complete))


def _import_sites(run: Run):
    extract = run.directory.sites
    if extract is None:
        return
    departments = set(Department.objects.values_list("pk", flat=True))
    entities = _entities_by_finess()

    def complete(line: Line):
        said = dict(zip(extract.fields, line.values, strict=True))
        finess, said["legal_entity_id"] = said["legal_entity_id"], entities.get(said["legal_entity_id"])
        if said["legal_entity_id"] is None:
            line.refusal = f"EJ inconnue : {finess}"
            return None
        _forget_unknown_department(said, line, departments)
        return (*said.values(), None)

    run.synchronise("sites", Site, ["finess"], [*extract.fields, "closed_on"], run.rows("sites", complete))


def _import_activities(run: Run):
    if run.directory.activities is None:
        return
    entities = _entities_by_finess()

    def by_year(line: Line):
        year, days = line.values
        if line.key not in entities:
            line.refusal = f"EJ inconnue : {line.key}"
        elif year is not None:
            line.key = (entities[line.key], year)
            return (days,)
        return None

    run.synchronise("activities", Activity, ["legal_entity_id", "year"], ["days"], run.rows("activities", by_year))


# --- GHT: one line per member ---------------------------------------------------------------------------------------
@dataclass
class _Group:
    name: str
    line: int
    members: set[int] = field(default_factory=set)
    support: int | None = None


def _import_ghts(run: Run):
    if run.directory.ghts is None:
        return
    groups = _read_groups(run)
    held = dict(Ght.objects.values_list("code", "support"))
    for code, group in groups.items():
        if group.support is None:
            group.support = held.get(code)
            outcome = "l’ancien est gardé" if group.support else "GHT laissé de côté"
            run.remark("ghts", "warned", f"{code} : aucun établissement support, {outcome}", line=group.line)
    rows = {code: (group.name, group.support, None) for code, group in groups.items() if group.support}
    changed = run.synchronise("ghts", Ght, ["code"], ["name", "support_id", "closed_on"], rows)
    _synchronise_members(run, {code: groups[code].members for code in rows}, changed)


def _read_groups(run: Run) -> dict[str, _Group]:
    entities = _entities_by_finess()
    regions = dict(LegalEntity.objects.values_list("pk", "department__region"))
    groups: dict[str, _Group] = {}

    def gather(line: Line):
        code, name, region, is_support = line.values
        entity = entities.get(line.key)
        if entity is None:
            line.refusal = f"EJ inconnue : {line.key}"
            run.mentioned["ghts"].add(code)
            return None
        group = groups.setdefault(code, _Group(name, line.number))
        group.members.add(entity)
        if is_support and group.support:
            line.faults.append(f"{code} : second établissement support, le premier est retenu")
        elif is_support:
            group.support = entity
            if regions[entity] != region:
                line.faults.append(f"{code} : région {region}, mais son établissement support est en {regions[entity]}")
        return line.values

    run.rows("ghts", gather)
    return groups


def _synchronise_members(run: Run, wanted: dict[str, set[int]], changed: set[str]):
    """Who belongs to which group; a group of which only the members differ counts as changed."""
    ghts = dict(Ght.objects.filter(code__in=wanted).values_list("code", "pk"))
    link = Ght.members.through
    held = defaultdict(set)
    for ght, entity in link.objects.values_list("ght_id", "legalentity_id"):
        held[ght].add(entity)
    joined, left = [], models.Q(pk__in=[])
    for code, members in wanted.items():
        ght = ghts[code]
        if members != held[ght] and code not in changed:
            run.counts["ghts"]["unchanged"] -= 1
            run.counts["ghts"]["changed"] += 1
        joined += [link(ght_id=ght, legalentity_id=entity) for entity in members - held[ght]]
        if gone := held[ght] - members:
            left |= models.Q(ght_id=ght, legalentity_id__in=gone)
    link.objects.filter(left).delete()
    link.objects.bulk_create(joined)


# --- what several kinds need ----------------------------------------------------------------------------------------
def _entities_by_finess() -> dict[str, int]:
    return dict(LegalEntity.objects.values_list("finess", "pk"))


def _forget_unknown_department(said: dict, line: Line, departments: set[str]):
    if said["department_id"] not in departments:
        line.faults.append(f"département inconnu : {said['department_id']}")
        said["department_id"] = None
