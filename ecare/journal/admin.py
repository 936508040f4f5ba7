from django.contrib import admin

from ecare.admin_site import ReadOnlyAdmin
from ecare.journal.models import Entry


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    """The history, to read."""

    list_display = ["at", "subject", "sequence", "verb", "actor_label", "from_state", "to_state"]
    list_filter = ["verb", "at"]
    search_fields = ["subject", "actor_label"]
    ordering = ["-at"]
