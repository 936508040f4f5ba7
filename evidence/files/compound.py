"""OLE2 compound files: Word 97–2003, Office files locked by a password, ZED containers."""

import olefile

from evidence.files.refusal import Refused, damaged, locked, with_macros

SIGNATURE = olefile.MAGIC
ZED_CLASS = "00000FE0-8804-4CA8-8868-36F59DEFD14D"
# The property set 000000FF-8804-4CA8-8868-36F59DEFD14D; such names begin with the character U+0005.
ZED_STREAM = "5haaaaqaIekzeecnWj31zxh0Nc"
_MACRO_STORAGES = {"macros", "_vba_project_cur", "vba", "_vba_project"}
_FIRST_SPECIAL = 0xFFFFFFFA  # and above: free, end of chain, and the tables' own sectors


def opened(file) -> olefile.OleFileIO:
    """The compound file, whole. Raises Refused."""
    file.seek(0)
    if file.read(len(SIGNATURE)) != SIGNATURE:
        raise damaged()
    file.seek(0)
    try:
        compound = olefile.OleFileIO(file)
        is_whole = _is_whole(compound)
    except Exception as error:  # a parser fed by strangers: whatever goes wrong, the file is at fault
        raise damaged() from error
    if not is_whole:
        raise damaged()
    return compound


def _is_whole(compound) -> bool:
    """Whether every chain ends inside the file. (olefile forgets the table's entries beyond the file's end.)"""
    sectors = len(compound.fat)
    links = (link for link in compound.fat if link < _FIRST_SPECIAL)
    starts = (
        entry.isectStart
        for entry in compound.direntries
        if entry and entry.entry_type == olefile.STGTY_STREAM and entry.size >= compound.minisectorcutoff
    )
    return all(link < sectors for link in links) and all(start < sectors for start in starts)


def _paths(compound) -> list[list[str]]:
    try:
        return compound.listdir(streams=True, storages=True)
    except Exception as error:
        raise damaged() from error


def has_macros(compound) -> bool:
    return any(part.lower() in _MACRO_STORAGES for path in _paths(compound) for part in path)


def is_locked_office(compound) -> bool:
    return compound.exists("EncryptedPackage")


def check_doc(file) -> None:
    """A Word 97–2003 document, neither locked nor with macros. Raises Refused."""
    compound = opened(file)
    if is_locked_office(compound):
        raise locked()
    if not compound.exists("WordDocument"):
        raise Refused(
            "Ce fichier porte l’extension doc, mais ce n’est pas un document Word. "
            "Ouvrez-le dans Word, enregistrez-le au format doc ou docx, puis déposez cette nouvelle version."
        )
    start = _first_bytes(compound, "WordDocument", 12)
    if len(start) < 12 or start[:2] not in (b"\xec\xa5", b"\xdc\xa5"):
        raise damaged()
    if int.from_bytes(start[10:12], "little") & 0x0100:
        raise locked()
    if has_macros(compound):
        raise with_macros()


def _first_bytes(compound, name: str, count: int) -> bytes:
    """The start of a stream, without loading it when it is long."""
    entry = compound.direntries[compound._find(name)]
    try:
        if entry.size >= compound.minisectorcutoff:
            compound.fp.seek((entry.isectStart + 1) * compound.sectorsize)
            return compound.fp.read(count)
        return compound.openstream(name).read(count)
    except Exception as error:
        raise damaged() from error


def check_zed(file) -> None:
    """A ZED container, by its class and its property set; nothing inside can be looked at. Raises Refused."""
    not_zed = Refused(
        "Ce fichier n’est pas un conteneur ZED. Déposez le conteneur que vous avez téléchargé et complété "
        "avec ZED, sans le renommer ni le compresser."
    )
    file.seek(0)
    if file.read(len(SIGNATURE)) != SIGNATURE:
        raise not_zed
    compound = opened(file)
    streams = {path[0].removeprefix("\x05") for path in _paths(compound)}
    if compound.root.clsid != ZED_CLASS or ZED_STREAM not in streams:
        raise not_zed
