"""How the accountant narrows the list of payments."""

from datetime import date, datetime, time, timedelta

import django_filters
from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Q, Sum

from applications.models import Domain
from applications.states import State
from ecare.clock import PARIS

TO_PAY, PAID, ALL = "", "verses", "tous"
OUT_OF_TIME = "Écrivez une date entre le 1er janvier 2000 et le 31 décembre 2099."
IN_TIME = [MinValueValidator(date(2000, 1, 1), OUT_OF_TIME), MaxValueValidator(date(2099, 12, 31), OUT_OF_TIME)]
"""A day has a midnight in Paris and a day after it; the first and the last of the calendar have not."""


class PaymentFilter(django_filters.FilterSet):
    """« À verser » unless what was paid, or both, is asked for. The period is that of the payment for a dossier that
    was paid, of the decision for one that waits."""

    q = django_filters.CharFilter(
        method="search",
        label="Rechercher",
        help_text="Référence, établissement, n° FINESS ou code GHT",
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search"}),
    )
    etat = django_filters.ChoiceFilter(
        label="Versement",
        method="of_state",
        empty_label="À verser",
        choices=[(PAID, "Versés"), (ALL, "À verser et versés")],
    )
    domaine = django_filters.ModelChoiceFilter(
        field_name="domain", queryset=Domain.objects.all(), to_field_name="slug", label="Domaine", empty_label="Tous"
    )
    du = django_filters.DateFilter(
        label="Du",
        help_text="Jour de la décision, ou du versement s’il est fait",
        method="since",
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        input_formats=["%Y-%m-%d", "%d/%m/%Y"],
        validators=IN_TIME,
    )
    au = django_filters.DateFilter(
        label="Au",
        help_text="Ce jour compris",
        method="until",
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        input_formats=["%Y-%m-%d", "%d/%m/%Y"],
        validators=IN_TIME,
    )

    def search(self, queryset, name, value):
        return queryset.matching(value)

    def of_state(self, queryset, name, value):
        """Applied last: « À verser » is what nothing chosen means."""
        return queryset

    def since(self, queryset, name, day):
        return queryset.filter(
            Q(payment__paid_on__gte=day) | Q(payment=None, decision__validated_at__gte=_midnight(day))
        )

    def until(self, queryset, name, day):
        after = _midnight(day, days=1)
        return queryset.filter(Q(payment__paid_on__lte=day) | Q(payment=None, decision__validated_at__lt=after))

    def filter_queryset(self, queryset):
        found = super().filter_queryset(queryset)
        self.state = self.form.cleaned_data.get("etat") or TO_PAY
        if self.state == ALL:
            return found
        return found.filter(state=State.PAID if self.state == PAID else State.VALIDATED)

    @property
    def total(self) -> int:
        """Of every dossier that the filter finds, on whatever page."""
        return self.qs.order_by().aggregate(Sum("decision__amount"))["decision__amount__sum"] or 0

    @property
    def criteria(self) -> dict[str, str]:
        """As asked for, for the journal and the addresses of the downloads."""
        return {name: value for name in self.filters if (value := self.data.get(name, ""))}


def _midnight(day, *, days: int = 0):
    """The first instant of a Paris day."""
    return datetime.combine(day + timedelta(days=days), time.min, tzinfo=PARIS)
