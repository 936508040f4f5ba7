"""An establishment with so many rows of everything that a page may show, to count what pages ask of the database.

Its owner has a dossier in each state that pages need, led there by the verbs with as many rounds as there are rows.
"""

from datetime import timedelta

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from accounts.models import Terms
from applications import actions
from applications.extensions import give_extension
from applications.models import Application, Bracket, Domain
from applications.people import request_take_over
from applications.states import Step
from conventions.actions import send_copy
from demo.specimens import pdf
from ecare.letters.models import Letter
from establishments.models import Activity
from evidence.bank import change_bank_details
from evidence.models import BankDetails
from evidence.purges import report_patient_data
from evidence.space_templates import publish_template
from reviews.models import Phrase, SavedView
from reviews.remarks import add_note, ask_opinion
from tests.applications.life_cycle import MOVES, people
from tests.evidence.conftest import SPACE, put_in
from tests.evidence.pool import SPACE as CONTAINER
from tests.evidence.pool import activate, draw, fill_pool, reissue
from tests.factories import (
    ApplicationFactory,
    DomainFactory,
    EstablishmentFactory,
    FormFactory,
    GhtFactory,
    LegalEntityFactory,
    RegionFactory,
    SiteFactory,
    UserFactory,
)
from tests.funding.deciding import perform_with_money

ROUND = ["submit", "request_changes"]
BANK = {"account-holder": "CH de la Ville", "iban": "FR7630006000011234567890189", "bic": "AGRIFRPP"}
NEW_BANK = {"iban": "FR1420041010050500013M02606", "bic": "PSSTFRPPMON"}


def lives(rounds: int) -> dict[str, list[str]]:
    """The verbs that lead a dossier to each state, with so many rounds of sending and changes at each step."""
    sent = [*ROUND * rounds, "submit"]
    controlled = [*sent, "accept", "sign_convention", *sent, "accept"]
    return {
        "draft": [],
        "changes_requested": ROUND * rounds,
        "asked": ROUND * rounds,  # and nothing changed since
        "submitted": sent,
        "rejected": [*sent, "reject"],
        "accepted": [*sent, "accept"],
        "declaration_open": [*sent, "accept", "sign_convention"],
        "under_control": controlled,
        "validated": [*controlled, "accept"],
    }


def questions(rows: int) -> list[dict]:
    """One of each kind that a page treats apart, and so many of those of which a form has many."""
    found = [
        {"key": "account-holder", "kind": "text"},
        {"key": "iban", "kind": "iban"},
        {"key": "bic", "kind": "bic"},
        SPACE | {"key": "rib", "max_files": 1},
        {"key": "entities", "kind": "checklist"},
        {"key": "expenses", "kind": "expenses"},
        SPACE | CONTAINER,
    ]
    for rank in range(rows):
        met = {"key": f"met-{rank}", "kind": "choice", "choices": [["oui", "Oui"], ["non", "Non"]]}
        found += [met, {"key": f"why-{rank}", "kind": "text", "shown_if": {f"met-{rank}": ["non"]}}]
        found.append(SPACE | {"key": f"espace-{rank}"})
    for role in ("dsi", "rssi", "signatory")[:rows]:
        found.append({"key": f"{role}-name", "kind": "text", "contact_role": role, "contact_field": "last_name"})
    return [question | {"is_required": False} for question in found]


def domain_with(rows: int) -> Domain:
    """Its forms, its scale, and a model to fill in for each space."""
    domain = DomainFactory(declaration_until=timezone.localdate() + timedelta(days=9))
    for step in Step:
        FormFactory(domain=domain, step=step, questions=questions(rows))
    for rank in range(rows):
        Bracket.objects.create(
            domain=domain, kind="ght", days_from=rank * 1_000, days_until=rank * 1_000 + 999, ceiling=1
        )
        model = {"title": f"Liste {rank}", "upload": SimpleUploadedFile("l.pdf", pdf(line="modèle")), "by": None}
        publish_template(domain, f"espace-{rank}", at=timezone.now(), **model)
    return domain


def fill(application, rows: int) -> None:
    """Every question answered, so many files in each space, a container that was replaced as often."""
    expenses = [
        {"date": "2026-01-15", "supplier": "Fournisseur", "label": f"Audit {rank}", "amount": 100}
        for rank in range(rows)
    ]
    entities = {entity.finess: "" for entity in application.establishment.entities()}
    values = BANK | {"entities": entities, "expenses": expenses}
    for rank in range(rows):
        values |= {f"met-{rank}": "non", f"why-{rank}": "En cours."}
    for role in ("dsi", "rssi", "signatory")[:rows]:
        values[f"{role}-name"] = "Martin"
    actions.save_answers(application, by=application.referent, values=values, at=timezone.now())
    put_in(application, key="rib")
    for space in range(rows):
        for rank in range(rows):
            put_in(application, pdf(line=f"{space} {rank}"), f"{rank}.pdf", f"espace-{space}")


