"""What an agent types to decide."""

from collections.abc import Mapping
from datetime import date, timedelta

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import TextChoices
from django.http import QueryDict

from accounts.models import User
from accounts.typed import so_far
from applications.corrections import opened_together
from applications.fields import LineField
from applications.models import ChangeRequest, TakeOverRequest
from ecare.clock import paris_day
from funding.forms import EnvelopeBox
from funding.readers import outlook, outlook_of_payment
from funding.rules import decision_of, payment_day_fault
from reviews import naming
from reviews.assignments import MOST_AT_ONCE
from reviews.filters import ME, NOBODY, view_of
from reviews.models import SavedView

MESSAGE_LENGTH = 5000
SENSIBLE_LENGTH = 10
LONGEST_CORRECTION_DAYS, USUAL_CORRECTION_DAYS = 180, 15


class DecisionForm(forms.Form):
    """The version that the page showed, and nothing else to type."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1)

    def __init__(self, *args, application, at, **options):
        super().__init__(*args, initial={"version": application.version}, **options)
        self.application, self.at = application, at

    def arguments(self) -> dict:
        """What the verb is called with."""
        return self.cleaned_data

    def specimen(self) -> dict:
        """The same while nothing, or something wrong, is typed: for the letters that the page shows beforehand."""
        return {"version": self.application.version}

    def foreseen(self) -> dict:
        """What the verb would be called with if the page were sent as it stands."""
        return self.arguments() if self.is_bound and self.is_valid() else self.specimen()


class AcceptForm(EnvelopeBox, DecisionForm):
    """Says what the click means for money; the ANS validates what it decided, and confirms an exceeded envelope."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.outlook = outlook(self.application, "accept")
        self.ask_to_confirm(self.outlook.over if self.outlook.is_of_ans else 0)

    def clean(self):
        if self.outlook.faults:
            raise ValidationError([*self.outlook.faults])
        return self.cleaned_data

    def specimen(self):
        return super().specimen() | {"over": self.outlook.over}


class PaymentForm(DecisionForm):
    """The transfer of the amount that was decided, which is not typed."""

    paid_on = forms.DateField(
        label="Date du virement",
        help_text="Le jour où le virement a été fait. Exemple : 21/11/2026.",
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        input_formats=["%Y-%m-%d", "%d/%m/%Y"],
    )
    reference = LineField(
        label="Référence du virement", help_text="Telle qu’elle figure sur l’ordre de virement.", max_length=60
    )

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.fields["reference"].required = True
        self.fields["paid_on"].widget.attrs["max"] = paris_day(self.at).isoformat()
        self.decided = decision_of(self.application)
        self.outlook = outlook_of_payment(self.decided)

    def clean_paid_on(self):
        day = self.cleaned_data["paid_on"]
        if self.decided and (fault := payment_day_fault(self.decided, day, self.at)):
            raise ValidationError(fault)
        return day

    def arguments(self):
        return self.cleaned_data | {"at": self.at}

    def specimen(self):
        transfer = {"paid_on": paris_day(self.at), "reference": "(à saisir)", "at": self.at}
        return super().specimen() | transfer


class WithMessage(forms.Form):
    """A text that is sent to somebody and kept in the history of the dossier. A form of what is decided follows it."""

    label, hint = "Motif", "Ce texte est envoyé au référent et conservé dans l’historique du dossier."

    message = forms.CharField(
        min_length=SENSIBLE_LENGTH,
        max_length=MESSAGE_LENGTH,
        widget=forms.Textarea(attrs={"rows": 8}),
        error_messages={
            "required": "Écrivez ce texte : il est obligatoire.",
            "min_length": f"Ce texte est trop court : écrivez au moins {SENSIBLE_LENGTH} caractères.",
            "max_length": "Ce texte est trop long : %(limit_value)d caractères au plus, il en compte %(show_value)d.",
        },
    )

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.fields["message"].label, self.fields["message"].help_text = self.label, self.hint

    def clean_message(self):
        return self.cleaned_data["message"].replace("\r\n", "\n")

    def specimen(self) -> dict:
        return super().specimen() | {"message": so_far(self, "message")}


