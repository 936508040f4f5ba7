from django import forms
from django.contrib import admin, messages
from django.db.models import ManyToManyField
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from ecare.admin_site import Confirmed, OfferedFilters, ReadOnlyAdmin
from ecare.french import paris_date, thousands
from systems import actions, readers
from systems.forms import TokenForm
from systems.models import Scope, System, Token, Usage

SCOPES = {Scope.DOSSIERS: "dossiers", Scope.AMOUNTS: "montants", Scope.STATISTICS: "statistiques"}
STATES = {"open": "Valable", "expired": "Expiré", "revoked": "Révoqué", "closed": "Système inactif"}


def _state_of(token: Token) -> str:
    if token.revoked_at is not None:
        return STATES["revoked"]
    if token.is_expired(timezone.now()):
        return STATES["expired"]
    return STATES["open"] if token.system.is_active else STATES["closed"]


def _spoken(token: Token) -> str:
    """What a token reads, in one sentence."""
    scopes = ", ".join(SCOPES[one] for one in token.scopes)
    domains = "tous les domaines" if token.all_domains else ", ".join(map(str, token.domains.all()))
    regions = "toutes les régions" if token.all_regions else ", ".join(map(str, token.regions.all()))
    return f"{scopes} – {domains} – {regions}"


def _table(titles, rows):
    head = format_html_join("", '<th scope="col">{}</th>', ((title,) for title in titles))
    cells = ((format_html_join("", "<td>{}</td>", ((cell,) for cell in row)),) for row in rows)
    body = format_html_join("", "<tr>{}</tr>", cells)
    return format_html("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>", head, body) if body else "–"


@admin.register(System)
class SystemAdmin(OfferedFilters, admin.ModelAdmin):
    """A system that read once stays: it is closed by « actif »."""

    actions = None
    fields = ["name", "purpose", "contact", "is_active"]
    list_display = ["name", "purpose", "contact", "is_active"]
    list_filter = ["is_active"]
    search_fields = ["name", "purpose", "contact"]

    def get_fields(self, request, obj=None):
        return [*self.fields, "tokens"] if obj else self.fields

    def get_readonly_fields(self, request, obj=None):
        return ["tokens"] if obj else []

    @admin.display(description="jetons")
    def tokens(self, system):
        found = system.tokens.prefetch_related("domains", "regions").select_related("system")
        rows = ((one.label, one.prefix, _state_of(one), _spoken(one), paris_date(one.expires_on)) for one in found)
        return _table(["intitulé", "début", "état", "lit", "dernier jour"], rows)

    def has_delete_permission(self, request, obj=None):
        return False

    def save_model(self, request, obj, form, change):
        verb = actions.change_system if change else actions.add_system
        verb(obj, by=request.user)


class StateFilter(admin.SimpleListFilter):
    title, parameter_name = "état", "etat"

    def lookups(self, request, model_admin):
        return [("valable", "Valable"), ("termine", "Expiré ou révoqué")]

    def queryset(self, request, queryset):
        open_now = {"revoked_at": None, "expires_on__gte": timezone.localdate()}
        if self.value() == "valable":
            return queryset.filter(**open_now)
        return queryset.exclude(**open_now) if self.value() == "termine" else queryset


