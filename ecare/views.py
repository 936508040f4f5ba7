"""Pages of the site that belong to no room: what the law asks for, help, and what to say when something fails."""

import sys

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseServerError
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.csrf import requires_csrf_token
from django.views.decorators.http import require_safe

from ecare import guides, unavailable
from ecare import help as questions
from ecare.context import site
from ecare.lists import searched


@login_not_required
def page(request, template, title):
    """A page of text."""
    return render(request, template, {"crumbs": [("Accueil", reverse("home")), (title, "")]})


@login_not_required
def personal_data(request):
    """« Données personnelles », with the periods that are really kept."""
    kept = {
        "drafts": settings.DRAFTS_KEPT_DAYS,
        "never_activated": settings.NEVER_ACTIVATED_KEPT_DAYS,
        "unused": settings.UNUSED_ACCOUNTS_KEPT_DAYS,
        "closed": settings.CLOSED_ACCOUNTS_KEPT_DAYS,
        "invitations": settings.INVITATIONS_KEPT_DAYS,
        "letters": settings.LETTER_WORDS_KEPT_DAYS,
        "warned": settings.WARNED_DAYS,
    }
    crumbs = [("Accueil", reverse("home")), ("Données personnelles", "")]
    return render(request, "ecare/personal_data.html", {"kept": kept, "crumbs": crumbs})


@login_not_required
@require_safe
def help_page(request):
    """« Aide »: every question by topic, or those that answer what was typed."""
    words = searched(request)
    topics = questions.topics()
    context = {
        "words": words,
        "found": questions.search(words),
        "chapters": guides.search(words, by=request.user),
        "guides": guides.guides_for(request.user),
        "topics": topics,
        "count": sum(len(topic.questions) for topic in topics),
        "crumbs": [("Accueil", reverse("home")), ("Aide", "")],
    }
    return render(request, "ecare/help.html", context)


@login_not_required
@require_safe
def open_guide(request, slug):
    """A guide that everybody may read."""
    return _guide(request, slug)


@require_safe
def guide(request, slug):
    """A guide of those who have a role."""
    return _guide(request, slug)


def _guide(request, slug):
    shown = guides.guide_named(slug)
    if not shown.is_for(request.user):
        raise PermissionDenied
    crumbs = [("Accueil", reverse("home")), ("Aide", reverse("help")), (shown.text.title, "")]
    others = [one for one in guides.guides_for(request.user) if one != shown]
    return render(request, "ecare/guide.html", {"guide": shown, "others": others, "crumbs": crumbs})


@login_not_required
@requires_csrf_token
def bad_request(request, exception):
    return render(request, "400.html", status=400)


@login_not_required
@requires_csrf_token
def permission_denied(request, exception):
    return render(request, "403.html", status=403)


@login_not_required
@requires_csrf_token
def page_not_found(request, exception):
    return render(request, "404.html", status=404)


@login_not_required
def csrf_failure(request, reason=""):
    request.csrf_refused = True  # for the metrics
    return render(request, "403_csrf.html", status=403)


@login_not_required
def server_error(request):
    """Rendered without the request, so that it needs neither session nor database; called while the fault is handled,
    wherever it was raised: in a view, in a door before it, as the session was saved."""
    if unavailable.is_cause(sys.exc_info()[1]):
        return unavailable.answer(request)
    return HttpResponseServerError(render_to_string("500.html", site()))
