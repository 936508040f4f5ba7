"""One dossier as a PDF: facts, both steps as last sent, files, requests, decisions, history, letters."""

from collections.abc import Mapping
from datetime import datetime

from accounts.models import User
from applications.forms import spoken
from applications.history import Event, entries, for_reviewers, questions_sent
from applications.models import Application, ChangeRequest, Question, RequestedChange, Submission
from applications.money import ceiling
from applications.states import Desk, Step
from applications.writers import facts_of, sections_of
from ecare.french import NBSP, euros, megabytes, paris_date, paris_datetime, paris_second, thousands
from ecare.letters.models import Letter
from ecare.typesetting import typeset
from evidence.models import BankDetails
from exports.pieces import Piece, pieces_of
from exports.rules import bank_keys, may_read_bank_details
from funding.models import Commitment, Decision, ExpenseVerdict, Payment
from funding.readers import said
from reviews.models import Convention
from reviews.readers import contacts

DECISIONS = (
    "accept",
    "reject",
    "reopen",
    "send_back",
    "request_changes",
    "sign_convention",
    "record_payment",
    "abandon",
    "confirm_bank_details",
    "refuse_bank_details",
)


def dossier_pdf(application: Application, user: User, *, at: datetime) -> bytes:
    """As this agent may read it. `application` comes with its establishment, domain and référent."""
    return typeset("dossier", _content(application, user, at), at=at)


def _content(application: Application, user: User, at: datetime) -> dict:
    history = for_reviewers(entries(application))
    reference = f"n°{NBSP}{application.reference}"
    return {
        "title": f"Dossier {reference}",
        "description": f"{application.establishment}, {application.domain}",
        "footer": f"Dossier {reference} – établi le {paris_datetime(at)} pour {user}",
        "chapters": [
            _facts(application, user, at),
            {"title": "Établissement", "facts": facts_of(application.establishment)},
            _people(application),
            _money(application),
            *_decided(application),
            *_steps(application, user),
            _pieces(application, user),
            _convention(application),
            *_bank_details(application, user),
            _requests(application),
            _events("Décisions", [one for one in history if one.entry.verb in DECISIONS], "Aucune décision."),
            _events("Historique", history, "Aucun mouvement n’est enregistré."),
            _letters(application),
        ],
    }


def _table(title: str, heads: Mapping[str, float], lines: list[list[str]], nothing: str) -> dict:
    """`heads`: of each column, how wide it is beside the others; the first one is as wide as it needs."""
    widths = list(heads.values())[1:]
    return {"title": title, "heads": list(heads), "widths": widths, "lines": lines, "nothing": nothing}


def _facts(application: Application, user: User, at: datetime) -> dict:
    facts = [
        ["Référence", application.reference],
        ["Domaine", application.domain.name],
        ["État", application.reviewer_label],
        ["Dans cet état depuis le", paris_datetime(application.moved_at)],
        ["Commencé le", paris_datetime(application.created_at)],
        ["Document établi le", f"{paris_second(at)} (heure de Paris)"],
        ["Établi pour", f"{user} ({user.get_role_display()})"],
    ]
    return {"title": "Dossier", "facts": facts}


def _people(application: Application) -> dict:
    referent = application.referent
    phone = referent.phone.as_international if referent.phone else ""
    lines = [["Référent du dossier", f"{referent.get_civility_display()} {referent}", f"{referent.email}\n{phone}"]]
    lines += [
        [one.role, f"{one.person}\n{one.job}".strip(), f"{one.email}\n{one.phone}".strip()]
        for one in contacts(application)
    ]
    return _table("Contacts", {"Rôle": 0, "Personne": 1, "Adresse e-mail et téléphone": 1.2}, lines, "")


