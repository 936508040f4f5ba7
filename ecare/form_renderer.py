"""Forms in the look of the State (DSFR): one template per field, hint and error both announced."""

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.forms.renderers import TemplatesSetting

_CLASSES = {
    "input": "fr-input",
    "textarea": "fr-input",
    "select": "fr-select",
    "file": "fr-upload",
    "password": "fr-password__input fr-input",
    "multi": "fr-input",
}
# What to do, rather than what is wrong; only Django's own sentences are replaced, never a form's.
_SENTENCES = {
    "required": {
        "": "Renseignez ce champ.",
        "select": "Choisissez une réponse dans la liste.",
        "radios": "Choisissez une réponse.",
        "checkboxes": "Cochez au moins une case.",
        "checkbox": "Cochez cette case pour continuer.",
        "file": "Choisissez un fichier.",
    },
    "invalid_choice": {"": "Choisissez une réponse de la liste."},
    "email": {"": "Écrivez une adresse e-mail sous la forme nom@exemple.fr."},
    "date": {"": "Écrivez une date sous la forme JJ/MM/AAAA."},
    "number": {"": "Écrivez un nombre, sans espace ni unité."},
    "empty": {"": "Ce fichier est vide : choisissez-en un autre."},
}


class DsfrBoundField(forms.BoundField):
    """A field of a form as `components/field.html` shows it.

    A form may set on its field: `checkbox_label` (the text beside a box whose question is `label`) and
    `marked_required` (asterisk on a field that a draft may leave empty).
    """

    @property
    def kind(self) -> str:
        widget = self.field.widget
        for kind, widgets in (
            ("hidden", forms.HiddenInput),
            ("checkboxes", forms.CheckboxSelectMultiple),
            ("radios", forms.RadioSelect),
            ("checkbox", forms.CheckboxInput),
            ("select", forms.Select),
            ("textarea", forms.Textarea),
            ("file", forms.FileInput),
            ("password", forms.PasswordInput),
            ("multi", forms.MultiWidget),
        ):
            if isinstance(widget, widgets):
                return kind
        return "input"

    @property
    def is_marked_required(self) -> bool:
        return getattr(self.field, "marked_required", self.field.required)

    @property
    def is_punctuated(self) -> bool:
        """The label asks or announces by itself: no colon after it."""
        return str(self.label).endswith(("?", ":"))

    @property
    def focus_id(self) -> str:
        """Where the error summary leads: the control, or the first box of a set."""
        if self.kind in ("radios", "checkboxes"):
            return f"{self.auto_id}_0"
        return self.id_for_label or self.auto_id

    @property
    def faults(self) -> list[tuple[str, str]]:
        """For the error summary: each sentence, and where it leads; a field of many controls names the one at fault."""
        told = [(error, (error.params or {}).get("cell")) for error in self.errors.as_data()]
        return [(f"{self.auto_id}_{cell}" if cell else self.focus_id, error.messages[0]) for error, cell in told]

    @property
    def aria_describedby(self) -> str:
        ids = [self.field.widget.attrs.get("aria-describedby", "")]
        if self.auto_id and not self.is_hidden:
            ids += [f"{self.auto_id}_helptext"] if self.help_text else []
            ids += [f"{self.auto_id}_error"] if self.errors else []
        return " ".join(filter(None, ids))

    @property
    def errors(self):
        errors = super().errors
        if not errors:
            return errors
        told = errors.copy()
        told.data = [self._told(error) for error in errors.as_data()]
        return told

    def build_widget_attrs(self, attrs, widget=None):
        attrs = super().build_widget_attrs(attrs, widget)
        widget = widget or self.field.widget
        if css := _CLASSES.get(self.kind):
            attrs["class"] = f"{widget.attrs.get('class', '')} {css}".strip()
        if self.is_marked_required and not self.field.required and not self.use_fieldset:
            attrs["aria-required"] = "true"
        return attrs

    def _told(self, error: ValidationError) -> ValidationError:
        """The error, in a sentence that says what to do if nobody wrote a better one."""
        sentences = _SENTENCES.get(self._cause(error), {})
        sentence = sentences.get(self.kind, sentences.get(""))
        return ValidationError(sentence, code=error.code) if sentence else error

    def _cause(self, error: ValidationError) -> str:
        if error.message == EmailValidator.message:
            return "email"
        if error.message != _default_message(self.field, error.code):
            return ""
        if error.code == "invalid":
            kinds = {forms.DateField: "date", forms.DecimalField: "number", forms.IntegerField: "number"}
            return next((cause for kind, cause in kinds.items() if isinstance(self.field, kind)), "")
        return error.code or ""


def _default_message(field: forms.Field, code: str | None):
    """Django's sentence for that code, unless this field was given its own."""
    messages = (cls.__dict__.get("default_error_messages", {}).get(code) for cls in type(field).__mro__)
    return next((message for message in messages if message), None)


class DsfrRenderer(TemplatesSetting):
    """Set as FORM_RENDERER; the admin shares it and only gains harmless classes and clearer sentences."""

    form_template_name = "components/form.html"
    field_template_name = "components/field.html"
    bound_field_class = DsfrBoundField
