"""A domain and its forms as an administrator defines them, and the verbs that bring the database in step:
load, load a scale, and shift a calendar for a demo."""

from dataclasses import asdict, dataclass, field, fields
from datetime import date, datetime, timedelta

from django.db import transaction

from accounts.models import User
from applications.models import Bracket, Domain, FormVersion, Question, Section
from applications.states import Step
from ecare.journal.actions import SYSTEM, record

CALENDAR = (
    "expenses_from",
    "candidature_from",
    "candidature_until",
    "candidature_first_submission_until",
    "declaration_from",
    "declaration_until",
)
PLAIN = ("name", "position", "summary", "more_url", "guide_url", "kinds", "envelope", "is_trial")


@dataclass
class QuestionDefinition:
    key: str
    kind: str
    label: str
    help: str = ""
    checkbox_label: str = ""
    is_required: bool = True
    choices: list = field(default_factory=list)
    shown_if: dict = field(default_factory=dict)
    contact_role: str = ""
    contact_field: str = ""
    formats: list = field(default_factory=list)
    max_megabytes: int = 10
    max_files: int = 10
    container: str = ""
    objective: str = ""
    activity_share: int | None = None


@dataclass
class SectionDefinition:
    title: str
    introduction: str = ""
    questions: list[QuestionDefinition] = field(default_factory=list)


@dataclass
class FormDefinition:
    reminder: str = ""
    sections: list[SectionDefinition] = field(default_factory=list)


@dataclass
class DomainDefinition:
    slug: str
    name: str
    position: int = 0
    summary: str = ""
    more_url: str = ""
    guide_url: str = ""
    kinds: list = field(default_factory=list)
    envelope: int = 0
    is_trial: bool = False
    calendar: dict = field(default_factory=dict)
    forms: dict[str, FormDefinition] = field(default_factory=dict)
    like: str = ""


@transaction.atomic
def load_domain(definition: DomainDefinition, *, at: datetime, resets_calendar: bool = False) -> list[str]:
    """Create or update one domain; a changed form becomes a new published version. Returns what was done, in French.

    A domain that exists keeps its calendar, which an administrator may have changed, unless `resets_calendar`.
    """
    domain, is_new = Domain.objects.get_or_create(
        slug=definition.slug,
        defaults={name: getattr(definition, name) for name in PLAIN} | definition.calendar,
    )
    domain = Domain.objects.select_for_update().get(pk=domain.pk)
    done = ["domaine créé"] if is_new else _update(domain, definition, resets_calendar)
    for step, form in definition.forms.items():
        done += _load_form(domain, step, form, at=at)
    if done:
        record(f"domain:{domain.slug}", "load_domain", actor=SYSTEM, data={"done": done})
    return done


def _update(domain: Domain, definition: DomainDefinition, resets_calendar: bool) -> list[str]:
    wanted = {name: getattr(definition, name) for name in PLAIN}
    if resets_calendar:
        wanted |= {name: definition.calendar.get(name) for name in CALENDAR}
    changed = [name for name, value in wanted.items() if getattr(domain, name) != value]
    for name in changed:
        setattr(domain, name, wanted[name])
    domain.save()
    return [f"modifié : {Domain._meta.get_field(name).verbose_name}" for name in changed]


def _load_form(domain: Domain, step: str, definition: FormDefinition, *, at: datetime) -> list[str]:
    latest = domain.forms.latest_published(step)
    if latest is not None and content_of(latest) == definition:
        return []
    highest = domain.forms.filter(step=step).order_by("-number").first()
    form = FormVersion.objects.create(
        domain=domain,
        step=step,
        number=highest.number + 1 if highest else 1,
        reminder=definition.reminder,
        published_at=at,
    )
    fill(form, definition)
    return [f"{Step(step).label} : version {form.number} publiée"]


def fill(form: FormVersion, definition: FormDefinition) -> None:
    for rank, part in enumerate(definition.sections, start=1):
        section = Section.objects.create(form=form, position=rank, title=part.title, introduction=part.introduction)
        Question.objects.bulk_create(
            Question(section=section, position=position, **asdict(question))
            for position, question in enumerate(part.questions, start=1)
        )


def content_of(form: FormVersion) -> FormDefinition:
    """A stored form as a definition, to compare with one or to copy."""
    names = [one.name for one in fields(QuestionDefinition)]
    content = FormDefinition(form.reminder)
    for section in form.sections.prefetch_related("questions").order_by("position"):
        questions = sorted(section.questions.all(), key=lambda question: question.position)
        definitions = [QuestionDefinition(**{name: getattr(one, name) for name in names}) for one in questions]
        content.sections.append(SectionDefinition(section.title, section.introduction, definitions))
    return content


@transaction.atomic
def load_scale(domain: Domain, brackets: list[Bracket], *, is_official: bool, by: User | None = None) -> bool:
    """Replace the whole scale of a domain; False when it stood so already."""
    domain = Domain.objects.select_for_update().get(pk=domain.pk)
    wanted = {(one.kind, one.days_from, one.days_until, one.ceiling) for one in brackets}
    present = set(domain.scale.values_list("kind", "days_from", "days_until", "ceiling"))
    if wanted == present and domain.has_official_scale == is_official:
        return False
    before = rows_of(domain)
    domain.scale.all().delete()
    Bracket.objects.bulk_create(
        Bracket(domain=domain, kind=kind, days_from=first, days_until=until, ceiling=ceiling)
        for kind, first, until, ceiling in sorted(wanted, key=lambda one: one[:2])
    )
    domain.has_official_scale = is_official
    domain.save(update_fields=["has_official_scale"])
    data = {"brackets": len(wanted), "official": is_official, "before": before, "after": rows_of(domain)}
    record(f"domain:{domain.slug}", "load_scale", actor=by.actor if by else SYSTEM, data=data)
    return True


def rows_of(domain: Domain) -> list[list]:
    """A scale as the journal keeps it: kind, first and last day, ceiling in cents."""
    return [list(row) for row in domain.scale.values_list("kind", "days_from", "days_until", "ceiling")]


def shift_calendar(domain: Domain, *, today: date) -> None:
    """For a demo: candidatures may be started today, and declarations stand open at the same time.

    A window without end stays so, and expenses count from as long before the candidatures. The definitions keep the
    historical dates; only this database is shifted.
    """
    if domain.candidature_until is not None:
        before = timedelta()
        if domain.candidature_from and domain.expenses_from:
            before = domain.candidature_from - domain.expenses_from
        domain.expenses_from = today - timedelta(days=120)
        domain.candidature_from = domain.expenses_from + before
        domain.candidature_until = today + timedelta(days=18)
        domain.candidature_first_submission_until = None
    if domain.declaration_from is not None:
        domain.declaration_from = today - timedelta(days=60)
    if domain.declaration_until is not None:
        domain.declaration_until = today + timedelta(days=240)
    domain.save()
