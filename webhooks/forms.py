"""What an administrator says of a subscription, and from when its events are sent again."""

from datetime import datetime, time

from django import forms

from applications.models import Domain
from ecare.clock import PARIS, paris_day
from establishments.models import Region
from systems.models import System
from webhooks.addresses import fault_of
from webhooks.models import STATES, Subscription

CHOICES = [
    ("all_states", "states", "Choisissez au moins un état, ou cochez «\u00a0Tous les états\u00a0»."),
    ("all_domains", "domains", "Choisissez au moins un domaine, ou cochez «\u00a0Tous les domaines\u00a0»."),
    ("all_regions", "regions", "Choisissez au moins une région, ou cochez «\u00a0Toutes les régions\u00a0»."),
]
BOTH = "Cochez «\u00a0tous\u00a0», ou choisissez dans la liste\u00a0: pas les deux."


class SubscriptionForm(forms.ModelForm):
    """Closed by default: « all of them » is said in so many words."""

    states = forms.MultipleChoiceField(
        label="États", required=False, choices=STATES, widget=forms.CheckboxSelectMultiple
    )
    domains = forms.ModelMultipleChoiceField(
        label="Domaines", required=False, queryset=Domain.objects.all(), widget=forms.CheckboxSelectMultiple
    )
    regions = forms.ModelMultipleChoiceField(
        label="Régions", required=False, queryset=Region.objects.all(), widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = Subscription
        fields = ["system", "address", "all_states", "states", "all_domains", "domains", "all_regions", "regions"]
        help_texts = {
            "address": "Sous la forme https://systeme.exemple.fr/ecare. Chaque changement d’état y est envoyé, signé.",
            "all_states": "Y compris ceux qui seraient ajoutés plus tard.",
            "all_domains": "Y compris ceux qui ouvriront plus tard.",
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "system" in self.fields:
            self.fields["system"].queryset = System.objects.filter(is_active=True)

    def clean_address(self):
        address = self.cleaned_data["address"].strip()
        if fault := fault_of(address):
            raise forms.ValidationError(fault)
        return address

    def clean(self):
        cleaned = super().clean()
        for everything, some, told in CHOICES:
            if some in self.errors:
                continue
            if cleaned.get(everything) and cleaned.get(some):
                self.add_error(some, BOTH)
            elif not cleaned.get(everything) and not cleaned.get(some):
                self.add_error(some, told)
        self._check_address_is_new(cleaned)
        return cleaned

    def _check_address_is_new(self, cleaned) -> None:
        system, address = cleaned.get("system") or getattr(self.instance, "system", None), cleaned.get("address")
        same = Subscription.objects.filter(system=system, address=address).exclude(state=Subscription.State.ENDED)
        if address and system and same.exclude(pk=self.instance.pk).exists():
            self.add_error("address", "Ce système a déjà un abonnement à cette adresse\u00a0: modifiez-le.")


FIRST_YEAR = 2020  # before any dossier


class SinceForm(forms.Form):
    since = forms.DateField(
        label="Rejouer depuis le",
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        help_text="Le jour entier, heure de Paris.",
    )

    def clean_since(self):
        day = self.cleaned_data["since"]
        if day.year < FIRST_YEAR:
            raise forms.ValidationError(f"Écrivez un jour à partir de {FIRST_YEAR}.")
        if day > paris_day(datetime.now(PARIS)):
            raise forms.ValidationError("Ce jour est à venir\u00a0: choisissez aujourd’hui ou un jour passé.")
        return datetime.combine(day, time(), tzinfo=PARIS)


class RotationForm(forms.Form):
    has_leaked = forms.BooleanField(
        label="Ancien secret divulgué",
        required=False,
        help_text="Cochez si quelqu’un d’autre le connaît : plus rien n’est signé avec lui dès maintenant.",
    )
    shown = forms.IntegerField(widget=forms.HiddenInput)
