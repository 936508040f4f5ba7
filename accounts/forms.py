"""What a person types to register, to sign in, to look after their password."""

from allauth.account import forms as allauth_forms
from allauth.account.utils import user_pk_to_url_str
from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from accounts import actions, captcha, passwords, phones, usernames
from accounts.models import Civility, User
from establishments.models import Establishment, Region

HELP = "Plusieurs mots sans rapport entre eux se retiennent bien et se devinent mal."
# Letters of any alphabet, joined by spaces, hyphens or apostrophes; a dot only where a space follows or the name ends:
# a letter that bears a name carries no link.
NAME = r"^[^\W\d_]+((\.[ -]|[ '’-]{1,2})[^\W\d_]+)*\.?$"
NO_NAME = "Écrivez des lettres, des espaces, des tirets ou des apostrophes seulement."
TAKEN = "Ce nom d’utilisateur est déjà pris. Choisissez-en un autre."


def password_field(label, *, new, **kwargs):
    autocomplete = "new-password" if new else "current-password"
    widget = forms.PasswordInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(label=label, strip=False, max_length=128, widget=widget, **kwargs)


def chosen_password_field(label):
    """With the rules that it must follow, ticked as it is typed."""
    field = password_field(label, new=True, help_text=HELP)
    field.password_rules = passwords.rules()
    field.widget.attrs["aria-describedby"] = "password-rules"
    return field


def name_field(label, autocomplete, *, max_length=60):
    return forms.RegexField(
        NAME,
        label=label,
        max_length=max_length,
        strip=True,
        error_messages={"invalid": NO_NAME},
        widget=forms.TextInput(attrs={"autocomplete": autocomplete}),
    )


def email_field():
    return forms.EmailField(
        label="Adresse e-mail",
        max_length=254,
        help_text="Sous la forme nom@exemple.fr. Elle sert à vous connecter et à vous informer.",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )


def username_field():
    return forms.RegexField(
        f"^{usernames.ALLOWED.pattern}$",
        label="Nom d’utilisateur",
        max_length=60,
        strip=True,
        help_text="3 caractères au moins : lettres, chiffres, points, tirets. Par exemple : prenom.nom",
        error_messages={"invalid": "Choisissez 3 à 60 caractères : lettres, chiffres, points, tirets, sans @."},
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )


def phone_field(**kwargs):
    return forms.CharField(
        label="N° de téléphone",
        max_length=30,
        help_text="Exemples : 06 12 34 56 78, 0590 12 34 56, +33 6 12 34 56 78.",
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
        **kwargs,
    )


def checked_phone(typed: str) -> str:
    number = phones.parsed(typed)
    if number is None:
        raise ValidationError(
            "Ce numéro n’est pas reconnu. Exemples : 06 12 34 56 78, 0590 12 34 56, +33 6 12 34 56 78."
        )
    return number.as_e164


class AnswerInput(forms.TextInput):
    """Never shows what was answered to an earlier challenge."""

    def get_context(self, name, value, attrs):
        return super().get_context(name, None, attrs)


class NewPasswordMixin:
    """Checks `password1` and `password2` against each other and against the person."""

    def check_new_password(self, person) -> bool:
        first, second = self.cleaned_data.get("password1"), self.cleaned_data.get("password2")
        if not first:
            return False
        try:
            validate_password(first, person)
        except ValidationError as error:
            self.add_error("password1", error)
            return False
        if first != second:
            self.add_error("password2", "Les deux mots de passe sont différents : tapez deux fois le même.")
            return False
        return True


