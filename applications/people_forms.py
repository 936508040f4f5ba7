"""What a référent types about the people of a dossier."""

from django import forms

from accounts.models import Civility
from applications.models import Contact, Question

# The signatory is named in the candidature and signs the convention: only these two may change at any stage.
ROLES = (Question.ContactRole.DSI, Question.ContactRole.RSSI)


def _line(label: str) -> forms.CharField:
    return forms.CharField(label=label, max_length=150, strip=True)


class ContactForm(forms.Form):
    """« Mise à jour du contact ». In a dialog there is one per role, so each has ids of its own."""

    civility = forms.ChoiceField(label="Civilité", choices=Civility.choices, widget=forms.RadioSelect)
    last_name = _line("Nom")
    first_name = _line("Prénom")
    email = forms.EmailField(label="Email", max_length=254, help_text="Sous la forme nom@exemple.fr.")

    def __init__(self, contact: Contact, data=None):
        self.role, self.label, self.contact = contact.role, contact.get_role_display(), contact
        initial = {name: getattr(contact, name) for name in self.base_fields}
        super().__init__(data, initial=initial, auto_id=f"contact-{contact.role}-%s")
        self.fields["civility"].is_inline = True


def contact_forms(contacts, data=None) -> list[ContactForm]:
    """One per role, whether or not the dossier names somebody yet."""
    known = {contact.role: contact for contact in contacts}
    return [ContactForm(known.get(role) or Contact(role=role), data) for role in ROLES]
