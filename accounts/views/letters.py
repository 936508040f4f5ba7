"""« Vos courriers »: each at once, or one a day."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts import actions
from accounts.forms import LettersForm


@require_http_methods(["GET", "HEAD", "POST"])
def letters(request):
    form = LettersForm(
        request.POST if request.method == "POST" else None,
        initial={"daily": "oui" if request.user.wants_daily_letter else "non"},
    )
    if form.is_valid():
        actions.choose_letters(request.user, daily=form.cleaned_data["daily"])
        messages.success(request, "Votre choix est enregistré.")
        return redirect("accounts:letters")
    return render(request, "accounts/letters.html", {"form": form})
