"""« Modifier l’adresse e-mail »: asked for with the password, confirmed from both mailboxes; and how the former mailbox
stops the change that an administrator made."""

from allauth.core import ratelimit
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import actions, mailboxes, typed
from accounts.forms import ChangeEmailForm
from accounts.models import EmailChange, EmailCorrection


@typed.comes_back
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def change_email(request):
    if request.method == "POST" and (
        refused := ratelimit.consume_or_429(request, action="email_change", user=request.user)
    ):
        return refused
    form = ChangeEmailForm(request.user, typed.filled(request))
    if request.method == "POST" and form.is_valid():
        actions.request_email_change(request.user, form.cleaned_data["email"])
        messages.success(
            request, "Deux courriers viennent de partir : l’un à votre adresse actuelle, l’autre à la nouvelle."
        )
        return redirect("accounts:account")
    return render(request, "accounts/change_email.html", {"form": form})


@require_POST
def cancel_email_change(request):
    if actions.cancel_email_change(request.user):
        messages.success(request, "Le changement d’adresse est annulé.")
    else:
        messages.info(request, "Aucun changement d’adresse n’est en cours.")
    return redirect("accounts:account")


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def confirm_email_change(request, key):
    """GET shows a button, POST confirms: mail gateways open links. Whoever has the mailbox may have no session here."""
    change, side = EmailChange.opened_by(key)
    if request.method == "POST" and change is not None:
        change = actions.confirm_email_change(change, side, current=_own_session(request, change))
    context = {"change": change, "is_old": side == EmailChange.Side.OLD, "is_confirmed": request.method == "POST"}
    return render(request, "accounts/confirm_email_change.html", context, status=200 if change else 410)


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def stop_email_correction(request, key):
    """GET shows a button, POST stops what an administrator did; whoever has the former mailbox may have no session."""
    correction = EmailCorrection.opened_by(key)
    is_stopped = request.method == "POST" and correction is not None and mailboxes.stop_correction(correction)
    is_over = correction is None or (request.method == "POST" and not is_stopped)
    context = {"correction": correction, "is_stopped": is_stopped, "is_over": is_over}
    return render(request, "accounts/stop_email_correction.html", context, status=410 if is_over else 200)


def _own_session(request, change: EmailChange) -> str:
    """The key of the session that goes on: the one that confirms, when it is this person's."""
    return request.session.session_key if request.user.pk == change.user_id else ""
