"""The ANS refuses the copy that an establishment signed; recording the convention is a decision like the others."""

from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_http_methods

from accounts.typed import comes_back, filled
from applications.actions import NotNow
from applications.views import visible_dossiers
from conventions.actions import refuse_copy as refuse
from conventions.actions import waiting_copy
from reviews.claims import decide
from reviews.decisions import REFUSE_COPY
from reviews.signing_forms import RefuseCopyForm
from reviews.views import ask, done, is_decided, with_phrase


@comes_back
@require_http_methods(["GET", "HEAD", "POST"])
def refuse_copy(request, reference):
    """GET says what the click will do and whom it writes to; POST does it."""
    application = get_object_or_404(visible_dossiers(request.user).select_related("referent"), reference=reference)
    if not request.user.is_ans:
        raise PermissionDenied
    if not application.is_to_countersign:
        raise NotNow("Aucun exemplaire signé n’attend la signature de l’ANS.")
    form = RefuseCopyForm(with_phrase(request, filled(request)), application=application, at=request.arrived_at)
    if is_decided(request, form):
        decide(refuse, application, by=request.user, now=request.arrived_at, **form.arguments())
        return done(request, application, REFUSE_COPY.words)
    return ask(
        request,
        application,
        REFUSE_COPY.words,
        form,
        lambda: refuse(application, by=request.user, **form.foreseen()),
        signed_copy=waiting_copy(application),
    )
