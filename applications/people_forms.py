"""What a référent types about the people of a dossier."""

from django import forms
from django.http import QueryDict

from accounts.forms import name_field
from accounts.models import Civility, User
from applications.fields import CONTACT_LENGTH
from applications.models import Application, Contact, Question
from applications.people import ContactMoved

# The signatory is named in the candidature and signs the convention: only these two may change at any stage.
ROLES = (Question.ContactRole.DSI, Question.ContactRole.RSSI)


class ContactForm(forms.Form):
    """« Mise à jour du contact ». In a dialog there is one per role, so each has ids of its own."""

    civility = forms.ChoiceField(label="Civilité", choices=Civility.choices, widget=forms.RadioSelect)
    last_name = name_field("Nom", "off", max_length=CONTACT_LENGTH)
    first_name = name_field("Prénom", "off", max_length=CONTACT_LENGTH)
    email = forms.EmailField(label="Adresse e-mail", max_length=254, help_text="Sous la forme nom@exemple.fr.")
    mark = forms.CharField(widget=forms.HiddenInput, required=False, max_length=64)

    def __init__(self, contact: Contact, data=None):
        self.role, self.label, self.contact = contact.role, contact.get_role_display(), contact
        initial = {name: getattr(contact, name) for name in self.base_fields}  # the mark as well
        super().__init__(data, initial=initial, auto_id=f"contact-{contact.role}-%s")
        self.fields["civility"].is_inline = True

    def show_as_moved(self, moved: ContactMoved) -> None:
        """What was typed stays; saved again, it takes the place of what the sentence says."""
        typed = QueryDict(mutable=True)
        typed.update({**self.cleaned_data, "mark": moved.contact.mark})
        self.data = typed
        self.add_error(None, str(moved))


def contact_forms(contacts, data=None) -> list[ContactForm]:
    """One per role, whether or not the dossier names somebody yet."""
    known = {contact.role: contact for contact in contacts}
    return [ContactForm(known.get(role) or Contact(role=role), data) for role in ROLES]


class TransferForm(forms.Form):
    """« Transférer un dossier »: which of one's dossiers, each with the version that the page showed."""

    dossier = forms.ChoiceField(
        label="Référence du dossier à transférer",
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choisissez le dossier à transférer.",
            "invalid_choice": "Ce dossier a changé depuis l’affichage de la page : choisissez-le à nouveau.",
        },
    )

    def __init__(self, to: User, dossiers: list[Application], data=None):
        super().__init__(data, auto_id=f"transfer-{to.pk}-%s")
        self.to, self.dialog = to, f"transferer-{to.pk}"
        self.dossiers = {f"{dossier.reference}-{dossier.version}": dossier for dossier in dossiers}
        self.fields["dossier"].choices = [
            (value, f"{dossier.reference} – {dossier.domain} – {dossier.get_state_display()}")
            for value, dossier in self.dossiers.items()
        ]

    def clean_dossier(self) -> Application:
        return self.dossiers[self.cleaned_data["dossier"]]


class TakeOverForm(forms.Form):
    """Why a colleague's dossier is to be taken over."""

    reason = forms.CharField(
        label="Motif de la demande",
        help_text=(
            "Dix caractères au moins. Exemple : le référent a quitté l’établissement. "
            "Ce texte est lu par l’ARS, l’ANS et le référent."
        ),
        min_length=10,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 5}),
        error_messages={
            "required": "Écrivez le motif de votre demande.",
            "min_length": "Ce motif est trop court : écrivez au moins 10 caractères.",
            "max_length": "Ce motif est trop long : %(limit_value)d caractères au plus, il en compte %(show_value)d.",
        },
    )

    def clean_reason(self):
        return self.cleaned_data["reason"].replace("\r\n", "\n")
