"""What a page says, spaces made plain."""

import html
import re

from django.urls import reverse


def text_of(response) -> str:
    return re.sub(r"\s+", " ", html.unescape(response.content.decode()).replace("\u00a0", " "))


def address(name, application, *more) -> str:
    return reverse(f"applications:{name}", args=[application.reference, *more])