def _money(application: Application) -> dict:
    computed = ceiling(application.domain, application.establishment)
    days = thousands(computed.days) if computed.days is not None else "non connue"
    year = f" ({computed.year})" if computed.year else ""
    facts = [[f"Activité combinée{year}, en journées", days], ["Plafond", euros(computed.cents)]]
    if not application.domain.has_official_scale:
        facts.append(["Barème", "Barème d’une démonstration, sans valeur officielle"])
    committed = Commitment.objects.filter(application=application).first()
    if committed is not None:
        facts.append(["Montant engagé", f"{euros(committed.amount)}, le {paris_datetime(committed.at)}"])
        if committed.released_at:
            facts.append(["Engagement libéré", f"le {paris_datetime(committed.released_at)}"])
    paid = Payment.objects.filter(application=application).select_related("recorded_by").first()
    if paid is not None:
        facts += [
            ["Montant versé", f"{euros(paid.amount)}, le {paris_date(paid.paid_on)}"],
            ["Référence du virement", paid.reference],
            ["Versement enregistré", f"le {paris_datetime(paid.recorded_at)} par {paid.recorded_by}"],
        ]
    return {"title": "Financement", "facts": facts}


def _decided(application: Application) -> list[dict]:
    """Once validated, with every verdict; what the ANS is still preparing leaves in no export."""
    found = Decision.objects.exclude(validated_at=None).filter(application=application)
    decision = found.select_related("validated_by").first()
    if decision is None:
        return []
    facts = [
        ["Montant décidé", euros(decision.amount)],
        ["Validé", f"le {paris_datetime(decision.validated_at)} par {decision.validated_by}"],
    ]
    if decision.accepted is not None:
        facts.append(["Dépenses retenues", euros(decision.accepted)])
    objectives = [
        [f"Objectif {one.code}" if one.code else "Tous", "validé" if one.is_reached else "non validé", one.remark]
        for one in decision.objectives.all()
    ]
    expenses = [
        [line.date, f"{line.label}, {line.supplier}", line.amount, euros(one.amount), _outcome(one)]
        for one in decision.expenses.all()
        for line in [said(one)]
    ]
    heads = {"Date": 0, "Dépense": 1.6, "Déclaré": 0.8, "Retenu": 0.8, "Avis": 1.2}
    chapters = [_table("Décision de financement", {"Objectif": 0, "Avis": 0.5, "Remarque": 1.5}, objectives, "")]
    chapters[0]["facts"] = facts
    return [*chapters, _table("Dépenses examinées", heads, expenses, "")] if expenses else chapters


def _outcome(verdict: ExpenseVerdict) -> str:
    return verdict.get_outcome_display() + (f"{NBSP}: {verdict.reason}" if verdict.reason else "")


# --- what was sent --------------------------------------------------------------------------------------------------
def _steps(application: Application, user: User) -> list[dict]:
    found = []
    for step in Step:
        sent = application.submissions.filter(step=step).select_related("application__establishment", "by")
        last = sent.order_by("-number").first()
        if last is not None:
            found.append(_step(last, user))
        elif step == Step.CANDIDATURE:
            found.append({"title": step.label, "facts": [["Envoi", "Jamais transmise"]]})
    return found


def _step(submission: Submission, user: User) -> dict:
    withheld: frozenset[str] = frozenset()
    if not may_read_bank_details(user):
        withheld = bank_keys(questions_sent(submission))
    return {
        "title": submission.get_step_display(),
        "facts": [
            ["Envoi", f"n°{NBSP}{submission.number}, le {paris_second(submission.at)} par {submission.by}"],
        ],
        "digest": submission.digest,
        "sections": sections_of(submission, withheld=withheld),
    }


def _pieces(application: Application, user: User) -> dict:
    files = [
        {
            "name": piece.name,
            "size": megabytes(piece.size),
            "sha256": piece.sha256,
            "space": piece.space,
            "sent": f"{piece.sending or 'Ajouté'}, {paris_datetime(piece.sent_at)}",
            "state": " ".join([f"{piece.state}.", piece.missing, *_examined(piece)]).strip(),
        }
        for piece in pieces_of(application, user)
    ]
    return {"title": "Pièces", "files": files, "nothing": "Aucune pièce n’a été transmise."}


