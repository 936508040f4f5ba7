"""A desk changes the day on which it awaits a correction; taking the request back is a decision like the others."""

import rules as permissions
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from accounts.typed import comes_back, filled
from applications import amends, rehearsal
from applications.actions import NotNow
from ecare.french import paris_date
from reviews.decisions import MOVE_DUE_DATE
from reviews.forms import DueDateForm
from reviews.queue import require_reviewer
from reviews.views import ask, is_decided, visible_dossier, with_phrase


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
    words = MOVE_DUE_DATE
    if is_decided(request, form):
        amends.move_due_date(application, by=request.user, **form.arguments())
        messages.success(request, f"Dossier n°\u00a0{application.reference}\u00a0: {words.done}")
        return redirect("reviews:dossier", application.reference)
    arguments = form.arguments() if form.is_bound and form.is_valid() else form.specimen()
    day = arguments["due_on"]
    return ask(
        request,
        application,
        words,
        form,
        recipients=[application.referent],
        letters=rehearsal.letters_of(
            lambda: amends.move_due_date(application, by=request.user, **arguments), subject=application.subject
        ),
        letters_note=f"Le courrier est montré pour le {paris_date(day)}." if day else "",
    )
