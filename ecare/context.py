"""What every page may say of the site."""

from functools import cache

import yaml
from django.conf import settings

from ecare import tracing


def site(request=None):
    return {
        "support_address": settings.SUPPORT_ADDRESS,
        "embedded": settings.EMBEDDED,
        "demo": _demo() if settings.EMBEDDED else None,
        "hosting": settings.HOSTING,
        "publisher": settings.PUBLISHER,
        "publisher_phone": settings.PUBLISHER_PHONE,
        "reference_for_support": tracing.current(),
    }


@cache
def _demo() -> dict:
    """Who may sign in where everybody is fictitious, as `make run` prints it."""
    told = yaml.safe_load((settings.BASE_DIR / "fixtures" / "demo" / "demo.yaml").read_text(encoding="utf-8"))
    return {"password": told["password"], "accounts": told["accounts"]}