def hand_out(application, rows: int):
    """A container whose credentials can be read, after others whose credentials were lost."""
    fill_pool(application, 2 * rows + 1)
    held = draw(application)
    for _ in range(rows):
        activate(application, held)
        held = reissue(application, held)
    return held


class World:
    """An establishment, its people and its dossiers: `rows` of everything that may grow."""

    def __init__(self, rows: int):
        self.rows = rows
        self.text_of_law()
        members = LegalEntityFactory.create_batch(rows)
        for entity in members:
            SiteFactory.create_batch(rows, legal_entity=entity)
            Activity.objects.create(legal_entity=entity, year=2023, days=500)
        self.establishment = EstablishmentFactory(as_ght=True, ght=GhtFactory(members=members))
        self.cast = people(self.establishment)
        self.owner, self.colleague = self.cast["owner"], self.cast["colleague"]
        self.colleagues = UserFactory.create_batch(rows, establishment=self.establishment)
        self.ars = UserFactory.create_batch(rows, ars=True, regions=[self.establishment.region])
        UserFactory.create_batch(rows, ans=True)
        self.regions = [RegionFactory(code=f"{rank:02d}") for rank in range(rows)]
        self.cast["ars"].regions.add(*self.regions)
        self.agent = UserFactory(ars=True, regions=self.regions)
        self.dossiers = {state: self.lead(verbs) for state, verbs in lives(rows).items()}
        ApplicationFactory.create_batch(rows, referent=self.owner)
        ApplicationFactory.create_batch(rows, referent=self.colleague)
        hand_out(self.dossiers["declaration_open"], rows)
        held = self.dossiers["changes_requested"]
        activate(held, hand_out(held, rows))
        self.ask()
        self.talk()

    def text_of_law(self) -> None:
        for rank in range(self.rows):
            published = timezone.now() - timedelta(days=rank + 1)
            Terms.objects.create(version=f"{rank + 1}.0", text="Les conditions.", published_at=published)

    def lead(self, verbs: list[str]) -> Application:
        domain = domain_with(self.rows)
        candidature = domain.forms.get(step=Step.CANDIDATURE)
        dossier = ApplicationFactory(referent=self.owner, domain=domain, candidature_form=candidature)
        fill(dossier, self.rows)
        for verb in verbs:
            now = Application.objects.get(pk=dossier.pk)
            perform_with_money(verb, now, by=self.cast[MOVES[verb][now.state][0]])
            if verb == "sign_convention":
                fill(Application.objects.get(pk=dossier.pk), self.rows)
        return Application.objects.get(pk=dossier.pk)

    def ask(self) -> None:
        """What a référent asks of an agent."""
        for person in self.colleagues:
            self.asked = request_take_over(
                self.dossiers["submitted"], by=person, reason="Le référent a quitté l’établissement."
            )
        asked = self.dossiers["accepted"]
        for _ in range(self.rows):
            rib = SimpleUploadedFile("rib.pdf", pdf(line=f"RIB {BankDetails.objects.count()}"))
            self.bank_details = change_bank_details(asked, by=self.owner, values=NEW_BANK, upload=rib)
        for rank in range(self.rows):
            self.extension = give_extension(
                asked.domain,
                self.establishment,
                step=Step.DECLARATION,
                until=timezone.localdate() + timedelta(days=30 + rank),
                reason="Un incident de sécurité.",
                by=self.cast["ans"],
                at=timezone.now(),
            )
        evidence = list(self.dossiers["under_control"].evidence.filter(question__key="espace-0"))
        for one in evidence[: self.rows]:
            said = {"by": self.cast["ars"], "reason": "Page 3, une liste de patients."}
            self.report = report_patient_data(one, at=timezone.now(), **said)
        for rank in range(self.rows):
            paper = SimpleUploadedFile("convention.pdf", pdf(line=f"Convention {rank}"))
            send_copy(asked, by=self.owner, upload=paper, at=timezone.now())

    def talk(self) -> None:
        """What agents write beside a dossier, and keep for themselves."""
        dossier, ars, agents = self.dossiers["submitted"], self.cast["ars"], self.ars
        for rank, agent in enumerate(agents):
            add_note(dossier, by=agent, text="Le RIB est à vérifier.", is_shared=False)
            ask_opinion(dossier, by=ars, of=agent, question="Les comptes sont-ils certifiés ?")
            self.phrase = Phrase.objects.create(owner=ars, title=f"Phrase {rank}", text="Merci de fournir le RIB.")
            SavedView.objects.create(owner=ars, name=f"Vue {rank}", query=f"attente={rank}")
        self.opinion = ask_opinion(dossier, by=agents[0], of=ars, question="Les comptes sont-ils certifiés ?")
        Letter.objects.about(dossier.subject).update(state=Letter.State.SENT, sent_at=timezone.now())
        self.letter = Letter.objects.about(dossier.subject).filter(name="submitted").first()
