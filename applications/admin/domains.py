"""Domains: calendar, envelope, rules of payment, scale."""

from django import forms
from django.contrib import admin
from django.db import models

from applications import definitions
from applications.models import Bracket, Domain
from applications.money import faults_of
from establishments.models import Establishment


class DomainForm(forms.ModelForm):
    kinds = forms.MultipleChoiceField(
        label="Types d’établissement éligibles", choices=Establishment.Kind, widget=forms.CheckboxSelectMultiple
    )


class ScaleFormSet(forms.BaseInlineFormSet):
    """A scale is right as a whole: no day left out, none with two ceilings."""

    def clean(self):
        super().clean()
        kept = [form for form in self.forms if form.has_changed() or form.instance.pk]
        if any(self.errors):
            return
        lines = {id(form.instance): form for form in kept if not self._should_delete_form(form)}
        brackets = [form.instance for form in lines.values()]
        for kind in Establishment.Kind:
            for bracket, message in faults_of([one for one in brackets if one.kind == kind]):
                lines[id(bracket)].add_error("days_from", message[0].upper() + message[1:])


class BracketInline(admin.TabularInline):
    model = Bracket
    formset = ScaleFormSet
    extra = 0


@admin.register(Domain)
class DomainAdmin(admin.ModelAdmin):
    form = DomainForm
    inlines = [BracketInline]
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    list_display = [
        "name",
        "candidature_from",
        "candidature_until",
        "declaration_from",
        "declaration_until",
        "is_trial",
    ]
    prepopulated_fields = {"slug": ["name"]}
    fieldsets = [
        (None, {"fields": ["name", "slug", "position", "summary", "more_url", "guide_url", "is_trial"]}),
        ("Éligibilité et enveloppe", {"fields": ["kinds", "envelope"]}),
        (
            "Montants (le barème lui-même est plus bas)",
            {"fields": ["floor", "payment", "commitment", "activity_year", "has_official_scale"]},
        ),
        (
            "Calendrier (jours de Paris ; un dernier jour compte jusqu’à sa dernière seconde)",
            {"fields": list(definitions.CALENDAR)},
        ),
    ]

    def has_delete_permission(self, request, obj=None):
        return False
