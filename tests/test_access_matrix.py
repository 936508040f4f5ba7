"""Who gets what at every address, by the literal tables of tests/addresses.py.

The objects are the owner's: a draft, with a file that was never sent, and a dossier that lies with the ARS, with a
file, a container and a convention.
"""

import uuid
from datetime import timedelta

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.db.models import UUIDField
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, get_resolver, reverse
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.agents import invite
from accounts.models import Invitation, Terms, User
from applications.emails import submitted
from applications.models import Answer, Application, Domain, Extension, Submission, TakeOverRequest, values_of
from applications.states import State
from conventions.models import SignedCopy
from demo.ole import zed_bytes
from demo.specimens import pdf
from ecare.journal.models import Entry
from ecare.letters.models import Letter
from evidence.actions import storing
from evidence.arrivals import start
from evidence.models import BankDetails, Container, Evidence, PatientDataReport
from evidence.space_templates import publish_template
from exports.actions import ask as ask_export
from exports.builders import build
from exports.models import Export
from funding.models import Commitment, Decision, Payment
from reviews.models import Convention, Phrase, SavedView
from reviews.remarks import add_note, ask_opinion
from tests.accounts.steps import give_password
from tests.addresses import GET, POST, ROLES
from tests.admin_addresses import ADMIN, ADMIN_PAGES, MODEL_PAGES
from tests.evidence.conftest import dossier_with, put_in, space_of
from tests.evidence.pool import SPACE, activate, draw, fill_pool
from tests.factories import RegionFactory, UserFactory
from tests.webhooks.conftest import subscribe
from webhooks.models import Delivery, Event, Subscription

pytestmark = pytest.mark.django_db


def names(found, namespace="") -> set[str]:
    """Of every address outside the administration."""
    known: set[str] = set()
    for pattern in found:
        if isinstance(pattern, URLPattern):
            known.add(f"{namespace}{pattern.name}")
        elif pattern.app_name != "admin":
            known |= names(pattern.url_patterns, f"{pattern.namespace}:" if pattern.namespace else namespace)
    return known


@pytest.fixture
def world(db):
    """Everything that an address may name, by the word that the tables use."""
    Terms.objects.create(version="1.0", text="Les conditions.", published_at=timezone.now() - timedelta(days=9))
    space = {"formats": ["pdf", "zed"], "max_files": 3}
    text = {"kind": "text", "key": "precision"}
    draft = dossier_with(space, SPACE, text)
    sent = dossier_with(space, SPACE, text, referent=draft.referent)
    for dossier in (draft, sent):
        fill_pool(dossier)
    activate(sent, draw(sent))
    found = {
        "draft": draft.reference,
        "sent": sent.reference,
        "unsent file": put_in(draft).file_id,
        "sent file": put_in(sent).file_id,
        "container": put_in(sent, zed_bytes(), "preuves.zed").file_id,
        "owner": draft.referent,
        "template": _a_template(draft).pk,
        "table": "etats",
        "domain": draft.domain.slug,
    }
    reported = put_in(sent, pdf(line="signalé"), "signalé.pdf")
    announced = {"name": "grand.pdf", "size": 2**20, "first_sha256": "0" * 64, "by": draft.referent}
    found["upload"] = start(draft, space_of(draft), at=timezone.now(), **announced).pk
    Application.objects.filter(pk=sent.pk).update(
        state=State.SUBMITTED, sendings=1, candidature_submitted_at=timezone.now()
    )
    signed = {"application": sent, "signed_on": timezone.localdate(), "recorded_by": draft.referent}
    with storing(SimpleUploadedFile("c.pdf", pdf()), formats=["pdf"], max_bytes=2**20, by=draft.referent) as kept:
        Convention.objects.create(file=kept, **signed)
    with storing(SimpleUploadedFile("e.pdf", pdf()), formats=["pdf"], max_bytes=2**20, by=draft.referent) as kept:
        former = {"state": SignedCopy.State.REPLACED, "decided_at": timezone.now()}
        copy = SignedCopy.objects.create(application=sent, by=sent.referent, file=kept, **former)
        found["signed copy"] = copy.pk
    content = {"form": 1, "answers": values_of(sent)}
    Submission.objects.create(
        application=sent, step="candidature", number=1, by=sent.referent, content=content, digest="0"
    )
    invite(Invitation(email="invitee@ars.example", role="ans"), regions=[], by=None)
    Group.objects.create(name="Agents")
    TOTPDevice.objects.create(user=sent.referent, name="téléphone")
    with storing(SimpleUploadedFile("r.pdf", pdf()), formats=["pdf"], max_bytes=2**20, by=draft.referent) as kept:
        found["bank details"] = BankDetails.objects.create(application=sent, by=sent.referent, values={}, file=kept).pk
    other = UserFactory(establishment=sent.establishment)
    asked = TakeOverRequest.objects.create(application=sent, by=other, reason="Le référent a quitté l’établissement.")
    found["agent"] = UserFactory(ans=True)
    view = SavedView.objects.create(owner=found["agent"], name="Payés", query="etat=paid")
    found |= {"other colleague": other.pk, "take-over": asked.pk, "view": view.pk} | _of_agents(sent, view.owner)
    found["report"] = _a_report(reported).pk  # an export that is older would no longer be handed over
    found["exporter"] = UserFactory(ars=True, regions=[sent.establishment.region])
    ask = {"label": "Vue", "by": found["exporter"], "at": timezone.now()}
    found["export"] = ask_export(Export.Kind.QUEUE_CSV, what="", **ask).pk
    build()
    found["waiting export"] = ask_export(Export.Kind.QUEUE_CSV, what="etat=tous", **ask).pk
    found["establishment"] = sent.establishment_id
    found["extension"] = _an_extension(sent).pk
    _a_delivery(sent)
    return found


