"""What an establishment declared, as it was sent: the objectives that it attests, its lines of expenses; and
which verdict of an earlier reading belongs to which line."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

from applications.expenses import Expense, read
from applications.history import questions_sent
from applications.models import Application, Question, Submission
from funding.models import ExpenseVerdict


@dataclass(frozen=True)
class Objective:
    """`code` is empty where the form names none: the objectives of the domain, all together."""

    code: str
    is_attested: bool
    title: str = ""

    @property
    def name(self) -> str:
        return f"Objectif {self.code}" if self.code else "Objectifs du domaine"


@dataclass(frozen=True)
class DeclaredLine:
    """One expense as it was sent: the question that holds it, its rank there (from 0), and what it says."""

    key: str
    rank: int
    number: int  # of the page, from 1
    line: dict

    @property
    def place(self) -> tuple[str, int]:
        return self.key, self.rank

    @property
    def digest(self) -> str:
        text = json.dumps(self.line, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def amount(self) -> int:
        return self.line["amount"] or 0

    @property
    def said(self) -> Expense:
        return read([self.line]).lines[0]


@dataclass(frozen=True)
class Declared:
    """`has_lines`: the form asks for lines of expenses; else the accepted total is typed from the financial frame."""

    submission: Submission
    objectives: tuple[Objective, ...]
    lines: tuple[DeclaredLine, ...]
    has_lines: bool

    @property
    def total(self) -> int:
        return sum(line.amount for line in self.lines)


def latest(application: Application, step: str) -> Submission | None:
    """The latest sending of a step."""
    sent = Submission.objects.filter(application=application, step=step).order_by("-number").first()
    if sent is not None:
        sent.application = application
    return sent


def declared(submission: Submission) -> Declared:
    questions, answers = questions_sent(submission), submission.content["answers"]
    named = tuple(
        Objective(question.objective, answers.get(question.key) is True, question.section.title)
        for question in questions
        if question.objective
    )
    asked = [question for question in questions if question.kind == Question.Kind.EXPENSES]
    places = [(one.key, rank, line) for one in asked for rank, line in enumerate(answers.get(one.key) or [])]
    lines = tuple(DeclaredLine(key, rank, number, line) for number, (key, rank, line) in enumerate(places, start=1))
    return Declared(submission, named or (Objective("", is_attested=True),), lines, bool(asked))


def carried(
    lines: Iterable[DeclaredLine], verdicts: Iterable[ExpenseVerdict]
) -> tuple[dict[tuple[str, int], ExpenseVerdict], list[ExpenseVerdict]]:
    """The verdict of each line by its place, and those whose line is no longer declared. A verdict stays with the
    expense that it was given for: at its place if nothing changed there, else where the very same line stands now."""
    lines, left, found = list(lines), list(verdicts), {}
    for wanted in (lambda line: (line.key, line.rank, line.digest), lambda line: (line.digest,)):
        for line in lines:
            if line.place in found:
                continue
            key = wanted(line)
            same = (one for one in left if (one.key, one.rank, one.digest)[-len(key) :] == key)
            if verdict := next(same, None):
                found[line.place] = verdict
                left.remove(verdict)
    return found, left


def spoken(verdict: ExpenseVerdict) -> str:
    """« 2 juillet 2026, Cabinet X, Audit, 1 200 € »."""
    expense = read([verdict.line]).lines[0]
    return ", ".join(filter(None, [expense.date, expense.supplier, expense.label, expense.amount]))
