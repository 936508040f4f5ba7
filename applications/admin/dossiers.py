"""Dossiers and their sendings to consult, without answers or evidence."""

from django.contrib import admin

from applications.models import Application, Extension, Submission
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


@admin.register(Extension)
class ExtensionAdmin(ReadOnlyAdmin):
    """To look at: the ANS gives them on its own pages, which write to the establishment."""

    list_display = ["establishment", "domain", "step", "until", "state", "by", "at"]
    list_filter = ["domain", "step", "state"]
    list_select_related = ["establishment__ght", "domain", "by"]
    search_fields = ["establishment__name"]
    fields = [
        "establishment",
        "domain",
        "step",
        "until",
        "reason",
        "by",
        "at",
        "state",
        "ended_by",
        "ended_at",
        "message",
    ]
