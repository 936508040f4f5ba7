"""« Demander une nouvelle analyse »: of a file that the antivirus condemned, or came to no end with."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from evidence import scans
from evidence.models import Evidence
from evidence.purges import held_file


@require_POST
def scan_again(request, pk):
    """By the ANS, of a file of a dossier that it reads, in a space or beside them."""
    found = Evidence.objects.visible_to(request.user).select_related("file", "application")
    held = found.filter(file_id=pk).first() or held_file(pk, request.user)
    if held is None:
        raise Http404
    if not request.user.is_ans:
        raise PermissionDenied
    scans.scan_again(held.file, by=request.user, at=request.arrived_at)
    messages.success(request, f"L’antivirus analysera «\u00a0{held.file.name}\u00a0» à son tour.")
    return redirect("reviews:dossier", held.application.reference)
