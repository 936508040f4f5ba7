"""The register of the vault, to look at: names, sizes, digests; never a file."""

from django.contrib import admin

from ecare.admin_site import ReadOnlyAdmin
from evidence.models import StoredFile


@admin.register(StoredFile)
class StoredFileAdmin(ReadOnlyAdmin):
    list_display = ["name", "size", "scan", "created_at", "created_by", "sha256"]
    list_filter = ["scan"]
    list_select_related = ["created_by"]
    search_fields = ["name", "sha256"]
    fields = ["name", "size", "media_type", "sha256", "scan", "key_name", "created_at", "created_by"]