@admin.register(Token)
class TokenAdmin(Confirmed, OfferedFilters, admin.ModelAdmin):
    """To add one is to issue it; what it reads never changes after that."""

    form = TokenForm
    actions = ["revoke"]
    list_display = ["label", "system", "prefix", "told_state", "reads", "expires_on", "last_used_at", "refused"]
    list_filter = [StateFilter, "system"]
    list_select_related = ["system"]
    search_fields = ["label", "prefix", "system__name"]
    formfield_overrides = {ManyToManyField: {"widget": forms.CheckboxSelectMultiple}}
    add_form_template = "admin/acts.html"
    fieldsets = (
        (
            None,
            {
                "fields": ("system", "label", "expires_on"),
                "description": "Sa valeur s’affiche une seule fois. Préparez d’abord l’endroit sûr où la placer.",
            },
        ),
        ("Ce qu’il lit", {"fields": ("scopes", "all_domains", "domains", "all_regions", "regions")}),
    )

    def get_queryset(self, request):
        found = super().get_queryset(request).prefetch_related("domains", "regions")
        return found.annotate(refusals=readers.refusals_of_a_month(timezone.now()))

    def get_fieldsets(self, request, obj=None):
        if obj is None:
            return self.fieldsets
        told = ("system", "label", "prefix", "told_state", "reads", "expires_on", "issued_at", "issued_by")
        return ((None, {"fields": (*told, "last_used_at", "revoked_at", "revoked_by", "usage")}),)

    def get_readonly_fields(self, request, obj=None):
        return ("told_state", "reads", "usage") if obj else ()

    def get_form(self, request, obj=None, change=False, **kwargs):
        if obj is not None:
            kwargs["form"] = forms.ModelForm
        return super().get_form(request, obj, change, **kwargs)

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def add_view(self, request, form_url="", extra_context=None):
        try:
            said = {"title": "Émettre un jeton", "act": "Émettre le jeton"}
            return super().add_view(request, form_url, said | (extra_context or {}))
        except actions.CannotIssue as refusal:  # since the form was checked
            messages.error(request, str(refusal))
            return HttpResponseRedirect(request.get_full_path())

    def save_form(self, request, form, change):
        return form.instance  # its verb saves it

    def save_model(self, request, obj, form, change):
        token, request.issued_value = actions.issue_token(
            obj.system,
            form.reach,
            by=request.user,
            at=request.arrived_at,
            label=obj.label,
            expires_on=obj.expires_on,
        )
        obj.pk, obj.prefix = token.pk, token.prefix

    def save_related(self, request, form, formsets, change):
        """Its verb wrote the limits too."""

    def response_add(self, request, obj, post_url_continue=None):
        """The one page that ever shows the value; PrivatePageMiddleware keeps it from being stored."""
        context = {
            **self.admin_site.each_context(request),
            "title": "Jeton émis",
            "token": Token.objects.get(pk=obj.pk),
            "value": request.issued_value,
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/systems/issued.html", context)

    @admin.display(description="état")
    def told_state(self, token):
        return _state_of(token)

    @admin.display(description="lit")
    def reads(self, token):
        return _spoken(token)

    @admin.display(description="usage, trente derniers jours de lecture")
    def usage(self, token):
        latest = token.usages.order_by("-day")[:30]
        rows = ((paris_date(one.day), *map(thousands, (one.requests, one.dossiers, one.refusals))) for one in latest)
        return _table(["jour", "lectures", "dossiers lus", "refus"], rows)

    @admin.display(description="refus, trente jours")
    def refused(self, token):
        return thousands(token.refusals or 0)

    @admin.action(description="Révoquer", permissions=["add"])
    def revoke(self, request, queryset):
        says = "Ces jetons n’ouvriront plus rien, dès maintenant et pour toujours. Personne n’en est averti :"
        if page := self.confirm(request, queryset, title="Révoquer", says=says):
            return page
        done = [actions.revoke_token(token, by=request.user, at=request.arrived_at) for token in queryset]
        if any(done):
            messages.success(request, f"Jetons révoqués\u00a0: {sum(done)}.")
        if not all(done):
            messages.warning(request, f"Déjà révoqués\u00a0: {len(done) - sum(done)}.")
        return None


@admin.register(Usage)
class UsageAdmin(ReadOnlyAdmin):
    """Who read how much, day by day; never what, nor from where."""

    actions = None
    list_display = ["day", "system", "label", "requests", "dossiers", "refusals"]
    list_filter = ["token__system", "day"]
    list_select_related = ["token__system"]
    search_fields = ["token__label", "token__prefix", "token__system__name"]

    @admin.display(description="système")
    def system(self, usage):
        return usage.token.system

    @admin.display(description="jeton")
    def label(self, usage):
        return f"{usage.token.label} ({usage.token.prefix}…)"
