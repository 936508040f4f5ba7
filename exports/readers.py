"""Whose dossiers an export holds and in which order, and all that its columns say of them: a few dossiers at a time.

The order is settled once, at the start, as a list of numbers (8 bytes a dossier): a dossier that moves in the meantime
is neither left out nor told twice. Each chunk asks anew what the person may see, in as many queries as any other.
"""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils import timezone

from accounts.models import User
from applications.models import Application, ChangeRequest, Contact, FormVersion, Question, Submission
from applications.money import Ceiling, ceilings_of
from applications.states import CANDIDATURE_EDITABLE, Step
from applications.tables import LIFE_ORDER
from ecare.french import NBSP
from ecare.journal.models import Entry
from establishments.models import LegalEntity, Site
from evidence.models import BankDetails
from funding.models import Commitment, Decision, Payment
from funding.rules import validated_decision
from reviews.filters import QueueFilter
from reviews.models import Assignment
from reviews.tables import QueueTable

CHUNK = 200
MOST_NAMES = 10_000  # in one query
CONTACT_FIELDS = ("civility", "last_name", "first_name", "job", "email", "phone")
Form = tuple[int, str, int]  # domain, step, number


# --- the view -----------------------------------------------------------------------------------------------------
def view(query: str, user: User) -> QueueFilter:
    """The queue as that address showed it to this person."""
    dossiers = Application.objects.visible_to(user).annotate(life_order=LIFE_ORDER)
    return QueueFilter(QueryDict(query), dossiers, user=user)


def ordered(found: QueueFilter) -> QuerySet:
    """In the order of the page."""
    table = QueueTable(found.qs, at=timezone.now())
    asked = found.data.getlist(table.prefixed_order_by_field)
    if asked:
        table.order_by = asked
    return table.data.data


def said(found: QueueFilter) -> str:
    """The criteria of a view, as its page names them."""
    found.form.full_clean()
    told = []
    for name, criterion in found.form.fields.items():
        labels = {str(key): str(label) for key, label in getattr(criterion, "choices", ())}
        typed = found.data.get(name, "").strip()
        if found.form.cleaned_data.get(name):
            told.append(f"{criterion.label}{NBSP}: {labels.get(typed, typed)}")
        elif name == "etat":
            told.append(f"{criterion.label}{NBSP}: {labels['']}")
    return ", ".join(told)


def numbers_of(dossiers: QuerySet) -> array:
    """Their primary keys, in order."""
    return array("q", dossiers.values_list("pk", flat=True).iterator(chunk_size=2000))


# --- the forms ----------------------------------------------------------------------------------------------------
class Forms:
    """The questions of every form that some sending of these dossiers answered."""

    def __init__(self, dossiers: QuerySet):
        sent = Submission.objects.filter(application__in=dossiers.order_by().values("pk")).order_by()
        self.known: set[Form] = set(sent.values_list("application__domain", "step", "content__form").distinct())
        domains = {domain for domain, _, _ in self.known}
        self.versions: dict[Form, FormVersion] = {
            (version.domain_id, version.step, version.number): version
            for version in FormVersion.objects.filter(domain__in=domains).select_related("domain")
        }
        ranks = {version.pk: form for form, version in self.versions.items()}
        self.questions: dict[Form, list[Question]] = {form: [] for form in self.versions}
        asked = Question.objects.filter(section__form__in=list(ranks)).select_related("section")
        for question in asked.order_by("section__position", "position"):
            self.questions[ranks[question.section.form_id]].append(question)
        self.by_key = {form: {one.key: one for one in found} for form, found in self.questions.items()}

    def of(self, step: str) -> list[tuple[FormVersion, list[Question]]]:
        """Those that were answered: domain by domain, the latest version first."""
        known = [form for form in self.known if form[1] == step and form in self.versions]
        found = [(self.versions[form], self.questions[form]) for form in known]
        return sorted(found, key=lambda one: (one[0].domain.position, one[0].domain.name, -one[0].number))


# --- the dossiers -------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Sent:
    """A step as it was last sent; `count`: how many times it was."""

    form: Form
    at: datetime
    digest: str
    first_at: datetime
    count: int
    answers: dict


@dataclass
class Record:
    """A dossier with all that the columns say of it."""

    application: Application
    sent: dict[str, Sent] = field(default_factory=dict)
    contacts: dict[str, dict[str, str]] = field(default_factory=dict)
    reached: dict[str, datetime] = field(default_factory=dict)  # by state, when it was last reached
    requests: list[ChangeRequest] = field(default_factory=list)
    ceiling: Ceiling | None = None
    bank_details: BankDetails | None = None
    followed_by: dict[str, User] = field(default_factory=dict)  # by desk

    @property
    def commitment(self) -> Commitment | None:
        return getattr(self.application, "commitment", None)

    @property
    def decision(self) -> Decision | None:
        return validated_decision(self.application)

    @property
    def payment(self) -> Payment | None:
        return getattr(self.application, "payment", None)


