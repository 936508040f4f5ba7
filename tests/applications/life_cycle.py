"""The life of a dossier as the product page tells it (§9), written out by hand, to compare the code with."""

from datetime import timedelta

from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from accounts.models import User
from applications import actions, amends
from applications.models import ChangeRequest, Submission
from applications.rules import known_of
from applications.states import IN_DECLARATION, State
from ecare.journal.models import Entry
from ecare.letters.models import Letter
from tests.factories import ApplicationFactory, DomainFactory, FormFactory, RegionFactory, UserFactory

STATES = [
    "draft",
    "submitted",
    "changes_requested",
    "accepted",
    "convention_signed",
    "rejected",
    "declaration_open",
    "declaration_submitted",
    "declaration_changes_requested",
    "under_control",
    "validated",
    "paid",
    "declaration_rejected",
    "withdrawn",
    "abandoned",
]

ROLES = [
    "nobody",
    "anonymous",
    "owner",
    "colleague",
    "stranger",
    "ars",
    "ars_elsewhere",
    "ans",
    "administrator",
    "inactive_owner",
    "inactive_ars",
    "inactive_ans",
]

# verb → state → who → (next state, letters as (name, whose))
MOVES = {
    "submit": {
        "draft": ("owner", "submitted", [("submitted", "owner"), ("to_review", "ars")]),
        "changes_requested": ("owner", "submitted", [("submitted", "owner"), ("to_review", "ars")]),
        "declaration_open": ("owner", "declaration_submitted", [("submitted", "owner"), ("to_review", "ars")]),
        "declaration_changes_requested": (
            "owner",
            "declaration_submitted",
            [("submitted", "owner"), ("to_review", "ars")],
        ),
    },
    "withdraw": {
        "draft": ("owner", "withdrawn", []),
        "submitted": ("owner", "withdrawn", [("withdrawn", "owner")]),
        "changes_requested": ("owner", "withdrawn", [("withdrawn", "owner")]),
    },
    "request_changes": {
        "submitted": ("ars", "changes_requested", [("changes_requested", "owner")]),
        "declaration_submitted": ("ars", "declaration_changes_requested", [("changes_requested", "owner")]),
        "under_control": ("ans", "declaration_changes_requested", [("changes_requested", "owner")]),
    },
    "cancel_changes": {
        "changes_requested": ("ars", "submitted", [("changes_cancelled", "owner")]),
        "declaration_changes_requested": ("ars", "declaration_submitted", [("changes_cancelled", "owner")]),
    },
    "accept": {
        "submitted": ("ars", "accepted", [("accepted", "owner")]),
        "declaration_submitted": ("ars", "under_control", [("passed_to_ans", "owner"), ("to_review", "ans")]),
        "under_control": ("ans", "validated", [("validated", "owner")]),
    },
    "reject": {
        "submitted": ("ars", "rejected", [("rejected", "owner")]),
        "under_control": ("ans", "declaration_rejected", [("rejected", "owner")]),
    },
    "reopen": {
        "rejected": ("ans", "submitted", [("reopened", "owner"), ("to_review", "ars")]),
        "declaration_rejected": ("ans", "under_control", [("reopened", "owner"), ("to_review", "ans")]),
    },
    "send_back": {"under_control": ("ans", "declaration_submitted", [("sent_back", "ars")])},
    "sign_convention": {"accepted": ("ans", "convention_signed", [("convention_signed", "owner")])},
    "record_payment": {"validated": ("ans", "paid", [("paid", "owner")])},
    "abandon": {
        state: ("ans", "abandoned", [("abandoned", "owner")])
        for state in [
            "accepted",
            "convention_signed",
            "declaration_open",
            "declaration_submitted",
            "declaration_changes_requested",
            "under_control",
            "validated",
            "declaration_rejected",
        ]
    },
}


def expected(verb: str, state: str, role: str) -> str:
    """The next state, « denied » (this person never may, or not here) or « not now »."""
    actor, target, _letters = MOVES[verb].get(state, (None, None, None))
    if role == actor:
        return target
    performs_somewhere = role in {who for who, _target, _letters in MOVES[verb].values()}
    return "not now" if actor is None and performs_somewhere else "denied"


def people(establishment) -> dict:
    """One person of each role around a dossier of this establishment, by role."""
    elsewhere = RegionFactory(code="75")
    here = establishment.region
    cast = {
        "nobody": None,
        "anonymous": AnonymousUser(),
        "owner": UserFactory(establishment=establishment),
        "colleague": UserFactory(establishment=establishment),
        "stranger": UserFactory(),
        "ars": UserFactory(ars=True, regions=[here]),
        "ars_elsewhere": UserFactory(ars=True, regions=[elsewhere]),
        "ans": UserFactory(ans=True),
        "administrator": UserFactory(administrator=True),
        "inactive_ars": UserFactory(ars=True, regions=[here], is_active=False),
        "inactive_ans": UserFactory(ans=True, is_active=False),
    }
    cast["inactive_owner"] = User.objects.get(pk=cast["owner"].pk)
    cast["inactive_owner"].is_active = False
    return cast


def domain_whose_declarations_open_later():
    """So that a signed convention stays signed, and each verb is one move."""
    return DomainFactory(declaration_from=timezone.localdate() + timedelta(days=30))


def dossier(state: str, *, owner, domain=None):
    """A dossier of `owner` in that state, with the change request that put it there and a form to declare with."""
    domain = domain or domain_whose_declarations_open_later()
    declaration = FormFactory(domain=domain, step="declaration")
    application = ApplicationFactory(
        state=State(state),
        referent=owner,
        domain=domain,
        declaration_form=declaration if state in IN_DECLARATION else None,
    )
    if state in ("changes_requested", "declaration_changes_requested"):
        ChangeRequest.objects.create(
            application=application, step=application.step, desk="ars", by=owner, message="Le RIB est illisible."
        )
        Submission.objects.create(
            application=application,
            step=application.step,
            number=1,
            by=owner,
            digest="a" * 64,
            content=as_it_is(application),
        )
    return application


def as_it_is(application) -> dict:
    """What a sending of the present step would freeze."""
    answers = known_of(application)
    return {"reference": application.reference, "step": application.step, "form": 1, "answers": answers}


def perform(verb: str, application, *, by, version=None):
    """Call the verb as a view would, with the version that the page showed."""
    arguments = {"by": by, "version": application.version if version is None else version}
    if verb in ("request_changes", "reject", "reopen", "send_back", "abandon", "cancel_changes"):
        arguments["message"] = "Le RIB transmis ne correspond pas à l’IBAN."
    if verb in ("submit", "sign_convention", "cancel_changes"):
        arguments["at"] = timezone.now()
    if verb == "sign_convention":
        arguments["signed_on"] = timezone.localdate()
    room = amends if verb == "cancel_changes" else actions
    return getattr(room, verb)(application, **arguments)


def traces(application) -> tuple:
    """Everything that a refused verb must leave untouched."""
    row = type(application).objects.filter(pk=application.pk).values().get()
    counted = (
        Entry.objects.count(),
        Letter.objects.count(),
        Submission.objects.count(),
        ChangeRequest.objects.filter(answered_at=None).count(),
    )
    return row, counted
