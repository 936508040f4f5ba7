"""What an agent types: to accept an invitation, and for their second factor."""

from django import forms
from django.core.exceptions import ValidationError

from accounts import passwords, usernames
from accounts.forms import (
    TAKEN,
    NewPasswordMixin,
    checked_phone,
    chosen_password_field,
    name_field,
    password_field,
    phone_field,
    username_field,
)
from accounts.models import Civility, User
from accounts.models.second_factor import LENGTH, SIGNS

DIGITS = 6
NO_CODE = "Saisissez les 6 chiffres affichés par votre application, ou un de vos codes de secours."


class AcceptInvitationForm(NewPasswordMixin, forms.Form):
    """The e-mail is the invitation's."""

    civility = forms.ChoiceField(label="Civilité", choices=Civility.choices, widget=forms.RadioSelect)
    last_name = name_field("Nom", "family-name")
    first_name = name_field("Prénom", "given-name")
    username = username_field()
    phone = phone_field(required=False)
    password1 = chosen_password_field("Mot de passe")
    password2 = password_field("Confirmation du mot de passe", new=True)

    def __init__(self, *args, email: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.email, self.suggestions = email, []
        self.fields["civility"].is_inline = True

    def clean_phone(self):
        return checked_phone(self.cleaned_data["phone"]) if self.cleaned_data["phone"] else ""

    def clean(self):
        cleaned = super().clean()
        named = {name: cleaned.get(name) or "" for name in ("username", "first_name", "last_name")}
        named["email"] = self.email
        self.check_new_password(User(**named))
        if named["username"] and not usernames.is_free(named["username"], email=self.email):
            self.name_is_taken(named)
        return cleaned

    def name_is_taken(self, named: dict):
        """Said at the field, with others to choose from."""
        about = {name: named[name] for name in ("username", "first_name", "last_name")}
        self.suggestions = usernames.suggestions(**about, email=self.email)
        self.add_error("username", TAKEN)


def _code_field(label, help_text, *, numeric):
    attrs = {
        "autocomplete": "one-time-code" if numeric else "off",
        "spellcheck": "false",
        "autocapitalize": "characters",
    }
    if numeric:
        attrs["inputmode"] = "numeric"
    return forms.CharField(label=label, max_length=20, help_text=help_text, widget=forms.TextInput(attrs=attrs))


class SecondFactorForm(forms.Form):
    """The code of the application; `recovery`: a field that a phone does not take for a number. Each takes both."""

    code = _code_field("Code de l’application", "6 chiffres, affichés par votre application.", numeric=True)

    def __init__(self, *args, recovery: bool = False, **kwargs):
        super().__init__(*args, **kwargs)
        if recovery:
            self.fields["code"] = _code_field("Code de secours", "10 signes, sous la forme BCDFG-HJKMN.", numeric=False)

    def clean_code(self):
        """Without spaces and hyphens. What is no code at all costs no try."""
        code = "".join(self.cleaned_data["code"].split()).replace("-", "").upper()
        is_shown = len(code) == DIGITS and code.isascii() and code.isdecimal()
        if not is_shown and not (len(code) == LENGTH and set(code) <= set(SIGNS)):
            raise ValidationError(NO_CODE)
        return code


class EnrolForm(SecondFactorForm):
    """Only the application proves that it holds the key."""

    def clean_code(self):
        code = super().clean_code()
        if len(code) != DIGITS:
            raise ValidationError("Saisissez les 6 chiffres affichés par votre application.")
        return code


class OwnPasswordForm(forms.Form):
    """Asks again for the password of whoever is signed in."""

    password = password_field("Votre mot de passe", new=False)

    def __init__(self, user, data=None):
        super().__init__(data)
        self.user = user

    def clean_password(self):
        if not self.user.check_password(self.cleaned_data["password"]):
            raise ValidationError(passwords.NOT_THE_PRESENT_ONE)
        return self.cleaned_data["password"]


class RemoveSecondFactorForm(OwnPasswordForm, SecondFactorForm):
    code = _code_field("Code", "Les 6 chiffres affichés par votre application, ou un code de secours.", numeric=False)
    field_order = ["password", "code"]
