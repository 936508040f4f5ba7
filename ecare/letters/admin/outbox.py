from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from ecare.admin_site import ReadOnlyAdmin
from ecare.journal import words as journal
from ecare.letters import actions, names
from ecare.letters.models import Letter

RESENDABLE = (Letter.State.SENT, Letter.State.FAILED)


class NameFilter(admin.SimpleListFilter):
    title, parameter_name = "courrier", "name__exact"

    def lookups(self, request, model_admin):
        return sorted(names.NAMES.items(), key=lambda pair: pair[1])

    def queryset(self, request, queryset):
        return queryset.filter(name=self.value()) if self.value() else queryset


class TroubleFilter(admin.SimpleListFilter):
    """What somebody should look at."""

    title, parameter_name = "anomalie", "anomalie"

    def lookups(self, request, model_admin):
        return [("en-retard", "En retard"), ("deux-fois", "Peut-être parti deux fois")]

    def queryset(self, request, queryset):
        if self.value() == "en-retard":
            return queryset.stuck(timezone.now())
        return queryset.filter(may_be_doubled=True) if self.value() == "deux-fois" else queryset


@admin.register(Letter)
class LetterAdmin(ReadOnlyAdmin):
    """The outbox: to read (of a letter that carries a secret, not even its words), to send again, to cancel."""

    actions = None
    list_display = ["created_at", "called", "recipient", "title", "state", "attempts", "sent_at", "why"]
    list_filter = ["state", TroubleFilter, NameFilter, "created_at"]
    search_fields = ["recipient", "subject"]
    ordering = ["-created_at"]
    readonly_fields = ["called", "about", "words", "why", "may_be_doubled", "message_id"]
    exclude = ["name", "subject", "text", "html", "error"]
    change_list_template = "admin/letters/letter/change_list.html"
    change_form_template = "admin/letters/letter/page.html"

    def get_urls(self):
        pages = [("renvoyer", self.resend, "resend"), ("annuler", self.withdraw, "withdraw")]
        urls = [
            path(
                f"<uuid:pk>/{address}/",
                self.admin_site.admin_view(require_POST(view)),
                name=f"letters_letter_{name}",
            )
            for address, view, name in pages
        ]
        return [*urls, *super().get_urls()]

    @admin.display(description="courrier", ordering="name")
    def called(self, letter):
        return names.called(letter.name)

    @admin.display(description="dernière erreur", ordering="error")
    def why(self, letter):
        return names.fault(letter.error)

    @admin.display(description="identifiant (Message-ID)")
    def message_id(self, letter):
        return letter.message_id

    @admin.display(description="objet concerné")
    def about(self, letter):
        return journal.subject(letter.subject)

    @admin.display(description="texte")
    def words(self, letter):
        return "Courrier confidentiel." if letter.carries_secret else letter.text

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        waiting = Letter.objects.waiting(timezone.now()).filter(pk=obj.pk)
        may_resend = obj.state in RESENDABLE and not obj.carries_secret
        context |= {"may_resend": may_resend, "may_withdraw": waiting.exists()}
        context |= {"is_secret": obj.state in RESENDABLE and obj.carries_secret}
        return super().render_change_form(request, context, add, change, form_url, obj)

    def resend(self, request, pk):
        letter = self._one(request, pk)
        if letter.state not in RESENDABLE:
            self.message_user(request, "Seul un courrier envoyé ou en échec se renvoie.", messages.ERROR)
            return _page(letter)
        try:
            again = actions.resend(letter, by=request.user.actor)
        except actions.CannotResend:
            told = "Ce courrier contient un code ou un lien personnel : la personne en demande un nouveau elle-même."
            self.message_user(request, told, messages.ERROR)
            return _page(letter)
        self.message_user(request, f"Le même courrier part à nouveau vers {letter.recipient}.")
        return _page(again)

    def withdraw(self, request, pk):
        letter = self._one(request, pk)
        if actions.withdraw(letter, by=request.user.actor):
            self.message_user(request, "Ce courrier est annulé : il ne partira pas.")
        else:
            self.message_user(request, "Ce courrier est déjà parti, ou ne partira plus.", messages.ERROR)
        return _page(letter)

    def _one(self, request, pk) -> Letter:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return get_object_or_404(Letter, pk=pk)


def _page(letter: Letter):
    return HttpResponseRedirect(reverse("admin:letters_letter_change", args=[letter.pk]))
