"""The verbs of the encrypted containers: load the pool, draw one for a dossier, activate it, reissue it."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import rules as permissions
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import Count

from accounts.models import User
from applications import rules as law
from applications.actions import NotNow, lock
from applications.models import Application, Domain, FormVersion, Question
from applications.rules import known_of
from applications.states import State, Step
from ecare.journal.actions import SYSTEM, record
from ecare.letters.actions import cancel
from ecare.letters.models import Letter
from ecare.sealing import seal, unseal
from evidence import emails, files, vault
from evidence.actions import CLOSED
from evidence.models import Container, StoredFile
from evidence.rules import CONTAINER_FORMATS, CONTAINER_MAX_BYTES, may_load_containers
from evidence.states import WITHHELD

PURPOSE = "container"
WARNING_INTERVAL = timedelta(days=1)
NEEDS_CONTAINERS = (
    State.ACCEPTED,
    State.CONVENTION_SIGNED,
    State.DECLARATION_OPEN,
    State.DECLARATION_CHANGES_REQUESTED,
)
REPLACED = (
    "Ce conteneur a été remplacé depuis l’affichage de cette page. "
    "Rechargez la page pour lire les identifiants du nouveau, puis recommencez."
)


MOST_REISSUED = 3  # per dossier and objective: the pool is everybody's
TOO_MANY = (
    f"Le conteneur de cet objectif a déjà été remplacé {MOST_REISSUED} fois. "
    f"Écrivez à {settings.SUPPORT_ADDRESS} en indiquant votre numéro de candidature : l’équipe cherchera avec vous "
    "les identifiants ou un autre moyen d’envoi."
)


class PoolEmpty(NotNow):
    """No container is left for this objective; the ANS has been told."""

    def __init__(self):
        super().__init__(
            "Aucun conteneur n’est disponible pour cet objectif en ce moment. L’ANS en est avertie et va en charger "
            "de nouveaux : revenez demain. Vos réponses restent enregistrées. Si votre date limite approche, "
            f"écrivez à {settings.SUPPORT_ADDRESS} en indiquant votre numéro de candidature."
        )


class AlreadyKnown(Exception):
    """A container of the batch has entered meanwhile."""


# --- the pool -----------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class NewContainer:
    """One line of a batch, checked; its credentials never show in a trace."""

    upload: object
    domain: Domain
    objective: str
    username: str = field(repr=False)
    password: str = field(repr=False)


def load(batch: list[NewContainer], *, by: User | None, at: datetime) -> None:
    """Put a whole batch into the pool, or nothing. `by`: nobody for a command. Raises AlreadyKnown or files.Refused."""
    if by is not None and not may_load_containers(by):
        raise PermissionDenied
    kept: list[StoredFile] = []
    with _kept_whole(kept):
        kept += (_stored(one.upload, by=by) for one in batch)
    # Not after a failed commit: whether it took place is then unknown, and sweeping will tell.
    with transaction.atomic(), _kept_whole(kept):
        StoredFile.objects.bulk_create(kept)
        Container.objects.bulk_create(_row(one, file, at) for one, file in zip(batch, kept, strict=True))
        _note_load(batch, by=by)


@contextmanager
def _kept_whole(kept: list[StoredFile]) -> Iterator[None]:
    """No stored bytes remain of a batch that does not enter."""
    try:
        yield
    except BaseException as error:
        for file in kept:
            vault.discard(file.storage_name)
        if isinstance(error, IntegrityError):
            raise AlreadyKnown from error
        raise


def _stored(upload, *, by: User | None) -> StoredFile:
    """Checked and sealed, its row not yet written. Raises files.Refused."""
    checked = files.check(upload, formats=CONTAINER_FORMATS, max_bytes=CONTAINER_MAX_BYTES)
    with vault.sealed(upload.chunks()) as spool:
        return StoredFile(
            name=checked.name,
            size=checked.size,
            sha256=checked.sha256,
            media_type=checked.media_type,
            storage_name=vault.keep(spool),
            key_name=spool.key_name,
            scan=StoredFile.Scan.CONTAINER,  # made by the ANS: no dossier waits for the antivirus to see its wrapping
            created_by=by,
        )


def _row(one: NewContainer, file: StoredFile, at: datetime) -> Container:
    return Container(
        domain=one.domain,
        objective=one.objective,
        file=file,
        sha256=file.sha256,
        username=one.username,
        password=seal(one.password.encode(), purpose=PURPOSE),
        loaded_at=at,
    )


def _note_load(batch: list[NewContainer], *, by: User | None) -> None:
    """One line for each pool: how many, never which credentials."""
    counts: dict[str, int] = {}
    for one in batch:
        subject = pool_subject(one.domain, one.objective)
        counts[subject] = counts.get(subject, 0) + 1
    for subject, count in counts.items():
        record(subject, "load_containers", actor=by.actor if by else SYSTEM, data={"count": count})
        cancel(subject, ["pool_low"])


def pool_subject(domain: Domain, objective: str) -> str:
    """How the journal and the letters name a pool."""
    return f"pool:{domain.slug}:{objective}"


@dataclass(frozen=True)
class Pool:
    """The containers of one objective: how many are left, where the others are, and who will want one."""

    domain: Domain
    objective: str
    left: int = 0
    drawn: int = 0
    activated: int = 0
    superseded: int = 0
    awaited: int = 0

    @property
    def is_low(self) -> bool:
        return self.left <= settings.CONTAINER_POOL_THRESHOLD

    @property
    def missing(self) -> int:
        """How many of those who will want one would get none."""
        return max(0, self.awaited - self.left)


def pools() -> list[Pool]:
    """Of every objective that a published form hands containers for, or that has some."""
    domains = {domain.pk: domain for domain in Domain.objects.all()}
    asked = Question.objects.exclude(container="").exclude(section__form__published_at=None)
    keys = set(asked.values_list("section__form__domain", "container"))
    counted = {
        (row["domain"], row["objective"]): row
        for row in Container.objects.order_by()
        .values("domain", "objective")
        .annotate(
            loaded=Count("pk"),
            attributed=Count("application"),
            opened=Count("activated_at"),
            old=Count("superseded_at"),
        )
    }
    waiting = _awaited()
    keys |= counted.keys()
    made = [_pool(domains[pk], objective, counted.get((pk, objective), {}), waiting) for pk, objective in keys]
    return sorted(made, key=lambda pool: (pool.domain.position, pool.domain.name, pool.objective))


def _pool(domain: Domain, objective: str, row: Mapping[str, Any], waiting: tuple[Counter, dict]) -> Pool:
    expected, served = waiting
    attributed = row.get("attributed", 0)
    return Pool(
        domain,
        objective,
        left=row.get("loaded", 0) - attributed,
        drawn=attributed,
        activated=row.get("opened", 0),
        superseded=row.get("old", 0),
        awaited=max(0, expected[domain.pk, objective] - served.get((domain.pk, objective), 0)),
    )


def _awaited() -> tuple[Counter, dict]:
    """Dossiers that declare now or soon and whose form asks for a container; those of them that hold one already. Both
    by domain and objective."""
    dossiers = Application.objects.filter(state__in=NEEDS_CONTAINERS).order_by()
    by_form = list(dossiers.values_list("domain", "declaration_form").annotate(Count("pk")))
    published = FormVersion.objects.filter(step=Step.DECLARATION).exclude(published_at=None).order_by("number")
    latest = dict(published.values_list("domain", "pk"))  # the form that a dossier will have, once its day has come
    asked: dict[int | None, set[str]] = {}
    for form, objective in Question.objects.exclude(container="").values_list("section__form", "container"):
        asked.setdefault(form, set()).add(objective)
    expected: Counter = Counter()
    for domain, form, count in by_form:
        for objective in asked.get(form or latest.get(domain), ()):
            expected[domain, objective] += count
    held = Container.objects.live().filter(application__state__in=NEEDS_CONTAINERS).order_by()
    by_objective = held.values_list("domain", "objective").annotate(Count("pk"))
    return expected, {(domain, objective): count for domain, objective, count in by_objective}


def warn_of_low_pools(*, at: datetime) -> int:
    """For the worker: before somebody meets an empty pool. Returns of how many pools the ANS was warned."""
    low = (pool for pool in pools() if pool.is_low and pool.awaited > 0)
    return sum(_warn(pool.domain, pool.objective, left=pool.left, at=at) for pool in low)


@transaction.atomic
def _warn(domain: Domain, objective: str, *, left: int, at: datetime) -> bool:
    """Write to every agent of the ANS, once a day for each objective."""
    Domain.objects.select_for_update(no_key=True).get(pk=domain.pk)  # two draws at once warn once
    subject = pool_subject(domain, objective)
    told = Letter.objects.about(subject).filter(name="pool_low", created_at__gt=at - WARNING_INTERVAL)
    if told.exclude(state=Letter.State.CANCELLED).exists():
        return False
    for agent in User.objects.filter(role=User.Role.ANS, is_active=True).order_by("pk"):
        emails.pool_low(domain, objective, left=left, to=agent, subject=subject).save()
    return True


# --- the référent -------------------------------------------------------------------------------------------------
def question_of(application: Application, key: str) -> Question | None:
    """The space of the present step, by its key, that hands out a container."""
    found = Question.objects.filter(section__form=application.form, key=key).exclude(container="")
    return found.select_related("section").first()


def live_container(application: Application, question: Question) -> Container | None:
    """The one that the dossier works with for this space's objective."""
    found = Container.objects.live().filter(application=application, objective=question.container)
    return found.select_related("file").first()


