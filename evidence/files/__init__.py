"""Which bytes may enter: name, size, real type, structure. Nothing here knows a dossier or a person."""

import hashlib
from dataclasses import dataclass

from evidence.files import archives, compound, images, office, pdf
from evidence.files.content import check_type
from evidence.files.names import checked_name
from evidence.files.refusal import Refused, two_in_one

__all__ = ["Checked", "Refused", "check", "check_size", "checked_name"]

_PIECE = 256 * 1024
MEDIA_TYPES = {
    "pdf": "application/pdf",
    "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "zip": "application/zip",
    "jpg": "image/jpeg",
    "png": "image/png",
    "zed": "application/x-zed",
}


@dataclass(frozen=True)
class Checked:
    """What the register keeps of a file that may enter."""

    name: str
    size: int
    sha256: str
    media_type: str
    extension: str


def check(upload, *, formats: list[str], max_bytes: int) -> Checked:
    """`upload`: a named, seekable file. Name, size, type by content, then structure, in this order. Raises Refused."""
    name, extension = checked_name(upload.name, formats=formats)
    size, sha256 = _measured(upload, max_bytes)
    check_content(upload, extension, formats=formats, max_bytes=max_bytes)
    upload.seek(0)
    return Checked(name, size, sha256, MEDIA_TYPES[extension], extension)


def _measured(upload, max_bytes: int) -> tuple[int, str]:
    """Size and SHA-256, without reading more than one byte beyond the limit."""
    upload.seek(0)
    size, digest = 0, hashlib.sha256()
    while piece := upload.read(min(_PIECE, max_bytes + 1 - size)):
        size += len(piece)
        digest.update(piece)
    check_size(size, max_bytes)
    return size, digest.hexdigest()


def check_size(size: int, max_bytes: int) -> None:
    """Raises Refused."""
    if size > max_bytes:
        raise Refused(
            f"Ce fichier dépasse {max_bytes // (1024 * 1024)} Mo, la taille maximale par fichier ici. "
            "Réduisez-le ou partagez-le en plusieurs fichiers, puis déposez-le à nouveau."
        )
    if size == 0:
        raise Refused("Ce fichier est vide. Vérifiez-le sur votre ordinateur, puis déposez-le à nouveau.")


def check_content(file, extension: str, *, formats: list[str], max_bytes: int) -> None:
    """The real type against the extension, then the structure. Raises Refused."""
    if extension not in MEDIA_TYPES:
        raise Refused("Ce format ne peut pas encore être vérifié. Choisissez un autre format ou écrivez au support.")
    check_type(file, extension)
    if extension == "zip":
        office.check_zip(file, formats=formats, max_bytes=max_bytes, check_content=check_content)
    elif extension in office.MAIN_TYPES:
        office.check_office(file, extension)
    else:
        _STRUCTURES[extension](file)
        if extension in ("pdf", "jpg", "png") and _hides_an_archive(file):
            raise two_in_one()


_STRUCTURES = {
    "pdf": pdf.check_pdf,
    "doc": compound.check_doc,
    "zed": compound.check_zed,
    "jpg": images.check_jpg,
    "png": images.check_png,
}


def _hides_an_archive(file) -> bool:
    """Whether a reader of archives would open it too: it looks for the end record, not for the first bytes."""
    return archives.end_record(file) is not None