@dataclass
class Chunk:
    records: list[Record]
    forms: Forms
    names: dict[str, str]  # of the entities that checklists name, by FINESS number
    size: int  # how many dossiers were looked for

    def questions_of(self, sent: Sent) -> dict[str, Question]:
        """By key, those of the very form that was sent."""
        return self.forms.by_key.get(sent.form, {})


def chunks(numbers: array, user: User, forms: Forms) -> Iterator[Chunk]:
    """Every dossier that this person still sees, in that order."""
    for start in range(0, len(numbers), CHUNK):
        wanted = numbers[start : start + CHUNK].tolist()
        yield _chunk(wanted, user, forms)


def _chunk(wanted: list[int], user: User, forms: Forms) -> Chunk:
    dossiers = Application.objects.visible_to(user).select_related(
        "domain",
        "referent",
        "establishment__region",
        "establishment__legal_entity__department",
        "establishment__ght",
        "convention",
        "commitment",
        "decision__validated_by",
        "payment__recorded_by",
    )
    found = dossiers.in_bulk(wanted)
    records = {pk: Record(found[pk]) for pk in wanted if pk in found}
    _add_sendings(records)
    _add_contacts(records, forms)
    _add_history(records)
    for asked in ChangeRequest.objects.filter(application__in=list(records)).order_by("at", "pk"):
        records[asked.application_id].requests.append(asked)
    for pk, ceiling in ceilings_of(record.application for record in records.values()).items():
        records[pk].ceiling = ceiling
    for given in Assignment.objects.filter(application__in=list(records)).select_related("agent"):
        records[given.application_id].followed_by[given.desk] = given.agent
    confirmed = BankDetails.objects.filter(application__in=list(records), state=BankDetails.State.CONFIRMED)
    for details in confirmed.order_by("decided_at", "pk"):
        records[details.application_id].bank_details = details
    return Chunk(list(records.values()), forms, _names(records.values(), forms), len(wanted))


def _add_sendings(records: dict[int, Record]) -> None:
    """The content of the last one of each step alone is read."""
    rows = Submission.objects.filter(application__in=list(records)).order_by("number")
    first: dict[tuple[int, str], datetime] = {}
    last: dict[tuple[int, str], tuple[int, int]] = {}
    for pk, dossier, step, number, at in rows.values_list("pk", "application_id", "step", "number", "at"):
        first.setdefault((dossier, step), at)
        last[dossier, step] = (pk, number)
    contents = Submission.objects.in_bulk([pk for pk, _ in last.values()])
    for (dossier, step), (pk, number) in last.items():
        sending = contents[pk]
        form = (records[dossier].application.domain_id, step, sending.content["form"])
        records[dossier].sent[step] = Sent(
            form, sending.at, sending.digest, first[dossier, step], number, sending.answers
        )


def _add_contacts(records: dict[int, Record], forms: Forms) -> None:
    """As reviewers read them: those last sent while the référent is correcting the form that names them."""
    today: dict[int, dict[str, dict[str, str]]] = {}
    for contact in Contact.objects.filter(application__in=list(records)):
        person = {name: getattr(contact, name) for name in CONTACT_FIELDS}
        today.setdefault(contact.application_id, {})[contact.role] = person
    for pk, record in records.items():
        application = record.application
        if application.candidature_submitted_at is None:
            continue
        if application.state in CANDIDATURE_EDITABLE:
            record.contacts = _contacts_sent(record.sent.get(Step.CANDIDATURE), forms)
        else:
            record.contacts = today.get(pk, {})


def _contacts_sent(sent: Sent | None, forms: Forms) -> dict[str, dict[str, str]]:
    people: dict[str, dict[str, str]] = {}
    for question in forms.questions.get(sent.form, []) if sent else []:
        if question.contact_role:
            person = people.setdefault(question.contact_role, {})
            person[question.contact_field] = sent.answers.get(question.key, "")
    return people


def _add_history(records: dict[int, Record]) -> None:
    subjects = {record.application.subject: record for record in records.values()}
    moves = Entry.objects.filter(subject__in=list(subjects)).exclude(to_state="").order_by("sequence")
    for subject, state, at in moves.values_list("subject", "to_state", "at"):
        subjects[subject].reached[state] = at


def _names(records: Iterable[Record], forms: Forms) -> dict[str, str]:
    """Of every entity that a checklist of these dossiers names."""
    wanted = sorted(
        {
            finess
            for record in records
            for sent in record.sent.values()
            for key, question in forms.by_key.get(sent.form, {}).items()
            if question.kind == Question.Kind.CHECKLIST
            for finess in sent.answers.get(key) or {}
        }
    )
    return {
        finess: name
        for start in range(0, len(wanted), MOST_NAMES)
        for model in (LegalEntity, Site)
        for finess, name in model.objects.filter(finess__in=wanted[start : start + MOST_NAMES]).values_list(
            "finess", "name"
        )
    }
