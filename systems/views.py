"""The page of the API, its document, and what is none of its addresses."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from applications.states import REVIEWER_LABELS
from establishments.models import Establishment
from systems import openapi as documents
from systems.api import LONGEST, ROOT
from systems.bearers import WAIT_FOR_STRANGERS
from systems.models import Scope, Token
from systems.problems import Refused
from systems.readers import SETTLED_AFTER
from systems.schemas import STATES


@login_not_required
@require_safe
def documentation(request):
    """Made of the document that machines read."""
    context = {
        "crumbs": [("API de lecture", "")],
        "root": ROOT,
        "site": settings.SITE_ADDRESS,
        "scopes": Scope.choices,
        "readings": documents.readings(),
        "states": [(one, REVIEWER_LABELS[one]) for one in STATES],
        "kinds": Establishment.Kind.choices,
        "faults": documents.faults(),
        "per_minute": settings.API_READINGS_PER_MINUTE,
        "wait": WAIT_FOR_STRANGERS // 60,
        "longest": LONGEST,
        "life": Token.LONGEST_LIFE_DAYS,
        "settled": int(SETTLED_AFTER.total_seconds()),
    }
    return render(request, "systems/documentation.html", context)


def openapi(request):
    return JsonResponse(documents.document(), json_dumps_params={"ensure_ascii": False})


def nothing(request, rest):
    raise Refused(404, "Cette adresse n’existe pas. La page /api/ dit celles qui existent.")
