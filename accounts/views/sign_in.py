"""Allauth's pages of the sign-in and the password, with our limits; and the pages of the codes."""

import math

from allauth.account import views as allauth_views
from allauth.account.adapter import get_adapter
from allauth.account.internal.decorators import login_stage_required
from allauth.core import ratelimit
from django.contrib import messages
from django.db import transaction
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters

from accounts import actions, facts, second_factor
from accounts.actions import Outcome
from accounts.agent_forms import SecondFactorForm
from accounts.forms import CodeForm
from accounts.models import SignInCode, User
from accounts.stages import SecondFactorStage, SignInCodeStage
from ecare.french import paris_datetime
from ecare.metrics import count_refusal

# The doors of the home page; the ANS and administrators have none of their own.
DOORS = {User.Role.REFERENT: "etablissement", User.Role.ARS: "agence"}


@sensitive_post_parameters("code")
@login_stage_required(stage=SignInCodeStage.key, redirect_urlname="account_login")
def sign_in_code(request):
    stage = request._login_stage
    attempt = stage.attempt
    if attempt is None or "cancel" in request.POST:
        return stage.abort()
    if "resend" in request.POST:
        return _resend(request, attempt)
    form = CodeForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with transaction.atomic():  # a right code is spent by the sign-in that it opens, or not at all
            verdict = actions.check_code(attempt, form.cleaned_data["code"])
            if verdict.outcome is Outcome.RIGHT:
                # django-otp ties the session to this attempt when the sign-in completes.
                stage.login.user.otp_device = stage.attempt
                return stage.exit()
        count_refusal("code")
        form.add_error("code", _told(verdict))
    attempt.refresh_from_db()
    context = {"form": form, "stage": stage, "attempt": attempt, "seconds_left": _seconds_to(attempt.valid_until)}
    context["door"] = DOORS.get(stage.login.user.role)
    context["seconds_to_wait"] = _seconds_to(attempt.may_renew_at)
    return render(request, "account/sign_in_code.html", context)


def _resend(request, attempt):
    until = actions.send_new_code(attempt)
    if until:
        messages.warning(request, f"Patientez {_seconds_to(until)} s avant de demander un nouveau code.")
    else:
        messages.success(request, "Un nouveau code vient de vous être envoyé. Le précédent n’est plus valable.")
    return redirect("account_sign_in_code")


@sensitive_post_parameters("code")
@login_stage_required(stage=SecondFactorStage.key, redirect_urlname="account_login")
def sign_in_second_factor(request):
    """After the mailed code: the code of the application, or a recovery code (`?secours`)."""
    stage = request._login_stage
    attempt = stage.attempt
    if attempt is None or "cancel" in request.POST:
        return stage.abort()
    recovery = "secours" in request.GET
    form = SecondFactorForm(request.POST if request.method == "POST" else None, recovery=recovery)
    if form.is_valid():
        with transaction.atomic():  # as above
            verdict = second_factor.check(attempt, form.cleaned_data["code"])
            if verdict.outcome is Outcome.RIGHT:
                # django-otp ties the session to this attempt when the sign-in completes.
                stage.login.user.otp_device = SignInCode.objects.get(pk=attempt.pk)
                return stage.exit()
        if verdict.outcome is Outcome.SPENT or (verdict.outcome is Outcome.WRONG and not verdict.tries_left):
            messages.error(request, "Trop de codes erronés : cette connexion est abandonnée. Recommencez-la.")
            return stage.abort()
        form.add_error("code", told_of_second_factor(verdict))
    return render(request, "account/second_factor.html", {"form": form, "recovery": recovery})


def told_of_second_factor(verdict, *, counts_tries=True) -> str:
    if verdict.outcome is Outcome.WAIT:
        return (
            f"Trop de codes erronés en 24 heures. Patientez jusqu’au {paris_datetime(verdict.until)}, ou utilisez tout "
            "de suite un de vos codes de secours."
        )
    left = f"{verdict.tries_left} essais" if verdict.tries_left > 1 else "1 essai"
    remaining = f" Il vous reste {left}." if counts_tries else ""
    return (
        f"Code incorrect.{remaining} Un code ne sert qu’une fois : attendez que votre application affiche le suivant, "
        "et vérifiez l’heure de votre téléphone."
    )


def _told(verdict) -> str:
    if verdict.outcome is Outcome.WAIT:
        return (
            f"Trop de codes erronés en 24 heures. Patientez jusqu’au {paris_datetime(verdict.until)}, ou choisissez "
            "tout de suite un nouveau mot de passe : bouton « Précédent », puis « Mot de passe oublié ? »."
        )
    if verdict.outcome is Outcome.SPENT:
        return "Ce code n’est plus valable. Demandez un nouveau code."
    if not verdict.tries_left:
        return "Code incorrect. C’était le dernier essai : demandez un nouveau code."
    left = f"{verdict.tries_left} essais" if verdict.tries_left > 1 else "1 essai"
    return f"Code incorrect. Il vous reste {left}. Vérifiez que le courrier porte la référence affichée ici."


def _seconds_to(instant) -> int:
    return max(0, math.ceil((instant - timezone.now()).total_seconds())) if instant else 0


class ActivationView(allauth_views.ConfirmEmailView):
    """GET shows a button, POST activates: mail gateways open links."""

    def get_context_data(self, **kwargs):
        if self.object:
            person = self.object.email_address.user
            kwargs["facts"] = facts.of_person(person) + facts.of_establishment(person.establishment)
        return super().get_context_data(**kwargs)

    def post(self, *args, **kwargs):
        try:
            response = super().post(*args, **kwargs)
        except Http404:
            self.object = None
            return self.render_to_response(self.get_context_data(), status=410)
        messages.success(self.request, "Votre compte est activé. Vous pouvez vous connecter.")
        return response

    def respond(self, success):
        if success:
            return super().respond(success)
        raise Http404


class RequestPasswordView(allauth_views.PasswordResetView):
    """The limit counts per mailbox and address: a stranger elsewhere keeps nobody from a new password."""

    def form_valid(self, form):
        key = f"{form.cleaned_data['email']}@{get_adapter().get_client_ip(self.request)}"
        if refused := ratelimit.consume_or_429(self.request, action="reset_password", key=key):
            return refused
        form.save(self.request)
        return redirect(self.get_success_url())