def password_of(container: Container) -> str:
    """The password, until its activation; empty afterwards. Raises CannotOpen."""
    return unseal(bytes(container.password), purpose=PURPOSE).decode() if container.password else ""


def draw(application: Application, question: Question, *, by: User, at: datetime) -> Container:
    """The container of this dossier and objective: the one it has, else a fresh one. Raises PoolEmpty or NotNow."""
    with transaction.atomic():
        application = lock(application)
        _check_open(application, question, by=by, at=at)
        container = live_container(application, question)
        if container is None and (container := _fresh(application, question, at=at)):
            _attribute(container, application, at=at)
            _note(container, "draw_container", by=by)
    if container is None:  # after the commit: the warning to the ANS must remain
        raise PoolEmpty
    return container


@transaction.atomic
def activate(application: Application, question: Question, *, shown: str, by: User, at: datetime) -> Container:
    """Erase the credentials for good, and let the file be downloaded. A second time changes nothing.

    `shown`: the file of the container whose credentials the page showed. Raises NotNow.
    """
    application = lock(application)
    _check_open(application, question, by=by, at=at)
    container = _shown_container(application, question, shown)
    if container.activated_at is None:
        container.username, container.password, container.activated_at = "", None, at
        container.save(update_fields=["username", "password", "activated_at"])
        _note(container, "activate_container", by=by)
    return container


