"""The form editor: versions, their sections and questions, preview, comparison, publication."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, Q, Subquery
from django.http import Http404, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from applications import previews, versions
from applications.actions import NotNow
from applications.form_changes import changes_between, condition
from applications.form_faults import Fault
from applications.models import Application, FormVersion, Question, Section, questions_of
from applications.states import ENDED
from ecare.admin_site import OfferedFilters
from ecare.french import paris_datetime


class BeginForm(forms.ModelForm):
    """The first form of a step."""

    class Meta:
        model = FormVersion
        fields = ["domain", "step"]

    def clean(self):
        cleaned = super().clean()
        domain, step = cleaned.get("domain"), cleaned.get("step")
        if domain and step and domain.forms.filter(step=step).exists():
            self.add_error("step", "Cette étape a déjà un formulaire : ouvrez-le et créez sa version suivante.")
        return cleaned


class SituationFilter(admin.SimpleListFilter):
    title, parameter_name = "situation", "situation"

    def lookups(self, request, model_admin):
        return [("publie", "Publiée"), ("prepare", "En préparation")]

    def queryset(self, request, queryset):
        if self.value() in ("publie", "prepare"):
            return queryset.filter(published_at__isnull=self.value() == "prepare")
        return queryset


@admin.register(FormVersion)
class FormVersionAdmin(OfferedFilters, admin.ModelAdmin):
    """Read-only once published: one prepares its next version."""

    actions = None
    list_display = ["__str__", "situation", "question_count", "dossier_count"]
    list_filter = ["domain", "step", SituationFilter]
    list_select_related = ["domain"]
    change_form_template = "admin/applications/formversion/editor.html"

    def get_urls(self):
        pages = [
            ("apercu", self.preview, "preview"),
            ("publier", self.publish, "publish"),
            ("version-suivante", self.duplicate, "duplicate"),
            ("comparer", self.compare, "compare"),
            ("deplacer", self.move, "move"),
        ]
        urls = [
            path(f"<int:pk>/{address}/", self.admin_site.admin_view(view), name=f"applications_formversion_{name}")
            for address, view, name in pages
        ]
        return [*urls, *super().get_urls()]

    # --- the list ---
    def get_queryset(self, request):
        held = Application.objects.filter(Q(candidature_form=OuterRef("pk")) | Q(declaration_form=OuterRef("pk")))
        counted = held.order_by().values("domain").annotate(number=Count("pk")).values("number")
        return (
            super()
            .get_queryset(request)
            .select_related("domain")
            .annotate(asked=Count("sections__questions"), held=Subquery(counted))
        )

    @admin.display(description="situation")
    def situation(self, form):
        return f"Publiée le {paris_datetime(form.published_at)}" if form.published_at else "En préparation"

    @admin.display(description="questions")
    def question_count(self, form):
        return form.asked

    @admin.display(description="dossiers qui la gardent")
    def dossier_count(self, form):
        return form.held or 0

    # --- one version ---
    def has_change_permission(self, request, obj=None):
        return (obj is None or obj.published_at is None) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request, obj=None):
        return obj is not None and obj.published_at is None and super().has_delete_permission(request, obj)

    def get_form(self, request, obj=None, change=False, **kwargs):
        if obj is None:
            kwargs["form"] = BeginForm
        return super().get_form(request, obj, change, **kwargs)

    def get_fields(self, request, obj=None):
        return ["domain", "step"] if obj is None else ["reminder"]

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        context |= {"show_save_and_add_another": False, "show_save_and_continue": False}
        if obj is not None:
            context |= self._editor(obj) | {"title": str(obj), "subtitle": None}
        return super().render_change_form(request, context, add, change, form_url, obj)

    def _editor(self, form: FormVersion) -> dict:
        questions = questions_of(form)
        faults = versions.faults_in(form) if form.published_at is None else []
        parts = [
            {
                "section": section,
                "faults": [one for one in faults if one.section == section and one.question is None],
                "rows": [_row(one, questions, faults) for one in questions if one.section_id == section.pk],
            }
            for section in form.sections.order_by("position")
        ]
        return {
            "parts": parts,
            "faults": [one for one in faults if one.section is None],
            "blocking": sum(one.blocks for one in faults),
            "to_look_at": sum(not one.blocks for one in faults),
            "held": form.held or 0,
            "latest": form.domain.forms.latest_published(form.step),
            "former": versions.former_of(form),
        }

    def save_model(self, request, obj, form, change):
        if change:
            versions.save_reminder(obj, form.cleaned_data["reminder"], by=request.user)
        else:
            begun = versions.begin(obj.domain, obj.step, by=request.user)
            obj.pk, obj.number = begun.pk, begun.number

    def response_add(self, request, obj, post_url_continue=None):
        self.message_user(request, f"{obj} est en préparation : ajoutez une section, puis ses questions.")
        return HttpResponseRedirect(_address("change", obj))

    def response_change(self, request, obj):
        self.message_user(request, "Le rappel des prérequis est enregistré.")
        return HttpResponseRedirect(_address("change", obj))

    def delete_model(self, request, obj):
        versions.discard(obj, by=request.user)

    # --- its other pages ---
    def _one(self, request, pk: int) -> FormVersion:
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = self.get_queryset(request).filter(pk=pk).first()
        if found is None:
            raise Http404
        return found

    def _page(self, request, template: str, form: FormVersion, **context):
        context |= self.admin_site.each_context(request) | {"version": form, "opts": self.opts}
        return TemplateResponse(request, template, context)

    def preview(self, request, pk):
        return _read(lambda request: previews.preview(request, self._one(request, pk)))(request)

    def compare(self, request, pk):
        return _read(self._compare)(request, self._one(request, pk))

    def _compare(self, request, form):
        """With the version of `?avec=`, or the one published before."""
        others = form.domain.forms.filter(step=form.step).exclude(pk=form.pk).select_related("domain")
        wanted = request.GET.get("avec", "")
        other = others.filter(number=wanted).first() if wanted.isdecimal() else versions.former_of(form)
        changes = changes_between(other, form) if other else None
        title = f"{form} : ce qui change"
        context = {"other": other, "others": others, "changes": changes, "title": title}
        return self._page(request, "admin/applications/formversion/compare.html", form, **context)

    def publish(self, request, pk):
        return require_http_methods(["GET", "HEAD", "POST"])(self._publish)(request, self._one(request, pk))

    def _publish(self, request, form):
        if request.method == "POST":
            versions.publish(form, by=request.user, at=request.arrived_at, mark=request.POST.get("mark", ""))
            self.message_user(request, f"{form} est publiée et figée.", messages.SUCCESS)
            return HttpResponseRedirect(_address("change", form))
        if form.published_at is not None:
            raise NotNow(versions.FROZEN)
        faults = versions.faults_in(form)
        context = {
            "blocking": [fault for fault in faults if fault.blocks],
            "to_look_at": [fault for fault in faults if not fault.blocks],
            "mark": versions.mark_of(form),
            "keeping": _dossiers_by_version(form),
            "former": versions.former_of(form),
            "title": f"Publier {form}",
        }
        return self._page(request, "admin/applications/formversion/publish.html", form, **context)

    def duplicate(self, request, pk):
        return require_POST(self._duplicate)(request, self._one(request, pk))

    def _duplicate(self, request, form):
        copy = versions.duplicate(form, by=request.user)
        self.message_user(request, f"{copy} reprend les questions de la version {form.number} : modifiez-la ici.")
        return HttpResponseRedirect(_address("change", copy))

    def move(self, request, pk):
        return require_POST(self._move)(request, self._one(request, pk))

    def _move(self, request, form):
        """`up` or `down`: « section-4 », « question-12 »."""
        direction = "up" if "up" in request.POST else "down"
        kind, _, number = request.POST.get(direction, "").partition("-")
        known = {"section": Section.objects.filter(form=form), "question": Question.objects.filter(section__form=form)}
        item = known[kind].filter(pk=number).first() if kind in known and number.isdecimal() else None
        if item is None:
            raise Http404
        move = versions.move_section if kind == "section" else versions.move_question
        move(item, up=direction == "up", by=request.user)
        return HttpResponseRedirect(f"{_address('change', form)}#{kind}-{item.pk}")


_read = require_safe


def _address(name: str, form: FormVersion) -> str:
    return reverse(f"admin:applications_formversion_{name}", args=[form.pk])


def _row(question: Question, questions: list[Question], faults: list[Fault]) -> dict:
    return {
        "question": question,
        "condition": condition(question, questions) if question.shown_if else "",
        "faults": [one for one in faults if one.question == question],
    }


def _dossiers_by_version(form: FormVersion) -> list[dict]:
    """How many dossiers under way hold which version of the step, and keep it."""
    field = f"{form.step}_form"
    under_way = Application.objects.filter(domain=form.domain).exclude(state__in=ENDED).exclude(**{field: None})
    counted = under_way.order_by().values(f"{field}__number").annotate(count=Count("pk"))
    return [{"number": row[f"{field}__number"], "count": row["count"]} for row in counted.order_by(f"{field}__number")]
