"""A batch of containers as the ANS makes it: an archive of .zed files, and a CSV file that gives their credentials.

Nothing is written here: `evidence.containers.load` puts the batch into the pool. Every fault is told with its line;
no fault repeats a password.
"""

import csv
import io
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from django.core.files.uploadedfile import UploadedFile

from applications.models import Domain, Question
from evidence import files
from evidence.containers import NewContainer
from evidence.files import archives
from evidence.files.names import extension_of
from evidence.models import Container
from evidence.rules import CONTAINER_FORMATS, CONTAINER_MAX_BYTES
from evidence.vault import Spool, sealed

COLUMNS = ("nom du fichier", "nom d’utilisateur", "mot de passe", "domaine", "objectif")
HEADINGS = {"fichier", "nom du fichier", "nom de fichier", "file", "file name", "filename"}
MOST_CSV_BYTES = 1024 * 1024
MOST_CREDENTIAL = 100
LITTER = ("__macosx/", ".ds_store", "thumbs.db", "desktop.ini")  # what computers add to archives by themselves


@dataclass(frozen=True)
class Fault:
    """What is wrong; `line` of the CSV file, 0 when the archive itself is at fault."""

    line: int
    name: str
    reason: str


class UnreadableBatch(Exception):
    """The archive or the CSV file as a whole; the message says which, and how to put it right."""


@dataclass
class Batch:
    """What was read: with a fault, nothing of it may enter."""

    containers: list[NewContainer] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


class SealedEntry(UploadedFile):
    """A file of the archive, sealed while it is unpacked: no plain copy touches a disk."""

    def __init__(self, spool: Spool, name: str):
        reader = spool.reader()
        super().__init__(reader, name, "application/octet-stream", reader.size)  # type: ignore[arg-type]
        self.spool = spool


@dataclass(frozen=True)
class _Line:
    number: int
    name: str
    username: str = field(repr=False)
    password: str = field(repr=False)
    domain: str
    objective: str


def read_batch(archive, table) -> Batch:
    """`archive`, `table`: seekable files. Raises UnreadableBatch."""
    faults: list[Fault] = []
    lines = list(_lines(_text(table), faults))
    if not lines and not faults:
        raise UnreadableBatch("Le fichier CSV ne contient aucune ligne.")
    entries = _entries(archive, faults)
    reading = _Reading(archive, entries, faults)
    containers = [one for line in lines if (one := reading.container(line)) is not None]
    named = {line.name for line in lines}
    for name in entries:
        if name not in named:
            faults.append(Fault(0, name, "Ce fichier de l’archive n’est nommé par aucune ligne du fichier CSV."))
    return Batch(containers, sorted(faults, key=lambda fault: (fault.line == 0, fault.line)))


# --- the CSV file -------------------------------------------------------------------------------------------------
def _text(table) -> str:
    """UTF-8, else what Excel writes in French."""
    table.seek(0)
    raw = table.read(MOST_CSV_BYTES + 1)
    if len(raw) > MOST_CSV_BYTES:
        raise UnreadableBatch("Le fichier CSV dépasse 1 Mo : partagez le lot en plusieurs chargements.")
    if b"\0" in raw:
        raise UnreadableBatch("Le fichier CSV n’est pas un fichier texte. Enregistrez votre tableau au format CSV.")
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")


def _lines(text: str, faults: list[Fault]) -> Iterator[_Line]:
    """Each whole line; the others are told."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    known: dict[str, int] = {}
    given: dict[tuple[str, str], int] = {}
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            faults.append(Fault(number, "", "Les guillemets de cette ligne ne se referment pas comme attendu."))
            return
        if not any(cell.strip() for cell in cells) or (not known and _is_heading(cells)):
            continue
        line = _line(number, cells, faults)
        if line is None or _is_doubled(line, known, given, faults):
            continue
        yield line


def _delimiter(text: str) -> str:
    """« ; » or « , »: whichever cuts the first line into the right number of columns."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return "," if len(next(csv.reader([first], delimiter=","))) == len(COLUMNS) and first.count(";") < 4 else ";"


def _is_heading(cells: list[str]) -> bool:
    return cells[0].strip().lower().replace("'", "’") in HEADINGS


def _line(number: int, cells: list[str], faults: list[Fault]) -> _Line | None:
    name = unicodedata.normalize("NFC", cells[0].strip()) if len(cells) == len(COLUMNS) else ""
    problem = _problem(cells)
    if problem:
        faults.append(Fault(number, name, problem))
        return None
    username, password, domain, objective = cells[1].strip(), cells[2], cells[3].strip(), cells[4].strip()
    return _Line(number, name, username, password, domain, objective)


