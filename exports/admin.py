from django.contrib import admin
from django.utils.html import format_html_join

from ecare.admin_site import ReadOnlyAdmin
from ecare.french import paris_datetime
from exports.models import Export
from exports.tables import downloads_of


@admin.register(Export)
class ExportAdmin(ReadOnlyAdmin):
    """Who took what out, and when; never the files."""

    list_display = ["label", "kind", "asked_by", "state", "created_at", "expires_at", "size", "downloads"]
    list_filter = ["kind", "state", "created_at"]
    list_select_related = ["asked_by"]
    search_fields = ["label", "what", "asked_by__last_name", "asked_by__email"]
    fields = [
        "number",
        "kind",
        "label",
        "what",
        "asked_by",
        "role",
        "regions",
        "state",
        "done",
        "total",
        "attempts",
        "created_at",
        "started_at",
        "finished_at",
        "expires_at",
        "name",
        "size",
        "sha256",
        "error",
        "log",
    ]
    readonly_fields = ["log"]

    @admin.display(description="téléchargements")
    def log(self, export):
        lines = downloads_of([export]).get(export.subject, [])
        return format_html_join("", "{}, {}<br>", ((entry.author, paris_datetime(entry.at)) for entry in lines)) or "–"
