"""How an agent narrows the queue."""

from collections import Counter
from datetime import timedelta
from urllib.parse import urlencode

import django_filters
from django import forms
from django.db.models import Count, Exists, F, OuterRef, Q
from django.http import QueryDict
from django.utils import timezone

from accounts.models import User
from applications.fields import AmountField
from applications.models import Application, ChangeRequest, Domain
from applications.states import REVIEWER_LABELS, Desk, Step
from ecare.french import thousands
from ecare.lists import AFTER, BEFORE
from establishments.models import Establishment, Region
from evidence.models import Evidence, StoredFile
from reviews.models import Assignment

ALL = "tous"
ME, NOBODY = "moi", "personne"
LATE = "en-retard"
QUARANTINE, UNSCANNED = "quarantaine", "analyse"
WAITING_DAYS = (7, 15, 30, 60)


def to_do_of(user) -> str:
    """What the view of this agent's desk is called."""
    return f"À traiter par l’{Desk.of(user).label}"


def colleagues_of(user):
    """The agents of the same desk, among them this one: for an ARS those of a region that they share."""
    found = User.objects.filter(role=user.role, is_active=True).order_by("last_name", "first_name", "pk")
    return found.filter(regions__in=user.regions.all()).distinct() if user.is_ars else found


class _Euros(django_filters.Filter):
    """An amount as a French person types it, stored in cents."""

    field_class = AmountField


class QueueFilter(django_filters.FilterSet):
    """What awaits the agent's desk, unless a state, or all of them, is chosen."""

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
        empty_label="À traiter",
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
    fichiers = django_filters.ChoiceFilter(
        method="unread_files",
        label="Antivirus",
        empty_label="Indifférent",
        choices=[(QUARANTINE, "Fichiers que personne ne peut lire"), (UNSCANNED, "Analyses en cours")],
    )
    echeance = django_filters.ChoiceFilter(
        method="overdue",
        label="Corrections",
        empty_label="Indifférent",
        choices=[("attendues", "Attendues"), (LATE, "Échéance dépassée")],
    )

    MAIN = ("q", "etat", "domaine", "region", "type")
    """Fields that stand open on the page; the others wait behind « Plus de filtres »."""

    def __init__(self, data=None, *args, user, at=None, **options):
        super().__init__(_named(data, user), *args, **options)
        self.user, self.at = user, at or timezone.now()
        self.filters["etat"].extra["empty_label"] = to_do_of(user)
        self.colleagues = list(colleagues_of(user))
        others = [(str(agent.pk), str(agent)) for agent in self.colleagues if agent != user]
        self.filters["suivi"].extra["choices"] = [(str(user.pk), "Moi"), (NOBODY, "Personne"), *others]
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
        of_desk = self._of_desk()
        if value == NOBODY:
            return queryset.filter(~Exists(of_desk))
        return queryset.filter(Exists(of_desk.filter(agent=int(value))))

    def _of_desk(self):
        return Assignment.objects.filter(application=OuterRef("pk"), desk=Desk.of(self.user), agent__is_active=True)

    def late_files(self, queryset, name, value):
        """With a file that was sent and came in after the last day of a first sending of its step."""
        return queryset.filter(Exists(late_evidence().filter(application=OuterRef("pk"))))

    def unread_files(self, queryset, name, value):
        """With a file that was sent, stands in its space and that nobody can read."""
        files = StoredFile.objects.withheld() if value == QUARANTINE else StoredFile.objects.awaiting_scan()
        unread = Evidence.objects.current().filter(added_after__lt=F("application__sendings"), file__in=files)
        return queryset.filter(Exists(unread.filter(application=OuterRef("pk"))))

    def overdue(self, queryset, name, value):
        """Whose correction is awaited: any, or one that is due since yesterday at least."""
        open_ones = ChangeRequest.objects.open().filter(application=OuterRef("pk"))
        return queryset.under_way().filter(Exists(open_ones.overdue(self.at) if value == LATE else open_ones))

    # --- the whole ------------------------------------------------------------------------------------------------
    def filter_queryset(self, queryset):
        found = super().filter_queryset(queryset)
        desk, self.counts, self.to_do = Desk.of(self.user), Counter(), 0
        for state, waits_for, count in found.order_by().values_list("state", "desk").annotate(Count("pk")):
            self.counts[state] += count
            self.to_do += count if waits_for == desk else 0
        self.state = self.form.cleaned_data.get("etat") or ""
        if self.state == ALL:
            return found
        return found.filter(state=self.state) if self.state else found.filter(desk=desk)

    @property
    def count(self) -> int:
        """How many dossiers the view holds."""
        if self.state == ALL:
            return sum(self.counts.values())
        return self.counts[self.state] if self.state else self.to_do

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
        """One line per view: to do, mine, all, then each state that holds a dossier, with its address."""
        mine = self._mine()
        lines = [("", to_do_of(self.user), self.to_do), (ALL, "Tous", self.counts.total())]
        lines += [(str(s), label, self.counts[s]) for s, label in REVIEWER_LABELS.items() if self.counts[s]]
        to_do, *others = [
            {
                "label": label,
                "count": thousands(count),
                "query": self._query(state),
                "is_current": state == self.state and not mine["is_current"],
            }
            for state, label, count in lines
        ]
        return [to_do, mine, *others]

    def _mine(self) -> dict:
        """The dossiers that the agent follows, whatever their state and the other filters."""
        me = str(self.user.pk)
        followed = Application.objects.visible_to(self.user).filter(Exists(self._of_desk().filter(agent=self.user)))
        return {
            "label": "Attribués à moi",
            "count": thousands(followed.count()),
            "query": urlencode({"suivi": me, "etat": ALL}),
            "is_current": self.state == ALL and self.form.cleaned_data.get("suivi") == me,
        }

    def _query(self, state: str) -> str:
        """The present address with another state, from its first page."""
        query = self.data.copy()
        for name in ("etat", AFTER, BEFORE):
            query.pop(name, None)
        if state:
            query["etat"] = state
        return query.urlencode()


def _named(data, user):
    """« Moi » is somebody else for whoever opens the same address: the agent's number takes its place."""
    if not data or data.get("suivi") != ME:
        return data
    data = data.copy()
    data["suivi"] = str(user.pk)
    return data


def view_of(query: QueryDict, *, user: User) -> str:
    """What of an address makes a view, for whoever opens it: its filters and its order, without the page, empty fields
    and strange names."""
    query, kept = _named(query, user), QueryDict(mutable=True)
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
