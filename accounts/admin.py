from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models.functions import Lower

from accounts import actions, rules
from accounts.models import Terms, TermsAcceptance, User
from accounts.usernames import ALLOWED
from ecare.admin_site import MatchingSearch, OfferedFilters, ReadOnlyAdmin

MOVES = (
    "En enregistrant un autre établissement, vous écrivez à cette personne et à ses nouveaux collaborateurs. "
    "Impossible tant qu’elle suit un dossier."
)


class UserForm(forms.ModelForm):
    """An account without its password: nobody types or reads another's."""

    class Meta:
        model = User
        fields = "username civility first_name last_name email phone role establishment regions is_active".split()

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["username"].help_text = "3 à 60 caractères : lettres, chiffres, points, tirets, sans @."
        for name in ("first_name", "last_name"):
            self.fields[name].required = True
        if self.instance.establishment_id:
            self.fields["establishment"].help_text = MOVES

    def clean_username(self):
        username = self.cleaned_data["username"]
        if not ALLOWED.fullmatch(username):
            raise ValidationError("3 à 60 caractères : lettres, chiffres, points, tirets, sans @.")
        return username

    def clean_email(self):
        return self.cleaned_data["email"].lower()

    def clean(self):
        cleaned = super().clean()
        role, establishment = cleaned.get("role"), cleaned.get("establishment")
        if role == User.Role.REFERENT and not establishment:
            self.add_error("establishment", "Un référent représente un établissement : choisissez-le.")
        elif role != User.Role.REFERENT and establishment:
            self.add_error("establishment", "Seul un référent représente un établissement : laissez ce champ vide.")
        if role == User.Role.ARS and not cleaned.get("regions"):
            self.add_error("regions", "Choisissez au moins une région pour un vérificateur ARS.")
        elif role != User.Role.ARS and cleaned.get("regions"):
            self.add_error("regions", "Seul un vérificateur ARS a des régions : n’en choisissez aucune.")
        self._check_move(establishment)
        self.instance.is_staff = role == User.Role.ADMINISTRATOR
        return cleaned

    def _check_move(self, to):
        """Whoever leaves an establishment, for another one or for a role without, leaves no dossier behind."""
        if (
            "establishment" in self.errors
            or self.instance.establishment_id is None
            or self.instance.establishment == to
        ):
            return
        if refusal := (to and rules.why_not_join(to)) or rules.why_not_leave(self.instance):
            self.add_error("establishment", refusal)


@admin.register(User)
class UserAdmin(OfferedFilters, MatchingSearch, admin.ModelAdmin):
    form = UserForm
    list_display = ("last_name", "first_name", "username", "email", "role", "establishment", "is_active", "last_login")
    list_display_links = ("last_name", "username")
    list_filter = ("role", "is_active", "regions")
    list_select_related = ("establishment__ght",)
    ordering = (Lower("last_name"), "pk")
    raw_id_fields = ("establishment",)
    filter_horizontal = ("regions",)
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        ("Personne", {"fields": ("civility", "last_name", "first_name", "email", "phone")}),
        ("Accès", {"fields": ("username", "role", "establishment", "regions", "is_active")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )

    def has_delete_permission(self, request, obj=None):
        """A person who acted stays in the history: their account is deactivated instead."""
        return False

    def save_model(self, request, obj, form, change):
        if not change:
            obj.set_unusable_password()
        former, to = form.initial.get("establishment"), obj.establishment
        if former and to:
            obj.establishment_id = former  # only the verb moves somebody
        super().save_model(request, obj, form, change)
        actions.vouch_for(obj, by=request.user)
        if former and to:
            self._move(request, obj, to)
        if not change:
            messages.info(request, "Cette personne choisit son mot de passe par « Mot de passe oublié ? ».")

    def _move(self, request, person, to):
        try:
            actions.change_establishment(person, by=request.user, to=to)
        except actions.CannotMove as refusal:  # since the form was checked
            messages.error(request, str(refusal))


@admin.register(Terms)
class TermsAdmin(admin.ModelAdmin):
    """A published version is frozen: people accepted these very words."""

    list_display = ("version", "published_at")

    def get_readonly_fields(self, request, obj=None):
        return ("version", "text", "published_at") if obj and obj.published_at else ()

    def has_delete_permission(self, request, obj=None):
        return bool(obj and not obj.published_at) and super().has_delete_permission(request, obj)


@admin.register(TermsAcceptance)
class TermsAcceptanceAdmin(ReadOnlyAdmin):
    list_display = ("user", "terms", "at")
    list_select_related = ("user", "terms")
    list_filter = ("terms",)
    search_fields = ("user__username", "user__email")