class MessageForm(WithMessage, DecisionForm):
    """A message to the person who holds the dossier."""


class WithDueDate(forms.Form):
    """The day on which a correction is awaited, or none."""

    due_on = forms.DateField(
        label="Correction attendue au plus tard le",
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        input_formats=["%Y-%m-%d", "%d/%m/%Y"],
    )

    def __init__(self, *args, at, **options):
        super().__init__(*args, at=at, **options)
        self.fields["due_on"].help_text = (
            "Facultatif. Rien ne se ferme ce jour-là : des rappels partent, et vous décidez. "
            f"Exemple : {self.example():%d/%m/%Y}."
        )

    def example(self) -> date:
        return paris_day(self.at) + timedelta(days=USUAL_CORRECTION_DAYS)

    def clean_due_on(self):
        day = self.cleaned_data["due_on"]
        if day is not None and not 1 <= (day - paris_day(self.at)).days <= LONGEST_CORRECTION_DAYS:
            raise ValidationError(
                f"Choisissez un jour entre demain et dans {LONGEST_CORRECTION_DAYS} jours, ou laissez vide."
            )
        return day


class ChangesForm(WithDueDate, MessageForm):
    """What is to be corrected: a message, the questions and files that it is about, a due date."""

    template_name = "reviews/_changes_form.html"
    label = "Message au référent"
    hint = (
        "Il s’affiche en haut du formulaire et part par courrier électronique. "
        "Facultatif si vous cochez des questions ci-dessous."
    )

    def __init__(self, *args, application, refused: Mapping[str, str] | None = None, **options):
        """`refused`: the remark on each file that this desk refused, by its id: named at first."""
        super().__init__(*args, application=application, **options)
        self.fields["message"].required = False
        self.chapters = naming.chapters_of(application)
        naming.add_fields(self, self.chapters, refused or {})
        self.together = opened_together(application)

    def clean(self):
        cleaned = super().clean()
        self.named = naming.named_in(cleaned, self.chapters)
        if not cleaned.get("message") and not self.named and "message" not in self.errors:
            self.add_error("message", "Dites ce qui est à modifier : écrivez un message, ou cochez des questions.")
        return cleaned

    def arguments(self) -> dict:
        return {name: self.cleaned_data[name] for name in ("version", "message", "due_on")} | {"named": self.named}


class OptionalMessageForm(MessageForm):
    hint = "Facultatif. Ce texte est envoyé au référent et conservé dans l’historique du dossier."

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.fields["message"].required = False

    def specimen(self):
        typed = self.data.get("message", "").strip() if self.is_bound else ""
        return super().specimen() | {"message": typed}


class CancelChangesForm(OptionalMessageForm):
    def arguments(self):
        return self.cleaned_data | {"at": self.at}

    def specimen(self):
        return super().specimen() | {"at": self.at}


class DueDateForm(WithDueDate, OptionalMessageForm):
    """Another day for a correction that is awaited."""

    field_order = ("due_on", "message")

    def __init__(self, *args, asked: ChangeRequest, **options):
        self.asked = asked
        super().__init__(*args, **options)
        self.fields["due_on"].initial = asked.due_on

    def clean_due_on(self):
        day = super().clean_due_on()
        if day == self.asked.due_on:
            raise ValidationError("La correction est déjà attendue pour ce jour : choisissez-en un autre.")
        return day

    def example(self):
        usual = super().example()
        return usual if usual != self.asked.due_on else usual + timedelta(days=1)

    def specimen(self):
        return super().specimen() | {"due_on": self.example()}


class SendBackForm(MessageForm):
    hint = "Ce texte est envoyé aux vérificateurs de l’ARS et conservé dans l’historique du dossier."


class SaveViewForm(forms.Form):
    """A name for the view that the page shows."""

    name = forms.CharField(
        label="Nom de la vue",
        help_text="Le même nom remplace la vue.",
        max_length=60,
        error_messages={
            "required": "Donnez un nom à cette vue.",
            "max_length": "Ce nom est trop long : 60 caractères au plus.",
        },
    )
    query = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args, user: User, **options):
        super().__init__(*args, **options)
        self.user = user

    def clean_query(self):
        """What is kept of an address. Written out it grows: « é » takes six signs."""
        view = view_of(QueryDict(self.cleaned_data["query"]), user=self.user)
        if len(view) > SavedView._meta.get_field("query").max_length:
            raise ValidationError("Cette vue est trop longue pour être gardée : raccourcissez la recherche.")
        return view


