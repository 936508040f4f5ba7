"""« Vos courriers »: each at once, or one a day; the Monday letter of agents."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts import actions, typed
from accounts.forms import LettersForm


@typed.comes_back
@require_http_methods(["GET", "HEAD", "POST"])
def letters(request):
    user = request.user
    initial = {"daily": "oui" if user.wants_daily_letter else "non", "weekly": user.wants_weekly_letter}
    form = LettersForm(typed.filled(request), initial=initial, has_desk=user.is_reviewer)
    if request.method == "POST" and form.is_valid():
        actions.choose_letters(user, daily=form.cleaned_data["daily"], weekly=form.cleaned_data.get("weekly"))
        messages.success(request, "Votre choix est enregistré.")
        return redirect("accounts:letters")
    return render(request, "accounts/letters.html", {"form": form})
