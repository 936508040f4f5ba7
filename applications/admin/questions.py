"""Sections and questions of a form in the making; once it is published they are only read."""

from collections.abc import Callable

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.forms.widgets import Script
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from applications import versions
from applications.form_changes import facts_of
from applications.form_faults import WITH_CHOICES
from applications.models import FormVersion, Question, Section, questions_of
from applications.workshop_forms import CONDITION, QuestionForm, SectionForm
from ecare.admin_site import OfferedFilters

Kind = Question.Kind


class _OfForm(OfferedFilters, admin.ModelAdmin):
    """A part of a form: reached from its version, where one comes back to; open until the version is published."""

    actions = None

    def has_module_permission(self, request):
        """Not in the menu."""
        return False

    def changelist_view(self, request, extra_context=None):
        return HttpResponseRedirect(reverse("admin:applications_formversion_changelist"))

    place: str
    """Where what is added lands."""

    _parent: Callable[..., FormVersion]  # of a request: the version that a new part is added to

    def _is_open(self, obj) -> bool:
        return obj is None or obj.form.published_at is None

    def has_change_permission(self, request, obj=None):
        return self._is_open(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request, obj=None):
        return self._is_open(obj) and super().has_delete_permission(request, obj)

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        form = obj.form if obj else self._parent(request)
        context |= {"version": form, "back": _editor(form, obj)}
        context |= {"show_save_and_continue": False, "show_save_and_add_another": add}
        if obj is None:
            context["title"] = f"{self.opts.verbose_name.capitalize()} à ajouter"
            context["place"] = self.place
        return super().render_change_form(request, context, add, change, form_url, obj)

    def response_post_save_add(self, request, obj):
        return HttpResponseRedirect(_editor(obj.form, obj))

    response_post_save_change = response_post_save_add

    def response_delete(self, request, obj_display, obj_id):
        self.message_user(request, f"« {obj_display} » est supprimée.")
        return HttpResponseRedirect(_editor(request.left))


def _editor(form: FormVersion, obj=None) -> str:
    place = f"#{obj._meta.model_name}-{obj.pk}" if obj and obj.pk else ""
    return reverse("admin:applications_formversion_change", args=[form.pk]) + place


def _open_or_403(found):
    """What is added, is added to a version that is not published yet."""
    if found is None:
        raise PermissionDenied
    return found


@admin.register(Section)
class SectionAdmin(_OfForm):
    form = SectionForm
    place = "Cette section vient après les autres. « Monter » et « Descendre » la déplacent ensuite."
    fields = ["title", "introduction"]
    change_form_template = "admin/applications/part_form.html"

    def _parent(self, request):
        wanted = request.GET.get("formulaire", "")
        open_forms = FormVersion.objects.filter(published_at=None).select_related("domain")
        return _open_or_403(open_forms.filter(pk=wanted).first() if wanted.isdecimal() else None)

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("form__domain")

    def add_view(self, request, form_url="", extra_context=None):
        self._parent(request)
        return super().add_view(request, form_url, extra_context)

    def save_model(self, request, obj, form, change):
        if not change:
            obj.form = self._parent(request)
        versions.save_section(obj, by=request.user)

    def delete_model(self, request, obj):
        request.left = obj.form
        versions.delete_section(obj, by=request.user)


# What each group of fields is for: with JavaScript a group that the kind has no use for is not shown.
_GROUPS = [
    (None, ["section", "kind", "label", "key", "help", "is_required"], ()),
    ("Réponses possibles d’un choix", ["choices"], WITH_CHOICES),
    ("Case à cocher", ["checkbox_label", "objective"], (Kind.CHECKBOX,)),
    (
        "Espace de dépôt",
        ["formats", "max_megabytes", "max_files", "container"],
        (Kind.EVIDENCE,),
    ),
    ("Liste des entités rattachées", ["activity_share"], (Kind.CHECKLIST,)),
    (
        "Contact du dossier que cette réponse renseigne",
        ["contact_role", "contact_field"],
        (Kind.TEXT, Kind.CIVILITY, Kind.EMAIL, Kind.PHONE),
    ),
]
_CONDITIONS = (
    "Sans case cochée, la question est toujours affichée. Sinon elle l’est quand chaque ligne cochée est vérifiée : "
    "la réponse donnée est l’une de celles qui sont cochées."
)


