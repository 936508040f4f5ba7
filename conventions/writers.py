"""The convention to sign, as a PDF."""

from datetime import datetime

from applications.models import Application, Domain
from conventions.readers import Article, Block, Dossier, Text, dossier_of, filled
from ecare.french import NBSP, euros, paris_date
from ecare.typesetting import typeset

DEMONSTRATION = (
    "Modèle de démonstration : le texte officiel de la convention ne figure pas dans eCaRE. Ce document n’engage "
    "personne."
)
UNKNOWN = "Non renseigné"


def convention(application: Application, text: Text, *, at: datetime) -> bytes:
    """Pre-filled from what was sent, to be signed by both parties."""
    return typeset("convention", _content(dossier_of(application), text, at=at), at=at)


def _content(dossier: Dossier, text: Text, *, at: datetime) -> dict:
    application, reference = dossier.application, f"n°{NBSP}{dossier.application.reference}"
    values = dossier.blanks()
    return {
        "title": f"Convention de financement {reference}",
        "description": f"{application.domain.name} – {values['etablissement']}",
        "footer": f"Convention {reference} – établie le {paris_date(at)}",
        "warning": "" if text.is_official else DEMONSTRATION,
        "establishment": _establishment(application),
        "signatory": _signatory(dossier),
        "subject": _subject(dossier, at=at),
        "objectives": dossier.objectives,
        "money": _money(dossier),
        "account": _account(dossier),
        "articles": [_article(one, values) for one in text.articles],
        "signatures": [
            [f"Pour {values['etablissement']}", dossier.signatory.name or UNKNOWN, dossier.signatory.job],
            ["Pour l’Agence du Numérique en Santé", "", ""],
        ],
    }


def _article(article: Article, values: dict[str, str]) -> dict:
    blocks = [_block(block, values) for block in article.blocks]
    return {"title": filled(article.title, values), "blocks": blocks}


def _block(block: Block, values: dict[str, str]) -> dict:
    return {"lines": [filled(line, values) for line in block.lines], "is_list": block.is_list}


def _establishment(application: Application) -> list[list[str]]:
    establishment = application.establishment
    entity = establishment.legal_entity
    address = ", ".join(filter(None, (entity.address, f"{entity.postcode} {entity.town}".strip())))
    facts = [["Raison sociale", entity.name], ["FINESS de l’entité juridique", entity.finess]]
    if establishment.ght:
        facts.append(["Établissement support du GHT", f"{establishment.ght.name} ({establishment.ght.code})"])
    known = [["SIREN", entity.siren], ["Adresse", address], ["Région", establishment.region.name]]
    return facts + [fact for fact in known if fact[1]]


def _signatory(dossier: Dossier) -> list[list[str]]:
    known = [["Nom", dossier.signatory.name], ["Fonction", dossier.signatory.job]]
    return [[label, value or UNKNOWN] for label, value in known]


def _subject(dossier: Dossier, *, at: datetime) -> list[list[str]]:
    application = dossier.application
    return [
        ["Référence", application.reference],
        ["Programme", "CaRE – Cyber accélération et Résilience des Établissements"],
        ["Domaine", application.domain.name],
        ["Candidature acceptée le", paris_date(dossier.accepted_at)],
        ["Référent de l’établissement", f"{application.referent} ({application.referent.email})"],
        ["Document établi le", paris_date(at)],
    ]


def _money(dossier: Dossier) -> list[list[str]]:
    amounts, domain = dossier.amounts, dossier.application.domain
    lines = [["Plafond de l’établissement", euros(amounts.ceiling)]]
    if amounts.requested is not None:
        lines.append(["Montant demandé", euros(amounts.requested)])
    return [*lines, ["Montant maximal de la convention", euros(amounts.committed)], ["Versement", rule_of(domain)]]


def rule_of(domain: Domain) -> str:
    """How what is paid is computed, once every objective is validated."""
    if domain.payment == Domain.Payment.LUMP_SUM:
        return "Forfait égal au plafond, une fois tous les objectifs validés."
    return (
        "Dépenses retenues par l’ANS, une fois tous les objectifs validés, sans dépasser le plafond ; "
        f"{euros(domain.floor)} au moins dès qu’une dépense est acceptée."
    )


def _account(dossier: Dossier) -> list[list[str]]:
    known = [
        ["Titulaire du compte", dossier.account.holder],
        ["IBAN", dossier.account.iban],
        ["BIC", dossier.account.bic],
    ]
    return [[label, value or UNKNOWN] for label, value in known]