def _a_delivery(application) -> None:
    """What a system was told of that dossier."""
    event = Event.objects.create(at=timezone.now(), reference=application.reference, state_after="submitted")
    subscription = subscribe("https://systeme.exemple.fr/ecare")
    Delivery.objects.create(subscription=subscription, event=event, state="delivered", ended_at=timezone.now())


def _of_agents(sent, agent) -> dict:
    """What one agent wrote: of a dossier the reference comes first in the address."""
    ars = UserFactory(ars=True, regions=[sent.establishment.region])
    note = add_note(sent, by=ars, text="Le RIB est à vérifier.", is_shared=False)
    opinion = ask_opinion(sent, by=ars, of=agent, question="Les comptes sont-ils certifiés ?")
    letter = submitted(sent, sent.submissions.get())
    letter.state, letter.sent_at = Letter.State.SENT, timezone.now()
    letter.save()
    phrase = Phrase.objects.create(owner=agent, title="RIB", text="Merci de fournir le RIB.")
    return {"phrase": phrase.pk, "note": note.pk, "opinion": opinion.pk, "letter": letter.pk}


def _an_extension(application) -> Extension:
    """Of a domain that has an end; the give page is asked for the same."""
    Domain.objects.filter(pk=application.domain_id).update(declaration_until="2026-01-31")
    given = {"establishment": application.establishment, "by": application.referent}
    return Extension.objects.create(
        domain=application.domain, step="declaration", until="2027-12-31", reason="Un incident.", **given
    )


def _a_report(evidence: Evidence) -> PatientDataReport:
    said = {"by": evidence.application.referent, "reason": "Une liste.", "scan_before": "not_scanned"}
    return PatientDataReport.objects.create(evidence=evidence, **said)


def _a_template(application):
    model = {"title": "Liste", "upload": SimpleUploadedFile("l.pdf", pdf()), "by": None, "at": timezone.now()}
    return publish_template(application.domain, "espace-1", **model)


@pytest.fixture
def clients(world, signed_in):
    """One browser per role."""
    owner = world["owner"]
    half = Client()
    give_password(half, owner)
    return {
        "anonymous": Client(),
        "password_only": half,
        "owner": signed_in(owner),
        "colleague": signed_in(UserFactory(establishment=owner.establishment)),
        "elsewhere": signed_in(UserFactory()),
        "ars": signed_in(world["exporter"]),
        "ars_elsewhere": signed_in(UserFactory(ars=True, regions=[RegionFactory(code="75")])),
        "ans": signed_in(world["agent"]),
        "administrator": signed_in(UserFactory(administrator=True)),
    }


