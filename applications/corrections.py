"""What a change request opens: the questions and files that it names, what depends on them, and nothing else."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from applications.models import Application, ChangeRequest, Question, RequestedChange, Submission
from applications.rules import is_answered, is_shown
from applications.states import BEING_CORRECTED


@dataclass(frozen=True)
class Named:
    """A question of the form, or one file of an evidence space, that an agent names. `file`: its id in the sending."""

    key: str
    file: str = ""
    remark: str = ""


@dataclass(frozen=True)
class Opening:
    """What of the present form may be changed. `keys`: the questions that are open, None for all of them; `files`: of
    a space that is open for certain files only, their ids."""

    request: ChangeRequest | None = None
    items: tuple[RequestedChange, ...] = ()
    keys: frozenset[str] | None = None
    files: Mapping[str, frozenset[str]] = field(default_factory=dict)
    sent: Mapping[str, object] = field(default_factory=dict)
    """The answers of the last sending, where items ask to change some."""

    def is_open(self, question: Question) -> bool:
        return self.keys is None or question.key in self.keys

    def may_move(self, question: Question, file: str, *, was_sent: bool) -> bool:
        """Whether a file may leave its space; one that came in since the last sending always may."""
        if not self.is_open(question):
            return False
        return question.key not in self.files or not was_sent or file in self.files[question.key]

    def items_of(self, question: Question) -> list[RequestedChange]:
        """What the agent said of this question."""
        return [item for item in self.items if item.question_id == question.pk]

    def untouched(self, values: Mapping) -> list[RequestedChange]:
        """What was asked for and still stands as it was sent; `values`: the present answers, by question key."""
        return [item for item in self.items if self._is_untouched(item, values.get(item.question.key))]

    def _is_untouched(self, item: RequestedChange, value) -> bool:
        if item.file is not None:
            return str(item.file) in {file["id"] for file in value or ()}
        return value == self.sent.get(item.question.key)


ALL = Opening()


def opening_of(application: Application) -> Opening:
    """What is open now; in a draft, everything."""
    if application.state not in BEING_CORRECTED:
        return ALL
    request = application.change_requests.open().first()
    items = tuple(request.items.select_related("question")) if request else ()
    if not items:
        return Opening(request)
    questions = list(Question.objects.filter(section__form=application.form))
    keys = _with_dependents(_with_account({item.question.key for item in items}, questions), questions)
    whole = {item.question.key for item in items if item.file is None}
    named = {key: {str(item.file) for item in items if item.question.key == key} for key in keys - whole}
    files = {key: frozenset(ids) for key, ids in named.items() if ids}
    last = last_sending(application)
    sent = last.content["answers"] if last else {}
    unanswered = _unanswered(application, questions, sent) if last else set()
    return Opening(request, items, frozenset(keys | unanswered), files, sent)


def account_of(questions: Iterable[Question]) -> tuple[list[Question], Question | None]:
    """What a candidature asks of the account, whatever the form calls it: what is typed in the section of the IBAN, and
    the space of the RIB if it has one."""
    in_order = sorted(questions, key=lambda question: question.position)
    iban = next((q for q in in_order if q.kind == Question.Kind.IBAN), None)
    beside = [q for q in in_order if iban is not None and q.section_id == iban.section_id]
    typed = [q for q in beside if q.kind in (Question.Kind.TEXT, Question.Kind.IBAN, Question.Kind.BIC)]
    return typed, next((q for q in beside if q.is_evidence), None)


def _with_account(keys: set[str], questions: Iterable[Question]) -> set[str]:
    """Holder, IBAN, BIC and RIB say the same together: whoever may change one of them may change all."""
    together = {question.key for question in _together(questions)}
    return keys | together if keys & together else keys


def _together(questions: Iterable[Question]) -> list[Question]:
    typed, rib = account_of(questions)
    return [*typed, rib] if rib else typed


def opened_together(application: Application, items: Iterable[RequestedChange] | None = None) -> str:
    """The questions about the account, in words, if `items` name one of them; without `items`, if the form has any."""
    together = _together(Question.objects.filter(section__form=application.form))
    if items is not None and not {item.question_id for item in items} & {question.pk for question in together}:
        return ""
    labels = [question.label for question in together]
    return f"{', '.join(labels[:-1])} et {labels[-1]}" if len(labels) > 1 else ""


def _with_dependents(keys: set[str], questions: Iterable[Question]) -> set[str]:
    """The named questions and those that are asked under their answers, and so on."""
    found, added = set(keys), True
    while added:
        more = {q.key for q in questions if found & q.shown_if.keys()} - found
        found, added = found | more, bool(more)
    return found


def _unanswered(application: Application, questions: Iterable[Question], values: dict) -> set[str]:
    """Required questions that the last sending left without an answer, as the directory stands today: without them
    the form could never be sent again."""
    entities = frozenset(application.establishment.entities().values_list("finess", flat=True))
    return {
        q.key
        for q in questions
        if q.is_required and is_shown(q, values) and not is_answered(q, values.get(q.key), entities)
    }


def last_sending(application: Application) -> Submission | None:
    """The present step as it was last sent."""
    return application.submissions.filter(step=application.step).order_by("-number").first()


def fault_of(named: Iterable[Named], application: Application) -> str:
    """Why these questions and files cannot be named in a change request; empty when they can."""
    sent = last_sending(application)
    values = sent.content["answers"] if sent else {}
    questions = {q.key: q for q in Question.objects.filter(section__form=application.form)}
    for one in named:
        question = questions.get(one.key)
        if question is None or not is_shown(question, values):
            return "Une des questions nommées n’est pas posée dans ce formulaire : rechargez la page."
        files = (values.get(one.key) or []) if question.is_evidence else []
        if one.file and one.file not in {file["id"] for file in files}:
            return "Un des fichiers nommés n’est pas dans le dernier envoi : rechargez la page."
    return ""


def items_for(request: ChangeRequest, named: Iterable[Named]) -> list[RequestedChange]:
    """The unsaved items of a request, in which each file bears the name that it was sent under."""
    application, named = request.application, list(named)
    questions = {q.key: q for q in Question.objects.filter(section__form=application.form)}
    sent = last_sending(application)
    values = sent.answers if sent else {}
    names = {file["id"]: file["name"] for one in named if one.file for file in values[one.key]}
    return [
        RequestedChange(
            request=request,
            question=questions[one.key],
            file=one.file or None,
            file_name=names.get(one.file, ""),
            remark=one.remark,
        )
        for one in named
    ]
