"""Domains and their forms to edit; dossiers and their sendings to consult, without answers or evidence."""

from django import forms
from django.contrib import admin, messages
from django.db import models
from django.utils import timezone

from applications import definitions
from applications.models import Application, Bracket, Domain, Extension, FormVersion, Question, Section, Submission
from applications.money import faults_of
from applications.readers import DefinitionError, check_form
from ecare.admin_site import MatchingSearch, ReadOnlyAdmin
from establishments.models import Establishment


class DomainForm(forms.ModelForm):
    kinds = forms.MultipleChoiceField(
        label="Types d’établissement éligibles", choices=Establishment.Kind, widget=forms.CheckboxSelectMultiple
    )


class ScaleFormSet(forms.BaseInlineFormSet):
    """A scale is right as a whole: no day left out, none with two ceilings."""

    def clean(self):
        super().clean()
        kept = [form for form in self.forms if form.has_changed() or form.instance.pk]
        if any(self.errors):
            return
        lines = {id(form.instance): form for form in kept if not self._should_delete_form(form)}
        brackets = [form.instance for form in lines.values()]
        for kind in Establishment.Kind:
            for bracket, message in faults_of([one for one in brackets if one.kind == kind]):
                lines[id(bracket)].add_error("days_from", message[0].upper() + message[1:])


class BracketInline(admin.TabularInline):
    model = Bracket
    formset = ScaleFormSet
    extra = 0


@admin.register(Domain)
class DomainAdmin(admin.ModelAdmin):
    form = DomainForm
    inlines = [BracketInline]
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    list_display = [
        "name",
        "candidature_from",
        "candidature_until",
        "declaration_from",
        "declaration_until",
        "is_trial",
    ]
    prepopulated_fields = {"slug": ["name"]}
    fieldsets = [
        (None, {"fields": ["name", "slug", "position", "summary", "more_url", "guide_url", "is_trial"]}),
        ("Éligibilité et enveloppe", {"fields": ["kinds", "envelope"]}),
        (
            "Montants (le barème lui-même est plus bas)",
            {"fields": ["floor", "payment", "commitment", "activity_year", "has_official_scale"]},
        ),
        (
            "Calendrier (jours de Paris ; un dernier jour compte jusqu’à sa dernière seconde)",
            {"fields": list(definitions.CALENDAR)},
        ),
    ]

    def has_delete_permission(self, request, obj=None):
        return False


class _FrozenOncePublished:
    """Editable while its form awaits publication."""

    def _form(self, obj) -> FormVersion | None:
        return obj

    def _is_open(self, obj) -> bool:
        form = self._form(obj) if obj is not None else None
        return form is None or form.published_at is None

    def has_change_permission(self, request, obj=None):
        return self._is_open(obj) and super().has_change_permission(request, obj)

    def has_add_permission(self, request, obj=None):
        return self._is_open(obj) and super().has_add_permission(request, *([obj] if self._is_inline else []))

    def has_delete_permission(self, request, obj=None):
        return self._is_open(obj) and super().has_delete_permission(request, obj)

    _is_inline = False


class SectionInline(_FrozenOncePublished, admin.TabularInline):
    model = Section
    fields = ["position", "title", "introduction"]
    extra = 0
    show_change_link = True
    _is_inline = True


class QuestionInline(_FrozenOncePublished, admin.StackedInline):
    model = Question
    extra = 0
    _is_inline = True

    def _form(self, obj):
        return obj.form


@admin.register(FormVersion)
class FormVersionAdmin(_FrozenOncePublished, admin.ModelAdmin):
    list_display = ["domain", "step", "number", "published_at"]
    list_filter = ["domain", "step"]
    list_select_related = ["domain"]
    readonly_fields = ["published_at"]
    inlines = [SectionInline]
    actions = ["publish", "copy"]

    @admin.action(description="Publier (le formulaire sera figé)", permissions=["view"])
    def publish(self, request, queryset):
        for form in queryset.filter(published_at=None):
            try:
                check_form(definitions.content_of(form), name=str(form))
            except DefinitionError as error:
                self.message_user(request, str(error), messages.ERROR)
                continue
            definitions.publish(form, by=request.user, at=timezone.now())
            self.message_user(request, f"{form} est publié.", messages.SUCCESS)

    @admin.action(description="Créer une nouvelle version à modifier", permissions=["view"])
    def copy(self, request, queryset):
        for form in queryset:
            self.message_user(request, f"{definitions.new_version(form)} est prêt à être modifié.", messages.SUCCESS)


@admin.register(Section)
class SectionAdmin(_FrozenOncePublished, admin.ModelAdmin):
    list_display = ["title", "form", "position"]
    list_filter = ["form__domain", "form__step"]
    list_select_related = ["form__domain"]
    search_fields = ["title"]
    inlines = [QuestionInline]

    def _form(self, obj):
        return obj.form

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        """A section joins a form that is not published yet."""
        if db_field.name == "form":
            kwargs["queryset"] = FormVersion.objects.filter(published_at=None).select_related("domain")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


@admin.register(Application)
class ApplicationAdmin(MatchingSearch, ReadOnlyAdmin):
    list_display = ["reference", "domain", "establishment", "referent", "state", "moved_at"]
    list_filter = ["domain", "state"]
    list_select_related = ["domain", "establishment__ght", "referent"]


@admin.register(Submission)
class SubmissionAdmin(ReadOnlyAdmin):
    list_display = ["application", "step", "number", "at", "by", "digest"]
    list_filter = ["step"]
    list_select_related = ["application", "by"]
    search_fields = ["application__reference", "digest"]
    fields = ["application", "step", "number", "at", "by", "digest"]


@admin.register(Extension)
class ExtensionAdmin(ReadOnlyAdmin):
    """To look at: the ANS gives them on its own pages, which write to the establishment."""

    list_display = ["establishment", "domain", "step", "until", "state", "by", "at"]
    list_filter = ["domain", "step", "state"]
    list_select_related = ["establishment__ght", "domain", "by"]
    search_fields = ["establishment__name"]
    fields = [
        "establishment",
        "domain",
        "step",
        "until",
        "reason",
        "by",
        "at",
        "state",
        "ended_by",
        "ended_at",
        "message",
    ]
