"""ZIPs of the files of dossiers, streamed: each file goes from the vault to the archive piece by piece.

With them stand an index, which also names what is not handed over and why, and the digests to check the files by.
"""

import csv
import hashlib
import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from accounts.models import User
from applications.models import Application
from applications.states import Desk
from ecare.clock import PARIS
from ecare.french import paris_datetime
from ecare.sealing import CannotOpen
from evidence.vault import PIECE, Spool, open_stored
from exports.pieces import Names, Piece, pieces_of
from exports.sheets import plain

INDEX, SUMS, READ_ME = "INDEX.csv", "SHA256SUMS", "LISEZMOI.txt"
HEADINGS = (
    "Dossier",
    "Espace de dépôt",
    "Nom du fichier",
    "Emplacement dans l’archive",
    "Taille (octets)",
    "SHA-256",
    "Transmis le",
    "Envoi",
    "État",
    "Fourni",
    "Raison",
    *(f"Examen ({label})" for _, label in Desk.choices),
)
UNREADABLE = "Fichier absent du coffre ou altéré."
ALTERED = "Fichier altéré : sa fin manque."


class _Archive(zipfile.ZipFile):
    def __del__(self):
        """One that broke off is not finished: its spool is closed by then."""


class Bundle:
    """A ZIP being written to a stream that cannot go back. Its index and digests wait sealed until the end."""

    def __init__(self, out: "Hashed", *, at: datetime):
        self._zip = _Archive(out, "w", zipfile.ZIP_DEFLATED)
        self._when = at.astimezone(PARIS).timetuple()[:6]
        self._index, self._sums = Spool(), Spool()
        self._line(HEADINGS, start="\ufeff")
        self.given, self.withheld, self.altered = 0, 0, 0

    def _line(self, cells, *, start: str = "") -> None:
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=";").writerow([plain(cell) for cell in cells])
        self._index.write((start + text.getvalue()).encode())

    def _note_digest(self, path: str, sha256: str) -> None:
        self._sums.write(f"{sha256}  {path}\n".encode())

    @contextmanager
    def _opened(self, path: str, *, is_packed: bool) -> Iterator["Hashed"]:
        """A new file of the archive, to be written. `is_packed`: compressing it gains nothing."""
        info = zipfile.ZipInfo(path, self._when)
        info.compress_type = zipfile.ZIP_STORED if is_packed else zipfile.ZIP_DEFLATED
        info.external_attr = 0o600 << 16
        with self._zip.open(info, "w", force_zip64=True) as out:
            yield Hashed(out)

    @contextmanager
    def entry(self, path: str, *, is_packed: bool = False) -> Iterator["Hashed"]:
        """The same, with its digest among those to check by."""
        with self._opened(path, is_packed=is_packed) as out:
            yield out
        self._note_digest(path, out.sha256)

    def add(self, path: str, content: bytes, *, is_packed: bool = False) -> None:
        with self.entry(path, is_packed=is_packed) as out:
            out.write(content)

    # --- the files of a dossier
    def add_pieces(
        self, application: Application, user: User, *, folder: str = "", each: Callable[[], None] = lambda: None
    ) -> None:
        """Those that this agent may download; the others in the index only. `each`: called after each one."""
        names = Names()
        for piece in pieces_of(application, user):
            path = f"{folder}{names.path(piece.folder, piece.name)}"
            self._add_piece(application.reference, piece, path)
            each()

    def _add_piece(self, reference: str, piece: Piece, path: str) -> None:
        missing = piece.missing
        if piece.stored is not None:
            missing = self._copy(piece, path)
        is_given = piece.stored is not None and missing != UNREADABLE
        self.given += is_given
        self.withheld += not is_given
        self._line(
            [
                reference,
                piece.space,
                piece.name,
                path if is_given else None,
                piece.size,
                piece.sha256,
                piece.sent_at,
                piece.sending,
                piece.state,
                "fourni" if is_given else "non fourni",
                missing,
                *(piece.verdicts.get(desk) for desk in Desk.values),
            ]
        )

    def _copy(self, piece: Piece, path: str) -> str:
        """From the vault, as it is read. Returns what is wrong with it. Its digest is noted as it was when it came in:
        a file that is not the same any more does not pass the check."""
        try:
            reader = open_stored(piece.stored)
            part = reader.read(PIECE)
        except CannotOpen:
            return UNREADABLE
        fault = ""
        with reader, self._opened(path, is_packed=True) as out:
            try:
                while part:
                    out.write(part)
                    part = reader.read(PIECE)
            except CannotOpen:
                self.altered += 1
                fault = ALTERED
        self._note_digest(path, piece.sha256)
        return fault

    # --- the end
    def finish(self, *, title: str, asked_by: str, at: datetime) -> None:
        with self.entry(INDEX) as out:
            _pour(self._index, out)
        self.add(READ_ME, _read_me(title, asked_by, at, self).encode())
        with self._opened(SUMS, is_packed=False) as out:
            _pour(self._sums, out)
        self._zip.close()


def _pour(spool: Spool, out: "Hashed") -> None:
    with spool.finish():
        reader = spool.reader()
        while part := reader.read(PIECE):
            out.write(part)


class Hashed(io.BufferedIOBase):
    """A stream that counts what is written to it and keeps its digest; it cannot go back."""

    def __init__(self, out):
        self._out, self._digest, self.size = out, hashlib.sha256(), 0

    def write(self, piece) -> int:
        self._out.write(bytes(piece))
        self._digest.update(piece)
        self.size += len(piece)
        return len(piece)

    def writable(self) -> bool:
        return True

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


def _read_me(title: str, asked_by: str, at: datetime, bundle: Bundle) -> str:
    altered = f"\nFichiers altérés, dont la fin manque : {bundle.altered}.\n" if bundle.altered else ""
    return f"""{title}

Archive préparée par eCaRE le {paris_datetime(at)} (heure de Paris), à la demande de {asked_by}.
Pièces fournies : {bundle.given}. Pièces non fournies : {bundle.withheld}.
{altered}
{INDEX} liste toutes les pièces : espace de dépôt, nom, taille, empreinte SHA-256, date et numéro de l’envoi, état,
raison si elle n’est pas fournie, examen par l’ARS et par l’ANS.
Une pièce « non fournie » n’est pas dans l’archive : la colonne « Raison » dit pourquoi.

Vérifier que rien n’a changé
- Linux, macOS : dans le dossier où l’archive est décompressée, tapez
    sha256sum -c {SUMS}        (macOS : shasum -a 256 -c {SUMS})
  Chaque ligne doit finir par « OK » (ou « Réussi »).
- Windows : dans PowerShell, tapez
    Get-FileHash -Algorithm SHA256 "nom du fichier"
  puis comparez avec la ligne du fichier dans {SUMS}.

Ces pièces sont confidentielles : ne les conservez pas plus longtemps que nécessaire.
"""
