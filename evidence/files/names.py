"""The name of a file: what may be kept, shown, and given back to a computer."""

import re
import unicodedata

from evidence.files.refusal import Refused

MAX_LENGTH = 200
SAME_FORMAT = {"jpeg": "jpg"}

# What Windows runs when it stands before the last extension (« facture.exe.pdf »). Not « com »: the list of an
# establishment's domain names may well be called « exposition-chu.com.pdf ».
_RUNNABLE = frozenset(
    "bat cmd cpl dll docm dotm exe hta jar js jse lnk msi msp php pif pptm ps1 reg scr sh".split()
    + "vbe vbs wsf wsh xlsm xltm".split()
)
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)", re.IGNORECASE)
_INVISIBLE = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})  # controls, bidi marks, unassigned, line ends


def _again(problem: str) -> Refused:
    return Refused(f"{problem} Renommez-le, puis déposez-le à nouveau.")


def extension_of(name: str) -> str:
    """In lower case and without synonyms: « JPEG » is « jpg »."""
    extension = name.rpartition(".")[2].lower() if "." in name else ""
    return SAME_FORMAT.get(extension, extension)


def checked_name(name: str, *, formats) -> tuple[str, str]:
    """The name in Unicode's composed form, and its extension. Raises Refused."""
    name = unicodedata.normalize("NFC", name or "").strip(" ")
    if "/" in name or "\\" in name:
        raise _again("Le nom de ce fichier contient une barre oblique, réservée aux dossiers.")
    if not name or name.startswith("."):
        raise _again("Ce fichier n’a pas de nom.")
    if len(name) > MAX_LENGTH:
        raise _again(f"Le nom de ce fichier compte {len(name)} caractères : {MAX_LENGTH} sont acceptés au maximum.")
    if any(unicodedata.category(character) in _INVISIBLE for character in name):
        raise _again("Le nom de ce fichier contient des caractères invisibles.")
    if _RESERVED.match(name):
        raise _again("Le nom de ce fichier est réservé par Windows.")
    extension = extension_of(name)
    if extension not in {SAME_FORMAT.get(known, known) for known in formats}:
        shown = f" « {extension} »" if extension.isalnum() else ""
        raise Refused(
            f"Le format{shown} de ce fichier n’est pas autorisé ici. Formats autorisés : {', '.join(formats)}. "
            "Enregistrez votre document dans l’un de ces formats, puis déposez-le à nouveau."
        )
    if _RUNNABLE & {part.strip().lower() for part in name.split(".")[1:-1]}:
        raise _again("Le nom de ce fichier contient deux extensions, dont celle d’un programme.")
    return name, extension
