"""What a convention says: its articles, and what the dossier fills in."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from django.conf import settings

from applications.forms import spoken
from applications.history import questions_sent
from applications.models import Application, Domain, Question, Submission, values_of
from applications.rules import declaration_until
from applications.states import Step
from conventions.models import ConventionText
from ecare.french import euros, paris_date
from evidence.rules import bank_questions
from funding.models import Commitment
from funding.rules import commitment_of

DEMONSTRATION = settings.BASE_DIR / "fixtures" / "conventions" / "demonstration.txt"
BLANK = re.compile(r"\{(\w+)\}")
BLANKS = (
    "reference etablissement finess signataire fonction domaine plafond montant plancher iban titulaire referent"
    " acceptation depenses declaration"
).split()
"""What an article may leave for the dossier to fill in, between braces."""


# --- the articles ---------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Block:
    """A paragraph, or a list of lines."""

    lines: list[str]
    is_list: bool


@dataclass(frozen=True)
class Article:
    title: str
    blocks: list[Block]


@dataclass(frozen=True)
class Text:
    """The articles in force in a domain; `version` is what the journal keeps of which they were."""

    articles: list[Article]
    is_official: bool
    version: str


def text_of(domain: Domain) -> Text:
    """The domain's own, else the model of the demonstration."""
    own = ConventionText.objects.in_force(domain)
    if own is None:
        return _demonstration()
    return Text(articles_of(own.text), own.is_official, f"{domain.slug} {own.number}")


@cache
def _demonstration() -> Text:
    return Text(articles_of(DEMONSTRATION.read_text(encoding="utf-8")), is_official=False, version="demonstration")


def articles_of(text: str) -> list[Article]:
    """« # » begins an article, « - » a line of a list, an empty line ends a paragraph."""
    articles: list[Article] = []
    for paragraph in re.split(r"\n\s*\n", text.replace("\r\n", "\n").strip()):
        lines = [line.strip() for line in paragraph.splitlines()]
        if lines[0].startswith("#"):
            articles.append(Article(lines.pop(0).lstrip("# "), []))
        if lines and articles:
            articles[-1].blocks.extend(_blocks(lines))
    return articles


def _blocks(lines: list[str]) -> Iterator[Block]:
    """Lines in a row that are a list are one block; others run on."""
    prose: list[str] = []
    points: list[str] = []
    for line in lines:
        if line.startswith("- "):
            points.append(line.removeprefix("- "))
        elif points:
            points[-1] += f" {line}"
        else:
            prose.append(line)
    if prose:
        yield Block([" ".join(prose)], is_list=False)
    if points:
        yield Block(points, is_list=True)


def faults_of(text: str) -> Iterator[str]:
    """Why a text cannot be published."""
    if not text.lstrip().startswith("#"):
        yield "Le texte commence par le titre de son premier article, précédé de « # »."
    if unknown := sorted(set(BLANK.findall(text)) - set(BLANKS)):
        known = ", ".join(f"{{{name}}}" for name in BLANKS)
        yield f"Ces mentions sont inconnues : {', '.join(unknown)}. Celles que le dossier remplit : {known}."


def filled(text: str, values: dict[str, str]) -> str:
    """Each blank takes its value as it is: what a value says is never read as a blank."""
    return BLANK.sub(lambda found: values.get(found[1], found[0]), text)


# --- the dossier ----------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Signatory:
    """Who signs for the establishment, as the candidature that was sent names them."""

    name: str
    job: str
    email: str


@dataclass(frozen=True)
class Account:
    holder: str
    iban: str
    bic: str


@dataclass(frozen=True)
class Amounts:
    """In cents: what the establishment may get at most, what it asked for, what acceptance commits."""

    ceiling: int
    requested: int | None
    committed: int


def sent_candidature(application: Application) -> Submission | None:
    return application.submissions.filter(step=Step.CANDIDATURE).order_by("-number").first()


def signatory(application: Application) -> Signatory:
    """From the answers that were sent, whatever the questions are called."""
    submission = sent_candidature(application)
    return _signatory(*_sent(application, submission))


def _sent(application: Application, submission: Submission | None) -> tuple[list[Question], dict]:
    if submission is None:
        return [], {}
    submission.application = application
    return questions_sent(submission), submission.content["answers"]


def _signatory(questions: list[Question], values: dict) -> Signatory:
    of_role = [q for q in questions if q.contact_role == Question.ContactRole.SIGNATORY]
    said = {q.contact_field: spoken(q, values.get(q.key)) for q in of_role}
    name = " ".join(filter(None, (said.get(part, "") for part in ("civility", "first_name", "last_name"))))
    return Signatory(name, said.get("job", ""), said.get("email", ""))


def account(application: Application) -> Account:
    """In force: as it was sent, or as the ANS confirmed it since."""
    values, kind = values_of(application, application.candidature_form), Question.Kind
    said = {q.kind: spoken(q, values.get(q.key)) for q in reversed(bank_questions(application).fields)}
    return Account(said.get(kind.TEXT, ""), said.get(kind.IBAN, ""), said.get(kind.BIC, ""))


def amounts(application: Application) -> Amounts:
    """As acceptance froze them; of a dossier accepted before that was kept, what it would commit now."""
    kept = Commitment.objects.filter(application=application).first() or commitment_of(application, application.domain)
    return Amounts(kept.ceiling, kept.requested, kept.amount)


def objectives(domain: Domain) -> list[str]:
    """Those that the declaration asks to prove: « Validation de l’objectif D1.O1 – … » is a section of its form."""
    form = domain.forms.latest_published(Step.DECLARATION)
    titles = form.sections.order_by("position").values_list("title", flat=True) if form else []
    found = (re.search(r"\bobjectif\s+(.+)", title) for title in titles)
    return [match[1].strip() for match in found if match]


@dataclass(frozen=True)
class Dossier:
    """All that a convention takes from a dossier."""

    application: Application
    accepted_at: datetime
    signatory: Signatory
    account: Account
    amounts: Amounts
    objectives: list[str]

    def blanks(self) -> dict[str, str]:
        """By the name that the articles use."""
        application, domain = self.application, self.application.domain
        return {
            "reference": application.reference,
            "etablissement": application.establishment.legal_entity.name,
            "finess": application.establishment.finess,
            "signataire": self.signatory.name,
            "fonction": self.signatory.job,
            "domaine": domain.name,
            "plafond": euros(self.amounts.ceiling),
            "montant": euros(self.amounts.committed),
            "plancher": euros(domain.floor),
            "iban": self.account.iban,
            "titulaire": self.account.holder,
            "referent": str(application.referent),
            "acceptation": paris_date(self.accepted_at),
            "depenses": _since(domain.expenses_from),
            "declaration": _until(application),
        }


def dossier_of(application: Application) -> Dossier:
    """A dossier that is accepted moved when it was."""
    questions, values = _sent(application, sent_candidature(application))
    return Dossier(
        application,
        application.moved_at,
        _signatory(questions, values),
        account(application),
        amounts(application),
        objectives(application.domain),
    )


def _since(day) -> str:
    return f"à compter du {paris_date(day)}" if day else "à compter de l’ouverture du domaine"


def _until(application: Application) -> str:
    opening, last = application.domain.declaration_from, declaration_until(application)
    first = f"à partir du {paris_date(opening)}" if opening else "dès sa signature"
    return f"{first} et jusqu’au {paris_date(last)} inclus" if last else first
