"""What reviewers read of a dossier: each step as last sent, what changed since the sending before, its history."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from applications.expenses import summed_up
from applications.forms import Part, Row, parts_of, spoken
from applications.history import Event, entries, for_reviewers, questions_sent
from applications.models import Application, ChangeRequest, Question, RequestedChange, Submission
from applications.notes import ceiling_for
from applications.states import AWAITS_ANS, AWAITS_ARS, CANDIDATURE_EDITABLE, EDITABLE, Desk, State, Step
from ecare.letters.models import Letter
from evidence.models import Evidence, StoredFile
from evidence.rules import may_download
from evidence.states import WITHHELD, Scan
from reviews.models import FileVerdict
from reviews.rules import concerned_by, is_resendable

UNREAD: dict[str, str] = {
    Scan.PENDING: "Analyse antivirus en cours : personne ne peut encore lire ce fichier.",
    Scan.INFECTED: "Infecté, en quarantaine : personne ne peut le lire. L’établissement est prévenu et peut le "
    "remplacer.",
    Scan.FAILED: "L’antivirus n’a pas pu analyser ce fichier : personne ne peut le lire.",
}


@dataclass(frozen=True)
class ReadFile:
    """A file as it was sent, whether this agent may download it, and what to say of it."""

    id: str
    name: str
    size: int
    sha256: str
    is_readable: bool
    remark: str
    is_new: bool = False  # not in the sending before
    is_lost: bool = False  # nobody reads it: purged, reported, infected, not yet scanned
    scan: str = ""  # what the antivirus knows of it

    @property
    def is_withheld(self) -> bool:
        return self.scan in WITHHELD

    @property
    def is_awaiting_scan(self) -> bool:
        return self.scan == Scan.PENDING


@dataclass(frozen=True)
class FormerFile:
    """A file that an earlier sending listed and the latest does not; what took its place, if that was sent too."""

    file: ReadFile
    replaced_by: StoredFile | None
    withdrawn_at: datetime | None


@dataclass
class Line:
    """One answer as it was sent; `before` is what the previous sending said, when it said something else."""

    row: Row
    files: list[ReadFile] = field(default_factory=list)
    former: list[FormerFile] = field(default_factory=list)
    is_changed: bool = False
    before: str = ""
    asked: list[RequestedChange] = field(default_factory=list)
    answers_named: bool = False  # whether the sending answers a request that named questions

    @property
    def verdict(self) -> tuple[str, str]:
        """Kind and words of the badge that tells a change which was asked for from one that was not."""
        if self.is_changed and self.asked:
            return "success", "Modification demandée"
        if self.is_changed:
            return ("warning", "Modification non demandée") if self.answers_named else ("new", "Modifié")
        return ("error", "Demandée, non modifiée") if self.asked else ("", "")


@dataclass
class Chapter:
    title: str
    lines: list[Line]


@dataclass
class Reading:
    """One step of a dossier as it was last sent."""

    step: str
    label: str
    submission: Submission
    chapters: list[Chapter]
    earlier: list[Submission] = field(default_factory=list)

    @property
    def changed(self) -> list[Line]:
        return [line for line in self._lines if line.is_changed]

    @property
    def unanswered(self) -> list[Line]:
        """What was asked for and did not change."""
        return [line for line in self._lines if line.asked and not line.is_changed]

    @property
    def withheld(self) -> list[Line]:
        """With a file that is in quarantine, or could not be scanned."""
        return [line for line in self._lines if any(file.is_withheld for file in line.files)]

    @property
    def unscanned(self) -> list[Line]:
        """With a file that the antivirus has not looked at yet."""
        return [line for line in self._lines if any(file.is_awaiting_scan for file in line.files)]

    @property
    def _lines(self) -> list[Line]:
        return [line for chapter in self.chapters for line in chapter.lines]


def readings(application: Application, entities, requests: Sequence[ChangeRequest] = (), *, user) -> list[Reading]:
    """The steps that were sent at least once, the present one first, as this agent may read them. `requests`: the
    change requests of the dossier with their items."""
    evidence = Evidence.objects.visible_to(user).filter(application=application)
    evidence = evidence.select_related("file", "application", "replaced_by__file")
    stored = {str(one.file_id): one for one in evidence}
    sent = list(application.submissions.select_related("by").order_by("number"))
    found = []
    for step in (Step.DECLARATION, Step.CANDIDATURE):
        of_step = [submission for submission in sent if submission.step == step]
        if of_step:
            *earlier, last = of_step
            whole, former = _compared(of_step)
            chapters = _chapters(application, last, former, entities)
            for line in (line for chapter in chapters for line in chapter.lines if line.row.question.is_evidence):
                before = former.content["answers"].get(line.row.question.key, []) if former else None
                line.files = [_file(file, stored.get(file["id"]), user, before) for file in line.row.value or []]
                line.former = [_former(file, stored, user) for file in _no_longer_listed(line.row, earlier)]
            _mark_what_was_asked(chapters, next((one for one in requests if one.answered_at == whole.at), None))
            found.append(Reading(step.value, str(step.label), last, chapters, earlier[::-1]))
    return found


def _compared(of_step: list[Submission]) -> tuple[Submission, Submission | None]:
    """The latest sending of the whole step, and the one that what is read now is compared with: the sending before it;
    of a first one, itself, once a file was sent in the place of another."""
    rank = max(n for n, one in enumerate(of_step) if not one.is_supplement)
    if rank:
        return of_step[rank], of_step[rank - 1]
    return of_step[0], of_step[0] if len(of_step) > 1 else None


def _mark_what_was_asked(chapters: list[Chapter], request: ChangeRequest | None) -> None:
    """Of the request that this very sending answers: which lines it named."""
    items = request.named if request else []
    for line in (line for chapter in chapters for line in chapter.lines):
        line.asked = [item for item in items if item.question_id == line.row.question.pk]
        line.answers_named = bool(items)


def _file(sent: dict, evidence: Evidence | None, user, before: list[dict] | None = None) -> ReadFile:
    """`before`: the files of the same space in the sending before, if there was one."""
    is_new = before is not None and sent["id"] not in {file["id"] for file in before}
    is_readable, remark = False, "Ce fichier n’est plus disponible."
    is_lost = evidence is None or not evidence.file.is_readable
    if evidence is not None and not may_download(user, evidence):
        remark = "Conteneur chiffré : seule l’ANS peut le télécharger."
    elif evidence is not None:
        file = evidence.file
        is_readable, remark = file.is_readable, "" if file.scan == Scan.CLEAN else file.get_scan_display()
    scan = evidence.file.scan if evidence is not None else ""
    if scan in UNREAD:
        remark = UNREAD[scan]
    return ReadFile(sent["id"], sent["name"], sent["size"], sent["sha256"], is_readable, remark, is_new, is_lost, scan)


def _no_longer_listed(row: Row, earlier: list[Submission]) -> list[dict]:
    """The files of a space that earlier sendings list and this one does not, oldest first."""
    listed = {file["id"]: file for submission in earlier for file in submission.answers.get(row.question.key, [])}
    kept = {file["id"] for file in row.value or []}
    return [file for number, file in listed.items() if number not in kept]


def _former(sent: dict, stored: dict[str, Evidence], user) -> FormerFile:
    """What replaced it is told once it was sent itself."""
    evidence = stored.get(sent["id"])
    successor = getattr(evidence, "replaced_by", None)
    was_sent = successor is not None and str(successor.file_id) in stored
    return FormerFile(
        _file(sent, evidence, user), successor.file if was_sent else None, evidence.withdrawn_at if evidence else None
    )


def _chapters(application, submission, previous, entities) -> list[Chapter]:
    """Hidden questions are absent, as they are from what was sent."""
    values = submission.answers
    questions = questions_sent(submission)
    parts = parts_of(questions, values, entities, ceiling=ceiling_for(application, questions))
    before = previous.answers if previous else None
    chapters = [Chapter(part.section.title, _lines(part, before)) for part in parts]
    return [chapter for chapter in chapters if chapter.lines]


def _lines(part: Part, before: dict | None) -> list[Line]:
    lines = []
    for row in part.rows:
        if row.is_shown:
            line = Line(row)
            if before is not None:
                line.is_changed = before.get(row.question.key) != row.value
                line.before = _said(row.question, before.get(row.question.key)) if line.is_changed else ""
            lines.append(line)
    return lines


def _said(question: Question, value) -> str:
    """A former value in one line."""
    if not value and value is not False:
        return "sans réponse"
    if question.is_evidence:
        return ", ".join(file["name"] for file in value)
    if question.kind == Question.Kind.CHECKLIST:
        reasons = sum(1 for reason in value.values() if reason)
        return f"{len(value) - reasons} confirmée(s), {reasons} avec un motif"
    if question.kind == Question.Kind.EXPENSES:
        return summed_up(value)
    return spoken(question, value)


def spaces_sent(application: Application, *, user) -> list[Line]:
    """The evidence spaces of the present step as last sent, with their files."""
    found = readings(application, [], user=user)
    present = next((reading for reading in found if reading.step == application.step), None)
    lines = [line for chapter in present.chapters for line in chapter.lines] if present else []
    return [line for line in lines if line.row.question.is_evidence]


def verdicts(application: Application, *, desk: str) -> dict[str, FileVerdict]:
    """What a desk thinks of each file, by its id."""
    found = FileVerdict.objects.filter(application=application, desk=desk).select_related("by")
    return {str(verdict.file_id): verdict for verdict in found}


def refused_files(application: Application, *, desk: str) -> dict[str, str]:
    """The remark on each file that a desk refused, by its id."""
    refused = FileVerdict.Decision.REFUSED
    return {file: one.remark for file, one in verdicts(application, desk=desk).items() if one.decision == refused}


def verdicts_of_the_other_desk(application: Application, *, desk: str) -> dict[str, FileVerdict]:
    return verdicts(application, desk=Desk.ANS if desk == Desk.ARS else Desk.ARS)


def change_requests(application: Application) -> list[ChangeRequest]:
    """Those of both steps, latest first; `named`: what each names, in the order of the form. Two queries."""
    requests = list(application.change_requests.select_related("by"))
    items = list(RequestedChange.objects.filter(request__application=application).select_related("question"))
    for request in requests:
        request.named = [item for item in items if item.request_id == request.pk]
    return requests


def awaited(application: Application) -> str:
    """Who has the dossier, for an agent who has nothing to decide."""
    if application.is_to_sign:
        return "Rien à décider : l’établissement doit déposer la convention signée."
    if application.state in EDITABLE:
        return "Rien à décider : l’établissement complète ou corrige son formulaire."
    if application.state in AWAITS_ARS:
        return f"Rien à décider : le dossier est chez l’{application.establishment.region.ars}."
    if application.state in AWAITS_ANS:
        return "Rien à décider : le dossier est chez l’ANS."
    if application.state == State.CONVENTION_SIGNED:
        return "Rien à décider : la déclaration s’ouvrira au jour prévu par le calendrier du domaine."
    if application.state in (State.REJECTED, State.DECLARATION_REJECTED):
        return "Rien à décider : seule l’ANS peut remettre ce dossier à l’examen."
    return "Ce dossier est terminé."


@dataclass(frozen=True)
class ReadContact:
    role: str
    person: str
    job: str
    email: str
    phone: str


def contacts(application: Application) -> list[ReadContact]:
    """The contacts; those last sent while the référent is correcting the form that names them, else today's."""
    if application.candidature_submitted_at is None:
        return []
    if application.state in CANDIDATURE_EDITABLE:
        return _contacts_sent(application)
    return [
        _contact(contact.get_role_display(), {name: getattr(contact, name) for name in _CONTACT_FIELDS})
        for contact in application.contacts.all()
    ]


