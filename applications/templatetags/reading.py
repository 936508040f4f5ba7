"""How a dossier is read: texts that administrators write, phone numbers, and what a question expects."""

from itertools import groupby

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe

from applications.fields import CONTACT_LENGTH, LONG_TEXT_LENGTH, REASON_LENGTH, TEXT_LENGTH, spoken_phone
from applications.models import Question
from ecare.french import thousands

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


@register.filter
def expected(question: Question) -> str:
    """What kind of answer a question takes, and its limits, as its field checks them."""
    if question.kind == Question.Kind.TEXT:
        length = CONTACT_LENGTH if question.contact_role else TEXT_LENGTH
        return f"Texte court, {length} caractères au plus"
    return _EXPECTED.get(question.kind, question.get_kind_display())


_EXPECTED: dict[str, str] = {
    Question.Kind.LONG_TEXT: f"Texte libre, {thousands(LONG_TEXT_LENGTH)} caractères au plus",
    Question.Kind.EMAIL: "Une adresse e-mail",
    Question.Kind.PHONE: "Un numéro de téléphone, de métropole, d’outre-mer ou de l’étranger",
    Question.Kind.IBAN: "Sa clé de contrôle est vérifiée",
    Question.Kind.BIC: "8 ou 11 caractères",
    Question.Kind.NUMBER: "Nombre entier",
    Question.Kind.AMOUNT: "Montant en euros, deux chiffres au plus après la virgule",
    Question.Kind.CIVILITY: "Madame ou Monsieur",
    Question.Kind.CHOICE: "Une réponse à choisir",
    Question.Kind.CHOICES: "Une ou plusieurs réponses à choisir",
    Question.Kind.CHECKBOX: "Case à cocher",
    Question.Kind.SIRET: "SIRET, 14 chiffres",
    Question.Kind.CHECKLIST: (
        f"Chaque entité rattachée est confirmée, ou son absence expliquée ({REASON_LENGTH} caractères au plus)"
    ),
}