# What an address names besides its object.
MORE = {
    "accounts:close_session": ["abc"],
    "accounts:accept_invitation": ["abc"],
    "accounts:confirm_email_change": ["abc"],
    "accounts:stop_email_correction": ["abc"],
    "applications:receipt": ["candidature", 1],
    "applications:update_contact": ["dsi"],
    "applications:answer": ["precision"],
    "steering:download_published": ["regions"],
    "exports:ask_dossier": ["pdf"],
}


def address(row: str, world) -> str:
    """« reviews:dossier draft »: the name of an address, and the object that it is asked for."""
    name, _, wanted = row.partition(" ")
    arguments = {
        "captcha-image": ["abc"],
        "account_confirm_email": ["abc"],
        "account_reset_password_from_key": ["1", "abc"],
        "letters:letter": [uuid.UUID(int=1)],
        "letters:html": [uuid.UUID(int=1)],
        "accounts:terms_version": ["1.0"],
        "eligibility_of": [world["owner"].establishment.finess],
        "preparation": [Application.objects.get(reference=world["draft"]).domain.slug],
        "evidence:receive_part": [world["upload"], 0],
        "reviews:give_extension": [
            world["owner"].establishment_id,
            Application.objects.get(reference=world["sent"]).domain.slug,
            "declaration",
        ],
    }.get(name, _objects(wanted, world))
    if name.startswith("evidence:") and name.endswith("container"):
        arguments = [*arguments, SPACE["key"]]
    return reverse(name, args=arguments + MORE.get(name, []))


def _objects(wanted: str, world) -> list:
    """One object whatever its word is, or a dossier and something of it."""
    if wanted in world:
        return [world[wanted]]
    return [world[word] for word in wanted.split()]


def typed(world) -> dict:
    """Everything that some page reads, all in one."""
    return {
        "version": "1",
        "message": "Le RIB transmis ne correspond pas à l’IBAN.",
        "signed_on": timezone.localdate().isoformat(),
        "establishment_signed_on": timezone.localdate().isoformat(),
        "state": "paid",
        "referent": "1",
        "precision": "écrasé",
        "reason": "Page 3, une liste de patients.",
        "is_sure": "on",
        "holder": str(world["owner"].pk),
        "kind": "queue_csv",
        "query": "etat=draft",
        "archived": Application.objects.get(reference=world["draft"]).domain.slug,
    }


def status(client, method, url, data=None) -> str:
    browser = Client()
    browser.cookies.load({name: morsel.value for name, morsel in client.cookies.items()})  # signing out spoils no other
    response = browser.post(url, data) if method == "post" else browser.get(url)
    response.getvalue()  # read to its end, as a browser does
    return str(response.status_code)


def traces() -> tuple:
    """What a refused request must leave as it was."""
    return (
        list(Application.objects.order_by("pk").values()),
        list(Answer.objects.order_by("pk").values()),
        list(Evidence.objects.order_by("pk").values()),
        list(TakeOverRequest.objects.order_by("pk").values()),
        list(Container.objects.order_by("pk").values()),
        [list(model.objects.order_by("pk").values()) for model in (Commitment, Decision, Payment)],
        list(Export.objects.order_by("pk").values()),
        list(SignedCopy.objects.order_by("pk").values()),
        list(Extension.objects.order_by("pk").values()),
        list(PatientDataReport.objects.order_by("pk").values()),
        [list(model.objects.order_by("pk").values()) for model in (Subscription, Delivery)],
        list(User.objects.order_by("pk").values("pk", "role", "email", "password", "establishment")),
        Letter.objects.count(),
        Entry.objects.count(),
    )


def test_every_address_has_its_rows():
    known = names(get_resolver().url_patterns)
    assert {row.partition(" ")[0] for row in GET} == known
    assert {row.partition(" ")[0] for row in POST} == known
    of_models = {f"admin:{model}_{page}" for model in ADMIN for page in MODEL_PAGES}
    assert {f"admin:{pattern.name}" for pattern in _flat(admin.site.urls[0]) if pattern.name} == of_models | set(
        ADMIN_PAGES
    )


def _flat(found):
    for pattern in found:
        yield from [pattern] if isinstance(pattern, URLPattern) else _flat(pattern.url_patterns)


