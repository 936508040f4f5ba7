"""How an agent narrows the queue."""

from datetime import timedelta

import django_filters
from django import forms
from django.db.models import Count, Exists, F, OuterRef, Q
from django.http import QueryDict
from django.utils import timezone

from accounts.models import User
from applications.fields import AmountField
from applications.models import ChangeRequest, Domain
from applications.states import AWAITS_ANS, AWAITS_ARS, REVIEWER_LABELS, Desk, State, Step
from ecare.french import NBSP
from ecare.lists import AFTER, BEFORE
from establishments.models import Establishment, Region
from evidence.models import Evidence
from reviews.models import Assignment

ALL = "tous"
ME, NOBODY = "moi", "personne"
LATE = "en-retard"
WAITING_DAYS = (7, 15, 30, 60)


def awaited_by(user) -> tuple[State, ...]:
    """The states in which a dossier lies on this agent's desk."""
    return AWAITS_ARS if user.is_ars else AWAITS_ANS


def colleagues_of(user):
    """The agents of the same desk, among them this one: for an ARS those of a region that they share."""
    found = User.objects.filter(role=user.role, is_active=True).order_by("last_name", "first_name", "pk")
    return found.filter(regions__in=user.regions.all()).distinct() if user.is_ars else found


class _Euros(django_filters.Filter):
    """An amount as a French person types it, stored in cents."""

    field_class = AmountField


