"""« Contacts de l’établissement »: the pages behind the dialogs of a dossier's pages."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts import typed
from applications import people, rules
from applications.actions import NotNow
from applications.models import Application
from applications.people_forms import ContactForm, contact_forms
from applications.views import HOME, own_dossier

CLOSED = "Les contacts d’un dossier retiré ou abandonné ne changent plus."


def _editable(request, reference: str) -> Application:
    """The dossier of this référent whose contacts may change (else 409)."""
    application = own_dossier(request, reference)
    if not rules.may_update_contacts(application):
        raise NotNow(CLOSED)
    return application


def _page(application: Application, title: str) -> dict:
    address = reverse("applications:detail", args=[application.reference])
    return {
        "application": application,
        "form_address": address,
        "crumbs": [*HOME, (application.domain.name, address), (title, "")],
    }


@require_safe
def contacts(request, reference):
    """The DSI and the RSSI, each with its link to be edited."""
    application = _editable(request, reference)
    context = _page(application, "Contacts de l’établissement")
    context["contact_forms"] = contact_forms(application.contacts.all())
    return render(request, "applications/contacts.html", context)


@typed.comes_back
@require_http_methods(["GET", "HEAD", "POST"])
def update_contact(request, reference, role):
    """« Mise à jour du contact »."""
    application = _editable(request, reference)
    forms = {form.role: form for form in contact_forms(application.contacts.all(), typed.filled(request))}
    if role not in forms:
        raise Http404
    form: ContactForm = forms[role]
    if request.method == "POST" and form.is_valid() and _saved(request, application, form):
        return redirect("applications:detail", reference)
    context = _page(application, "Mise à jour du contact") | {"form": form}
    return render(request, "applications/update_contact.html", context)


def _saved(request, application: Application, form: ContactForm) -> bool:
    """Keep what was typed and say so; what changed elsewhere meanwhile is said in the form."""
    values = {name: value for name, value in form.cleaned_data.items() if name != "mark"}
    try:
        changed = people.update_contact(
            application, by=request.user, role=form.role, values=values, mark=form.cleaned_data["mark"] or None
        )
    except people.ContactMoved as moved:
        form.show_as_moved(moved)
        return False
    if changed:
        messages.success(request, f"Les coordonnées du contact {form.label} sont enregistrées.")
    else:
        messages.info(request, f"Vous n’avez rien changé aux coordonnées du contact {form.label}.")
    return True
