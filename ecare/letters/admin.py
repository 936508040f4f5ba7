from django.contrib import admin

from ecare.admin_site import ReadOnlyAdmin
from ecare.letters.models import Letter


@admin.register(Letter)
class LetterAdmin(ReadOnlyAdmin):
    """The outbox, to read; of a letter that carries a secret, not even its words."""

    list_display = ["created_at", "name", "recipient", "subject", "state", "attempts", "sent_at", "error"]
    list_filter = ["state", "name", "created_at"]
    search_fields = ["recipient", "subject"]
    ordering = ["-created_at"]
    readonly_fields = ["words"]
    exclude = ["text", "html"]

    @admin.display(description="texte")
    def words(self, letter):
        return "Courrier confidentiel." if letter.carries_secret else letter.text