class AssignForm(forms.Form):
    """Which dossiers, and who follows them from now on."""

    class Scope(TextChoices):
        TICKED = "coches", "Les dossiers cochés"
        VIEW = "vue", "Toute cette vue"

    query = forms.CharField(widget=forms.HiddenInput, required=False)
    scope = forms.ChoiceField(
        label="Dossiers",
        choices=Scope,
        initial=Scope.TICKED,
        error_messages={"required": "Dites quels dossiers attribuer."},
    )
    agent = forms.ChoiceField(
        label="Suivis par",
        error_messages={
            "required": "Choisissez qui suit ces dossiers.",
            "invalid_choice": "Choisissez un agent de la liste.",
        },
    )

    def __init__(self, colleagues: list[User], data=None, *, user: User, count: int, rows=None, **options):
        """`user` is offered first; « M’attribuer » chooses them whatever the list says."""
        super().__init__(self._with_me(data, user), **options)
        self.count, self.rows = count, rows
        self.chosen: list[str] = []
        self.agents = {str(agent.pk): agent for agent in [user, *(one for one in colleagues if one != user)]}
        self.fields["agent"].choices = [
            *((pk, f"Moi ({agent})" if agent == user else str(agent)) for pk, agent in self.agents.items()),
            (NOBODY, "Personne : retirer le suivi"),
        ]
        view = f"{self.Scope.VIEW.label} ({count})"
        self.fields["scope"].choices = [(self.Scope.TICKED, self.Scope.TICKED.label), (self.Scope.VIEW, view)]

    @staticmethod
    def _with_me(data, user: User):
        if data is None or ME not in data:
            return data
        data = data.copy()
        data["agent"] = str(user.pk)
        return data

    def clean_agent(self) -> User | None:
        return self.agents.get(self.cleaned_data["agent"])

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("scope") == self.Scope.VIEW:
            self.chosen = list(self.rows.values_list("reference", flat=True)[: MOST_AT_ONCE + 1])
        else:
            ticked = [one for one in self.data.getlist("dossiers") if "\0" not in one]
            self.chosen = ticked[: MOST_AT_ONCE + 1]
        if not self.chosen:
            raise ValidationError("Cochez au moins un dossier, ou choisissez toute la vue.")
        if len(self.chosen) > MOST_AT_ONCE:
            raise ValidationError(
                f"Cette vue compte plus de {MOST_AT_ONCE} dossiers : attribuez-en {MOST_AT_ONCE} au plus à la fois. "
                "Précisez les filtres, par exemple une région ou un type."
            )
        return cleaned


class TakeOverDecisionForm(forms.Form):
    """The référent whom the page showed, and nothing else to type."""

    title, done = "Accepter la reprise", "la reprise est acceptée."

    holder = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, asked: TakeOverRequest, data=None):
        self.shown = {"holder": asked.application.referent_id}
        super().__init__(data, initial=self.shown)

    def specimen(self) -> dict:
        return dict(self.shown)


class RefuseTakeOverForm(WithMessage, TakeOverDecisionForm):
    title, done = "Refuser la reprise", "la reprise est refusée."
    label, hint = "Motif du refus", "Ce texte est envoyé à la personne et au référent."


class BankDetailsDecisionForm(forms.Form):
    """Nothing to type: the request names what is decided, and a newer one replaces it."""

    title, done = "Confirmer les coordonnées bancaires", "les coordonnées bancaires sont confirmées."

    def __init__(self, asked, data=None):
        super().__init__(data)

    def specimen(self) -> dict:
        return {}


class RefuseBankDetailsForm(WithMessage, BankDetailsDecisionForm):
    title, done = "Refuser les coordonnées bancaires", "les coordonnées bancaires sont refusées."
    label, hint = "Motif du refus", "Ce texte est envoyé au référent."
