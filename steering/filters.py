"""How an agent narrows the figures: an address that can be kept and shared."""

from django import forms
from django.http import QueryDict

from applications.models import Domain
from establishments.models import Establishment, Region
from steering.readers.snapshot import WEEKS_SHOWN, Scope

SINCE_OPENING = "ouverture"


class SteeringFilter(forms.Form):
    """All that the agent sees unless something is chosen; what makes no sense is said and narrows nothing."""

    domaine = forms.ChoiceField(label="Domaine", required=False)
    region = forms.ChoiceField(label="Région", required=False)
    type = forms.ChoiceField(
        label="Type d’établissement", required=False, choices=[("", "Tous"), *Establishment.Kind.choices]
    )
    periode = forms.ChoiceField(
        label="Semaines",
        required=False,
        choices=[("", f"Les {WEEKS_SHOWN} dernières"), (SINCE_OPENING, "Depuis l’ouverture")],
    )

    def __init__(self, data, *, domains: list[Domain], regions: list[Region]):
        super().__init__(data)
        self.domains, self.regions = domains, regions
        everything = "Tous, hors essai" if any(domain.is_trial for domain in domains) else "Tous"
        self.fields["domaine"].choices = [("", everything), *((domain.slug, domain.name) for domain in domains)]
        self.fields["region"].choices = [("", "Toutes"), *((region.pk, region.name) for region in regions)]
        if len(regions) < 2:
            del self.fields["region"]

    @property
    def chosen(self) -> dict[str, str]:
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}

    def scope(self) -> Scope:
        """Domains for trial count only where one is asked for."""
        chosen = self.chosen
        slug = chosen.get("domaine")
        domains = [domain for domain in self.domains if (domain.slug == slug if slug else not domain.is_trial)]
        return Scope(
            tuple(domains), chosen.get("region", ""), chosen.get("type", ""), chosen.get("periode") == SINCE_OPENING
        )

    def query(self, **others: str) -> str:
        """What is chosen, or else `others`, as the end of an address."""
        query = QueryDict(mutable=True)
        query.update({name: value for name, value in (self.chosen | others).items() if value})
        return f"?{query.urlencode()}" if query else ""
