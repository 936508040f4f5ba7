"""The directory and its imports, to look at: only the import writes them."""

from django.contrib import admin
from django.utils.html import format_html, format_html_join

from ecare.admin_site import MatchingSearch, ReadOnlyAdmin, ReadOnlyInline
from establishments.models import (
    Activity,
    Department,
    DirectoryImport,
    Establishment,
    Ght,
    LegalEntity,
    Region,
    Site,
)


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
        rows = [(file["name"], file["stamp"] or "–", file["lines"]) for file in report.files]
        return _table(["fichier", "extrait du", "lignes"], rows)

    @admin.display(description="compteurs")
    def figures(self, report):
        rows = [
            (title, *(report.counts[kind][measure] for measure in report.MEASURES))
            for kind, title in report.KINDS.items()
        ]
        return _table(["", *report.MEASURES.values()], rows)

    @admin.display(description="lignes refusées ou signalées")
    def remarks_made(self, report):
        rows = [
            (report.SEVERITIES[remark["severity"]], remark["file"], remark["line"] or "–", remark["reason"])
            for remark in report.remarks
        ]
        return _table(["gravité", "fichier", "ligne", "motif"], rows) if rows else "Aucune."


def _table(titles, rows):
    head = format_html_join("", "<th>{}</th>", ((title,) for title in titles))
    body = format_html_join(
        "", "<tr>{}</tr>", ((format_html_join("", "<td>{}</td>", ((cell,) for cell in row)),) for row in rows)
    )
    return format_html("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>", head, body)
