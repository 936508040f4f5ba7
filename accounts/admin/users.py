"""Accounts, and the invitations that open those of agents."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models.functions import Lower
from django.http import HttpResponseRedirect
from django.urls import reverse

from accounts import actions, agents, mailboxes, rules, second_factor
from accounts.models import Invitation, User
from accounts.usernames import ALLOWED
from ecare.admin_site import Confirmed, MatchingSearch, OfferedFilters
from ecare.french import paris_datetime

MOVES = (
    "En enregistrant un autre établissement, vous écrivez à cette personne et à ses nouveaux collaborateurs. "
    "Impossible tant qu’elle suit un dossier."
)
CORRECTS = (
    "En enregistrant une autre adresse, vous fermez les sessions de la personne et vous écrivez à ses deux adresses. "
    "Pendant 72 heures, l’ancienne peut arrêter le changement ; d’ici là, la nouvelle ne permet ni de choisir un autre "
    "mot de passe, ni de réinitialiser la double authentification."
)
WHY = "Obligatoire si vous changez l’adresse. Envoyé aux deux adresses et inscrit au journal."
ENDS = (
    "Décocher ferme aussitôt les sessions de cette personne et retire les courriers qui lui demandent d’agir. Son "
    "historique reste, et l’accès peut lui être rendu."
)


def _check_regions(form, cleaned):
    role = cleaned.get("role")
    if role == User.Role.ARS and not cleaned.get("regions"):
        form.add_error("regions", "Choisissez au moins une région pour un vérificateur ARS.")
    elif role and role != User.Role.ARS and cleaned.get("regions"):
        form.add_error("regions", "Seul un vérificateur ARS a des régions : n’en choisissez aucune.")


class UserForm(forms.ModelForm):
    """An account without its password: nobody types or reads another's."""

    by: User | None = None
    """Who changes it."""

    email_reason = forms.CharField(
        label="Motif du changement d’adresse",
        help_text=WHY,
        required=False,
        min_length=10,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"min_length": "Ce motif est trop court : écrivez au moins 10 caractères."},
    )

    class Meta:
        model = User
        fields = "username civility first_name last_name email phone role establishment regions is_active".split()

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["username"].help_text = "3 à 60 caractères : lettres, chiffres, points, tirets, sans @."
        self.fields["is_active"].help_text = ENDS
        self.fields["email"].help_text = CORRECTS
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
        _check_regions(self, cleaned)
        self._check_email(cleaned)
        self._check_move(establishment)
        self._check_access(role, cleaned.get("is_active"))
        return cleaned

    def _check_email(self, cleaned):
        email = cleaned.get("email")
        if email is None or email == self.initial["email"].lower():
            return
        if refusal := rules.why_not_correct_email(self.instance, by=self.by, email=email):
            self.add_error("email", refusal)
        elif not cleaned.get("email_reason") and "email_reason" not in self.errors:
            self.add_error("email_reason", "Dites pourquoi l’adresse change : ce motif est obligatoire.")

    def _check_access(self, role, is_active):
        refusal = role and rules.why_not_change_access(self.instance, by=self.by, role=role, is_active=is_active)
        if refusal:
            self.add_error("is_active" if role == self.instance.role else "role", refusal)

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
class UserAdmin(Confirmed, OfferedFilters, MatchingSearch, admin.ModelAdmin):
    """Nobody is added here: référents register, agents are invited (`InvitationAdmin`)."""

    form = UserForm
    list_display = ("last_name", "first_name", "username", "email", "role", "establishment", "is_active", "last_login")
    list_display_links = ("last_name", "username")
    list_filter = ("role", "is_active", "regions")
    list_select_related = ("establishment__ght",)
    ordering = (Lower("last_name"), "pk")
    raw_id_fields = ("establishment",)
    filter_horizontal = ("regions",)
    readonly_fields = ("last_login", "date_joined", "second_factor_since")
    actions: tuple[str, ...] = ("reset_second_factor",)
    fieldsets = (
        ("Personne", {"fields": ("civility", "last_name", "first_name", "email", "email_reason", "phone")}),
        ("Accès", {"fields": ("username", "role", "establishment", "regions", "is_active", "second_factor_since")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )

    def has_add_permission(self, request):
        return False

    def has_delete_permission(self, request, obj=None):
        """A person who acted stays in the history: their account is deactivated instead."""
        return False

    def get_form(self, request, obj=None, change=False, **kwargs):
        return type("FormOfAdministrator", (super().get_form(request, obj, change, **kwargs),), {"by": request.user})

    def save_model(self, request, obj, form, change):
        """What has consequences is left to its verb: e-mail, establishment, role, activity."""
        wanted = {name: getattr(obj, name) for name in ("role", "is_active", "establishment")}
        former, email = form.initial.get("establishment"), obj.email
        obj.email = form.initial["email"]
        obj.role, obj.is_active, obj.establishment_id = form.initial["role"], form.initial["is_active"], former
        super().save_model(request, obj, form, change)
        if former and wanted["establishment"]:
            self._move(request, obj, wanted["establishment"])
        self._change_access(request, obj, wanted)
        if not self._correct_email(request, obj, email, reason=form.cleaned_data["email_reason"]):
            actions.vouch_for(User.objects.get(pk=obj.pk), by=request.user)

    def _correct_email(self, request, person, email, *, reason):
        try:
            return mailboxes.correct_email(person, by=request.user, email=email, reason=reason)
        except mailboxes.CannotCorrect as refusal:  # since the form was checked
            messages.error(request, str(refusal))
            return True

    def _move(self, request, person, to):
        try:
            actions.change_establishment(person, by=request.user, to=to)
        except actions.CannotMove as refusal:  # since the form was checked
            messages.error(request, str(refusal))

    def _change_access(self, request, person, wanted):
        try:
            agents.change_access(person, by=request.user, **wanted)
        except agents.CannotChangeAccess as refusal:  # since the form was checked
            messages.error(request, str(refusal))

    @admin.action(description="Réinitialiser la double authentification", permissions=["change"])
    def reset_second_factor(self, request, queryset):
        says = (
            "Pour une personne qui a perdu son application et ses codes de secours, après avoir vérifié que c’est bien "
            "elle. Ses sessions sont fermées, et un courrier lui est envoyé :"
        )
        title = "Réinitialiser la double authentification"
        if page := self.confirm(request, queryset, title=title, says=says):
            return page
        done, refused = 0, []
        for person in queryset:
            try:
                done += second_factor.reset(person, by=request.user)
            except second_factor.CannotReset as refusal:
                refused.append(str(refusal))
        for refusal in refused:
            messages.error(request, refusal)
        if done:
            messages.success(request, f"Double authentification réinitialisée : {done}.")
        elif not refused:
            messages.warning(request, "Aucune de ces personnes n’a de double authentification.")
        return None


class InvitationForm(forms.ModelForm):
    class Meta:
        model = Invitation
        fields = ["email", "role", "regions"]

    def clean_email(self):
        email = self.cleaned_data["email"].lower()
        if refusal := rules.why_not_invite(email):
            raise ValidationError(refusal)
        return email

    def clean(self):
        cleaned = super().clean()
        _check_regions(self, cleaned)
        return cleaned


class StateFilter(admin.SimpleListFilter):
    title = "état"
    parameter_name = "etat"

    def lookups(self, request, model_admin):
        return Invitation.State.choices

    def queryset(self, request, queryset):
        return queryset.in_state(self.value()) if self.value() in Invitation.State.values else queryset


@admin.register(Invitation)
class InvitationAdmin(Confirmed, OfferedFilters, admin.ModelAdmin):
    """To add one is to invite; an invitation that left is read, sent again or revoked."""

    form = InvitationForm
    list_display = ("email", "role", "of_regions", "told_state", "sent_at", "until", "by")
    list_filter = (StateFilter, "role")
    list_select_related = ("by",)
    search_fields = ("email",)
    filter_horizontal = ("regions",)
    actions = ("resend", "revoke")
    add_form_template = "admin/acts.html"
    fieldsets = (
        (
            None,
            {
                "fields": ("email", "role", "regions"),
                "description": "En enregistrant, vous envoyez à cette adresse un courrier dont le lien ouvre un compte "
                "avec ce rôle. Il est valable sept jours et ne sert qu’une fois.",
            },
        ),
    )

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("regions")

    def get_fieldsets(self, request, obj=None):
        if obj is None:
            return self.fieldsets
        told = ("told_state", "sent_at", "until", "by", "accepted_at", "person", "revoked_at")
        return ((None, {"fields": ("email", "role", "regions", *told)}),)

    def get_readonly_fields(self, request, obj=None):
        return () if obj is None else ("told_state", "sent_at", "until", "by", "accepted_at", "person", "revoked_at")

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def save_model(self, request, obj, form, change):
        agents.invite(obj, regions=list(form.cleaned_data["regions"]), by=request.user)

    def add_view(self, request, form_url="", extra_context=None):
        try:
            said = {"title": "Inviter un agent", "act": "Envoyer l’invitation"}
            return super().add_view(request, form_url, said | (extra_context or {}))
        except agents.CannotInvite as refusal:  # since the form was checked
            messages.error(request, str(refusal))
            return HttpResponseRedirect(request.get_full_path())

    def response_add(self, request, obj, post_url_continue=None):
        until = paris_datetime(obj.until)
        said = f"L’invitation est envoyée à {obj.email} ; elle est valable jusqu’au {until}."
        self.message_user(request, said, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:accounts_invitation_changelist"))

    @admin.display(description="régions")
    def of_regions(self, obj):
        return ", ".join(region.name for region in obj.regions.all()) or "–"

    @admin.display(description="état")
    def told_state(self, obj):
        return obj.state.label

    @admin.action(description="Renvoyer", permissions=["add"])
    def resend(self, request, queryset):
        says = "Un nouveau lien, valable sept jours, est envoyé à ces adresses ; le précédent ne vaut plus rien :"
        if page := self.confirm(request, queryset, title="Renvoyer", says=says):
            return page
        return self._report(request, queryset, agents.resend_invitation, "Invitations renvoyées")

    @admin.action(description="Révoquer", permissions=["add"])
    def revoke(self, request, queryset):
        says = "Le lien de ces invitations n’ouvrira plus de compte. Personne n’en est averti :"
        if page := self.confirm(request, queryset, title="Révoquer", says=says):
            return page
        return self._report(request, queryset, agents.revoke_invitation, "Invitations révoquées")

    def _report(self, request, queryset, verb, done):
        told = [verb(invitation, by=request.user) for invitation in queryset]
        if any(told):
            messages.success(request, f"{done}\u00a0: {sum(told)}.")
        if not all(told):
            left = len(told) - sum(told)
            messages.warning(request, f"Déjà acceptées, révoquées, ou dont l’adresse a un compte : {left}.")
