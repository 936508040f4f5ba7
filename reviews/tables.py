"""The queue as a table."""

import django_tables2 as tables
from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join

from applications.states import AWAITS_ANS, AWAITS_ARS, State
from ecare import french
from ecare.clock import paris_day

BADGES = {
    State.CHANGES_REQUESTED: "warning",
    State.DECLARATION_CHANGES_REQUESTED: "warning",
    State.CONVENTION_SIGNED: "success",
    State.PAID: "success",
    State.REJECTED: "error",
    State.DECLARATION_REJECTED: "error",
} | dict.fromkeys(AWAITS_ARS + AWAITS_ANS, "info")

CLOSED = {"kind": "warning", "text": "Établissement fermé"}


def badge_kind(application) -> str:
    if application.is_to_sign:
        return "warning"  # it waits for the establishment, as a correction does
    return BADGES.get(State(application.state), "none")


def _column(label: str, order_by=None, **options) -> tables.Column:
    """A column whose cells may take several lines."""
    return tables.Column(label, order_by=order_by, attrs={"td": {"class": "fr-cell--multiline"}}, **options)


class TakeOverTable(tables.Table):
    """Rows: requests of référents to hold a colleague's dossier."""

    reference = _column(
        "Dossier",
        ("application__reference",),
        accessor="application__reference",
        linkify=("reviews:dossier", [tables.A("application__reference")]),
    )
    establishment = _column(
        "Établissement", ("application__establishment__name", "pk"), accessor="application__establishment"
    )
    by = _column("Demandée par", ("by__last_name", "pk"))
    holder = _column("Référent actuel", ("application__referent__last_name", "pk"), accessor="application__referent")
    reason = _column("Motif", orderable=False)
    at = _column("Demandée le", ("at", "pk"))
    decision = _column("Décision", orderable=False, empty_values=())

    class Meta:
        order_by = "at"
        attrs = {"class": "ecare-cards"}

    def __init__(self, rows, *, is_decided: bool):
        super().__init__(rows, empty_text="Aucune demande décidée." if is_decided else "Aucune demande en attente.")
        self.caption = "Demandes de reprise décidées" if is_decided else "Demandes de reprise en attente"

    def render_at(self, value):
        return french.paris_date(value)

    def render_decision(self, record):
        return render_to_string("reviews/_take_over_decision.html", {"asked": record})


class BankDetailsTable(tables.Table):
    """Rows: changes of bank details, for the ANS."""

    reference = _column(
        "Dossier",
        ("application__reference",),
        accessor="application__reference",
        linkify=("reviews:dossier", [tables.A("application__reference")]),
    )
    establishment = _column(
        "Établissement", ("application__establishment__name", "pk"), accessor="application__establishment"
    )
    by = _column("Demandée par", ("by__last_name", "pk"))
    at = _column("Demandée le", ("at", "pk"))
    decision = _column("Décision", orderable=False, empty_values=())

    class Meta:
        order_by = "at"
        prefix = "banque-"
        attrs = {"class": "ecare-cards"}

    def __init__(self, rows, *, is_decided: bool):
        super().__init__(rows, empty_text="Aucune demande décidée." if is_decided else "Aucune demande en attente.")
        self.caption = "Changements de coordonnées bancaires"

    def render_at(self, value):
        return french.paris_date(value)

    def render_decision(self, record):
        return render_to_string("reviews/_bank_details_decision.html", {"asked": record})


class QueueTable(tables.Table):
    """Rows: dossiers with their establishment and domain, annotated with `life_order`, and what `queue` prefetched."""

    chosen = tables.Column("Choix", orderable=False, empty_values=())
    reference = _column("Référence", linkify=("reviews:dossier", [tables.A("reference")]))
    establishment = _column("Établissement", ("establishment__name", "pk"))
    region = _column("Région", orderable=False, accessor="establishment__region")
    domain = _column("Domaine", ("domain__position", "domain__name", "pk"))
    state = _column("État", ("life_order", "moved_at", "pk"))
    requested = _column("Montant demandé", ("requested", "pk"))
    moved_at = _column("En attente depuis", ("moved_at", "pk"))
    followed = _column("Suivi par", orderable=False, empty_values=())

    caption = "Dossiers"

    class Meta:
        order_by = "moved_at"
        attrs = {"class": "ecare-cards ecare-queue"}

    def __init__(self, *args, at, **options):
        super().__init__(*args, empty_text="Aucun dossier dans cette vue.", **options)
        self.at, self.today = at, paris_day(at)

    def render_chosen(self, record):
        return render_to_string("reviews/_choice.html", {"reference": record.reference})

    def render_establishment(self, value):
        return format_html(
            '<strong>{}</strong><br><span class="fr-text--xs">{}<br>FINESS {}</span>{}',
            value,
            value.get_kind_display(),
            value.finess,
            render_to_string("components/badge.html", CLOSED) if value.closed_on else "",
        )

    def render_state(self, record):
        badge = render_to_string("components/badge.html", {"kind": badge_kind(record), "text": record.reviewer_label})
        lines = [*self._due(record), *self._held(record)]
        return format_html(
            "{}{}", badge, format_html_join("", '<br><span class="fr-text--xs">{}</span>', ((one,) for one in lines))
        )

    def _due(self, record):
        """Until when a correction is awaited."""
        due = next((one.due_on for one in record.awaited_changes if one.due_on), None)
        if due is not None:
            sentence = "Réponse attendue le" if due >= self.today else "Échéance dépassée\u00a0:"
            yield f"{sentence} {french.paris_date(due)}"

    def _held(self, record):
        """Who examines it at this moment."""
        claim = getattr(record, "claim", None)
        if claim and claim.is_live(self.at):
            yield f"{claim.agent} l’examine"

    def render_requested(self, value):
        return french.euros(value) if value else "–"

    def render_moved_at(self, value):
        days = (self.today - paris_day(value)).days
        waited = "aujourd’hui" if days <= 0 else "1 jour" if days == 1 else f"{days} jours"
        return format_html('{}<br><span class="fr-text--xs">{}</span>', waited, french.paris_date(value))

    def render_followed(self, record):
        agent = record.followed[0].agent if record.followed else None
        if agent is None:
            return "–"
        return str(agent) if agent.is_active else f"{agent} (compte désactivé)"
