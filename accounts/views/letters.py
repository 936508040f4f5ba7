"""« Vos courriers »: each at once, or one a day."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts import actions, typed
from accounts.forms import LettersForm


@typed.comes_back
@require_http_methods(["GET", "HEAD", "POST"])
def letters(request):
    form = LettersForm(
        typed.filled(request),
        initial={"daily": "oui" if request.user.wants_daily_letter else "non"},
    )
    if request.method == "POST" and form.is_valid():
        actions.choose_letters(request.user, daily=form.cleaned_data["daily"])
        messages.success(request, "Votre choix est enregistré.")
        return redirect("accounts:letters")
    return render(request, "accounts/letters.html", {"form": form})
