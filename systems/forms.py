"""What an administrator types to issue a token."""

from datetime import timedelta

from django import forms
from django.utils import timezone

from ecare.clock import paris_day
from systems import rules
from systems.actions import SAME_LABEL
from systems.models import Scope, System, Token


class TokenForm(forms.ModelForm):
    """Nothing is ticked beforehand: what a token reads is said in so many words."""

    scopes = forms.MultipleChoiceField(
        label="Portées",
        choices=Scope.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": rules.SCOPELESS},
    )

    class Meta:
        model = Token
        fields = ["system", "label", "expires_on", "scopes", "all_domains", "domains", "all_regions", "regions"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "system" not in self.fields:  # a token that was issued is read, not typed
            return
        self.fields["system"].queryset = System.objects.filter(is_active=True)
        self.fields["system"].help_text = "Un système actif."
        last = paris_day(timezone.now()) + timedelta(days=Token.LONGEST_LIFE_DAYS)
        self.fields["expires_on"].help_text = f"Un an au plus : le {last:%d/%m/%Y} au plus tard."
        self.fields["label"].help_text = "L’outil qui s’en servira, par exemple « Entrepôt, chargement de nuit »."

    def clean(self):
        cleaned = self.cleaned_data = super().clean()
        for name, fault in self.reach.faults.items():
            if name not in self.errors:
                self.add_error(name, fault)
        day = cleaned.get("expires_on")
        if day and (fault := rules.why_not_until(day, timezone.now())):
            self.add_error("expires_on", fault)
        system, label = cleaned.get("system"), cleaned.get("label")
        if system and label and Token.objects.filter(system=system, label=label, revoked_at=None).exists():
            self.add_error("label", SAME_LABEL)
        return cleaned

    @property
    def reach(self) -> rules.Reach:
        chosen = self.cleaned_data
        return rules.Reach(
            scopes=list(chosen.get("scopes") or []),
            all_domains=bool(chosen.get("all_domains")),
            domains=list(chosen.get("domains") or []),
            all_regions=bool(chosen.get("all_regions")),
            regions=list(chosen.get("regions") or []),
        )
