"""Invented facts to read a letter with, as its room would give them; two cases show both sides of its passages."""

from datetime import UTC, date, datetime
from typing import Any

AT = datetime(2026, 11, 21, 13, 5, 9, tzinfo=UTC)


class Said(dict):
    """Facts by name, and what is read where the thing itself is written; `lines`: what a list of it tells."""

    def __init__(self, text: str, *, lines: tuple[str, ...] = (), **facts: Any):
        super().__init__(facts)
        self.text, self.lines = text, lines

    def __str__(self):
        return self.text

    def __iter__(self):
        return iter(self.lines)

    def __len__(self):
        return len(self.lines)


def _person(civility: str, first: str, last: str, **facts: Any) -> Said:
    named: dict[str, Any] = {"get_civility_display": civility, "first_name": first, "last_name": last}
    return Said(f"{first} {last}", username=f"{first}.{last}".lower(), email="camille@exemple.fr", **named, **facts)


def _case(*, is_first: bool) -> dict[str, Any]:
    """The first: a candidature, the référent, one of each; the second: a declaration, a colleague, several."""
    camille, claude = _person("Madame", "Camille", "EXEMPLE"), _person("Monsieur", "Claude", "MODÈLE", is_ars=True)
    region = Said("Occitanie", ars="ARS Occitanie")
    establishment = Said(
        "CH DE LA VILLE",
        name="CH DE LA VILLE",
        identity="CH DE LA VILLE (340000017)",
        finess="340000017",
        region=region,
        closed_on=date(2026, 11, 20),
    )
    domain = Said(
        "Domaine 1 Audits techniques",
        envelope=6_500_000_000,
        declaration_from=date(2027, 1, 16) if is_first else None,
        declaration_until=date(2027, 6, 30) if is_first else None,
    )
    application = Said(
        "EXEMPLEABC",
        reference="EXEMPLEABC",
        domain=domain,
        establishment=establishment,
        referent=camille,
        step="candidature" if is_first else "declaration",
        state="submitted" if is_first else "under_control",
        get_state_display="En cours de vérification (ARS)",
        reviewer_label="Candidature à vérifier (ARS)",
        convention_signed_on=date(2026, 12, 3),
        is_editable=is_first,
    )
    file = Said("convention.pdf", name="convention.pdf", sha256="0" * 64, scan_found="Exemple.Fictif")
    late = Said("", days=21, application=application)
    questions = [{"label": f"Question n° {rank}"} for rank in range(1, 3 if is_first else 13)]
    letters = [{"title": "Dossier n° EXEMPLEABC transmis à l’ANS", "link": "https://exemple.fr/", "words": ""}]
    letters += [] if is_first else [{"title": "Sans page", "link": "", "words": "Ce courrier n’a pas de page."}]
    return {
        "anchor": Said("", day=date(2026, 11, 21), at=AT, chains=1234, entries=5678, digest="0" * 64,
                       signature="1" * 64),
        "amount": 1_200_000 if is_first else None,
        "application": application,
        "asked": Said("", lines=("Fichier RIB",), by=camille if is_first else claude, reason="J’ai pris son poste.",
                      message="C’est entendu."),
        "at": AT,
        "change": Said("", email="nouvelle@exemple.fr", until=AT),
        "code": Said("", reference="K7P", sent_at=AT),
        "consumption": Said("", over=0 if is_first else 150_000, left=650_000_000, percent=90, committed=3_000_000_000,
                            validated=2_000_000_000, paid=850_000_000),
        "contact": _person("Madame", "Alix", "ESSAI", get_role_display="RSSI"),
        "correction": Said("", former="ancienne@exemple.fr", until=AT),
        "copy": Said("", by=camille, at=AT, file=file, message="La dernière page manque.", decided_at=AT),
        "days": 3,
        "desk": Said("", waiting=[application] * (1 if is_first else 3), oldest=late),
        "domain": domain,
        "domains": [(domain, 1 if is_first else 3, "/")],
        "due": Said("", is_correction=not is_first, day=date(2026, 12, 15)),
        "establishment": establishment,
        "export": Said("", created_at=AT, expires_at=AT, get_kind_display="Liste de dossiers", label="Tous",
                       error="Le disque était plein."),
        "extension": Said("", establishment=establishment, domain=domain, until=date(2026, 12, 31),
                          step="candidature" if is_first else "declaration",
                          get_step_display="Formulaire de candidature", reason="Panne de messagerie.",
                          message="La panne est réparée."),
        "file": file,
        "former": Said("ancienne@exemple.fr", finess="340000025", name="liste.pdf"),
        "giver": claude,
        "hours": 24,
        "invitation": Said("", get_role_display="Vérificateur ARS", email="agent@exemple.fr", until=AT),
        "late": [] if is_first else [(late, "/")],
        "late_count": 0 if is_first else 9,
        "late_more": 0 if is_first else 8,
        "left": 1 if is_first else 5,
        "letters": letters,
        "limit": 15,
        "lines": ["Audit du 3 mars 2026 : refusée"],
        "minutes": 10,
        "newcomer": claude,
        "objective": "D1.O1",
        "oldest_path": "/",
        "opinion": Said("", asked_by=claude, of=camille, question="Le RIB convient-il ?", answer="Oui.",
                        get_advice_display="Favorable"),
        "paid_on": date(2026, 12, 1),
        "path": "/",
        "person": camille if is_first else claude,
        "place": Said("", is_open=True, is_sent=is_first, leaves_at_once=is_first),
        "question": {"label": "Fichier RIB"},
        "refused": None if is_first else Said("", decided_at=AT, message="La dernière page manque."),
        "report": Said("", by=claude, reason="Une page porte un nom de patient.", message="C’est un exemple fictif.",
                       evidence=Said("", file=file)),
        "token": Said("", system="Entrepôt de données", label="Chargement de nuit", prefix="ecare_Exempl",
                      expires_on=date(2026, 12, 31)),
        "until": date(2027, 6, 30) if is_first else None,
        "progress": Said("", is_complete=False, required=22, remaining=questions),
        "reason": "La convention n’est pas signée par une personne habilitée.",
        "receipt_path": "/",
        "reference": "VIR-2026-0042",
        "regions": [region],
        "request": Said("", message="Le RIB n’est pas lisible.", at=AT, desk="ars" if is_first else "ans",
                        due_on=None if is_first else date(2026, 12, 15),
                        get_step_display="Formulaire de candidature"),
        "rule": "C’est le total des dépenses retenues, entre le plancher (7 000 €) et le plafond (50 000 €).",
        "rows": [(application, "/")] * (1 if is_first else 2),
        "sender": claude,
        "step": "Formulaire de candidature",
        "together": "Titulaire du compte, IBAN, BIC et Fichier RIB" if is_first else "",
        "subscription": Said("", system=Said("SI Exemple", name="SI Exemple"), address="https://systeme.exemple.fr/ecare"),
        "threshold": 90 if is_first else 100,
        "submission": Said("", number=1, at=AT, digest="0" * 64, get_step_display="Formulaire de candidature"),
    }  # fmt: skip


CASES = (_case(is_first=True), _case(is_first=False))
