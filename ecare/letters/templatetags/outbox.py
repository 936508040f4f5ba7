from django import template
from django.utils import timezone

from ecare.letters.models import Letter
from ecare.letters.names import fault

register = template.Library()


@register.inclusion_tag("admin/letters/_stuck.html")
def stuck_letters():
    """How many letters should have left and have not, since when, and why: nothing while all is well."""
    stuck = Letter.objects.stuck(timezone.now())
    oldest = stuck.order_by("created_at").only("created_at", "error").first()
    if oldest is None:
        return {"count": 0}
    return {"count": stuck.count(), "since": oldest.created_at, "why": fault(oldest.error)}


@register.filter
def is_stuck(letter: Letter) -> bool:
    return letter.is_stuck(timezone.now())


register.filter("fault", fault)
