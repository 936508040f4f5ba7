import django_tables2 as tables

from ecare.french import paris_datetime
from ecare.letters.models import Letter


class MailboxTable(tables.Table):
    """The local mailbox, newest first."""

    caption = "Courriers envoyés"
    sent_at = tables.Column("Date")
    recipient = tables.Column("Destinataire")  # not a link: writing to a fictitious person leads nowhere
    title = tables.Column("Objet", linkify=("letters:letter", [tables.A("pk")]))

    class Meta:
        model = Letter
        fields = ["sent_at", "recipient", "title"]
        order_by = "-sent_at"
        empty_text = "Aucun courrier"

    def render_sent_at(self, value):
        return paris_datetime(value)
