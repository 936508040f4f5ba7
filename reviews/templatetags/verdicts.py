"""What the other desk thinks of a file."""

from django import template

from reviews.models import FileVerdict

register = template.Library()


@register.simple_tag
def verdict_on(verdicts: dict[str, FileVerdict], file: str) -> FileVerdict | None:
    return verdicts.get(file)
