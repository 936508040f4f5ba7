"""An enrolment under way, in the session: the key of the application until it is confirmed, then the recovery codes
until they are shown. Both sealed: the session stands in the database."""

import base64
import json
from typing import Any

from accounts.models import Authenticator
from ecare.sealing import CannotOpen, seal, unseal

KEY, CODES = "enrolment_key", "recovery_codes"


def offered_key(request) -> bytes:
    """The key that this session offers; a new one where there is none."""
    key = known_key(request)
    if key is None:
        key = Authenticator.new_key()
        _write(request, KEY, key.hex())
    return key


def known_key(request) -> bytes | None:
    known = _read(request, KEY)
    return bytes.fromhex(known) if known else None


def finish(request, codes: list[str]) -> None:
    """The key is the application's now; the codes wait for the next page."""
    request.session.pop(KEY, None)
    _write(request, CODES, codes)


def take_codes(request) -> list[str]:
    """Once. Looking at the headers alone (HEAD) takes nothing."""
    if request.method != "GET":
        return []
    codes = _read(request, CODES) or []
    request.session.pop(CODES, None)
    return codes


def _write(request, name: str, value: Any) -> None:
    content = json.dumps({"by": request.user.pk, "value": value}).encode()
    request.session[name] = base64.b64encode(seal(content, purpose=name)).decode()


def _read(request, name: str) -> Any:
    """None for anybody but the person who began."""
    try:
        content = json.loads(unseal(base64.b64decode(request.session.get(name, "")), purpose=name))
    except (CannotOpen, ValueError):
        return None
    return content["value"] if content["by"] == request.user.pk else None
