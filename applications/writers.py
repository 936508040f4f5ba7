"""What a dossier gives to keep: the receipt of a sending, as a PDF."""

from applications.forms import Row, parts_of
from applications.history import questions_sent
from applications.models import Question, Submission
from applications.states import Step
from ecare.french import NBSP, megabytes, paris_second
from ecare.typesetting import typeset
from establishments.models import Establishment

WITHHELD = "Réservé à l’ANS"
EXPENSES = ["Date", "Fournisseur", "Libellé", "Montant"]


def receipt(submission: Submission) -> bytes:
    """The legal receipt: instant, digest, and all that was sent, as its référent reads it."""
    return typeset("receipt", _content(submission), at=submission.at)


def receipt_name(submission: Submission) -> str:
    return f"eCaRE-{submission.application.reference}-accuse-{submission.step}-{submission.number}.pdf"


def _content(submission: Submission) -> dict:
    application = submission.application
    step = "Déclaration" if submission.step == Step.DECLARATION else "Candidature"
    reference = f"n°{NBSP}{application.reference}"
    return {
        "title": f"Accusé de réception – candidature {reference}",
        "description": f"{step} transmise le {paris_second(submission.at)}",
        "footer": f"Candidature {reference} – {submission.get_step_display()}, envoi n°{NBSP}{submission.number}",
        "introduction": (
            "L’Agence du Numérique en Santé accuse réception de l’étape ci-dessous. Conservez ce document : il dit ce "
            "que vous avez transmis, et quand."
        ),
        "facts": [
            ["Référence de la candidature", application.reference],
            ["Domaine", application.domain.name],
            ["Étape", submission.get_step_display()],
            ["Envoi", f"n°{NBSP}{submission.number}"],
            ["Date et heure de réception", f"{paris_second(submission.at)} (heure de Paris)"],
            ["Transmis par", str(submission.by)],
        ],
        "digest": submission.digest,
        "about_digest": (
            f"L’empreinte identifie le contenu transmis{NBSP}: elle change au moindre caractère modifié. Celle de "
            "chaque fichier se trouve sous son nom."
        ),
        "establishment": facts_of(application.establishment),
        "sections": sections_of(submission),
    }


def facts_of(establishment: Establishment) -> list[list[str]]:
    """Pairs (label, value)."""
    facts = [["Type d’établissement", establishment.get_kind_display()], ["Région", establishment.region.name]]
    if establishment.ght:
        return [
            *facts,
            ["Code GHT", establishment.ght.code],
            ["Intitulé du GHT", establishment.ght.name],
            ["Établissement support", establishment.legal_entity.name],
            ["FINESS EJ du support", establishment.finess],
        ]
    return [
        *facts,
        ["Raison sociale", establishment.legal_entity.name],
        ["FINESS de l’EJ", establishment.finess],
    ]


def sections_of(submission: Submission, *, withheld: frozenset[str] = frozenset()) -> list[dict]:
    """Hidden questions are absent, as they are from what was sent; of those `withheld`, by key, the answer is."""
    questions, values = questions_sent(submission), submission.answers
    names = {entity.finess: entity.name for entity in submission.application.establishment.entities()}
    sections = [
        {
            "title": part.section.title,
            "rows": [_line(row, names, is_withheld=row.key in withheld) for row in part.rows if row.is_shown],
        }
        for part in parts_of(questions, values)
    ]
    return [section for section in sections if section["rows"]]


def _line(row: Row, names: dict[str, str], *, is_withheld: bool = False) -> dict:
    """One question and what was answered, as the template reads it."""
    kind, label = row.question.kind, row.question.label
    if is_withheld:
        return {"label": label, "kind": "empty", "text": WITHHELD}
    if row.is_empty:
        return {"label": label, "kind": "empty", "text": "Sans réponse"}
    if kind == Question.Kind.EVIDENCE:
        files = [file | {"size": f"({megabytes(file['size'])})"} for file in row.value]
        return {"label": label, "kind": "files", "files": files}
    if kind == Question.Kind.CHECKLIST:
        said = [f"{names.get(finess, 'Entité')} ({finess}){_said(reason)}" for finess, reason in row.value.items()]
        return {"label": label, "kind": "list", "lines": said}
    if kind == Question.Kind.EXPENSES:
        spent = row.expenses
        lines = [[line.date, line.supplier, line.label, line.amount] for line in spent.lines]
        return {"label": label, "kind": "expenses", "heads": EXPENSES, "lines": lines, "total": spent.total}
    text = f"{row.text} – {row.question.checkbox_label}" if row.question.checkbox_label else row.text
    return {"label": label, "kind": "text", "text": text}


def _said(reason: str) -> str:
    return f"{NBSP}: non concernée – {reason}" if reason else f"{NBSP}: confirmée"
