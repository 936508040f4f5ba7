"""How a dossier is read: texts that administrators write, and phone numbers."""

from itertools import groupby

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe

from applications.fields import spoken_phone

register = template.Library()


@register.filter
def prose(text: str):
    """Each line a paragraph, lines that start with « - » a list; everything is escaped."""
    lines = [line.strip() for line in (text or "").splitlines() if line.strip()]
    blocks = []
    for is_item, group in groupby(lines, key=lambda line: line.startswith("- ")):
        if is_item:
            items = format_html_join("", "<li>{}</li>", ((line[2:],) for line in group))
            blocks.append(format_html("<ul>{}</ul>", items))
        else:
            blocks.append(format_html_join("", "<p>{}</p>", ((line,) for line in group)))
    return mark_safe("".join(blocks))  # each block was escaped above


@register.filter
def phone(number: str) -> str:
    """+33 4 67 33 67 33, from +33467336733."""
    return spoken_phone(number) if number else ""
