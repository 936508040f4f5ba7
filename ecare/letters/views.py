"""The local mailbox: every letter that left, secrets included. Only embedded mode has these pages."""

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp, csp_update
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from ecare.letters import files
from ecare.letters.models import Letter
from ecare.letters.tables import MailboxTable
from ecare.lists import lay_out

# A mail styles itself inline, and may do nothing else: no script, no image, no form.
MAIL_POLICY = {
    "default-src": [NONE],
    "style-src": [UNSAFE_INLINE],
    "base-uri": [NONE],
    "form-action": [NONE],
    "frame-ancestors": [SELF],
    "sandbox": ["allow-top-navigation-by-user-activation"],
}


@require_safe
@never_cache
@login_not_required
def mailbox(request):
    """Newest first; `?destinataire=` keeps the letters of one person."""
    recipient = request.GET.get("destinataire", "").replace("\0", "").strip()
    letters = _sent().defer("text", "html", "secret")
    if recipient:
        letters = letters.filter(recipient__icontains=recipient)
    table = MailboxTable(letters)
    lay_out(table, request, length=25)
    return render(request, "letters/mailbox.html", {"table": table, "recipient": recipient})


@csp_update({"frame-src": [SELF]})  # type: ignore[arg-type]
@require_safe
@never_cache
@login_not_required
def letter(request, pk):
    letter, mail = _letter_and_mail(pk)
    context = {"letter": letter, "sender": mail["From"], "text": files.part_of(mail, "plain")}
    return render(request, "letters/letter.html", context)


@csp(MAIL_POLICY)  # type: ignore[arg-type]
@xframe_options_sameorigin
@require_safe
@never_cache
@login_not_required
def html(request, pk):
    """The HTML part alone, for the frame of the letter's page: no script, its links open the whole window."""
    _, mail = _letter_and_mail(pk)
    document = files.part_of(mail, "html").replace("<head>", '<head><base target="_top">', 1)
    return HttpResponse(document)


def _sent():
    if not settings.EMBEDDED:
        raise Http404
    return Letter.objects.filter(state=Letter.State.SENT)


def _letter_and_mail(pk):
    letter = get_object_or_404(_sent(), pk=pk)
    mail = files.read(letter)
    if mail is None:
        raise Http404
    return letter, mail
