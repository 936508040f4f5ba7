"""What a dossier says: answers, contacts, what was sent, and what was asked to change."""

import hashlib
import json
from datetime import datetime
from enum import StrEnum

from django.db import models
from django.utils import timezone

from accounts.models import Civility, User
from applications.models.application import Application
from applications.models.domain import FormVersion, Question
from applications.states import Desk, Step
from ecare.clock import paris_day
from establishments.models import Establishment

PURGED_NAME = "fichier purgé"
"""What a file is called once its bytes were destroyed, since its name may tell as much as they did."""


class Answer(models.Model):
    """The current value of one question. Shapes by kind:

    text, long_text, email, phone (E.164), iban, bic, siret, choice, civility: str · checkbox: bool ·
    number: int · amount: int, in cents · date: "2026-11-21" · choices: list of str ·
    evidence: list of {"id", "name", "size", "sha256"} · checklist: {FINESS: "" if confirmed, else the reason} ·
    expenses: list of {"date": "2026-11-21", "supplier": str, "label": str, "amount": int, in cents}; in a draft a date
    or an amount may be None, a supplier or a label "".
    """

    application = models.ForeignKey(Application, models.CASCADE, related_name="answers", verbose_name="dossier")
    question = models.ForeignKey(Question, models.PROTECT, related_name="answers", verbose_name="question")
    value = models.JSONField("valeur")
    version = models.PositiveIntegerField("version", default=1)
    updated_at = models.DateTimeField("dernière saisie", default=timezone.now)

    class Meta:
        verbose_name = "réponse"
        constraints = [models.UniqueConstraint(fields=["application", "question"], name="one_answer_per_question")]


def entities_of(establishment: Establishment) -> frozenset[str]:
    """FINESS numbers of the attached entities, which a checklist must cover."""
    return frozenset(establishment.entities().values_list("finess", flat=True))


def answers_of(application: Application) -> dict[str, Answer]:
    """Current answers of the present step, by question key."""
    answers = Answer.objects.filter(application=application, question__section__form=application.form)
    return {answer.question.key: answer for answer in answers.select_related("question")}


def values_of(application: Application, form: FormVersion | None = None) -> dict:
    """Current values of the present step (or of the step of `form`), by question key."""
    return dict(
        Answer.objects.filter(application=application, question__section__form=form or application.form).values_list(
            "question__key", "value"
        )
    )


class Fate(StrEnum):
    """What becomes of a value that a page sends."""

    WRITE = "write"
    LEAVE = "leave"
    CONFLICT = "conflict"


def mark_of(answer: Answer | None) -> str:
    """What a page carries of the answer that it shows: its version, and a digest of its value."""
    return f"{answer.version if answer else 0}-{_digest(answer.value if answer else None)}"


def _digest(value) -> str:
    """The same for every way of saying nothing."""
    is_nothing = value is None or value is False or value in ("", [], {})
    text = "" if is_nothing else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def fate_of(value, *, mark: str | None, answer: Answer | None) -> Fate:
    """A page writes over what it showed, and never in silence over what it did not show. `mark`: what the page carried;
    a value that the page itself left as it was (its digest is the mark's) takes nothing away from anybody."""
    if answer is None or mark is None:
        return Fate.WRITE
    if _digest(value) == _digest(answer.value):
        return Fate.LEAVE
    if mark == mark_of(answer):
        return Fate.WRITE
    return Fate.LEAVE if _digest(value) == mark.partition("-")[2] else Fate.CONFLICT


class Contact(models.Model):
    """A contact of a dossier, written through by the answers that are bound to it."""

    application = models.ForeignKey(Application, models.CASCADE, related_name="contacts", verbose_name="dossier")
    role = models.CharField("fonction", max_length=9, choices=Question.ContactRole)
    civility = models.CharField("civilité", max_length=8, choices=Civility, blank=True)
    last_name = models.CharField("nom", max_length=150, blank=True)
    first_name = models.CharField("prénom", max_length=150, blank=True)
    job = models.CharField("fonction exercée", max_length=150, blank=True)
    email = models.EmailField("adresse e-mail", blank=True)
    phone = models.CharField("téléphone", max_length=20, blank=True)

    class Meta:
        verbose_name = "contact"
        ordering = ["role"]
        constraints = [models.UniqueConstraint(fields=["application", "role"], name="one_contact_per_role")]

    @property
    def mark(self) -> str:
        """What a page carries of the contact that it shows: a digest of what may be typed there."""
        return _digest([self.civility, self.last_name, self.first_name, self.email])


