"""Fill an empty database with the demo, by the very verbs that people use."""

import dataclasses
import secrets
from datetime import datetime, timedelta
from pathlib import Path

import yaml
from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from accounts.actions import accept_terms
from accounts.models import Terms, User
from applications import actions
from applications.corrections import Named
from applications.definitions import DomainDefinition, load_domain
from applications.extensions import give_extension
from applications.models import Application, Domain, Question, entities_of, questions_of
from applications.readers import read_folder
from applications.rules import facts_of, is_for, is_shown
from applications.states import State, Step
from conventions import actions as conventions
from demo.ole import zed_bytes
from demo.specimens import specimen
from establishments.models import Establishment
from evidence import actions as vault
from evidence import containers
from funding import actions as funding
from funding.declared import declared, latest
from reviews import actions as reviews

FOLDER = Path(settings.BASE_DIR) / "fixtures" / "demo"
IBAN, BIC = "FR7630006000011234567890189", "AGRIFRPP"
ACCEPTED_TOTAL = 5_432_150  # where a declaration has no lines of expenses
EXPENSES = [
    ("Sauvegarde et Reprise SAS", "Coffre de sauvegarde hors ligne", 2_450_000),
    ("Sauvegarde et Reprise SAS", "Licences de sauvegarde immuable, un an", 1_180_050),
    ("Cabinet Continuité", "Rédaction du plan de reprise d’activité", 960_000),
    ("Cabinet Continuité", "Exercice de reprise, deux journées", 312_000),
]

# From the start of a dossier to each state, the verbs on the way.
SENT = ["submit"]
SIGNED = [*SENT, "accept", "sign_convention"]
DECLARED = [*SIGNED, "submit"]
CONTROLLED = [*DECLARED, "accept"]
WAYS = {
    State.DRAFT: [],
    State.SUBMITTED: SENT,
    State.CHANGES_REQUESTED: [*SENT, "request_changes"],
    State.ACCEPTED: [*SENT, "accept"],
    State.CONVENTION_SIGNED: SIGNED,
    State.REJECTED: [*SENT, "reject"],
    State.DECLARATION_OPEN: SIGNED,
    State.DECLARATION_SUBMITTED: DECLARED,
    State.DECLARATION_CHANGES_REQUESTED: [*DECLARED, "request_changes"],
    State.UNDER_CONTROL: CONTROLLED,
    State.VALIDATED: [*CONTROLLED, "accept"],
    State.PAID: [*CONTROLLED, "accept", "record_payment"],
    State.DECLARATION_REJECTED: [*CONTROLLED, "reject"],
    State.WITHDRAWN: [*SENT, "withdraw"],
    State.ABANDONED: [*SIGNED, "abandon"],
}


def read_demo() -> dict:
    return yaml.safe_load((FOLDER / "demo.yaml").read_text(encoding="utf-8"))


def load(demo: dict, *, domains_folder: Path, at: datetime) -> None:
    """People and dossiers of the demo; the directory and the domains are there already."""
    password = make_password(demo["password"])
    for account in demo["accounts"]:
        _add_person(account, password)
    _add_waiting_domain(demo["waiting_domain"], domains_folder, at=at)
    for holder in demo["holders"]:
        rank = demo["holders"].index(holder) + 1
        names = {"civility": "madame", "first_name": "Référente", "last_name": f"Démo {rank}"}
        _add_person({"role": "referent"} | names | holder, password)
    for dossier in demo["holders"] + demo["dossiers"]:
        _lead(dossier, demo, at=at)
    for extension in demo["extensions"]:
        _give_time(extension, at=at)
    _fill_pools(demo["containers"], at=at)


def _give_time(wanted: dict, *, at: datetime) -> None:
    domain = Domain.objects.get(slug=wanted["domain"])
    give_extension(
        domain,
        Establishment.objects.get(ght__code=wanted["ght"]),
        step=Step(wanted["step"]),
        until=(domain.declaration_until or timezone.localdate(at)) + timedelta(days=wanted["days"]),
        reason=wanted["reason"],
        by=User.objects.get(role=User.Role.ANS),
        at=at,
    )


