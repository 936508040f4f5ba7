"""The register of the vault, to look at: names, sizes, digests; never a file."""

from django.contrib import admin

from evidence.models import StoredFile


@admin.register(StoredFile)
class StoredFileAdmin(admin.ModelAdmin):
    list_display = ["name", "size", "scan", "created_at", "created_by", "sha256"]
    list_filter = ["scan"]
    list_select_related = ["created_by"]
    search_fields = ["name", "sha256"]
    fields = ["name", "size", "media_type", "sha256", "scan", "key_name", "created_at", "created_by"]

    def has_module_permission(self, request):
        return request.user.is_staff

    def has_view_permission(self, request, obj=None):
        return request.user.is_staff

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False
