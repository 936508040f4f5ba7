from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, Subquery
from django.db.models.functions import Lower
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import actions, agents, rules, second_factor, terms
from accounts.forms import TermsForm
from accounts.models import Invitation, Terms, TermsAcceptance, User
from accounts.usernames import ALLOWED
from accounts.workshop_forms import PublishTermsForm, TermsTextForm
from ecare.admin_site import MatchingSearch, OfferedFilters, ReadOnlyAdmin
from ecare.french import paris_date, paris_datetime

MOVES = (
    "En enregistrant un autre établissement, vous écrivez à cette personne et à ses nouveaux collaborateurs. "
    "Impossible tant qu’elle suit un dossier."
)
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


class Confirmed:
    """Actions that say what they do and to whom they write, and do it once that was confirmed."""

    def confirm(self, request, queryset, *, title, says):
        """The page that asks; None once the answer was yes."""
        if "confirmed" in request.POST:
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "says": says,
            "concerned": [str(one) for one in queryset],
            "queryset": queryset,
            "action": request.POST["action"],
            "checkbox_name": ACTION_CHECKBOX_NAME,
            "back": request.get_full_path(),
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/confirm.html", context)


class UserForm(forms.ModelForm):
    """An account without its password: nobody types or reads another's."""

    by: User | None = None
    """Who changes it."""

    class Meta:
        model = User
        fields = "username civility first_name last_name email phone role establishment regions is_active".split()

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["username"].help_text = "3 à 60 caractères : lettres, chiffres, points, tirets, sans @."
        self.fields["is_active"].help_text = ENDS
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
        self._check_move(establishment)
        self._check_access(role, cleaned.get("is_active"))
        return cleaned

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
    actions = ("reset_second_factor",)
    fieldsets = (
        ("Personne", {"fields": ("civility", "last_name", "first_name", "email", "phone")}),
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
        """What has consequences is left to its verb: establishment, role, activity."""
        wanted = {name: getattr(obj, name) for name in ("role", "is_active", "establishment")}
        former = form.initial.get("establishment")
        obj.role, obj.is_active, obj.establishment_id = form.initial["role"], form.initial["is_active"], former
        super().save_model(request, obj, form, change)
        if former and wanted["establishment"]:
            self._move(request, obj, wanted["establishment"])
        self._change_access(request, obj, wanted)
        actions.vouch_for(User.objects.get(pk=obj.pk), by=request.user)

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
        done = sum(second_factor.reset(person, by=request.user) for person in queryset)
        if done:
            messages.success(request, f"Double authentification réinitialisée : {done}.")
        else:
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
    add_form_template = "admin/accounts/invitation/add.html"
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
            return super().add_view(request, form_url, {"title": "Inviter un agent"} | (extra_context or {}))
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


@admin.register(Terms)
class TermsAdmin(admin.ModelAdmin):
    """Written, read as everybody will, published on a day, then frozen: people accepted these very words."""

    form = TermsTextForm
    actions = None
    list_display = ("version", "situation", "accepted_by")
    change_form_template = "admin/accounts/terms/change_form.html"

    def get_urls(self):
        pages = [("apercu", self.preview, "preview"), ("publier", self.publish, "publish")]
        pages.append(("version-suivante", self.duplicate, "duplicate"))
        urls = [
            path(f"<int:pk>/{address}/", self.admin_site.admin_view(view), name=f"accounts_terms_{name}")
            for address, view, name in pages
        ]
        return [*urls, *super().get_urls()]

    def get_queryset(self, request):
        in_force = Terms.objects.published().values("pk")[:1]
        return super().get_queryset(request).annotate(in_force=Subquery(in_force), accepted=Count("acceptances"))

    @admin.display(description="situation")
    def situation(self, version):
        if version.published_at is None:
            return "En préparation"
        if version.published_at > timezone.now():
            return f"Publiée, en vigueur à partir du {paris_datetime(version.published_at)}"
        day = paris_date(version.published_at)
        return f"En vigueur depuis le {day}" if version.pk == version.in_force else f"Remplacée, publiée le {day}"

    @admin.display(description="acceptations")
    def accepted_by(self, version):
        return version.accepted

    def has_change_permission(self, request, obj=None):
        return (obj is None or obj.published_at is None) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request, obj=None):
        return obj is not None and obj.published_at is None and super().has_delete_permission(request, obj)

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        context |= {"show_save_and_add_another": False, "show_save_and_continue": False}
        if obj is not None:
            context |= {"situation": self.situation(obj), "accepted": obj.accepted}
        return super().render_change_form(request, context, add, change, form_url, obj)

    def save_model(self, request, obj, form, change):
        typed = {"version": obj.version, "text": obj.text, "by": request.user}
        if change:
            terms.save(obj, **typed)
        else:
            obj.pk = terms.begin(**typed).pk

    def delete_model(self, request, obj):
        terms.discard(obj, by=request.user)

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except terms.Refused as refusal:  # published since the page was shown
            messages.error(request, str(refusal))
            return HttpResponseRedirect(request.path)

    # --- its other pages ---
    def _one(self, request, pk: int) -> Terms:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return get_object_or_404(self.get_queryset(request), pk=pk)

    def _to_editor(self, version: Terms):
        return HttpResponseRedirect(reverse("admin:accounts_terms_change", args=[version.pk]))

    def preview(self, request, pk):
        return require_safe(self._preview)(request, self._one(request, pk))

    def _preview(self, request, version):
        """As everybody will read it, in the site's own look."""
        editor, is_draft = reverse("admin:accounts_terms_change", args=[version.pk]), version.published_at is None
        version.published_at = version.published_at or request.arrived_at
        context = {"terms": version, "is_draft": is_draft, "form": TermsForm(), "editor": editor}
        return render(request, "accounts/terms_preview.html", context)

    def publish(self, request, pk):
        return require_http_methods(["GET", "HEAD", "POST"])(self._publish)(request, self._one(request, pk))

    def _publish(self, request, version):
        form = PublishTermsForm(version, request.POST or None, at=request.arrived_at)
        try:
            if version.published_at is not None:
                raise terms.Refused(terms.FROZEN)
            if form.is_valid():
                mark = request.POST.get("mark", "")
                terms.publish(version, on=form.cleaned_data["on"], mark=mark, by=request.user, at=request.arrived_at)
                self.message_user(request, f"{version} : publiée et figée.", messages.SUCCESS)
                return self._to_editor(version)
        except terms.Refused as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            return self._to_editor(version)
        people = terms.who_will_accept()
        context = self.admin_site.each_context(request) | {
            "terms": version,
            "form": form,
            "mark": terms.mark_of(version),
            "people": people,
            "total": sum(row["number"] for row in people),
            "again": sum(row["again"] for row in people),
            "title": f"Publier les {version}",
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/accounts/terms/publish.html", context)

    def duplicate(self, request, pk):
        return require_POST(self._duplicate)(request, self._one(request, pk))

    def _duplicate(self, request, version):
        try:
            copy = terms.duplicate(version, by=request.user)
        except terms.Refused as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            return self._to_editor(version)
        self.message_user(request, f"{copy} : reprend le texte de la version {version.version}. Modifiez-le ici.")
        return self._to_editor(copy)


@admin.register(TermsAcceptance)
class TermsAcceptanceAdmin(ReadOnlyAdmin):
    list_display = ("user", "terms", "at")
    list_select_related = ("user", "terms")
    list_filter = ("terms",)
    search_fields = ("user__username", "user__email")
