"""Office documents (docx, xlsx) and archives of documents, looked at entry by entry."""

from collections.abc import Callable, Iterator
from itertools import chain
from xml.etree import ElementTree
from zipfile import ZipInfo

from ecare.french import after_colon
from evidence.files import archives, compound
from evidence.files.archives import MAX_DEPTH, Budget
from evidence.files.names import checked_name
from evidence.files.refusal import Refused, archive_bomb, damaged, locked, odd_archive, with_macros
from evidence.vault import Spool, sealed

_TYPES = "[Content_Types].xml"
_MAX_XML = 1024 * 1024
_MAIN = "application/vnd.openxmlformats-officedocument."
MAIN_TYPES = {
    "docx": _MAIN + "wordprocessingml.document.main+xml",
    "xlsx": _MAIN + "spreadsheetml.sheet.main+xml",
}
_MACRO_TYPES = ("macroenabled", "vbaproject", "macrosheet")
_MACRO_NAMES = (".docm", ".dotm", ".xlsm", ".xltm", ".xlam", ".pptm", ".ppam", "vbaproject.bin")
# What a Mac adds to its archives: name, first bytes.
_MAC_LEFTOVERS = {"._": b"\x00\x05\x16\x07", ".DS_Store": b"\x00\x00\x00\x01Bud1"}


def check_office(file, extension: str) -> None:
    """A docx or xlsx: the document that its extension says, not locked, without macros. Raises Refused."""
    file.seek(0)
    if file.read(8) == compound.SIGNATURE:
        raise locked() if compound.is_locked_office(compound.opened(file)) else _renamed(extension)
    types = _walk(file, Budget(), depth=0)
    if types is None or MAIN_TYPES[extension] not in types:
        raise _renamed(extension)


def _renamed(extension: str) -> Refused:
    return Refused(
        f"Ce fichier porte l’extension {extension}, mais son contenu est d’un autre format. "
        f"Ouvrez-le avec le logiciel d’origine et enregistrez-le au format {extension}, "
        "plutôt que de le renommer, puis déposez cette nouvelle version."
    )


def _walk(file, budget: Budget, *, depth: int) -> set[str] | None:
    """Unpack every entry once, within the budget, and refuse macros at any depth.

    Returns the content types of its parts; None when it is an archive but not an Office document.
    """
    if depth > MAX_DEPTH:
        raise archive_bomb()
    types = None
    for entry in archives.entries_of(file, budget):
        name = entry.filename.lower()
        if name.endswith(_MACRO_NAMES):
            raise with_macros()
        pieces = archives.unpacked(file, entry, budget)
        if entry.filename == _TYPES:
            types = _content_types(_whole(pieces))
        elif name.endswith(".rels"):
            if b"vbaproject" in _whole(pieces).lower():
                raise with_macros()
        else:
            _look_inside(pieces, budget, depth=depth)
    return types


def _whole(pieces: Iterator[bytes]) -> bytes:
    found = bytearray()
    for piece in pieces:
        found += piece
        if len(found) > _MAX_XML:
            raise odd_archive()
    return bytes(found)


def _content_types(xml: bytes) -> set[str]:
    if b"\0" in xml or b"<!" in xml.replace(b"<!--", b""):  # in UTF-8 and without document type: so without entity
        raise odd_archive()
    try:
        found = {element.get("ContentType", "") for element in ElementTree.fromstring(xml)}  # noqa: S314
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        raise damaged() from error
    if any(word in each.lower() for each in found for word in _MACRO_TYPES):
        raise with_macros()
    return found


def _look_inside(pieces: Iterator[bytes], budget: Budget, *, depth: int) -> None:
    """Unpack a part; when it is itself an archive or a compound file, look for macros and bombs in it."""
    first = next(pieces, b"")
    if first.startswith(archives.START):
        with _sealed(first, pieces) as part, part.reader() as reader:
            _walk(reader, budget, depth=depth + 1)
    elif first.startswith(compound.SIGNATURE):
        with _sealed(first, pieces) as part, part.reader() as reader:
            if compound.has_macros(compound.opened(reader)):
                raise with_macros()
    else:
        for _ in pieces:
            pass


def _sealed(first: bytes, pieces: Iterator[bytes]) -> Spool:
    """What must be read back and forth goes through the vault's spool: no plain copy on the disk, none in memory."""
    return sealed(chain([first], pieces))


def check_zip(file, *, formats: list[str], max_bytes: int, check_content: Callable[..., None]) -> None:
    """An archive of documents: each obeys the space's rules, and none is an archive. Raises Refused."""
    allowed = [known for known in formats if known not in ("zip", "zed")]
    budget, documents = Budget(), 0
    for entry in archives.entries_of(file, budget):
        pieces = archives.unpacked(file, entry, budget)
        if entry.is_dir() or _is_mac_leftover(entry):
            _check_leftover(entry, pieces)
            continue
        name = entry.filename.replace("\\", "/").rpartition("/")[2]
        try:
            name, extension = checked_name(name, formats=allowed)
            if entry.file_size > max_bytes:
                raise Refused("Ce document dépasse la taille autorisée. Réduisez-le, puis recréez l’archive.")
            with sealed(pieces) as part, part.reader() as reader:
                check_content(reader, extension, formats=allowed, max_bytes=max_bytes)
        except Refused as refusal:
            raise Refused(f"Dans l’archive, document « {name} » : {after_colon(str(refusal))}") from refusal
        documents += 1
    if not documents:
        raise Refused("Cette archive ne contient aucun document. Ajoutez-y vos documents, puis déposez-la à nouveau.")


def _is_mac_leftover(entry: ZipInfo) -> bool:
    return entry.filename.rpartition("/")[2].startswith(tuple(_MAC_LEFTOVERS))


def _check_leftover(entry: ZipInfo, pieces: Iterator[bytes]) -> None:
    first = next(pieces, b"")
    if not entry.is_dir() and not first.startswith(tuple(_MAC_LEFTOVERS.values())):
        raise odd_archive()
    for _ in pieces:
        pass
