"""The letters about exports: to whoever asked, never with the file."""

from django.urls import reverse

from ecare.letters.emails import compose
from ecare.letters.models import Letter
from exports.models import Export


def export_ready(export: Export) -> Letter:
    return _about(export, "export_ready")


def export_failed(export: Export) -> Letter:
    return _about(export, "export_failed")


def _about(export: Export, name: str) -> Letter:
    context = {"export": export, "person": export.asked_by, "path": reverse("exports:exports")}
    return compose(name, to=export.asked_by.email, subject=export.subject, context=context)
