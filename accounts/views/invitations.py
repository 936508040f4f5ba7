"""The page that an invitation leads to."""

from allauth.core import ratelimit
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.hashers import make_password
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import agents
from accounts.actions import Person, UsernameTaken
from accounts.agent_forms import AcceptInvitationForm
from accounts.models import Invitation


@login_not_required
@never_cache
@sensitive_post_parameters("password1", "password2")
@require_http_methods(["GET", "HEAD", "POST"])
def accept_invitation(request, secret):
    """GET shows who invites to what, POST opens the account: mail gateways open links."""
    if refused := ratelimit.consume_or_429(request, action="invitation"):
        return refused
    invitation = Invitation.opened_by(secret)
    if invitation is None or invitation.state is not Invitation.State.WAITING:
        return _over(request, invitation)
    if request.user.is_authenticated:
        return render(request, "accounts/invitation_elsewhere.html", {"invitation": invitation})
    form = AcceptInvitationForm(request.POST if request.method == "POST" else None, email=invitation.email)
    if form.is_valid():
        return _accept(request, invitation, form)
    return _show(request, invitation, form)


def _accept(request, invitation, form):
    told = {name: value for name, value in form.cleaned_data.items() if name in Person.__dataclass_fields__}
    person = Person(**told, email=invitation.email)
    try:
        agents.accept_invitation(invitation, person, password_hash=make_password(form.cleaned_data["password1"]))
    except UsernameTaken:
        form.name_is_taken(told)
        return _show(request, invitation, form)
    except agents.InvitationOver:
        return _over(request, Invitation.objects.get(pk=invitation.pk))
    messages.success(request, "Votre compte est ouvert. Connectez-vous avec le mot de passe que vous venez de choisir.")
    return redirect("account_login")


def _show(request, invitation, form):
    regions = list(invitation.regions.all())
    context = {"invitation": invitation, "regions": regions, "form": form}
    return render(request, "accounts/accept_invitation.html", context)


def _over(request, invitation):
    """`invitation`: None when another letter took its place, or none was ever sent."""
    state = invitation.state if invitation else None
    return render(request, "accounts/invitation_over.html", {"state": state, "invitation": invitation}, status=410)