def reissue(
    application: Application, question: Question, *, shown: str, reason: str, by: User, at: datetime
) -> Container:
    """Replace an activated container, whose credentials are lost, by a fresh one. Raises PoolEmpty or NotNow."""
    with transaction.atomic():
        application = lock(application)
        _check_open(application, question, by=by, at=at)
        old = _shown_container(application, question, shown)
        if old.activated_at is None:
            raise NotNow("Les identifiants de ce conteneur sont encore lisibles : il n’a pas à être remplacé.")
        if Container.objects.replaced_for(application, question).count() >= MOST_REISSUED:
            raise NotNow(TOO_MANY)
        container = _fresh(application, question, at=at)
        if container is not None:
            old.superseded_at, old.reissue_reason, old.reissued_by = at, reason, by
            old.save(update_fields=["superseded_at", "reissue_reason", "reissued_by"])
            _attribute(container, application, at=at)
            _note(container, "reissue_container", by=by, message=reason, data={"replaced": str(old.file_id)})
            emails.container_reissued(container, question).save()
    if container is None:
        raise PoolEmpty
    return container


def _check_open(application: Application, question: Question, *, by: User, at: datetime) -> None:
    if not permissions.test_rule("act_as_referent", by, application):
        raise PermissionDenied
    is_asked = question.section.form_id == application.form.pk and law.is_shown(question, known_of(application))
    if not law.is_open_for_answers(application, at) or not is_asked:
        raise NotNow(CLOSED)


def _shown_container(application: Application, question: Question, shown: str) -> Container:
    """The live one, if it is that of the page: nobody erases or replaces credentials that they have not seen."""
    container = live_container(application, question)
    if container is None or str(container.file_id) != shown:
        raise NotNow(REPLACED)
    return container


def _fresh(application: Application, question: Question, *, at: datetime) -> Container | None:
    """The oldest of the pool, whose domain is locked so that no two dossiers share one; warns the ANS in time."""
    domain = Domain.objects.select_for_update(no_key=True).get(pk=application.domain_id)
    pool = Container.objects.in_pool().filter(domain=domain, objective=question.container)
    pool = pool.exclude(file__scan__in=WITHHELD)
    left = pool.count() - 1
    if left <= settings.CONTAINER_POOL_THRESHOLD:
        _warn(domain, question.container, left=max(0, left), at=at)
    return pool.select_related("file").order_by("pk").first()


def _attribute(container: Container, application: Application, *, at: datetime) -> None:
    container.application, container.drawn_at = application, at
    container.save(update_fields=["application", "drawn_at"])


def note_download(container: Container, *, by: User) -> None:
    """Each download leaves a line in the dossier's journal."""
    _note(container, "download_container", by=by)


def _note(container: Container, verb: str, *, by: User, message: str = "", data: dict | None = None) -> None:
    facts = {"objective": container.objective, "file": str(container.file_id), "sha256": container.sha256}
    record(container.application.subject, verb, actor=by.actor, message=message, data=facts | (data or {}))
