"""The real type of a file, by its content."""

from evidence.files import compound
from evidence.files.refusal import Refused

try:
    import magic
except ImportError:  # this machine has no libmagic: the wheel brings one, and shows it to `magic` when imported
    import magic
    import pylibmagic  # noqa: F401

_ENOUGH = 4096
_ARCHIVE = "application/zip"
_OFFICE = "application/vnd.openxmlformats-officedocument"
# libmagic sees the first bytes only, and its versions disagree on archives and compound files: their structure,
# checked next, has the last word.
_ARCHIVES = {_ARCHIVE, "application/octet-stream", "application/java-archive", "application/x-zip-compressed"}
_COMPOUND = {
    "application/CDFV2",
    "application/CDFV2-corrupt",
    "application/CDFV2-encrypted",
    "application/CDFV2-unknown",
    "application/encrypted",
    "application/msword",
    "application/octet-stream",
    "application/vnd.ms-excel",
    "application/vnd.ms-office",
    "application/x-ole-storage",
    "application/x-zed",
}
_SEEN_AS = {
    "pdf": {"application/pdf"},
    "jpg": {"image/jpeg"},
    "png": {"image/png"},
    "zip": _ARCHIVES,
    "docx": _ARCHIVES | _COMPOUND,  # one that is locked is a compound file: it has its own message
    "xlsx": _ARCHIVES | _COMPOUND,
    "doc": _COMPOUND,
    "zed": _COMPOUND,
}
_IN_FRENCH = {
    "application/x-dosexec": "un programme Windows",
    "application/vnd.microsoft.portable-executable": "un programme Windows",
    "application/x-executable": "un programme",
    "application/pdf": "un PDF",
    "application/rtf": "un document RTF",
    "text/rtf": "un document RTF",
    "application/gzip": "une archive gzip",
    "application/x-7z-compressed": "une archive 7z",
    "application/x-rar": "une archive rar",
    "image/jpeg": "une image jpg",
    "image/png": "une image png",
    "image/gif": "une image gif",
    "image/tiff": "une image tiff",
    "image/heic": "une image heic",
    "text/html": "une page web",
    "text/plain": "du texte",
    _ARCHIVE: "une archive zip ou un document Office",
    "application/octet-stream": "d’un format inconnu",
}


def check_type(file, extension: str) -> None:
    """Raises Refused when the content is not what the extension says."""
    file.seek(0)
    start = file.read(_ENOUGH)
    if extension == "pdf":
        start = start.lstrip(b"\xef\xbb\xbf \t\r\n\x00")
    seen = magic.from_buffer(start, mime=True)
    if seen in _SEEN_AS[extension] or (extension in ("docx", "xlsx", "zip") and seen.startswith(_OFFICE)):
        return
    if start.startswith(compound.SIGNATURE):
        known = "un ancien document Office"
    elif seen.startswith(_OFFICE):
        known = "un document Office récent"
    else:
        known = _IN_FRENCH.get(seen, "un autre format")
    raise Refused(
        f"Ce fichier porte l’extension {extension}, mais son contenu est {known}. "
        f"Ouvrez-le avec le logiciel d’origine et enregistrez-le au format {extension}, "
        "plutôt que de le renommer, puis déposez cette nouvelle version."
    )