_CONTACT_FIELDS = ("civility", "first_name", "last_name", "job", "email", "phone")


def _contacts_sent(application: Application) -> list[ReadContact]:
    submission = application.submissions.filter(step=Step.CANDIDATURE).order_by("-number").first()
    people: dict[str, dict] = {}
    for question in questions_sent(submission) if submission else []:
        if question.contact_role:
            role = people.setdefault(question.get_contact_role_display(), {})
            role[question.contact_field] = submission.content["answers"].get(question.key, "")
    return [_contact(role, values) for role, values in people.items()]


def _contact(role: str, values: dict) -> ReadContact:
    civility = {"madame": "Mme", "monsieur": "M."}.get(values.get("civility", ""), "")
    names = [civility, values.get("first_name", ""), values.get("last_name", "")]
    return ReadContact(
        role,
        " ".join(filter(None, names)),
        values.get("job", ""),
        values.get("email", ""),
        spoken(Question(kind=Question.Kind.PHONE), values.get("phone", "")),
    )


@dataclass(frozen=True)
class SentLetter:
    """A letter about the dossier, and whether an agent may send it again."""

    letter: Letter
    may_be_resent: bool


def letters(application: Application) -> list[SentLetter]:
    """Latest first."""
    concerned = concerned_by(application)
    found = Letter.objects.about(application.subject)
    return [SentLetter(letter, is_resendable(letter, concerned)) for letter in found]


def history(application: Application) -> list[Event]:
    """What happened to the dossier, latest first, as reviewers may read it."""
    return for_reviewers(entries(application, is_for_agents=True))


def sent_back(application: Application, events: Sequence[Event]) -> Event | None:
    """That the ANS sent the declaration back, while the ARS reads it anew. `events`: its history."""
    if application.state != State.DECLARATION_SUBMITTED:
        return None
    latest = next((event for event in events if event.entry.to_state), None)
    return latest if latest and latest.entry.verb == "send_back" else None


def latest_move(application: Application) -> Event | None:
    """The last change of state: what somebody who comes second is told."""
    moves = for_reviewers(entries(application).exclude(to_state="")[:1])
    return moves[0] if moves else None