def _fill_pools(wanted: dict, *, at: datetime) -> None:
    """Containers that look like ZED's from outside, with invented credentials."""
    batch = [
        containers.NewContainer(
            SimpleUploadedFile(f"{slug}-{objective}-{rank:02}.zed", _container(f"{slug} {objective} {rank} ")),
            domain,
            objective,
            f"conteneur-zed-demo-{objective.lower()}-{rank:02}",
            f"Demo-{secrets.token_hex(4)}@ZED",
        )
        for slug in wanted["domains"]
        for domain in [Domain.objects.get(slug=slug)]
        for objective in wanted["objectives"]
        for rank in range(1, wanted["each"] + 1)
    ]
    containers.load(batch, by=User.objects.get(role=User.Role.ANS), at=at)


def _container(name: str) -> bytes:
    return zed_bytes(content=name.encode())


def _add_person(account: dict, password: str) -> None:
    person = User.objects.create(
        username=account["username"],
        email=f"{account['username']}@demo.ecare.example",
        password=password,
        role=account["role"],
        is_staff=account["role"] == User.Role.ADMINISTRATOR,
        civility=account["civility"],
        first_name=account["first_name"],
        last_name=account["last_name"],
        phone="+33123456789",
        establishment=_establishment(account),
    )
    person.regions.set(account.get("regions", []))
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    accept_terms(person, terms=Terms.objects.in_force())


def _establishment(account: dict) -> Establishment | None:
    if "ght" in account:
        return Establishment.objects.get(ght__code=account["ght"])
    if "finess" in account:
        return Establishment.objects.get(legal_entity__finess=account["finess"], ght=None)
    return None


def _add_waiting_domain(wanted: dict, folder: Path, *, at: datetime) -> None:
    """The definition of another domain under a name and a calendar of its own."""
    model = next(definition for definition in read_folder(folder) if definition.slug == wanted["like"])
    today = timezone.localdate(at)
    definition: DomainDefinition = dataclasses.replace(
        model,
        slug=wanted["slug"],
        name=wanted["name"],
        summary=wanted["summary"],
        position=91,
        is_trial=True,
        envelope=0,
        calendar={name: today + timedelta(days=days) for name, days in wanted["calendar"].items()},
    )
    load_domain(definition, at=at)


def _lead(dossier: dict, demo: dict, *, at: datetime) -> Application:
    """Lead one dossier to its state, verb by verb."""
    referent = User.objects.get(username=dossier["username"])
    domain = Domain.objects.get(slug=dossier["domain"])
    state = State(dossier["state"])
    started = at
    if domain.candidature_until and domain.candidature_until < timezone.localdate(at):
        started = at - timedelta(days=(timezone.localdate(at) - domain.candidature_until).days + 1)
    application = actions.start(domain, by=referent, at=started)
    for verb in WAYS[state]:
        application = Application.objects.get(pk=application.pk)
        what = {"remark": demo["remarks"].get(state, ""), "named": demo["named"].get(state)}
        _do(verb, application, **what, at=at if application.sendings else started)
    application = Application.objects.get(pk=application.pk)
    if state in (State.DRAFT, State.DECLARATION_OPEN):
        _fill(application, at=started, share=dossier.get("share", 0.4))
    return application


def _do(verb: str, application: Application, *, remark: str, named: dict | None, at: datetime) -> None:
    """One verb by the person who would use it."""
    ars = User.objects.filter(role=User.Role.ARS, regions=application.establishment.region_id).first()
    ans = User.objects.get(role=User.Role.ANS)
    referent, version = application.referent, application.version
    agent = ars if application.state in (State.SUBMITTED, State.DECLARATION_SUBMITTED) and ars else ans
    if verb == "submit":
        _fill(application, at=at, share=1)
        actions.submit(application, by=referent, version=version, at=at)
    elif verb == "withdraw":
        actions.withdraw(application, by=referent, version=version)
    elif verb == "sign_convention":
        _sign(application, by=ans, at=at)
    elif verb == "request_changes":
        _request_changes(application, by=agent, remark=remark, named=named, at=at)
    elif verb in ("reject", "abandon"):
        getattr(funding, verb)(application, by=agent, version=version, message=remark)
    elif verb == "accept":
        if application.state == State.UNDER_CONTROL:
            _decide(application, by=agent, at=at)
        funding.accept(application, by=agent, version=version)
    elif verb == "record_payment":
        now = timezone.now()
        funding.record_payment(
            application,
            by=agent,
            version=version,
            paid_on=timezone.localdate(now),
            reference=f"CARE-{application.reference}",
            at=now,
        )


