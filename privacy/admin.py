"""What an administrator does for somebody who asks for their rights: two more actions of « Personnes »."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseRedirect

from accounts.admin.users import UserAdmin
from accounts.models import User
from privacy import actions, readers, rules, writers

ONE = "Choisissez une seule personne."
COPY = (
    "Une archive de tout ce que le service garde sur cette personne est préparée ; vous la lui remettez par une voie "
    "sûre, après avoir vérifié que c’est bien elle. Le journal garde votre motif, et un courrier l’avertit :"
)
ERASE = (
    "Le compte est fermé pour toujours, et plus aucune page ne dit qui c’était. Ce que la loi garde reste au dossier "
    "des établissements. C’est définitif. Le journal garde votre motif, et un dernier courrier part à son adresse :"
)


class PersonAdmin(UserAdmin):
    actions = (*UserAdmin.actions, "hand_over", "erase")

    def change_view(self, request, object_id, form_url="", extra_context=None):
        """Nothing is given back to somebody erased."""
        person = self.get_object(request, object_id)
        if request.method == "POST" and person is not None and rules.is_erased(person):
            raise PermissionDenied
        return super().change_view(request, object_id, form_url, extra_context)

    @admin.action(description="Remettre une copie de ses données", permissions=["change"])
    def hand_over(self, request, queryset):
        if page := self._ask_why(request, queryset, title="Remettre une copie de ses données", says=COPY):
            return page
        person = queryset.get()
        archive = writers.archive(readers.held_on(person))
        reason = request.POST["reason"].strip()
        actions.hand_over(person, by=request.user.actor, reason=reason, at=request.arrived_at)
        answer = HttpResponse(archive, content_type="application/zip")
        answer["Content-Disposition"] = f'attachment; filename="donnees-personne-{person.pk}.zip"'
        return answer

    @admin.action(description="Effacer ses données", permissions=["change"])
    def erase(self, request, queryset):
        if page := self._ask_why(request, queryset, title="Effacer ses données", says=ERASE):
            return page
        try:
            reason = request.POST["reason"].strip()
            actions.erase(queryset.get(), by=request.user, reason=reason, at=request.arrived_at)
        except actions.CannotErase as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, "Les données de cette personne sont effacées.")
        return None

    def _ask_why(self, request, queryset, *, title, says):
        """The page that asks for one person and a reason; None once both are there."""
        if queryset.count() != 1:
            messages.error(request, ONE)
            return HttpResponseRedirect(request.get_full_path())
        return self.confirm(request, queryset, title=title, says=says, asks_why=True)


admin.site.unregister(User)
admin.site.register(User, PersonAdmin)
