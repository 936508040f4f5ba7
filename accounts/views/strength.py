"""How strong a password is, while it is typed."""

from dataclasses import asdict

from allauth.core import ratelimit
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from accounts import passwords
from accounts.models import User

LONGEST = 128
PERSONAL = ("username", "email", "first_name", "last_name")


@login_not_required
@never_cache
@require_POST
@sensitive_post_parameters("password1")
def password_strength(request):
    """For password.js: the rules that decide when the form is sent, one by one. Nothing is kept."""
    if not ratelimit.consume(request, action="password_strength"):
        return HttpResponse(status=429)
    password = request.POST.get("password1", "")[:LONGEST]
    told = passwords.judged(password, _person(request))
    return JsonResponse({"rules": [asdict(rule) for rule in told], "verdict": passwords.verdict(password, told)})


def _person(request) -> User | None:
    """Whoever is signed in or registers; nobody behind the link of a forgotten password, whom only the link knows."""
    if request.user.is_authenticated:
        return request.user
    if "username" not in request.POST:
        return None
    return User(**{name: request.POST.get(name, "")[:254] for name in PERSONAL})