@admin.register(Question)
class QuestionAdmin(_OfForm):
    change_form_template = "admin/applications/part_form.html"
    place = "Cette question vient à la fin de sa section. « Monter » et « Descendre » la déplacent ensuite."
    readonly_fields = ["facts"]

    class Media:
        js = [Script("ecare/workshop.js", type="module")]

    def _parent(self, request):
        return self._section(request).form

    def _section(self, request) -> Section:
        wanted = request.GET.get("section", "")
        sections = Section.objects.filter(form__published_at=None).select_related("form__domain")
        return _open_or_403(sections.filter(pk=wanted).first() if wanted.isdecimal() else None)

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("section__form__domain")

    def add_view(self, request, form_url="", extra_context=None):
        self._section(request)
        return super().add_view(request, form_url, extra_context)

    def get_changeform_initial_data(self, request):
        return {"section": self._section(request).pk, "is_required": True}

    def get_form(self, request, obj=None, change=False, **kwargs):
        if self._is_open(obj):
            kwargs["form"] = self._form_class(request, obj)
        return super().get_form(request, obj, change, **kwargs)

    def _form_class(self, request, obj):
        """Made once for a request: it asks for the questions that come before."""
        if not hasattr(request, "question_form"):
            form = obj.form if obj else self._parent(request)
            place = (obj or Question(section=self._section(request))).section.position
            rank = obj.position if obj else versions.FAR
            earlier = [one for one in questions_of(form) if (one.section.position, one.position) < (place, rank)]
            request.question_form = QuestionForm.with_conditions(earlier)
        return request.question_form

    def get_fieldsets(self, request, obj=None):
        if not self._is_open(obj):
            return [(None, {"fields": ["section", "key", "facts"]})]
        form = self._form_class(request, obj)
        rows = [name for name in form.declared_fields if name.startswith(CONDITION)]
        stale = ["stale"] if obj and self._has_stale(obj, form) else []
        groups = [(title, {"fields": fields, "classes": _classes(kinds)}) for title, fields, kinds in _GROUPS]
        return [*groups, ("Affichée si", {"fields": [*stale, *rows], "description": _CONDITIONS})]

    def _has_stale(self, obj, form) -> bool:
        known = {question.key for question in form.earlier}
        return any(not key.startswith("@") and key not in known for key in obj.shown_if)

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "section":
            obj_id = request.resolver_match.kwargs.get("object_id")
            known = (
                Section.objects.filter(questions=obj_id)
                if obj_id
                else Section.objects.filter(pk=self._section(request).pk)
            )
            field.queryset = Section.objects.filter(form__in=known.values("form")).order_by("position")
            field.empty_label = None
        return field

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "section":
            for sign in ("can_add_related", "can_change_related", "can_view_related", "can_delete_related"):
                setattr(field.widget, sign, False)
        return field

    def save_model(self, request, obj, form, change):
        versions.save_question(obj, by=request.user)

    def delete_model(self, request, obj):
        request.left = obj.section.form
        versions.delete_question(obj, by=request.user)

    @admin.display(description="ce qu’elle dit")
    def facts(self, question):
        if question.pk is None:
            return ""
        facts = facts_of(question, questions_of(question.section.form))
        rows = format_html_join("", "<dt>{}</dt><dd>{}</dd>", facts.items())
        return format_html("<dl>{}</dl>", rows)


def _classes(kinds) -> list[str]:
    return ["ecare-for-kind", *(f"kind-{kind}" for kind in kinds)] if kinds else []