class Submission(models.Model):
    """One sending of one step: the frozen snapshot of all answers and its digest."""

    application = models.ForeignKey(Application, models.PROTECT, related_name="submissions", verbose_name="dossier")
    step = models.CharField("étape", max_length=11, choices=Step)
    number = models.PositiveSmallIntegerField("envoi n°")
    at = models.DateTimeField("date", default=timezone.now)
    by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name="par")
    content = models.JSONField("réponses")
    digest = models.CharField("SHA-256", max_length=64)
    purged = models.JSONField(
        "fichiers purgés", default=list, editable=False, help_text="Leur nom n’est plus montré ; leur empreinte reste."
    )

    class Meta:
        verbose_name = "envoi"
        ordering = ["application", "step", "number"]
        constraints = [
            models.UniqueConstraint(fields=["application", "step", "number"], name="one_submission_per_rank")
        ]

    @property
    def is_supplement(self) -> bool:
        """Sent by itself, in the place of a file that nobody could read: all the rest is as in the sending before."""
        return "in_place_of" in self.content

    @property
    def answers(self) -> dict:
        """What was sent, as anybody may read it: of a file that was purged since, no name."""
        return {key: self._shown(value) for key, value in self.content["answers"].items()}

    def _shown(self, value):
        if not self.purged or not isinstance(value, list):
            return value
        return [
            one | {"name": PURGED_NAME} if isinstance(one, dict) and one.get("id") in self.purged else one
            for one in value
        ]


class ChangeRequestQuerySet(models.QuerySet):
    def open(self):
        """Those that wait for an answer."""
        return self.filter(answered_at=None)

    def overdue(self, at: datetime):
        """Those whose due date is over, in Paris."""
        return self.open().filter(due_on__lt=paris_day(at))


class ChangeRequest(models.Model):
    """What a reviewer asked to change; the latest of a step stands at the top of the form until the next sending.

    Without items, the whole form is open; with some, only what they name and what depends on it
    (`applications.corrections`).
    """

    application = models.ForeignKey(Application, models.PROTECT, related_name="change_requests", verbose_name="dossier")
    step = models.CharField("étape", max_length=11, choices=Step)
    desk = models.CharField("demandée par", max_length=3, choices=Desk)
    by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name="agent")
    at = models.DateTimeField("date", default=timezone.now)
    message = models.TextField("message")
    due_on = models.DateField(
        "réponse attendue au plus tard le",
        null=True,
        blank=True,
        help_text="Rien ne se ferme ce jour-là : des rappels partent, et l’agent décide. Vide : sans échéance.",
    )
    answered_at = models.DateTimeField("réponse", null=True, blank=True)
    is_cancelled = models.BooleanField("annulée", default=False, help_text="Par le service qui l’avait faite.")

    objects = ChangeRequestQuerySet.as_manager()
    named: "list[RequestedChange]"  # its items, where many requests are read at once

    class Meta:
        verbose_name = "demande de modification"
        verbose_name_plural = "demandes de modification"
        ordering = ["-at"]
        constraints = [
            models.UniqueConstraint(
                fields=["application"], condition=models.Q(answered_at=None), name="one_open_change_request"
            )
        ]
        indexes = [
            models.Index(fields=["due_on"], name="change_requests_due", condition=models.Q(answered_at=None)),
        ]


class RequestedChange(models.Model):
    """One question, or one file of an evidence space, that a change request names, with its remark."""

    request = models.ForeignKey(ChangeRequest, models.CASCADE, related_name="items", verbose_name="demande")
    question = models.ForeignKey(Question, models.PROTECT, related_name="+", verbose_name="question")
    file = models.UUIDField("fichier", null=True, blank=True, help_text="Vide : toute la question.")
    file_name = models.CharField("nom du fichier", max_length=200, blank=True)
    remark = models.TextField("remarque", blank=True)

    class Meta:
        verbose_name = "modification demandée"
        verbose_name_plural = "modifications demandées"
        ordering = ["request", "question__section__position", "question__position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["request", "question", "file"], name="one_remark_per_file"),
            models.UniqueConstraint(
                fields=["request", "question"], condition=models.Q(file=None), name="one_remark_per_question"
            ),
        ]