class QueueFilter(django_filters.FilterSet):
    """« À traiter par moi » unless a state, or all of them, is chosen."""

    q = django_filters.CharFilter(
        method="search",
        label="Rechercher",
        help_text="Référence, établissement, n° FINESS ou code GHT",
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search"}),
    )
    etat = django_filters.ChoiceFilter(
        label="État",
        method="leave",
        empty_label="À traiter par moi",
        choices=[(ALL, "Tous les états"), *((str(state), label) for state, label in REVIEWER_LABELS.items())],
    )
    domaine = django_filters.ModelChoiceFilter(
        field_name="domain", queryset=Domain.objects.all(), to_field_name="slug", label="Domaine", empty_label="Tous"
    )
    region = django_filters.ModelChoiceFilter(
        field_name="establishment__region", queryset=Region.objects.all(), label="Région", empty_label="Toutes"
    )
    type = django_filters.ChoiceFilter(
        field_name="establishment__kind",
        choices=Establishment.Kind,
        label="Type d’établissement",
        empty_label="Tous",
    )
    etape = django_filters.ChoiceFilter(
        method="at_step",
        label="Étape",
        empty_label="Toutes",
        choices=[(Step.CANDIDATURE, "Candidature"), (Step.DECLARATION, "Déclaration")],
    )
    attente = django_filters.ChoiceFilter(
        method="waiting",
        label="En attente depuis",
        empty_label="Indifférent",
        choices=[(str(days), f"Plus de {days} jours") for days in WAITING_DAYS],
    )
    suivi = django_filters.ChoiceFilter(method="followed", label="Suivi par", empty_label="Indifférent", choices=())
    montant_min = _Euros(field_name="requested", lookup_expr="gte", label="Montant demandé, au moins (€)")
    montant_max = _Euros(field_name="requested", lookup_expr="lte", label="Montant demandé, au plus (€)")
    tardif = django_filters.ChoiceFilter(
        method="late_files",
        label="Fichiers tardifs",
        help_text="Déposés après le dernier jour d’envoi",
        empty_label="Indifférent",
        choices=[("oui", "Avec fichiers tardifs")],
    )
    echeance = django_filters.ChoiceFilter(
        method="overdue",
        label="Corrections",
        empty_label="Indifférent",
        choices=[("attendues", "Attendues"), (LATE, "Échéance dépassée")],
    )

    MAIN = ("q", "etat", "domaine", "region", "type")
    """Fields that stand open on the page; the others wait behind « Plus de filtres »."""

    def __init__(self, *args, user, at=None, **options):
        super().__init__(*args, **options)
        self.user, self.at = user, at or timezone.now()
        self.awaited = awaited_by(user)
        self.colleagues = list(colleagues_of(user))
        others = [(str(agent.pk), str(agent)) for agent in self.colleagues if agent != user]
        self.filters["suivi"].extra["choices"] = [(ME, "Moi"), (NOBODY, "Personne"), *others]
        if user.is_ars:
            regions = user.regions.all()
            self.filters["region"].queryset = regions
            if len(regions) < 2:
                del self.filters["region"]

    # --- each filter ----------------------------------------------------------------------------------------------
    def search(self, queryset, name, value):
        return queryset.matching(value)

    def leave(self, queryset, name, value):
        """The state is applied last, so that the counts by state follow the other filters."""
        return queryset

    def at_step(self, queryset, name, value):
        return queryset.filter(declaration_form__isnull=value == Step.CANDIDATURE)

    def waiting(self, queryset, name, value):
        return queryset.filter(moved_at__lt=self.at - timedelta(days=int(value)))

    def followed(self, queryset, name, value):
        """By the agent whom this desk gave the dossier to; one whose account is closed follows nothing."""
        of_desk = Assignment.objects.filter(application=OuterRef("pk"), desk=Desk.of(self.user), agent__is_active=True)
        if value == NOBODY:
            return queryset.filter(~Exists(of_desk))
        return queryset.filter(Exists(of_desk.filter(agent=self.user.pk if value == ME else int(value))))

    def late_files(self, queryset, name, value):
        """With a file that was sent and came in after the last day of a first sending of its step."""
        return queryset.filter(Exists(late_evidence().filter(application=OuterRef("pk"))))

    def overdue(self, queryset, name, value):
        """Whose correction is awaited: any, or one that is due since yesterday at least."""
        open_ones = ChangeRequest.objects.filter(application=OuterRef("pk"), answered_at=None)
        return queryset.under_way().filter(Exists(open_ones.overdue(self.at) if value == LATE else open_ones))

    # --- the whole ------------------------------------------------------------------------------------------------
    def filter_queryset(self, queryset):
        found = super().filter_queryset(queryset)
        self.counts = dict(found.order_by().values_list("state").annotate(Count("pk")))
        self.state = self.form.cleaned_data.get("etat") or ""
        if self.state == ALL:
            return found
        return found.filter(state=self.state) if self.state else found.filter(desk=Desk.of(self.user))

    @property
    def count(self) -> int:
        """How many dossiers the view holds."""
        if self.state == ALL:
            return sum(self.counts.values())
        return sum(self.counts.get(state, 0) for state in ([self.state] if self.state else self.awaited))

    @property
    def is_narrowed(self) -> bool:
        """Whether something besides the state is asked for."""
        return any(value for name, value in self.form.cleaned_data.items() if name != "etat")

    @property
    def is_opened(self) -> bool:
        """Whether one of the fields behind « Plus de filtres » is used, or wrong."""
        rest = [name for name in self.form.fields if name not in self.MAIN]
        return any(self.form.cleaned_data.get(name) or name in self.form.errors for name in rest)

    def tallies(self) -> list[dict]:
        """One line per view: mine, all, then each state that holds a dossier, with its address."""
        lines = [
            ("", "À traiter par moi", sum(self.counts.get(state, 0) for state in self.awaited)),
            (ALL, "Tous", sum(self.counts.values())),
        ]
        lines += [(str(s), label, self.counts[s]) for s, label in REVIEWER_LABELS.items() if self.counts.get(s)]
        return [
            {
                "label": label,
                "count": f"{count:,}".replace(",", NBSP),
                "query": self._query(state),
                "is_current": state == self.state,
            }
            for state, label, count in lines
        ]

    def _query(self, state: str) -> str:
        """The present address with another state, from its first page."""
        query = self.data.copy()
        for name in ("etat", AFTER, BEFORE):
            query.pop(name, None)
        if state:
            query["etat"] = state
        return query.urlencode()


def view_of(query: QueryDict) -> str:
    """What of an address makes a view: its filters and its order, without the page, empty fields and strange names."""
    kept = QueryDict(mutable=True)
    for name in (*QueueFilter.base_filters, "sort"):
        if value := query.get(name, "").strip():
            kept[name] = value
    return kept.urlencode()


def late_evidence():
    """The files that were sent and came in after the last day of a first sending of their step."""
    last_day = {
        Step.CANDIDATURE: ("candidature_first_submission_until", "candidature_until"),
        Step.DECLARATION: ("declaration_until",),
    }
    late = Q()
    for step, (first, *others) in last_day.items():
        day = {"question__section__form__step": step}
        late |= Q(**day, file__created_at__date__gt=F(f"application__domain__{first}"))
        for other in others:
            unset = {f"application__domain__{first}": None}
            late |= Q(**day, **unset, file__created_at__date__gt=F(f"application__domain__{other}"))
    return Evidence.objects.filter(late, added_after__lt=F("application__sendings"))
