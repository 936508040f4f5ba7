"""How an agent narrows the queue."""

import django_filters
from django import forms
from django.db.models import Count

from applications.models import Domain
from applications.states import AWAITS_ANS, AWAITS_ARS, REVIEWER_LABELS, State
from ecare.french import NBSP
from establishments.models import Establishment, Region

ALL = "tous"


def awaited_by(user) -> tuple[State, ...]:
    """The states in which a dossier lies on this agent's desk."""
    return AWAITS_ARS if user.is_ars else AWAITS_ANS


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

    def __init__(self, *args, user, **options):
        super().__init__(*args, **options)
        self.awaited = awaited_by(user)
        if user.is_ars:
            regions = user.regions.all()
            self.filters["region"].queryset = regions
            if len(regions) < 2:
                del self.filters["region"]

    def search(self, queryset, name, value):
        return queryset.matching(value)

    def leave(self, queryset, name, value):
        """The state is applied last, so that the counts by state follow the other filters."""
        return queryset

    def filter_queryset(self, queryset):
        found = super().filter_queryset(queryset)
        self.counts = dict(found.order_by().values_list("state").annotate(Count("pk")))
        self.state = self.form.cleaned_data.get("etat") or ""
        if self.state == ALL:
            return found
        return found.filter(state__in=[self.state] if self.state else self.awaited)

    @property
    def is_narrowed(self) -> bool:
        """Whether something besides the state is asked for."""
        return any(value for name, value in self.form.cleaned_data.items() if name != "etat")

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
        for name in ("etat", "page"):
            query.pop(name, None)
        if state:
            query["etat"] = state
        return query.urlencode()
