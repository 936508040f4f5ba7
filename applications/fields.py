"""One form field per kind of question: what is typed becomes the shape that `Answer.value` documents, and back.

A draft may be incomplete, so no field refuses emptiness (`marked_required` shows the asterisk); what is typed is
always checked, and each refusal says what to do.
"""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation

import phonenumbers
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from schwifty import BIC, IBAN
from schwifty import exceptions as schwifty_errors
from stdnum import exceptions as stdnum_errors
from stdnum.fr import siret

from accounts.forms import NAME, NO_NAME
from accounts.models import Civility
from accounts.phones import parsed
from applications.expenses import ExpensesField
from applications.models import Question
from ecare.french import euros, thousands

TEXT_LENGTH = 200
CONTACT_LENGTH = 150
LONG_TEXT_LENGTH = 5000
REASON_LENGTH = 500
MAX_NUMBER = 999_999_999
MAX_CENTS = 100_000_000_000
FEW_CHOICES = 6
NAMES = ("last_name", "first_name")  # fields of a contact
NO_EXPENSE = "Le montant doit être supérieur à 0 €. Effacez la ligne si elle est sans objet."
EARLIEST, LATEST = date(1900, 1, 1), date(2100, 12, 31)


class _DraftField(forms.Field):
    """May stay empty: a draft is complete only when it is sent."""

    shows_stored = False  # what is stored, although something was typed

    def __init__(self, **options):
        super().__init__(**options | {"required": False})

    def widget_attrs(self, widget):
        """A browser that cuts a long text at `maxlength` does so in silence: the server says it instead."""
        return {name: value for name, value in super().widget_attrs(widget).items() if name != "maxlength"}

    def typed(self, value):
        """What the person would type to get the stored `value`."""
        return value

    def bound_data(self, data, initial):
        return initial if self.shows_stored else super().bound_data(data, initial)


class _TextField(_DraftField, forms.CharField):
    def __init__(self, *, max_length, **options):
        options.setdefault("error_messages", {})["max_length"] = (
            f"Ce texte est trop long : {thousands(max_length)} caractères au plus, il en compte %(show_value)d. "
            "Raccourcissez-le."
        )
        super().__init__(max_length=max_length, **options)


class LineField(_TextField):
    def to_python(self, value):
        return " ".join(super().to_python(value).split())


class NameField(LineField):
    """The name of a contact, which letters tell: the rule of « Mise à jour du contact »."""

    def __init__(self, **options):
        super().__init__(max_length=CONTACT_LENGTH, validators=[RegexValidator(NAME, NO_NAME)], **options)


class LongTextField(_TextField):
    widget = forms.Textarea(attrs={"rows": 5})

    def __init__(self, **options):
        super().__init__(max_length=LONG_TEXT_LENGTH, **options)

    def to_python(self, value):
        return super().to_python(value).replace("\r\n", "\n")


class EmailField(_DraftField, forms.EmailField):
    default_error_messages = {
        "invalid": "Cette adresse e-mail n’est pas valable. Exemple : prenom.nom@etablissement.fr."
    }


class PhoneField(_DraftField, forms.CharField):
    """Any valid number; one without country code is French, metropolitan or overseas."""

    widget = forms.TextInput(attrs={"type": "tel", "inputmode": "tel"})
    default_error_messages = {
        "invalid": "Ce numéro de téléphone n’est pas reconnu. Exemples : 04 67 33 67 33, +33 4 67 33 67 33."
    }

    def clean(self, value):
        value = super().clean(value)
        if not value:
            return ""
        number = parsed(value)
        if number is None:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return number.as_e164

    def typed(self, value):
        return spoken_phone(value) if value else ""


class NumberField(_DraftField):
    widget = forms.TextInput(attrs={"inputmode": "numeric"})
    default_error_messages = {
        "invalid": "Saisissez un nombre entier, en chiffres. Exemple : 1 250.",
        "too_big": f"Ce nombre est trop grand : saisissez au plus {MAX_NUMBER:,}.".replace(",", "\u202f"),
    }

    def to_python(self, value):
        text = re.sub(r"\s", "", value or "")
        if not text:
            return None
        if not re.fullmatch(r"[0-9]+", text):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        if len(text) > 12 or int(text) > MAX_NUMBER:
            raise ValidationError(self.error_messages["too_big"], code="too_big")
        return int(text)


class AmountField(_DraftField):
    """Euros as a French person types them (« 7 000,50 ») to whole cents."""

    widget = forms.TextInput(attrs={"inputmode": "decimal"})
    default_error_messages = {
        "invalid": (
            "Saisissez un montant en euros, sans point, avec deux chiffres au plus après la virgule. "
            "Exemple : 7 000,50."
        ),
        "too_big": f"Ce montant est trop grand : saisissez au plus {euros(MAX_CENTS)}.",
        "nothing": "Saisissez un montant supérieur à 0 €. Exemple : 7 000,50.",
    }

    def to_python(self, value):
        text = re.sub(r"[\s€]", "", value or "").replace(",", ".")
        if not text:
            return None
        if not re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,2})?", text):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        try:
            cents = int(Decimal(text) * 100)
        except InvalidOperation:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None
        if cents == 0:
            raise ValidationError(self.error_messages["nothing"], code="nothing")
        if cents > MAX_CENTS:
            raise ValidationError(self.error_messages["too_big"], code="too_big")
        return cents

    def typed(self, value):
        if value is None:
            return ""
        euros, cents = divmod(value, 100)
        return f"{euros:,}".replace(",", "\u202f") + (f",{cents:02d}" if cents else "")


