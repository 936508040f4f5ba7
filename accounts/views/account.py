"""« Votre compte », and the terms."""

from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import actions, facts
from accounts.forms import TermsForm
from accounts.models import EmailChange, OpenSession, Terms, User


@require_GET
def account(request):
    user = request.user
    context = {
        "terms": Terms.objects.in_force(for_user=user),
        "person_facts": facts.of_person(user),
        "sessions": OpenSession.of(user),
        "current": OpenSession.digest(request.session.session_key or ""),
        "email_change": EmailChange.objects.filter(user=user, until__gt=request.arrived_at).first(),
    }
    if user.establishment:
        context["establishment_facts"] = facts.of_establishment(user.establishment)
        context["colleagues"] = [(one, facts.of_colleague(one)) for one in User.objects.colleagues_of(user)]
    return render(request, "accounts/account.html", context)


@require_POST
def close_session(request, name):
    """One of the list, but not the present one: that is « Se déconnecter »."""
    if actions.close_session(request.user, name=name, current=request.session.session_key):
        messages.success(request, "La session est fermée.")
    else:
        messages.info(request, "Cette session est déjà fermée.")
    return redirect("accounts:account")


@require_POST
def close_other_sessions(request):
    closed = actions.close_other_sessions(request.user, current=request.session.session_key)
    messages.success(request, "Vos autres sessions sont fermées." if closed else "Vous n’avez pas d’autre session.")
    return redirect("accounts:account")


@login_not_required
@require_GET
def terms(request):
    """The version in force, and the list of all that were published."""
    versions = list(Terms.objects.published())
    if not versions:
        raise Http404
    return render(request, "accounts/terms.html", {"terms": versions[0], "versions": versions})


@login_not_required
@require_GET
def terms_version(request, version):
    """One version, in force or not any more: whoever accepted it may read it again."""
    versions = list(Terms.objects.published())
    wanted = next((terms for terms in versions if terms.version == version), None)
    if wanted is None:
        raise Http404
    return render(request, "accounts/terms.html", {"terms": wanted, "versions": versions, "in_force": versions[0]})


@require_http_methods(["GET", "HEAD", "POST"])
def accept_terms(request):
    wanted = request.POST.get(REDIRECT_FIELD_NAME) or request.GET.get(REDIRECT_FIELD_NAME, "")
    is_ours = wanted.startswith("/") and url_has_allowed_host_and_scheme(
        wanted, {request.get_host()}, require_https=request.is_secure()
    )
    destination = wanted if is_ours else reverse("account_login")  # which leads each role to its own home
    in_force = Terms.objects.in_force(for_user=request.user)
    if in_force is None or in_force.is_accepted:
        return HttpResponseRedirect(destination)
    form = TermsForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        if request.POST.get("version") == in_force.version:
            actions.accept_terms(request.user, terms=in_force)
            return HttpResponseRedirect(destination)
        messages.warning(request, "Une nouvelle version vient de paraître. Lisez-la avant de l’accepter.")
    return render(request, "accounts/accept_terms.html", {"terms": in_force, "form": form, "destination": destination})
