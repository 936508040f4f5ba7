"""What every page may say of the site."""

from django.conf import settings


def site(request):
    return {"support_address": settings.SUPPORT_ADDRESS, "embedded": settings.EMBEDDED}