class DateField(_DraftField, forms.DateField):
    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    default_error_messages = {
        "far": "Cette date est trop éloignée : vérifiez l’année.",
    }

    def __init__(self, **options):
        super().__init__(input_formats=["%Y-%m-%d", "%d/%m/%Y"], **options)

    def clean(self, value):
        day = super().clean(value)
        if day is None:
            return None
        if not EARLIEST <= day <= LATEST:
            raise ValidationError(self.error_messages["far"], code="far")
        return day.isoformat()


class ChoiceField(_DraftField, forms.ChoiceField):
    pass


class ChoicesField(_DraftField, forms.MultipleChoiceField):
    widget = forms.CheckboxSelectMultiple


class CheckboxField(_DraftField, forms.BooleanField):
    pass


class _CodeField(_DraftField, forms.CharField):
    """A code typed with or without spaces, dots and small letters."""

    check: Callable[[str], str]
    """The clean form of such a code; raises ValidationError."""

    def __init__(self, **options):
        options.setdefault(
            "widget",
            forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
        )
        super().__init__(max_length=60, **options)

    def clean(self, value):
        value = re.sub(r"[\s.\-]", "", super().clean(value)).upper()
        return self.check(value) if value else ""


class IbanField(_CodeField):
    """Checks length, key, and the RIB key that a French account number holds."""

    def check(self, code):
        try:
            return str(IBAN(code, validate_bban=True))
        except schwifty_errors.InvalidLength:
            message = (
                f"Cet IBAN compte {len(code)} caractères : un IBAN français en compte 27. Recopiez-le de votre RIB."
            )
        except schwifty_errors.InvalidCountryCode:
            message = "Le pays de cet IBAN n’est pas reconnu : un IBAN français commence par FR."
        except schwifty_errors.InvalidChecksumDigits:
            message = "La clé de contrôle de cet IBAN est fausse : vérifiez chaque caractère."
        except schwifty_errors.InvalidBBANChecksum:
            message = "La clé RIB de cet IBAN est fausse : vérifiez le numéro de compte et ses deux derniers chiffres."
        except schwifty_errors.SchwiftyException:
            message = "Cet IBAN n’est pas reconnu : il commence par deux lettres et deux chiffres, par exemple FR76."
        raise ValidationError(message, code="iban")

    def typed(self, value):
        return spoken_iban(value)


class BicField(_CodeField):
    def check(self, code):
        try:
            return str(BIC(code, enforce_swift_compliance=True))
        except schwifty_errors.InvalidLength:
            message = f"Un BIC compte 8 ou 11 caractères, celui-ci {len(code)}. Recopiez-le de votre RIB."
        except schwifty_errors.InvalidCountryCode:
            message = "Le pays de ce BIC n’est pas reconnu : un BIC français porte FR en 5e et 6e position."
        except schwifty_errors.SchwiftyException:
            message = "Ce BIC n’est pas reconnu : il commence par quatre lettres, puis le pays. Exemple : AGRIFRPP."
        raise ValidationError(message, code="bic")


class SiretField(_CodeField):
    def check(self, code):
        try:
            return siret.validate(code)
        except stdnum_errors.InvalidChecksum:
            message = "La clé de ce SIRET est fausse : vérifiez chaque chiffre."
        except stdnum_errors.ValidationError:
            message = "Un SIRET compte 14 chiffres."
        raise ValidationError(message, code="siret")


class ChecklistWidget(forms.Widget):
    """One line per attached entity: a box « confirmée », or a reason. Works without JavaScript."""

    template_name = "applications/widgets/checklist.html"
    use_fieldset = True
    entities = ()
    faults: set[str] = set()

    def value_from_datadict(self, data, files, name):
        """{FINESS: (ticked, reason)}; the button « Tout confirmer » ticks every line that bears no reason."""
        confirms_all = f"{name}:all" in data
        lines = {}
        for entity in self.entities:
            reason = data.get(f"{name}:{entity.finess}:reason", "").strip()
            ticked = f"{name}:{entity.finess}" in data or (confirms_all and not reason)
            lines[entity.finess] = (ticked, reason)
        return lines

    def value_omitted_from_data(self, data, files, name):
        return not any(key.startswith(f"{name}:") for key in data)

    def get_context(self, name, value, attrs):
        context = super().get_context(name, value, attrs)
        lines = value or {}
        context["widget"]["lines"] = [
            {
                "entity": entity,
                "ticked": lines.get(entity.finess, (False, ""))[0],
                "reason": lines.get(entity.finess, (False, ""))[1],
                "is_wrong": entity.finess in self.faults,
            }
            for entity in self.entities
        ]
        context["widget"]["reason_length"] = REASON_LENGTH
        return context