def ask_all(method, clients, rows, world) -> dict[str, str]:
    told, data = {}, typed(world)
    before = traces()  # each asking is rolled back
    for row in rows:
        answers, url = [], address(row, world)
        for role in ROLES:
            with transaction.atomic():
                with connection.execute_wrapper(writes := Writes()):
                    answer = status(clients[role], method, url, data)
                if answer in ("403", "404", "405", "409") and writes.seen:
                    assert traces() == before, f"{row}: the refusal to {role} left a trace"
                transaction.set_rollback(True)
            answers.append(answer)
        told[row] = " ".join(answers)
    return told


class Writes:
    """Whether a statement wrote: what a refusal left is looked for only then."""

    def __init__(self):
        self.seen = False

    def __call__(self, execute, sql, params, many, context):
        self.seen = self.seen or sql.startswith(("INSERT", "UPDATE", "DELETE"))
        return execute(sql, params, many, context)


def rooms(table) -> list:
    """The rows of a table by room, one test each."""
    found: dict[str, dict] = {}
    for row, expected in table.items():
        found.setdefault(row.split(" ")[0].partition(":")[0] if ":" in row else "portal", {})[row] = expected
    return [pytest.param(rows, id=room) for room, rows in found.items()]


@pytest.mark.parametrize("rows", rooms(GET))
def test_who_reads(clients, world, rows):
    assert ask_all("get", clients, rows, world) == {row: " ".join(line.split()) for row, line in rows.items()}


@pytest.mark.parametrize("rows", rooms(POST))
def test_who_acts(clients, world, rows):
    assert ask_all("post", clients, rows, world) == {row: " ".join(line.split()) for row, line in rows.items()}


def of_admin(table) -> list:
    """The names of a table by room, one test each."""
    found: dict[str, list] = {}
    for name in sorted(table):
        found.setdefault(name.removeprefix("admin:").partition("_")[0], []).append(name)
    return [pytest.param(listed, id=room) for room, listed in found.items()]


@pytest.mark.parametrize("models", of_admin(ADMIN))
def test_who_enters_the_administration(clients, models):
    """The tables of a model: nobody but the administrator gets anything."""
    for model in models:
        first = _model(model)._base_manager.order_by("pk").first()
        pages = [reverse(f"admin:{model}_changelist"), reverse(f"admin:{model}_add")]
        pages += [reverse(f"admin:{model}_{page}", args=[first.pk if first else 1]) for page in MODEL_PAGES[2:]]
        assert " ".join(status(clients["administrator"], "get", page) for page in pages) == ADMIN[model], model
        for page in pages:
            _assert_closed(clients, page)


@pytest.mark.parametrize("listed", of_admin(ADMIN_PAGES))
def test_who_opens_the_other_pages_of_the_administration(clients, listed):
    for name in listed:
        page = admin_page(name)
        assert status(clients["administrator"], "get", page) == ADMIN_PAGES[name], name
        if name not in ("admin:login", "admin:logout"):
            _assert_closed(clients, page)


def admin_page(name: str) -> str:
    """Its address; a page of the workshop about one row (« admin:applications_formversion_publish »): the first."""
    arguments = {"admin:app_list": ["accounts"], "admin:view_on_site": [1, 1]}.get(name)
    if name.startswith("admin:letters_lettertext"):
        arguments = ["submitted"]
    if arguments is not None:
        return reverse(name, args=arguments)
    try:
        return reverse(name)
    except NoReverseMatch:
        label = name.removeprefix("admin:").rpartition("_")[0]
        model = _model(label)
        first = model._base_manager.order_by("pk").first()
        nothing = uuid.UUID(int=1) if isinstance(model._meta.pk, UUIDField) else 1
        return reverse(name, args=[first.pk if first else nothing])


def test_the_door_of_the_administration_has_no_form_of_its_own(clients):
    for role in ("anonymous", "password_only"):
        response = clients[role].get(reverse("admin:login"))
        assert response["Location"].split("?")[0] == reverse("account_login")
    for role in set(ROLES) - {"anonymous", "password_only", "administrator"}:
        assert status(clients[role], "get", reverse("admin:login")) == "403"


def _assert_closed(clients, page):
    for role in set(ROLES) - {"administrator"}:
        for method in ("get", "post"):
            response = getattr(clients[role], method)(page)
            assert response.status_code == 302, role
            assert response["Location"].split("?")[0] in (reverse("account_login"), reverse("admin:login")), role


def _model(label: str):
    return next(m for m in admin.site._registry if f"{m._meta.app_label}_{m._meta.model_name}" == label)
