"""Domains: calendar, envelope, rules of payment, scale."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.forms import DateInput
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods

from applications import domains
from applications.consequences import meaning
from applications.definitions import load_scale, rows_of
from applications.domain_forms import BracketForm, DomainForm, ScaleForm, ScaleFormSet
from applications.models import Application, Bracket, Domain
from applications.states import ENDED
from ecare.admin_site import OfferedFilters
from ecare.french import euros, thousands
from ecare.receiving import MEGABYTE, receives
from establishments.models import Establishment


class BracketInline(admin.TabularInline):
    model = Bracket
    form = BracketForm
    formset = ScaleFormSet
    template = "admin/rows.html"
    extra = 1


@admin.register(Domain)
class DomainAdmin(OfferedFilters, admin.ModelAdmin):
    actions = None
    form = DomainForm
    inlines = [BracketInline]
    formfield_overrides = {
        models.URLField: {"assume_scheme": "https"},
        models.DateField: {"widget": DateInput(format="%Y-%m-%d", attrs={"type": "date"})},
    }
    list_display = [
        "name",
        "amount",
        "candidature_from",
        "candidature_until",
        "declaration_from",
        "declaration_until",
        "is_trial",
    ]
    prepopulated_fields = {"slug": ["name"]}
    change_form_template = "admin/applications/domain/change_form.html"
    fieldsets = [
        (None, {"fields": ["shown", "confirmed", "name", "slug", "position", "summary", "more_url", "guide_url"]}),
        (
            "Ouverture",
            {
                "fields": ["expenses_from", "is_trial"],
                "description": "Une dépense plus ancienne que ce jour est refusée, et la page dit pourquoi.",
            },
        ),
        (
            "Candidature",
            {
                "fields": ["candidature_from", "candidature_until", "candidature_first_submission_until"],
                "description": "Jours de Paris ; un dernier jour compte jusqu’à sa dernière seconde. Un dossier "
                "transmis une fois peut encore être corrigé après le dernier jour.",
            },
        ),
        (
            "Déclaration d’atteinte des objectifs",
            {
                "fields": ["declaration_from", "declaration_until"],
                "description": "La déclaration d’un dossier s’ouvre quand sa convention est signée, au plus tôt ce "
                "jour-là. Sans dernier jour, elle reste ouverte.",
            },
        ),
        (
            "Éligibilité et montants (le barème lui-même est plus bas)",
            {
                "fields": [
                    "kinds",
                    "envelope",
                    "floor",
                    "payment",
                    "commitment",
                    "activity_year",
                    "has_official_scale",
                ],
                "description": "Les montants se saisissent en euros.",
            },
        ),
    ]

    @admin.display(description="enveloppe", ordering="envelope")
    def amount(self, domain):
        return euros(domain.envelope)

    def get_urls(self):
        page = self.admin_site.admin_view(self.scale)
        return [path("<int:pk>/bareme/", page, name="applications_domain_scale"), *super().get_urls()]

    def has_delete_permission(self, request, obj=None):
        return False

    def get_readonly_fields(self, request, obj=None):
        """The public address of a domain and the journal name it so."""
        return ["slug"] if obj else []

    def get_prepopulated_fields(self, request, obj=None):
        return {} if obj else self.prepopulated_fields

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change, **kwargs)
        form.at = request.arrived_at
        return form

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        context |= {"show_save_and_add_another": False}
        if obj is not None:
            stored = Domain.objects.get(pk=obj.pk)  # what was typed is not what counts today
            context |= {"meaning": meaning(stored), "consequences": context["adminform"].form.consequences}
        return super().render_change_form(request, context, add, change, form_url, obj)

    def save_model(self, request, obj, form, change):
        domains.save_domain(
            obj, by=request.user, shown=form.cleaned_data.get("shown", ""), consequences=form.consequences
        )

    def save_related(self, request, form, formsets, change):
        before = rows_of(form.instance)
        super().save_related(request, form, formsets, change)
        domains.tell_scale(form.instance, by=request.user, before=before)

    @receives("administrator", file=10 * MEGABYTE)
    def scale(self, request, pk):
        """The scale from a CSV file: first what it would change, then the verb."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        domain = get_object_or_404(Domain, pk=pk)
        return require_http_methods(["GET", "HEAD", "POST"])(self._scale)(request, domain)

    def _scale(self, request, domain):
        sent = (request.POST, request.FILES) if request.method == "POST" else ()
        form = ScaleForm(domain, *sent, initial={"is_official": domain.has_official_scale})
        read = form.is_valid()
        if read and "apply" in request.POST:
            is_official = form.cleaned_data["is_official"]
            done = load_scale(domain, form.brackets, is_official=is_official, by=request.user)
            said = "Le barème est remplacé." if done else "Le barème disait déjà cela : rien n’a changé."
            self.message_user(request, said, messages.SUCCESS)
            return HttpResponseRedirect(reverse("admin:applications_domain_change", args=[domain.pk]))
        context = {
            "title": f"Barème de {domain}",
            "domain": domain,
            "form": form,
            "is_read": read,
            "content": _as_csv(domain, form.brackets) if read else "",
            "kinds": _side_by_side(list(domain.scale.all()), form.brackets) if read else [],
            "under_way": Application.objects.filter(domain=domain).exclude(state__in=ENDED).count(),
            "opts": self.opts,
        }
        context |= self.admin_site.each_context(request)
        return TemplateResponse(request, "admin/applications/domain/scale.html", context)


def _as_csv(domain: Domain, brackets: list[Bracket]) -> str:
    """What was read, for the page that confirms it."""
    lines = ["domaine;type;journees_de;journees_a;plafond_euros"]
    for one in brackets:
        until = "" if one.days_until is None else one.days_until
        amount = f"{one.ceiling // 100},{one.ceiling % 100:02d}"
        lines.append(f"{domain.slug};{one.kind};{one.days_from};{until};{amount}")
    return "\n".join(lines)


def _side_by_side(present: list[Bracket], wanted: list[Bracket]) -> list[dict]:
    """By kind of establishment: what is in force, what the file says, and whether they differ."""
    found = []
    for kind in Establishment.Kind:
        before = [_said(one) for one in present if one.kind == kind]
        after = [_said(one) for one in sorted(wanted, key=lambda one: one.days_from) if one.kind == kind]
        if before or after:
            found.append({"kind": kind.label, "before": before, "after": after, "is_changed": before != after})
    return found


def _said(bracket: Bracket) -> str:
    until = "et au-delà" if bracket.days_until is None else f"à {thousands(bracket.days_until)}"
    days = f"{thousands(bracket.days_from)} {until}"
    return format_html("{} : <strong>{}</strong>", f"de {days}", euros(bracket.ceiling))