def _decide(application: Application, *, by: User, at: datetime) -> None:
    """Every objective is reached, every expense accepted."""
    sent = latest(application, Step.DECLARATION)
    if sent is None:
        raise ValueError(f"{application} was never declared")
    what = declared(sent)
    verdicts = funding.Verdicts(
        objectives={objective.code: (True, "") for objective in what.objectives},
        expenses={line.place: (funding.Outcome.ACCEPTED, line.amount, "") for line in what.lines},
        total=None if what.has_lines else ACCEPTED_TOTAL,
    )
    funding.decide(application, by=by, version=application.version, seen=0, verdicts=verdicts, at=at)


def _request_changes(application: Application, *, by: User, remark: str, named: dict | None, at: datetime) -> None:
    """Of the whole form, or of certain questions within so many days."""
    if named is None:
        actions.request_changes(application, by=by, version=application.version, message=remark)
        return
    actions.request_changes(
        application,
        by=by,
        version=application.version,
        message=remark,
        due_on=timezone.localdate(at) + timedelta(days=named["days"]),
        named=[Named(key, remark=words) for key, words in named["questions"].items()],
    )


def _sign(application: Application, *, by: User, at: datetime) -> None:
    """The référent's signed copy, then the ANS's."""
    signed, countersigned = (
        _upload(f"convention-{which}.pdf", f"Convention de financement {application.reference}, {which}")
        for which in ("signee", "contresignee")
    )
    conventions.send_copy(application, upload=signed, by=application.referent, at=at)
    reviews.sign_convention(
        application,
        by=by,
        version=Application.objects.get(pk=application.pk).version,
        establishment_signed_on=timezone.localdate(at),
        signed_on=timezone.localdate(at),
        upload=countersigned,
        at=at,
    )


def _fill(application: Application, *, at: datetime, share: float) -> None:
    """Answer the first part of the present step: `share` of its questions, with plausible values."""
    facts = facts_of(application.establishment)
    questions = [question for question in questions_of(application.form) if is_for(question, facts)]
    questions = questions[: int(len(questions) * share)]
    values = {q.key: _answer(q, application) for q in questions if not q.is_evidence and q.is_required}
    actions.save_answers(application, by=application.referent, values=values, at=at)
    for question in questions:
        if question.is_evidence and question.is_required and is_shown(question, values):
            extension = "docx" if "docx" in question.formats else question.formats[0]
            upload = _upload(f"{question.key}.{extension}", f"{question.label} ({application.establishment.name})")
            vault.add(application, question, upload=upload, by=application.referent, at=at)


def _upload(name: str, line: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, specimen(name.rpartition(".")[2], line))


def _answer(question: Question, application: Application):
    kind, role = Question.Kind, question.contact_role
    if question.contact_field == "last_name":
        return f"Démo-{question.get_contact_role_display().split()[0]}"
    if question.contact_field == "first_name":
        return {"dsi": "Andrea", "rssi": "Morgan", "signatory": "Yaël"}[role]
    answers = {
        kind.CHECKBOX: True,
        kind.CIVILITY: "madame",
        kind.EMAIL: f"{role or 'contact'}@demo.ecare.example",
        kind.PHONE: "+33123456789",
        kind.IBAN: IBAN,
        kind.BIC: BIC,
        kind.CHOICE: question.choices[0][0] if question.choices else "",
        kind.DATE: timezone.localdate().isoformat(),
        kind.AMOUNT: 6_500_000,
        kind.LONG_TEXT: f"{question.label} : exemple de réponse pour {application.establishment.name}.",
        kind.EXPENSES: _expenses(application.domain),
        kind.CHECKLIST: dict.fromkeys(entities_of(application.establishment), ""),
    }
    texts = {"job": "Directrice générale"}
    return answers.get(kind(question.kind), texts.get(question.contact_field, application.establishment.name))


def _expenses(domain: Domain) -> list[dict]:
    """A few lines, a week after another from the first day that counts."""
    first = domain.expenses_from or timezone.localdate() - timedelta(days=60)
    return [
        {"date": (first + timedelta(days=7 * rank)).isoformat(), "supplier": supplier, "label": label, "amount": amount}
        for rank, (supplier, label, amount) in enumerate(EXPENSES)
    ]
