"""A form as the référent of a kind of establishment will read it, before any dossier holds it."""

from dataclasses import dataclass
from functools import cached_property

from django import forms
from django.shortcuts import render
from django.urls import reverse

from applications import rules
from applications.fields import field_for
from applications.forms import Part, parts_of
from applications.models import Application, FormVersion, Question, questions_of
from applications.states import State, Step
from applications.views import STEPS
from establishments.models import Establishment

REFERENCE = "EXEMPLE"


class PreviewForm(forms.Form):
    """The fields of a form for one kind of establishment: shown, never sent."""

    use_required_attribute = False

    def __init__(self, questions: list[Question], *, kind: str, entities: list, expenses_from):
        super().__init__(auto_id="id_%s")
        self.questions, self.entities = questions, entities
        self.values = {rules.KIND: kind}
        for question in questions:
            if not question.is_evidence and rules.is_for(question, self.values):
                self.fields[question.key] = field_for(question, entities=entities, expenses_from=expenses_from)

    @cached_property
    def progress(self) -> rules.Progress:
        return rules.progress(self.questions, self.values, frozenset(entity.finess for entity in self.entities))

    def parts(self) -> list[Part]:
        return parts_of(self.questions, self.values, self.entities, form=self)


@dataclass(frozen=True)
class Tab:
    """A kind of establishment that the domain is open to."""

    kind: str
    label: str
    is_current: bool


def preview(request, form: FormVersion):
    """Read-only, in the site's own look; `?type=`: for which kind."""
    kinds = [kind for kind in Establishment.Kind if kind in form.domain.kinds] or list(Establishment.Kind)
    kind = next((one for one in kinds if one == request.GET.get("type")), kinds[0])
    establishment = _specimen(kind)
    entities = list(establishment.entities()) if establishment else []
    shown = PreviewForm(questions_of(form), kind=kind, entities=entities, expenses_from=form.domain.expenses_from)
    application = _dossier(form, establishment)
    context = {
        "version": form,
        "tabs": [Tab(one, one.label, one == kind) for one in kinds],
        "form": shown,
        "parts": shown.parts(),
        "application": application,
        "establishment": establishment,
        "badge": "none",
        "is_history": True,  # a dossier that is not there has none
        "steps": STEPS,
        "current": 2 if form.step == Step.DECLARATION else 1,
        "form_address": request.get_full_path(),
        "editor": reverse("admin:applications_formversion_change", args=[form.pk]),
    }
    return render(request, "applications/preview.html", context)


def _specimen(kind: str) -> Establishment | None:
    """One of the directory, so that the page shows real facts and entities."""
    found = Establishment.objects.open().filter(kind=kind).select_related("legal_entity", "region", "ght")
    return found.order_by("pk").first()


def _dossier(form: FormVersion, establishment: Establishment | None) -> Application:
    """Unsaved: what a page says of the dossier that it shows."""
    state = State.DECLARATION_OPEN if form.step == Step.DECLARATION else State.DRAFT
    return Application(reference=REFERENCE, domain=form.domain, establishment=establishment, state=state)
