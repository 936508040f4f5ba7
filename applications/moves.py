"""Who is told of a move, in its own transaction, and who may object to one. The rooms above name their function by path
(`apps.py`), so that this one knows none of them."""

from django.utils.module_loading import import_string

_TOLD: list[str] = []
_OBJECTORS: dict[str, list[str]] = {}


def tell(path: str) -> None:
    """`path`: a function of (application, the state it left), called once it moved and before the transaction ends."""
    if path not in _TOLD:
        _TOLD.append(path)


def moved(application, *, source: str) -> None:
    for path in _TOLD:
        import_string(path)(application, source)


def let_object(verb: str, path: str) -> None:
    """`path`: a function of the locked application that raises NotNow when the verb may not be used."""
    paths = _OBJECTORS.setdefault(verb, [])
    if path not in paths:
        paths.append(path)


def check(application, verb: str) -> None:
    for path in _OBJECTORS.get(verb, ()):
        import_string(path)(application)
