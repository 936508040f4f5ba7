"""A desk changes the day on which it awaits a correction; taking the request back is a decision like the others."""

import rules as permissions
from django.core.exceptions import PermissionDenied
from django.views.decorators.http import require_http_methods

from accounts.typed import comes_back, filled
from applications import amends
from applications.actions import NotNow
from ecare.french import paris_date
from reviews.decisions import MOVE_DUE_DATE
from reviews.forms import DueDateForm
from reviews.queue import require_reviewer
from reviews.views import ask, done, is_decided, visible_dossier, with_phrase


@comes_back
@require_http_methods(["GET", "HEAD", "POST"])
def move_due_date(request, reference):
    """GET says what the click will do and whom it writes to; POST does it."""
    application = visible_dossier(request, reference)
    require_reviewer(request.user)
    asked = application.change_requests.open().first()
    if asked is None:
        raise NotNow(amends.NONE_OPEN)
    if not permissions.test_rule("act_as_asker", request.user, application):
        raise PermissionDenied
    form = DueDateForm(
        with_phrase(request, filled(request)), application=application, at=request.arrived_at, asked=asked
    )
    if is_decided(request, form):
        amends.move_due_date(application, by=request.user, **form.arguments())
        return done(request, application, MOVE_DUE_DATE)
    arguments = form.foreseen()
    day = arguments["due_on"]
    note = f"Le courrier est montré pour le {paris_date(day)}." if day else ""
    return ask(
        request,
        application,
        MOVE_DUE_DATE,
        form,
        lambda: amends.move_due_date(application, by=request.user, **arguments),
        letters_note=note,
    )
