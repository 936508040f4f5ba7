"""The files of a dossier as an agent may take them out: what was sent, when, and why one of them is not handed over."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from accounts.models import User
from applications.models import Application, Submission
from applications.states import Step
from ecare.french import NBSP, paris_date, paris_datetime
from evidence.models import BankDetails, Evidence, StoredFile
from evidence.rules import may_download
from reviews.models import Convention, FileVerdict

LONGEST_NAME = 120
FOLDERS = {Step.CANDIDATURE: "1-candidature", Step.DECLARATION: "2-declaration"}
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\u2028\u2029]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)", re.IGNORECASE)

GONE = "Ce fichier n’est plus disponible."
FOR_ANS = "Conteneur chiffré : seule l’ANS peut le télécharger."


@dataclass(frozen=True)
class Piece:
    """A file that some sending of the dossier lists, or that was added to it later; `stored` unless `missing` says why
    it is not handed over."""

    folder: str
    space: str
    name: str
    size: int
    sha256: str
    sent_at: datetime | None
    sending: str
    state: str
    stored: StoredFile | None = None
    missing: str = ""
    verdicts: Mapping[str, str] = field(default_factory=dict)
    """What each desk thinks of it, by desk."""


def pieces_of(application: Application, user: User) -> list[Piece]:
    """In the order of the forms and sendings; then the signed convention and the RIBs of later changes."""
    evidence = Evidence.objects.visible_to(user).filter(application=application)
    stored = {
        str(one.file_id): one for one in evidence.select_related("file", "application", "question__section__form")
    }
    verdicts = _verdicts(application)
    found: dict[str, Piece] = {}
    latest = {submission.step: submission for submission in application.submissions.order_by("number")}
    for submission in application.submissions.order_by("step", "number"):
        for key, value in submission.answers.items():
            for file in _files_in(value):
                if file["id"] not in found:
                    is_current = _lists(latest[submission.step], key, file["id"])
                    piece = _sent(submission, key, file, stored.get(file["id"]), user, is_current)
                    found[file["id"]] = replace(piece, verdicts=verdicts.get(file["id"], {}))
    return [*found.values(), *_added_later(application)]


def _verdicts(application: Application) -> dict[str, dict[str, str]]:
    """Of both desks, which read each other's, by the id of the file and by desk."""
    found: dict[str, dict[str, str]] = {}
    for one in FileVerdict.objects.filter(application=application).select_related("by"):
        remark = f"{NBSP}: {one.remark}" if one.remark else ""
        said = f"{one.get_decision_display()} par {one.by}, le {paris_date(one.at)}{remark}"
        found.setdefault(str(one.file_id), {})[one.desk] = said
    return found


def _files_in(value) -> list[dict]:
    """An evidence space keeps a list of files; lines of expenses are a list too, and carry no digest."""
    return [one for one in value if isinstance(one, dict) and "sha256" in one] if isinstance(value, list) else []


def _lists(submission: Submission, key: str, number: str) -> bool:
    return any(file["id"] == number for file in _files_in(submission.content["answers"].get(key)))


def _sent(
    submission: Submission, key: str, file: dict, evidence: Evidence | None, user: User, is_current: bool
) -> Piece:
    missing = GONE
    if evidence is not None:
        missing = "" if may_download(user, evidence) else FOR_ANS
        if not missing and not evidence.file.is_readable:
            missing = f"{evidence.file.get_scan_display()}."
    return Piece(
        f"{FOLDERS[Step(submission.step)]}/{key}",
        evidence.question.label if evidence else key,
        file["name"],
        file["size"],
        file["sha256"],
        submission.at,
        f"{submission.get_step_display()}, envoi n°\u00a0{submission.number}",
        _state(is_current, evidence),
        evidence.file if evidence and not missing else None,
        missing,
    )


def _state(is_current: bool, evidence: Evidence | None) -> str:
    if is_current:
        return "Dans le dernier envoi"
    withdrawn = evidence.withdrawn_at if evidence else None
    return f"Retiré ou remplacé le {paris_datetime(withdrawn)}" if withdrawn else "Absent du dernier envoi"


def _added_later(application: Application) -> list[Piece]:
    found = []
    signed = Convention.objects.filter(application=application).select_related("file").first()
    if signed is not None:
        state = f"Signée le {paris_date(signed.signed_on)}"
        found.append(_stored("3-convention", "Convention signée", signed.file, signed.recorded_at, state))
    asked = BankDetails.objects.filter(application=application).select_related("file").order_by("at")
    for one in asked:
        state = one.get_state_display()
        found.append(_stored("4-coordonnees-bancaires", "RIB d’un changement de compte", one.file, one.at, state))
    return found


def _stored(folder: str, space: str, file: StoredFile, at: datetime, state: str) -> Piece:
    missing = "" if file.is_readable else f"{file.get_scan_display()}."
    return Piece(folder, space, file.name, file.size, file.sha256, at, "", state, None if missing else file, missing)


# --- names ----------------------------------------------------------------------------------------------------------
def safe_name(name: str) -> str:
    """What any computer takes for the name of a file in the folder at hand; accents stay."""
    name = _UNSAFE.sub("_", unicodedata.normalize("NFC", name))
    name = "".join(one for one in name if unicodedata.category(one) not in ("Cf", "Cs", "Co", "Cn")).strip(". ")
    stem, dot, extension = name.rpartition(".")
    if dot and len(extension) <= 10:
        name = f"{stem[: LONGEST_NAME - len(extension) - 1].rstrip('. ')}.{extension}"
    name = name[:LONGEST_NAME]
    return f"_{name}" if _RESERVED.match(name) or not name.strip("._") or name.startswith(".") else name


class Names:
    """Paths of an archive, none given twice; two that differ by case only are one on many computers."""

    def __init__(self):
        self._given: set[str] = set()

    def path(self, folder: str, name: str) -> str:
        name = safe_name(name)
        stem, dot, extension = name.rpartition(".")
        stem, ending = (stem, f".{extension}") if dot else (name, "")
        rank, path = 1, f"{folder}/{name}"
        while path.casefold() in self._given:
            rank += 1
            path = f"{folder}/{stem} ({rank}){ending}"
        self._given.add(path.casefold())
        return path