class PersonForm(NewPasswordMixin, forms.Form):
    """Step 1 of the registration. Once a password or a challenge was passed, it is not asked again."""

    username = username_field()
    civility = forms.ChoiceField(label="Civilité", choices=Civility.choices, widget=forms.RadioSelect)
    last_name = name_field("Nom", "family-name")
    first_name = name_field("Prénom", "given-name")
    email = email_field()
    password1 = chosen_password_field("Mot de passe")
    password2 = password_field("Confirmation du mot de passe", new=True)
    phone = phone_field()
    captcha = forms.CharField(label="Réponse au contrôle de sécurité", max_length=20, widget=AnswerInput)

    def __init__(self, *args, password_about: dict | None = None, is_human=False, **kwargs):
        """`password_about`: the personal data against which the password that is kept was checked, if one is."""
        super().__init__(*args, **kwargs)
        self.suggestions, self.is_password_good, self.is_human = [], False, is_human
        self.password_about, self.is_password_stale = password_about, False
        self.fields["civility"].is_inline = True
        self.fields["captcha"].widget.attrs |= {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        self.spare(has_password=password_about is not None, is_human=is_human)

    def spare(self, *, has_password, is_human):
        """Do not ask again what was passed."""
        if is_human:
            self.fields.pop("captcha", None)
        self.fields["password1"].required = self.fields["password2"].required = not has_password
        kept = "Mot de passe déjà saisi. Laissez vide pour le garder."
        self["password1"].help_text = kept if has_password else self.fields["password1"].help_text

    def clean_email(self):
        return self.cleaned_data["email"].lower()

    def clean_phone(self):
        return checked_phone(self.cleaned_data["phone"])

    def clean_captcha(self):
        self.is_human = captcha.is_answer(self.data.get("captcha_key", ""), self.cleaned_data["captcha"])
        if not self.is_human:
            raise ValidationError("Ce n’est pas la bonne réponse. Un nouveau contrôle vous est proposé.")
        return ""

    def clean(self):
        cleaned = super().clean()
        named = {name: cleaned.get(name) or "" for name in ("username", "email", "first_name", "last_name")}
        if cleaned.get("password1") or cleaned.get("password2"):
            if not cleaned.get("password1"):
                self.add_error("password1", "Tapez aussi le mot de passe ici.")
            # Kept only once it was checked against all of them.
            self.is_password_good = self.check_new_password(User(**named)) and all(named.values())
            self.password_about = named
        elif self.password_about not in (None, named) and all(named.values()):
            self.is_password_stale = True
            self.add_error("password1", "Vos informations ont changé : tapez à nouveau votre mot de passe, deux fois.")
        if self.is_human and named["username"] and not usernames.is_free(named["username"], email=named["email"]):
            self.suggestions = usernames.suggestions(**named)
            self.add_error("username", TAKEN)
        return cleaned


class KindForm(forms.Form):
    """Step 2, first page."""

    kind = forms.ChoiceField(
        label="Type d’établissement", choices=[("", "Sélectionnez un type"), *Establishment.Kind.choices]
    )
    region = forms.ModelChoiceField(
        Region.objects.all(),
        label="Région",
        empty_label="Sélectionnez une région",
        help_text="Pour un GHT : la région de rattachement de son établissement support, et donc de son ARS.",
    )


class SignInForm(allauth_forms.LoginForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        attrs = {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        self.fields["login"] = forms.CharField(
            label="Nom d’utilisateur ou adresse e-mail", max_length=254, widget=forms.TextInput(attrs=attrs)
        )
        self.fields["password"] = password_field("Mot de passe", new=False)
        self.order_fields(["login", "password"])

    def clean(self):
        """What allauth says of both fields stands at the one to type again, too."""
        try:
            return super().clean()
        except ValidationError as error:
            self.add_error("password", error)
            return self.cleaned_data

    def login(self, request, redirect_url=None):
        self._login.state["identifier"] = self.cleaned_data["login"]
        return super().login(request, redirect_url)


class CodeForm(forms.Form):
    code = forms.RegexField(
        r"^\s*(?:[0-9]\s*){8}$",
        label="Code transmis",
        help_text="8 chiffres, reçus par e-mail.",
        error_messages={"invalid": "Saisissez les 8 chiffres du code."},
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": "20", "spellcheck": "false"}
        ),
    )

    def clean_code(self):
        return "".join(self.cleaned_data["code"].split())


class EmailForm(forms.Form):
    """To ask for a letter; `save` of a new password is called by allauth's view."""

    email = email_field()

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["email"].help_text = "Celle de votre inscription, sous la forme nom@exemple.fr."

    def clean_email(self):
        return self.cleaned_data["email"].lower()


class RequestPasswordForm(EmailForm):
    def save(self, request):
        actions.request_password_reset(self.cleaned_data["email"], key_for=_reset_key)


def _reset_key(user) -> str:
    return f"{user_pk_to_url_str(user)}-{allauth_forms.default_token_generator.make_token(user)}"


class NewPasswordForm(NewPasswordMixin, forms.Form):
    """After « Mot de passe oublié ? »."""

    password1 = chosen_password_field("Nouveau mot de passe")
    password2 = password_field("Confirmation du nouveau mot de passe", new=True)

    def __init__(self, *args, user=None, temp_key=None, **kwargs):
        self.user = user
        super().__init__(*args, **kwargs)

    def clean(self):
        cleaned = super().clean()
        self.check_new_password(self.user)
        return cleaned

    def save(self):
        actions.change_password(self.user, self.cleaned_data["password1"])


class ChangePasswordForm(NewPasswordForm):
    oldpassword = password_field("Mot de passe actuel", new=False)
    field_order = ["oldpassword", "password1", "password2"]

    def clean_oldpassword(self):
        if not self.user.check_password(self.cleaned_data["oldpassword"]):
            raise ValidationError(passwords.NOT_THE_PRESENT_ONE)
        return self.cleaned_data["oldpassword"]


class ChangeEmailForm(forms.Form):
    """Nothing here tells whether somebody has that e-mail already."""

    email = email_field()
    password = password_field("Votre mot de passe", new=False)

    def __init__(self, user, data=None):
        super().__init__(data)
        self.user = user
        self.fields["email"].label = "Nouvelle adresse e-mail"
        self.fields["email"].help_text = "Sous la forme nom@exemple.fr."

    def clean_email(self):
        email = self.cleaned_data["email"].lower()
        if email == self.user.email.lower():
            raise ValidationError("C’est déjà l’adresse de votre compte : écrivez la nouvelle.")
        return email

    def clean_password(self):
        if not self.user.check_password(self.cleaned_data["password"]):
            raise ValidationError(passwords.NOT_THE_PRESENT_ONE)
        return self.cleaned_data["password"]


class TermsForm(forms.Form):
    is_accepted = forms.BooleanField(label="J’ai lu et j’accepte les conditions générales d’utilisation")


class LettersForm(forms.Form):
    daily = forms.TypedChoiceField(
        label="Quand voulez-vous recevoir vos courriers ?",
        choices=[
            ("non", "Chaque courrier dès qu’il est écrit"),
            ("oui", "Un seul courrier par jour, le matin à 8 heures, qui les réunit"),
        ],
        coerce=lambda choice: choice == "oui",
        widget=forms.RadioSelect,
    )
    weekly = forms.BooleanField(
        label="Recevoir le point du lundi",
        required=False,
        help_text="Le lundi à 8 heures : les dossiers qui attendent sur votre bureau. Rien si rien n’attend.",
    )

    def __init__(self, *args, has_desk: bool, **kwargs):
        super().__init__(*args, **kwargs)
        if not has_desk:
            del self.fields["weekly"]