def _examined(piece: Piece) -> list[str]:
    return [f"Examen ({Desk(desk).label}){NBSP}: {verdict}." for desk, verdict in sorted(piece.verdicts.items())]


# --- what followed --------------------------------------------------------------------------------------------------
def _convention(application: Application) -> dict:
    kept = Convention.objects.filter(application=application).select_related("file", "recorded_by").first()
    if kept is None:
        signed = application.convention_signed_on
        return {"title": "Convention", "facts": [["Signature", paris_date(signed) if signed else "Pas encore signée"]]}
    facts = [
        ["Signature", paris_date(kept.signed_on)],
        ["Enregistrée", f"le {paris_datetime(kept.recorded_at)} par {kept.recorded_by}"],
        ["Exemplaire signé", f"{kept.file.name} ({megabytes(kept.file.size)})"],
    ]
    return {"title": "Convention", "facts": facts}


def _bank_details(application: Application, user: User) -> list[dict]:
    """Of changes asked for after acceptance; for the ANS alone."""
    if not may_read_bank_details(user):
        return []
    asked = BankDetails.objects.filter(application=application).select_related("by").order_by("at")
    questions = {
        question.key: question
        for question in Question.objects.filter(section__form=application.candidature_form_id).select_related("section")
    }
    lines = [
        [
            f"{paris_datetime(one.at)}, {one.by}",
            "\n".join(
                f"{questions[key].label}{NBSP}: {spoken(questions[key], value)}"
                for key, value in one.values.items()
                if key in questions
            ),
            one.get_state_display() + (f", {one.message}" if one.message else ""),
        ]
        for one in asked
    ]
    heads = {"Demandé": 0, "Coordonnées": 1.5, "Décision": 1}
    return [_table("Changements de compte", heads, lines, "")] if lines else []


def _requests(application: Application) -> dict:
    lines = [
        [
            f"{paris_datetime(one.at)}, {one.by} ({one.get_desk_display()})",
            one.get_step_display(),
            "\n".join([one.message, *(_item(item) for item in one.items.all())]),
            _answered(one),
        ]
        for one in application.change_requests.select_related("by").prefetch_related("items__question").order_by("at")
    ]
    heads = {"Demandée": 0, "Étape": 1, "Message": 2, "Réponse": 1}
    return _table("Demandes de modification", heads, lines, "Aucune modification n’a été demandée.")


def _item(item: RequestedChange) -> str:
    """A question, or a file, that a request names."""
    named = f"{item.question.label}, fichier {item.file_name}" if item.file else item.question.label
    return f"– {named}{f'{NBSP}: {item.remark}' if item.remark else ''}"


def _answered(request: ChangeRequest) -> str:
    if request.is_cancelled:
        return f"Annulée, {paris_datetime(request.answered_at)}"
    if request.answered_at:
        return paris_datetime(request.answered_at)
    return f"Attendue au plus tard le {paris_date(request.due_on)}" if request.due_on else "Attendue"


def _events(title: str, events: list[Event], nothing: str) -> dict:
    lines = [
        [paris_datetime(one.entry.at), f"{one.author} {one.deed}", one.state, one.message] for one in reversed(events)
    ]
    return _table(title, {"Date": 0, "Fait": 1.5, "État": 1, "Message": 1.5}, lines, nothing)


def _letters(application: Application) -> dict:
    lines = [
        [paris_datetime(one.created_at), one.title, one.recipient, _left(one)]
        for one in Letter.objects.about(application.subject).order_by("created_at")
    ]
    heads = {"Écrit le": 0, "Objet": 1.2, "Destinataire": 1.4, "Envoi": 1}
    return _table("Courriers", heads, lines, "Aucun courrier n’a été écrit pour ce dossier.")


def _left(letter: Letter) -> str:
    return f"Parti le {paris_datetime(letter.sent_at)}" if letter.sent_at else letter.get_state_display()
