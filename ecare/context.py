"""What every page may say of the site."""

from django.conf import settings


def site(request=None):
    return {
        "support_address": settings.SUPPORT_ADDRESS,
        "embedded": settings.EMBEDDED,
        "hosting": settings.HOSTING,
        "publisher": settings.PUBLISHER,
        "publisher_phone": settings.PUBLISHER_PHONE,
    }
