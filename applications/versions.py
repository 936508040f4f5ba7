"""The verbs of a form in the making: each locks its version, refuses what is published, and tells the journal.

Publishing freezes a version for good: dossiers that reach its step from then on take it, the others keep theirs.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime

from django.db import transaction
from django.db.models import F, Max
from django.forms import model_to_dict

from accounts.models import User
from applications.actions import NotNow
from applications.definitions import content_of, fill
from applications.form_faults import Fault, faults_of
from applications.models import Domain, FormVersion, Question, Section, questions_of
from applications.states import Step
from ecare.journal.actions import record

FROZEN = "Cette version est publiée : elle ne change plus. Créez la version suivante pour la modifier."
GONE = "Cette version en préparation a été supprimée."
CHANGED = "Ce formulaire a changé depuis l’affichage de cette page. Relisez-le, puis publiez-le à nouveau."
OVERTAKEN = "Une version plus récente de ce formulaire est déjà publiée : celle-ci ne servirait à personne."
FAR = 10_000  # ranks that rows pass by on their way to new ones, since two may never share one


class NotReady(NotNow):
    """A fault keeps the form from being published."""

    def __init__(self, faults: list[Fault]):
        super().__init__("Ce formulaire ne peut pas être publié : corrigez d’abord ce qui est signalé.")
        self.faults = faults


# --- versions -----------------------------------------------------------------------------------------------------
@transaction.atomic
def begin(domain: Domain, step: str, *, by: User) -> FormVersion:
    """The first version of a step, without any question."""
    domain = _lock(domain)
    if domain.forms.filter(step=step).exists():
        raise NotNow("Cette étape a déjà un formulaire : créez sa version suivante, qui en reprend les questions.")
    form = FormVersion.objects.create(domain=domain, step=step)
    _tell(form, "begin_form", by=by)
    return form


@transaction.atomic
def duplicate(form: FormVersion, *, by: User) -> FormVersion:
    """The next version, not yet published: the same sections and questions under the same keys, which the models to
    fill in follow. One is prepared at a time."""
    domain = _lock(form.domain)
    versions = domain.forms.filter(step=form.step)
    waiting = versions.filter(published_at=None).first()
    if waiting is not None:
        raise NotNow(f"La version {waiting.number} est déjà en préparation : publiez-la ou supprimez-la d’abord.")
    number = versions.aggregate(last=Max("number"))["last"] + 1
    copy = FormVersion.objects.create(domain=domain, step=form.step, number=number, reminder=form.reminder)
    fill(copy, content_of(form))
    _tell(copy, "duplicate", by=by, copied=form.number)
    return copy


@transaction.atomic
def publish(form: FormVersion, *, by: User, at: datetime, mark: str) -> FormVersion:
    """Freeze a version. `mark`: of the content that was read (`mark_of`). Raises NotNow or NotReady."""
    _lock(form.domain)
    form = _lock_open(form)
    if mark_of(form) != mark:
        raise NotNow(CHANGED)
    if form.domain.forms.filter(step=form.step, number__gt=form.number).exclude(published_at=None).exists():
        raise NotNow(OVERTAKEN)
    blocking = [fault for fault in faults_in(form) if fault.blocks]
    if blocking:
        raise NotReady(blocking)
    form.published_at = at
    form.save(update_fields=["published_at"])
    _tell(form, "publish", by=by, mark=mark)
    return form


@transaction.atomic
def discard(form: FormVersion, *, by: User) -> None:
    """Give up a version in the making; no dossier holds one."""
    form = _lock_open(form)
    _tell(form, "discard_form", by=by)
    form.delete()


def faults_in(form: FormVersion) -> list[Fault]:
    """What its author should look at, against the last version published before it."""
    former = former_of(form)
    return faults_of(list(form.sections.all()), questions_of(form), questions_of(former) if former else [])


def former_of(form: FormVersion) -> FormVersion | None:
    """The last version published before this one."""
    versions = FormVersion.objects.filter(domain=form.domain_id, step=form.step, number__lt=form.number)
    return versions.exclude(published_at=None).order_by("-number").first()


def mark_of(form: FormVersion) -> str:
    """A digest of everything that the form says."""
    text = json.dumps(asdict(content_of(form)), ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


# --- what stands in a version that is not published ---------------------------------------------------------------
def save_reminder(form: FormVersion, reminder: str, *, by: User) -> None:
    with _editing(form, by=by, done="") as form:
        if form.reminder != reminder:
            form.reminder = reminder
            form.save(update_fields=["reminder"])
            _tell(form, "edit_form", by=by, done="rappel des prérequis modifié")


def save_section(section: Section, *, by: User) -> Section:
    """A new one comes last; one that says what it said leaves no trace."""
    with _editing(section.form, by=by, done="") as form:
        former = Section.objects.filter(pk=section.pk).first()
        if former is not None and model_to_dict(former) == model_to_dict(section):
            return section
        if former is None:
            section.form, section.position = form, _next(form.sections)
        section.save()
        done = f"section « {section.title} » {'modifiée' if former else 'ajoutée'}"
        _tell(form, "edit_form", by=by, done=done)
    return section


def save_question(question: Question, *, by: User) -> Question:
    """A new one comes last in its section, and so does one that another section of the same form takes over."""
    with _editing(question.section.form, by=by, done="") as form:
        former = Question.objects.filter(pk=question.pk).select_related("section").first()
        if former is not None and former.section.form_id != form.pk:
            raise NotNow("Une question reste dans son formulaire.")
        if former is not None and model_to_dict(former) == model_to_dict(question):
            return question
        if former is None or former.section_id != question.section_id:
            question.position = _next(question.section.questions)
        question.save()
        if former is not None and former.section_id != question.section_id:
            _close_ranks(former.section.questions)
        _tell(form, "edit_form", by=by, done=f"question « {question.key} » {'modifiée' if former else 'ajoutée'}")
    return question


def delete_section(section: Section, *, by: User) -> None:
    """With its questions."""
    with _editing(section.form, by=by, done=f"section « {section.title} » supprimée") as form:
        section.delete()
        _close_ranks(form.sections)


def delete_question(question: Question, *, by: User) -> None:
    with _editing(question.section.form, by=by, done=f"question « {question.key} » supprimée"):
        question.delete()
        _close_ranks(question.section.questions)


def move_section(section: Section, *, up: bool, by: User) -> None:
    """One place up or down; the first stays first."""
    with _editing(section.form, by=by, done=f"section « {section.title} » déplacée") as form:
        _put(_swapped(list(form.sections.order_by("position")), section, up=up))


def move_question(question: Question, *, up: bool, by: User) -> None:
    """One place up or down; from the edge of its section into the neighbouring one."""
    with _editing(question.section.form, by=by, done=f"question « {question.key} » déplacée") as form:
        rows = list(question.section.questions.order_by("position"))
        edge = rows[0] if up else rows[-1]
        if question.pk != edge.pk:
            _put(_swapped(rows, question, up=up))
        else:
            _into_neighbour(list(form.sections.order_by("position")), question, up=up)


def _into_neighbour(sections: list[Section], question: Question, *, up: bool) -> None:
    place = [section.pk for section in sections].index(question.section_id) + (-1 if up else 1)
    if not 0 <= place < len(sections):
        return
    left, to = question.section, sections[place]
    there = list(to.questions.order_by("position"))
    question.section, question.position = to, FAR
    question.save(update_fields=["section", "position"])
    _put([*there, question] if up else [question, *there])
    _close_ranks(left.questions)


def _swapped(rows: list, item, *, up: bool) -> list:
    place = [row.pk for row in rows].index(item.pk)
    other = place - 1 if up else place + 1
    if 0 <= other < len(rows):
        rows[place], rows[other] = rows[other], rows[place]
    return rows


def _close_ranks(related) -> None:
    _put(list(related.order_by("position")))


def _put(rows: list) -> None:
    """Number the rows of one parent in this order."""
    if not rows:
        return
    model = type(rows[0])
    model.objects.filter(pk__in=[row.pk for row in rows], position__lt=FAR).update(position=F("position") + FAR)
    for rank, row in enumerate(rows, start=1):
        row.position = rank
    model.objects.bulk_update(rows, ["position"])


def _next(related) -> int:
    return (related.aggregate(last=Max("position"))["last"] or 0) + 1


# --- locks and the journal ----------------------------------------------------------------------------------------
@contextmanager
def _editing(form: FormVersion, *, by: User, done: str) -> Iterator[FormVersion]:
    """The version, locked and still open; `done` is told once it is."""
    with transaction.atomic():
        locked = _lock_open(form)
        yield locked
        if done:
            _tell(locked, "edit_form", by=by, done=done)


def _lock(domain: Domain) -> Domain:
    """Numbers of versions and publications of one domain come one after the other."""
    return Domain.objects.select_for_update().get(pk=domain.pk)


def _lock_open(form: FormVersion) -> FormVersion:
    found = FormVersion.objects.select_for_update(of=("self",)).filter(pk=form.pk).select_related("domain").first()
    if found is None:
        raise NotNow(GONE)
    if found.published_at is not None:
        raise NotNow(FROZEN)
    return found


def _tell(form: FormVersion, verb: str, *, by: User, **data) -> None:
    data = {"step": form.step, "number": form.number, **data}
    message = f"{Step(form.step).label}, version {form.number}"
    if done := data.pop("done", ""):
        message = f"{message} : {done}"
    record(f"domain:{form.domain.slug}", verb, actor=by.actor, message=message, data=data)
