"""One run of the import: rows compared with tables, what was counted and remarked on the way."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.db import models
from django.utils import timezone

from establishments.actions.published import Directory, Line, Progress
from establishments.models import DirectoryImport

AT_ONCE = 2000  # rows per written batch: enough to be fast, few enough for the progress bar to move
Rows = dict[Any, tuple]


def as_it_is(line: Line) -> tuple:
    return line.values


class Run:
    def __init__(self, directory: Directory, *, by: tuple[str, str], progress: Progress):
        self.directory, self.by, self.progress = directory, by, progress
        self.today = timezone.localdate()
        self.counts = {kind: dict.fromkeys(DirectoryImport.MEASURES, 0) for kind in DirectoryImport.KINDS}
        self.remarks: list[dict] = []
        # Keys of refused lines: what the file mentions, however badly, is not closed.
        self.mentioned: dict[str, set] = defaultdict(set)

    def report(self) -> DirectoryImport:
        files = [
            {"name": extract.file, "stamp": extract.stamp, "lines": len(extract.lines)}
            for extract in self.directory.extracts()
        ]
        return DirectoryImport(by=self.by[1], files=files, counts=self.counts, remarks=self.remarks)

    def remark(self, kind: str, severity: str, reason: str, *, line: int | None = None):
        extract = getattr(self.directory, kind, None)
        self.counts[kind][severity] += 1
        self.remarks.append(
            {"file": extract.file if extract else "", "line": line, "severity": severity, "reason": reason}
        )

    def rows(self, kind: str, complete: Callable[[Line], tuple | None] = as_it_is) -> Rows:
        """Values by key of the lines that may be stored; what is wrong with the others, and with these, is noted.

        `complete` may add to the values or to the faults, set a refusal, or return None to leave the line out.
        """
        extract, rows = getattr(self.directory, kind), {}
        for line in extract.lines if extract else ():
            self.counts[kind]["read"] += 1
            values = None if line.refusal else complete(line)
            if line.refusal:
                self.mentioned[kind].add(line.key)
                self.remark(kind, "refused", line.refusal, line=line.number)
                continue
            if values is not None:
                if line.key in rows:
                    line.faults.append("déjà présente plus haut dans le fichier, la dernière ligne prévaut")
                rows[line.key] = values
            if line.faults:
                self.remark(kind, "warned", " ; ".join(line.faults), line=line.number)
        return rows

    def synchronise(
        self, kind: str, model: type[models.Model], key: Sequence[str], columns: Sequence[str], rows: Rows
    ) -> set:
        """Make the table say what `rows` say: write what differs, close what is missing; the keys written.

        With several key columns a key is a tuple. A last column `closed_on` says that rows of this table may close.
        """
        counts, may_close = self.counts[kind], columns[-1] == "closed_on"
        held, to_write = _held(model, key, columns), {}
        for row_key, values in rows.items():
            before = held.pop(row_key, None)
            if before == values:
                counts["unchanged"] += 1
                continue
            is_reopened = may_close and before is not None and before[-1] is not None
            counts["created" if before is None else "reopened" if is_reopened else "changed"] += 1
            to_write[row_key] = values
        self._write(kind, model, key, columns, to_write)
        if may_close:
            still_open = {row_key for row_key, values in held.items() if values[-1] is None}
            self._close(kind, model, key[0], sorted(still_open - self.mentioned[kind]))
        return set(to_write)

    def _write(self, kind: str, model: type[models.Model], key: Sequence[str], columns: Sequence[str], rows: Rows):
        """Insert or update in bulk: one statement per batch, whether its rows exist or not."""
        names = [*key, *columns]
        written = [model(**dict(zip(names, (*_parts(key, k), *v), strict=True))) for k, v in rows.items()]
        with self.progress(f"Écriture : {DirectoryImport.KINDS[kind]}", len(written)) as bar:
            for batch in _batches(written):
                model._default_manager.bulk_create(
                    batch, update_conflicts=True, unique_fields=key, update_fields=columns
                )
                bar.update(len(batch))

    def _close(self, kind: str, model: type[models.Model], key: str, gone: list):
        self.counts[kind]["closed"] += len(gone)
        for batch in _batches(gone, 500):
            model._default_manager.filter(**{f"{key}__in": batch}).update(closed_on=self.today)


def _held(model: type[models.Model], key: Sequence[str], columns: Sequence[str]) -> Rows:
    rows = model._default_manager.order_by().values_list(*key, *columns)
    if len(key) == 1:
        return {row[0]: row[1:] for row in rows}
    return {row[: len(key)]: row[len(key) :] for row in rows}


def _parts(key: Sequence[str], row_key: Any) -> tuple:
    return row_key if len(key) > 1 else (row_key,)


def _batches(items: list, size: int = AT_ONCE) -> Iterable[list]:
    return (items[start : start + size] for start in range(0, len(items), size))
