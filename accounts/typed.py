"""What was typed and is not kept yet, put by in the session until its page is shown again: sealed, for one hour, for
the very person who typed it. Passwords and files never are."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.middleware.csrf import CsrfViewMiddleware
from django.urls import Resolver404, resolve

from ecare.sealing import CannotOpen, seal, unseal

LIFETIME = timedelta(hours=1)
PAGE_MARK = "_page"
"""Name of the hidden field by which the whole form of a step says which page it was typed in, to whatever address it is
posted: an unticked box of it then counts."""
MOST_KEPT = 512 * 1024  # characters: the longest list of entities with a reason each
RETURNED = (
    "Votre session avait pris fin : ce que vous aviez saisi est revenu dans le formulaire et n’est pas encore "
    "enregistré. Vérifiez votre saisie, puis validez à nouveau. Un fichier ou un mot de passe est à redonner."
)


def comes_back(view: Callable) -> Callable:
    """Marks a page that shows, when it is opened again, what was typed in it as the session ended: it fills its form
    with `filled(request)` (the form of a dossier, which weighs each answer, with `take_up`)."""
    view.comes_back = True  # type: ignore[attr-defined]
    return view


def filled(request) -> QueryDict | None:
    """What the form of this page is filled with: what was just sent, or what waited for this person, who is told."""
    if request.method == "POST":
        return request.POST
    posted, has_ended = take_up(request)
    if has_ended:
        messages.warning(request, RETURNED)
    return posted


SHOW = "apercu"
"""Name of the button that shows the letters of a page anew, with what is typed, and changes nothing."""


def is_confirmed(request, form) -> bool:
    """Whether the page is to do what it says: rightly filled, and sent by another button than `SHOW`."""
    return request.method == "POST" and SHOW not in request.POST and form.is_valid()


PLACE = "(Votre texte viendra ici.)"


def so_far(form, name: str) -> str:
    """What is typed in a text field, or what stands for it in a letter that is shown before it is."""
    typed = form.data.get(form.add_prefix(name), "") if form.is_bound else ""
    return typed.replace("\r\n", "\n").strip()[: form.fields[name].max_length] or PLACE


def put_by(request, page: str, *, by: int, has_ended: bool = False) -> bool:
    """Keep what was posted for the address `page`, unless it is beyond measure; `has_ended`: the session ended before
    anything of it was kept."""
    body = _without_secrets(request.POST)
    if len(body) > MOST_KEPT:
        return False
    content = {"body": body, "by": by, "at": request.arrived_at.timestamp(), "has_ended": has_ended}
    sealed = seal(json.dumps(content).encode(), purpose="typed")
    request.session[_name(page)] = base64.b64encode(sealed).decode()
    return True


def take_up(request) -> tuple[QueryDict | None, bool]:
    """What was put by for this page, once, and whether its session had ended; nothing for anybody else, or too late.
    Looking at the headers alone (HEAD) takes nothing."""
    if request.method != "GET":
        return None, False
    sealed = request.session.pop(_name(request.path), None)
    if sealed is None:
        return None, False
    try:
        content = json.loads(unseal(base64.b64decode(sealed), purpose="typed"))
    except (CannotOpen, ValueError):
        return None, False
    if content["by"] != request.user.pk or request.arrived_at.timestamp() - content["at"] > LIFETIME.total_seconds():
        return None, False
    return QueryDict(content["body"]), content["has_ended"]


def save_from_the_end(request) -> str:
    """The session ended with this very post: put by what was typed, in the session in which the person signs in again.
    Returns the page where it will come back, nothing if it is lost."""
    if request.ended_for is None:
        return ""
    page = _page_of(request)
    return page if page and put_by(request, page, by=request.ended_for, has_ended=True) else ""


def is_forged(request) -> bool:
    """Without its token. Asked again, for the views that check it themselves were not reached."""
    return CsrfViewMiddleware(_plain_view).process_view(request, _plain_view, (), {}) is not None


def _page_of(request) -> str:
    """The page that was filled in, if what is typed there comes back."""
    page = request.POST.get(PAGE_MARK, request.path)
    try:
        view = resolve(page).func
    except Resolver404:
        return ""
    return page if getattr(view, "comes_back", False) else ""


def _plain_view(*_args, **_options) -> HttpResponse:
    """Without the mark that spares a view the check of its token."""
    return HttpResponse()


def _without_secrets(posted: QueryDict) -> str:
    kept = posted.copy()
    for name in posted:
        if name == "csrfmiddlewaretoken" or "password" in name:
            del kept[name]
    return kept.urlencode()


def _name(page: str) -> str:
    return f"typed:{page}"
