"""Dossiers and their sendings to consult, without answers or evidence."""

from django.contrib import admin

from applications.models import Application, Submission
from ecare.admin_site import MatchingSearch, ReadOnlyAdmin


@admin.register(Application)
class ApplicationAdmin(MatchingSearch, ReadOnlyAdmin):
    list_display = ["reference", "domain", "establishment", "referent", "state", "moved_at"]
    list_filter = ["domain", "state"]
    list_select_related = ["domain", "establishment__ght", "referent"]


@admin.register(Submission)
class SubmissionAdmin(ReadOnlyAdmin):
    list_display = ["application", "step", "number", "at", "by", "digest"]
    list_filter = ["step"]
    list_select_related = ["application", "by"]
    search_fields = ["application__reference", "digest"]
    fields = ["application", "step", "number", "at", "by", "digest"]
