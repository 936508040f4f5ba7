"""The directory, to look at: only an import writes it, which is asked for and confirmed here."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.views.decorators.http import require_POST

from ecare.admin_site import MatchingSearch, OfferedFilters, ReadOnlyAdmin, ReadOnlyInline
from ecare.french import thousands
from ecare.receiving import receives
from establishments import imports
from establishments.forms import MOST_BYTES, ImportForm
from establishments.models import (
    Activity,
    Department,
    DirectoryImport,
    Establishment,
    Ght,
    ImportRequest,
    LegalEntity,
    Region,
    Site,
)

REMARKS = ["gravité", "fichier", "ligne", "motif"]
REMARKS_PER_PAGE = 50
MOST_CLOSED = 20  # one in so many


class StateFilter(admin.SimpleListFilter):
    title, parameter_name = "état", "etat"

    def lookups(self, request, model_admin):
        return [("ouverts", "Ouverts"), ("fermes", "Fermés")]

    def queryset(self, request, queryset):
        if self.value() in ("ouverts", "fermes"):
            return queryset.filter(closed_on__isnull=self.value() == "ouverts")
        return queryset


@admin.register(Region)
class RegionAdmin(ReadOnlyAdmin):
    list_display = ["code", "name", "ars"]


@admin.register(Department)
class DepartmentAdmin(ReadOnlyAdmin):
    list_display = ["code", "name", "region"]
    list_filter = ["region"]
    list_select_related = ["region"]


class SiteInline(ReadOnlyInline):
    model = Site
    fields = ["finess", "name", "town", "category_label", "closed_on"]


class ActivityInline(ReadOnlyInline):
    model = Activity
    fields = ["year", "days"]


@admin.register(LegalEntity)
class LegalEntityAdmin(MatchingSearch, ReadOnlyAdmin):
    list_display = ["finess", "name", "town", "department", "legal_status_label", "closed_on"]
    list_filter = [StateFilter, ("department__region", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["department"]
    inlines = [ActivityInline, SiteInline]


@admin.register(Site)
class SiteAdmin(MatchingSearch, ReadOnlyAdmin):
    list_display = ["finess", "name", "town", "category_label", "legal_entity", "closed_on"]
    list_filter = [StateFilter, "category_aggregate"]
    list_select_related = ["legal_entity"]


@admin.register(Ght)
class GhtAdmin(MatchingSearch, ReadOnlyAdmin):
    list_display = ["code", "name", "support", "closed_on"]
    list_filter = [StateFilter]
    list_select_related = ["support"]


@admin.register(Establishment)
class EstablishmentAdmin(MatchingSearch, ReadOnlyAdmin):
    list_display = ["name", "kind", "ght_code", "finess", "region", "closed_on"]
    list_filter = [StateFilter, "kind", "region"]
    list_select_related = ["ght", "legal_entity", "region"]

    @admin.display(description="code GHT", ordering="ght__code")
    def ght_code(self, establishment):
        return establishment.ght.code if establishment.ght else ""

    @admin.display(description="FINESS EJ", ordering="legal_entity__finess")
    def finess(self, establishment):
        return establishment.finess


@admin.register(DirectoryImport)
class DirectoryImportAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "at", "by", "changed", "closed", "refused", "warned"]
    fields = ["at", "by", "files_read", "figures", "remarks_made"]

    @admin.display(description="créées ou modifiées")
    def changed(self, report):
        return report.total("created") + report.total("changed") + report.total("reopened")

    @admin.display(description="fermées")
    def closed(self, report):
        return report.total("closed")

    @admin.display(description="refusées")
    def refused(self, report):
        return report.total("refused")

    @admin.display(description="signalées")
    def warned(self, report):
        return report.total("warned")

    @admin.display(description="fichiers lus")
    def files_read(self, report):
        return _files(report)

    @admin.display(description="compteurs")
    def figures(self, report):
        return _figures(report)

    @admin.display(description="lignes refusées ou signalées")
    def remarks_made(self, report):
        return _table(REMARKS, _remarks(report, report.remarks)) if report.remarks else "Aucune."


UPLOADS = ("legal_entities", "sites", "ghts", "activities", "archive")


@admin.register(ImportRequest)
class ImportRequestAdmin(OfferedFilters, admin.ModelAdmin):
    """The files are sent, tried, read and confirmed here; workers do the rest."""

    actions = None
    form = ImportForm
    fields = UPLOADS
    list_display = ["__str__", "by", "state", "is_running", "report"]
    list_filter = ["state"]
    list_select_related = ["report"]
    add_form_template = "admin/establishments/importrequest/add.html"
    change_form_template = "admin/establishments/importrequest/page.html"

    def get_urls(self):
        pages = [("confirmer", self.confirm, "confirm"), ("abandonner", self.give_up, "giveup")]
        urls = [
            path(
                f"<uuid:pk>/{address}/",
                self.admin_site.admin_view(require_POST(view)),
                name=f"establishments_importrequest_{name}",
            )
            for address, view, name in pages
        ]
        return [*urls, *super().get_urls()]

    @receives("administrator", **dict.fromkeys(UPLOADS, MOST_BYTES))
    def add_view(self, *args, **kwargs):
        return super().add_view(*args, **kwargs)

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def get_queryset(self, request):
        found = super().get_queryset(request)
        return found if request.resolver_match.url_name.endswith("_change") else found.defer("trial")

    @admin.display(description="en cours", boolean=True)
    def is_running(self, asked):
        return asked.is_awaited

    def save_model(self, request, obj, form, change):
        kept = imports.ask(form.sent, by=request.user.actor, at=request.arrived_at)
        obj.pk, obj.asked_at, obj.state = kept.pk, kept.asked_at, kept.state

    def response_add(self, request, obj, post_url_continue=None):
        self.message_user(request, "Les fichiers sont reçus. L’essai à blanc commence : rien n’est encore changé.")
        return HttpResponseRedirect(_page_of(obj.pk))

    def get_fields(self, request, obj=None):
        return self.fields if obj is None else []

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        if obj is not None:
            context |= _page(request, obj)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def confirm(self, request, pk):
        return self._do(request, pk, imports.confirm, "L’import est demandé : il commence dans un instant.")

    def give_up(self, request, pk):
        return self._do(request, pk, imports.give_up, "La mise à jour est abandonnée : rien n’a changé.")

    def _do(self, request, pk, verb, said):
        if not self.has_add_permission(request):
            raise PermissionDenied
        asked = get_object_or_404(ImportRequest, pk=pk)
        try:
            verb(asked, by=request.user.actor)
        except imports.NotNow as refused:
            self.message_user(request, str(refused), messages.ERROR)
        else:
            self.message_user(request, said)
        return HttpResponseRedirect(_page_of(pk))


def _page_of(pk) -> str:
    return reverse("admin:establishments_importrequest_change", args=[pk])


def _page(request, asked: ImportRequest) -> dict:
    """The report of the trial or of the import; its remarks fifty at a time, all or of one severity (`?gravite=`)."""
    report = asked.report or asked.tried
    context = {"title": str(asked), "subtitle": None, "told": report, "is_imported": asked.report is not None}
    if report is None:
        return context
    severity = request.GET.get("gravite", "")
    remarks = [one for one in report.remarks if severity not in report.SEVERITIES or one["severity"] == severity]
    page = Paginator(remarks, REMARKS_PER_PAGE).get_page(request.GET.get("page"))
    closing = _closing(report)
    return context | {
        "files": _files(report),
        "figures": _figures(report),
        "remarks": _table(REMARKS, _remarks(report, page)) if remarks else "",
        "page": page,
        "severity": severity if severity in report.SEVERITIES else "",
        "severities": report.SEVERITIES,
        "closing": closing if not context["is_imported"] else [],
    }


def _closing(report: DirectoryImport) -> list[str]:
    """What a truncated file looks like: more than one row in twenty would close."""
    told = []
    for kind, title in report.KINDS.items():
        counts = report.counts[kind]
        present = counts["closed"] + counts["unchanged"] + counts["changed"]
        if counts["closed"] and counts["closed"] * MOST_CLOSED > present:
            told.append(f"{title} : {thousands(counts['closed'])} fermetures sur {thousands(present)} au répertoire.")
    return told


def _files(report):
    rows = [(file["name"], file["stamp"] or "–", file["lines"]) for file in report.files]
    return _table(["fichier", "extrait du", "lignes"], rows)


def _figures(report):
    rows = [
        (title, *(thousands(report.counts[kind][measure]) for measure in report.MEASURES))
        for kind, title in report.KINDS.items()
    ]
    return _table(["nature", *report.MEASURES.values()], rows)


def _remarks(report, remarks):
    return [
        (report.SEVERITIES[remark["severity"]], remark["file"], remark["line"] or "–", remark["reason"])
        for remark in remarks
    ]


def _table(titles, rows):
    head = format_html_join("", '<th scope="col">{}</th>', ((title,) for title in titles))
    body = format_html_join(
        "", "<tr>{}</tr>", ((format_html_join("", "<td>{}</td>", ((cell,) for cell in row)),) for row in rows)
    )
    return format_html("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>", head, body)