def _problem(cells: list[str]) -> str:
    """Of one line by itself; never with what a cell of credentials holds."""
    if len(cells) != len(COLUMNS):
        return f"{len(cells)} colonnes au lieu de {len(COLUMNS)} ({', '.join(COLUMNS)})."
    for cell, column in zip(cells, COLUMNS, strict=True):
        if not cell.strip():
            return f"La colonne « {column} » est vide."
    if extension_of(cells[0].strip()) not in CONTAINER_FORMATS:
        return "Le nom du fichier ne se termine pas par .zed."
    for cell, column in zip(cells[1:3], COLUMNS[1:3], strict=True):
        if len(cell) > MOST_CREDENTIAL:
            return f"La colonne « {column} » dépasse {MOST_CREDENTIAL} caractères."
        if any(unicodedata.category(character).startswith("C") for character in cell):
            return f"La colonne « {column} » contient un caractère invisible."
    if cells[2] != cells[2].strip():
        return "Le mot de passe commence ou finit par une espace, que personne ne verrait."
    return ""


def _is_doubled(line: _Line, known: dict, given: dict, faults: list[Fault]) -> bool:
    first = known.setdefault(line.name, line.number)
    if first != line.number:
        faults.append(Fault(line.number, line.name, f"Ce fichier est déjà nommé à la ligne {first}."))
        return True
    first = given.setdefault((line.username, line.password), line.number)
    if first != line.number:
        reason = f"Ces identifiants sont ceux de la ligne {first} : chaque conteneur a les siens."
        faults.append(Fault(line.number, line.name, reason))
    return first != line.number


# --- the archive --------------------------------------------------------------------------------------------------
def _entries(archive, faults: list[Fault]) -> dict:
    """The files of the archive by their names; folders are looked through."""
    try:
        found = archives.entries_of(archive, archives.Budget())
    except files.Refused as refusal:
        raise UnreadableBatch(f"L’archive ne peut pas être lue. {refusal}") from refusal
    entries: dict[str, object] = {}
    for entry in found:
        path = entry.filename.replace("\\", "/")
        name = unicodedata.normalize("NFC", path.rpartition("/")[2])
        if not name or path.lower().startswith(LITTER[0]) or name.lower() in LITTER:
            continue
        if name in entries:
            faults.append(Fault(0, name, "L’archive contient deux fichiers de ce nom."))
        entries[name] = entry
    return entries


class _Reading:
    """Turns lines into containers; what the database knows is asked once."""

    def __init__(self, archive, entries: dict, faults: list[Fault]):
        self.archive, self.entries, self.faults = archive, entries, faults
        self.budget = archives.Budget()
        self.digests: dict[str, int] = {}

    @cached_property
    def domains(self) -> dict[str, Domain]:
        """By identifier and by name, in lower case."""
        found = list(Domain.objects.all())
        return {domain.name.casefold(): domain for domain in found} | {domain.slug: domain for domain in found}

    @cached_property
    def objectives(self) -> dict[int, set[str]]:
        """Those that a published form hands containers for, by domain."""
        asked = Question.objects.exclude(container="").exclude(section__form__published_at=None)
        found: dict[int, set[str]] = {}
        for domain, objective in asked.values_list("section__form__domain", "container"):
            found.setdefault(domain, set()).add(objective)
        return found

    def container(self, line: _Line) -> NewContainer | None:
        domain = self.domains.get(line.domain.casefold())
        reason = self._misplaced(line, domain)
        upload = None
        if not reason:
            try:
                upload, reason = self._upload(line)
            except files.Refused as refusal:
                reason = _in_a_batch(refusal)
        if reason or domain is None:
            self.faults.append(Fault(line.number, line.name, reason))
            return None
        return NewContainer(upload, domain, line.objective, line.username, line.password)

    def _misplaced(self, line: _Line, domain: Domain | None) -> str:
        if domain is None:
            return f"Le domaine « {line.domain} » n’existe pas ; connus : {', '.join(self._slugs())}."
        objectives = self.objectives.get(domain.pk, set())
        if line.objective not in objectives:
            known = ", ".join(sorted(objectives)) or "aucun"
            return f"Le domaine n’a pas d’objectif « {line.objective} » à conteneur ; connus : {known}."
        if line.name not in self.entries:
            return "Ce fichier n’est pas dans l’archive."
        return ""

    def _slugs(self) -> list[str]:
        return sorted({domain.slug for domain in self.domains.values()})

    def _upload(self, line: _Line) -> tuple[SealedEntry, str]:
        """The unpacked file, and why it may not enter. Raises files.Refused."""
        spool = sealed(archives.unpacked(self.archive, self.entries[line.name], self.budget))
        upload = SealedEntry(spool, line.name)
        checked = files.check(upload, formats=CONTAINER_FORMATS, max_bytes=CONTAINER_MAX_BYTES)
        first = self.digests.setdefault(checked.sha256, line.number)
        if first != line.number:
            return upload, f"Ce fichier est identique à celui de la ligne {first}."
        if Container.objects.filter(sha256=checked.sha256).exists():
            return upload, "Ce conteneur a déjà été chargé."
        return upload, ""


def _in_a_batch(refusal: files.Refused) -> str:
    """What is wrong, without what a référent would do about it."""
    return f"{str(refusal).partition('. ')[0].rstrip('.')}. Remplacez ce fichier dans l’archive."
