"""« Vos candidatures »."""

import django_tables2 as tables

from applications.models import Application
from applications.states import State, Step

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
    return BADGES.get(State(application.state), "info")


class ApplicationTable(tables.Table):
    reference = tables.Column(
        "Référence candidature", linkify=("applications:detail", {"reference": tables.A("reference")})
    )
    domain = tables.Column("Domaine", accessor="domain__name")
    establishment = tables.Column("Établissement de santé")
    step = tables.Column("Étape", order_by="declaration_form")
    state = tables.TemplateColumn(template_name="applications/_state.html", verbose_name="Statut", accessor="state")

    class Meta:
        model = Application
        fields = ("reference", "domain", "establishment", "step", "state")
        order_by = "-created_at"

    caption = "Vos candidatures"

    def __init__(self, dossiers, *, at, is_search=False):
        self.at = at
        empty = "Aucune candidature ne correspond à cette recherche" if is_search else "Aucune candidature"
        super().__init__(dossiers, empty_text=empty)

    def render_step(self, value):
        return Step(value).label

    def order_establishment(self, dossiers, is_descending):
        return dossiers.order_by(("-" if is_descending else "") + "establishment__name"), True
