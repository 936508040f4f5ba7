"""Published files out: the hospital part of a folder, in the same layouts."""

import shutil
from pathlib import Path

from establishments.readers import CATEGORIES, FILES, STATUSES, UnreadableFile, latest

# The field that names the legal entity, in the files of which only the lines of hospitals are kept.
_FINESS_FIELD = {"legal_entities": 1, "sites": 2, "ghts": 4}


def write_hospital_part(source: Path, target: Path) -> dict[str, int]:
    """Copy from `source` the lines of the entities that have an activity, unaltered; lines kept per file name."""
    activity = latest(source, FILES["activities"])
    if activity is None:
        raise UnreadableFile(f"Aucun fichier {FILES['activities']} dans {source} : il dit quelles entités garder.")
    hospitals = {line.split(b";")[0] for line in activity.read_bytes().splitlines()[1:]}
    target.mkdir(parents=True, exist_ok=True)
    kept = {}
    for kind, pattern in {**FILES, CATEGORIES: CATEGORIES, STATUSES: STATUSES}.items():
        if path := latest(source, pattern):
            kept[path.name] = _copy(path, target / path.name, _FINESS_FIELD.get(kind), hospitals)
    return kept


def _copy(source: Path, target: Path, finess_field: int | None, hospitals: set[bytes]) -> int:
    """As bytes: neither the encoding nor the ends of lines change."""
    if finess_field is None:
        shutil.copyfile(source, target)
        return target.read_bytes().count(b"\n") - 1
    first, *lines = source.read_bytes().split(b"\n")
    kept = [line for line in lines if line.count(b";") >= finess_field and line.split(b";")[finess_field] in hospitals]
    target.write_bytes(b"\n".join([first, *kept, b""]))
    return len(kept)
