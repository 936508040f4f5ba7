"""What was typed and is not kept yet, put by in the session until its form is shown again: sealed, for one hour, for
the very person who typed it."""

import base64
import json
from datetime import datetime, timedelta

from django.http import QueryDict

from applications.models import Application
from ecare.sealing import CannotOpen, seal, unseal

LIFETIME = timedelta(hours=1)


def _name(application: Application) -> str:
    return f"typed:{application.reference}:{application.step}"


def put_by(session, application: Application, posted: QueryDict, *, at: datetime, is_ended: bool = False) -> None:
    """`is_ended`: the session ended before anything of it was kept."""
    content = {"body": posted.urlencode(), "by": application.referent_id, "at": at.timestamp(), "is_ended": is_ended}
    sealed = seal(json.dumps(content).encode(), purpose="typed")
    session[_name(application)] = base64.b64encode(sealed).decode()


def take_up(session, application: Application, *, by, at: datetime) -> tuple[QueryDict | None, bool]:
    """What was put by, once, and whether its session had ended; nothing for anybody else, or too late."""
    sealed = session.pop(_name(application), None)
    if sealed is None:
        return None, False
    try:
        content = json.loads(unseal(base64.b64decode(sealed), purpose="typed"))
    except (CannotOpen, ValueError):
        return None, False
    if content["by"] != by.pk or at.timestamp() - content["at"] > LIFETIME.total_seconds():
        return None, False
    return QueryDict(content["body"]), content["is_ended"]