class ChecklistField(_DraftField):
    """{FINESS: "" when confirmed, else the reason}; an entity without either is not in it yet."""

    widget = ChecklistWidget

    def __init__(self, *, entities, **options):
        super().__init__(template_name="applications/checklist_field.html", **options)
        self.entities = self.widget.entities = list(entities)

    def clean(self, value):
        answer, faults = {}, {}
        for entity in self.entities:
            ticked, reason = (value or {}).get(entity.finess, (False, ""))
            if fault := self._fault(ticked, reason):
                faults[entity.finess] = ValidationError(
                    f"%(name)s : {fault}", params={"name": entity.name, "cell": f"{entity.finess}_reason"}
                )
            elif ticked or reason:
                answer[entity.finess] = reason
        self.widget.faults = set(faults)
        if faults:
            raise ValidationError(list(faults.values()))
        return answer

    def _fault(self, ticked: bool, reason: str) -> str:
        if ticked and reason:
            return "décochez « Confirmée » ou effacez le motif."
        if len(reason) > REASON_LENGTH:
            return f"le motif est trop long, {REASON_LENGTH} caractères au plus. Raccourcissez-le."
        if "\0" in reason:  # PostgreSQL keeps it nowhere
            return "le motif contient un caractère invisible, écrivez-le à nouveau."
        return ""

    def typed(self, value):
        return {finess: (not reason, reason) for finess, reason in (value or {}).items()}

    def has_changed(self, initial, data):
        return bool(data)


def bank_of(iban: str) -> str:
    """The bank that holds the account; empty when the list of banks does not know it."""
    try:
        return IBAN(iban).bank_name or ""
    except schwifty_errors.SchwiftyException:
        return ""


def is_of_another_bank(bic: str, iban: str) -> bool:
    """Whether the list of banks knows whose account this is, and a BIC of theirs that begins otherwise."""
    try:
        known = IBAN(iban).bic
    except schwifty_errors.SchwiftyException:
        return False
    return known is not None and str(known)[:4] != bic[:4]


def spoken_iban(value: str) -> str:
    return " ".join(value[i : i + 4] for i in range(0, len(value), 4)) if value else ""


def spoken_phone(value: str) -> str:
    return phonenumbers.format_number(phonenumbers.parse(value), phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def _choice_field(choices, **options) -> forms.Field:
    if len(choices) <= FEW_CHOICES:
        return ChoiceField(choices=choices, widget=forms.RadioSelect, **options)
    return ChoiceField(choices=[("", "Sélectionnez une réponse"), *choices], **options)


def field_for(question: Question, *, entities=(), expenses_from: date | None = None) -> forms.Field:
    """The field of a question (evidence spaces have none: the vault receives files). `expenses_from`: the first day of
    the expenses that its domain takes into account."""
    texts = {"label": question.label, "help_text": question.help}
    if question.kind == Question.Kind.EXPENSES:
        field: forms.Field = _expenses_field(first_day=expenses_from, **texts)
    else:
        field = _field(question, entities, **texts)
    field.marked_required = question.is_required
    field.checkbox_label = question.checkbox_label
    field.is_inline = question.kind == Question.Kind.CIVILITY or len(question.choices) == 2
    return field


def _expenses_field(**options) -> ExpensesField:
    cells = {
        "date": DateField(),
        "supplier": LineField(max_length=CONTACT_LENGTH),
        "label": LineField(max_length=TEXT_LENGTH),
        "amount": AmountField(error_messages={"nothing": NO_EXPENSE}),
    }
    return ExpensesField(cells=cells, **options)


def _field(question: Question, entities, **options) -> forms.Field:
    kind = Question.Kind(question.kind)
    if kind == Question.Kind.TEXT and question.contact_field in NAMES:
        return NameField(**options)
    if kind == Question.Kind.TEXT:
        return LineField(max_length=CONTACT_LENGTH if question.contact_role else TEXT_LENGTH, **options)
    if kind == Question.Kind.CIVILITY:
        return _choice_field(Civility.choices, **options)
    if kind == Question.Kind.CHOICE:
        return _choice_field([tuple(pair) for pair in question.choices], **options)
    if kind == Question.Kind.CHOICES:
        return ChoicesField(choices=[tuple(pair) for pair in question.choices], **options)
    if kind == Question.Kind.CHECKLIST:
        return ChecklistField(entities=entities, **options)
    return _PLAIN[kind](**options)


_PLAIN = {
    Question.Kind.LONG_TEXT: LongTextField,
    Question.Kind.CHECKBOX: CheckboxField,
    Question.Kind.NUMBER: NumberField,
    Question.Kind.AMOUNT: AmountField,
    Question.Kind.DATE: DateField,
    Question.Kind.EMAIL: EmailField,
    Question.Kind.PHONE: PhoneField,
    Question.Kind.IBAN: IbanField,
    Question.Kind.BIC: BicField,
    Question.Kind.SIRET: SiretField,
}
