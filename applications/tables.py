"""« Vos candidatures », and what a search of the directory finds."""

import django_tables2 as tables
from django.db.models import Case, IntegerField, Value, When
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html

from applications.models import Application
from applications.states import State, Step
from establishments.models import Establishment

BADGES = {
    State.DRAFT: "new",
    State.DECLARATION_OPEN: "new",
    State.CHANGES_REQUESTED: "warning",
    State.DECLARATION_CHANGES_REQUESTED: "warning",
    State.REJECTED: "error",
    State.DECLARATION_REJECTED: "error",
    State.VALIDATED: "success",
    State.PAID: "success",
    State.ACCEPTED: "success",
    State.CONVENTION_SIGNED: "success",
    State.WITHDRAWN: "none",
    State.ABANDONED: "none",
}


def badge_of(application: Application) -> str:
    """Colour of the state's badge; « info » while somebody else has the dossier."""
    if application.is_to_sign:
        return "warning"
    return BADGES.get(State(application.state), "info")


def _badge(kind: str, text: str):
    return render_to_string("components/badge.html", {"kind": kind, "text": text})


# Sorted by step or by state means in the order of a dossier's life.
STEP_ORDER = Case(When(declaration_form=None, then=Value(1)), default=Value(2), output_field=IntegerField())
LIFE_ORDER = Case(
    *(When(state=state, then=Value(rank)) for rank, state in enumerate(State)), output_field=IntegerField()
)


def _by(dossiers, order: Case, is_descending: bool):
    return dossiers.order_by(order.desc() if is_descending else order.asc(), "reference"), True


class ApplicationTable(tables.Table):
    reference = tables.Column(
        "Référence candidature", linkify=("applications:detail", {"reference": tables.A("reference")})
    )
    state = tables.Column("Statut")
    domain = tables.Column("Domaine", accessor="domain__name")
    step = tables.Column("Étape")
    establishment = tables.Column("Établissement de santé")

    class Meta:
        model = Application
        fields = ("reference", "state", "domain", "step", "establishment")
        order_by = "-created_at"
        attrs = {"class": "ecare-cards"}

    caption = "Vos candidatures"
    offers_length = True

    def __init__(self, dossiers, *, is_search=False):
        empty = "Aucune candidature ne correspond à cette recherche" if is_search else "Aucune candidature"
        super().__init__(dossiers, empty_text=empty)

    def render_step(self, value):
        return Step(value).label

    def render_state(self, record):
        state = _badge(badge_of(record), record.referent_label)
        return format_html("{} {}", state, _badge("error", "Non transmise")) if record.is_never_sent else state

    def order_establishment(self, dossiers, is_descending):
        return dossiers.order_by(("-" if is_descending else "") + "establishment__name", "reference"), True

    def order_step(self, dossiers, is_descending):
        return _by(dossiers, STEP_ORDER, is_descending)

    def order_state(self, dossiers, is_descending):
        return _by(dossiers, LIFE_ORDER, is_descending)


class FoundTable(tables.Table):
    """Rows of `eligibility.search`."""

    title = tables.Column("Nom")
    place = tables.Column("Commune", default="")
    kind = tables.Column("Type", empty_values=())
    caption = "Établissements trouvés"

    class Meta:
        orderable = False
        empty_text = "Aucun établissement ne correspond à votre recherche."

    def render_title(self, record, value):
        """The name, then its number: a GHT code or a FINESS number."""
        number = record["number"]
        address = reverse("eligibility_of", args=[number])
        return format_html('<a href="{}">{}</a><br><span class="ecare-mention">{}</span>', address, value, number)

    def render_kind(self, record):
        if record["kind"]:
            kind = Establishment.Kind(record["kind"]).label
        else:
            kind = f"Membre du GHT {record['group']}" if record["group"] else "Autre entité juridique"
        return f"{kind} (fermé)" if record["closed"] else kind
