"""What « Votre compte » shows of dossiers: the account knows none."""

from django import template

from applications.models import Application
from applications.people_forms import TransferForm

register = template.Library()


@register.simple_tag
def transferable_by(user) -> list[Application]:
    """The dossiers that this référent may give to a colleague."""
    return list(Application.objects.transferable_by(user))


@register.simple_tag
def transfer_form(colleague, dossiers) -> TransferForm:
    """The form of one colleague's dialog."""
    return TransferForm(colleague, dossiers)
