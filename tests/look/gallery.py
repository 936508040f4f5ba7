"""Every component on one page, for eyes, axe and the keyboard: the addresses of the site plus a few of its own."""

import django_tables2 as tables
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError
from django.http import HttpResponse
from django.shortcuts import render
from django.template import engines
from django.urls import path

from ecare.lists import lay_out
from ecare.urls import handler400, handler403, handler404, handler500, urlpatterns  # noqa: F401

PAGE = """
{% extends "base.html" %}
{% block title %}Galerie{% endblock title %}
{% block breadcrumb %}{% include "components/breadcrumb.html" with crumbs=crumbs %}{% endblock breadcrumb %}
{% block content %}
  <h1>Galerie</h1>
  {% include "components/stepper.html" with steps=steps current=2 %}
  {% include "components/alert.html" with kind="info" title="À savoir" text="Un texte court." %}
  {% include "components/badge.html" with kind="success" text="Validée" %}
  {% include "components/required_note.html" %}
  <form method="post" novalidate enctype="multipart/form-data">
    {% csrf_token %}{% include "components/error_summary.html" %}{{ form }}
    <button class="fr-btn">Suivant</button>
  </form>
  {% load render_table from django_tables2 %}{% render_table table %}
  <a class="fr-btn" href="/sans-script/" aria-controls="fenetre" data-fr-opened="false">Ouvrir</a>
  {% include "components/modal.html" with id="fenetre" title="Candidater à un domaine" body=body %}
{% endblock content %}
"""
CHOICES = [("oui", "Oui"), ("non", "Non")]


class GalleryForm(forms.Form):
    name = forms.CharField(
        label="Nom",
        help_text="Tel qu’il figure sur la convention.",
        widget=forms.TextInput({"autocomplete": "family-name"}),
    )
    email = forms.EmailField(label="Adresse e-mail")
    password = forms.CharField(label="Mot de passe", widget=forms.PasswordInput, help_text="12 caractères au moins.")
    phone = forms.CharField(label="N° de téléphone", widget=forms.TextInput({"type": "tel"}), required=False)
    born = forms.DateField(label="Date", widget=forms.DateInput({"type": "date"}))
    kind = forms.ChoiceField(label="Type d’établissement", choices=[("", "Choisissez"), *CHOICES])
    more = forms.CharField(label="Précisions", widget=forms.Textarea, required=False)
    met = forms.ChoiceField(label="Prérequis atteint", choices=CHOICES, widget=forms.RadioSelect, help_text="PS1.1")
    several = forms.MultipleChoiceField(label="Entités", choices=CHOICES, widget=forms.CheckboxSelectMultiple)
    engaged = forms.BooleanField(label="Je m’engage à respecter la convention")
    reached = forms.BooleanField(label="Validation de l’objectif", help_text="Voir le guide.")
    reached.checkbox_label = "Je valide que l’objectif est atteint"
    file = forms.FileField(label="RIB", help_text="Formats : pdf, jpg, png. 10 Mo au plus.")


class GalleryTable(tables.Table):
    caption = "Vos candidatures"
    reference = tables.Column("Référence candidature", linkify=lambda record: f"/{record['reference']}/")
    domain = tables.Column("Domaine")
    state = tables.Column("Statut", orderable=False)

    class Meta:
        empty_text = "Aucune candidature"


@login_not_required
def gallery(request):
    form = GalleryForm(request.POST, request.FILES) if request.method == "POST" else GalleryForm()
    rows = [
        {
            "reference": f"REF{n:03d}",
            "domain": "Domaine 1 – Audits techniques",
            "state": "En cours de vérification (ARS)",
        }
        for n in range(int(request.GET.get("rows", 30)))
    ]
    table = GalleryTable(rows)
    lay_out(table, request, length=10)
    context = {
        "form": form,
        "table": table,
        "steps": ["Informations personnelles", "Informations de l’établissement de santé", "Récapitulatif"],
        "body": "components/required_note.html",
        "crumbs": [("Tableau de bord", "/"), ("Galerie", "")],
    }
    return HttpResponse(engines["django"].from_string(PAGE).render(context, request))


@login_not_required
def said(request):
    messages.success(request, "Brouillon enregistré.")
    messages.error(request, request.GET.get("text", "<script>alert(1)</script>"))
    return render(request, "ecare/help.html")


@login_not_required
def refused(request):
    raise PermissionDenied


@login_not_required
def suspicious(request):
    raise SuspiciousOperation("canary-of-the-cause")


@login_not_required
def absent(request):
    raise OperationalError("canary-of-the-cause")


@login_not_required
def broken(request):
    raise RuntimeError("canary-of-the-cause")


@login_not_required
def conflict(request, reference=None):
    context = {
        "message": "Ce dossier a déjà été validé par Camille Martin.",
        "back_url": "" if reference else "/verification/ABC/",
    }
    return render(request, "409.html", context, status=409)


@login_not_required
def too_many(request):
    return render(request, "429.html", status=429)


urlpatterns = [
    *urlpatterns,
    path("galerie/", gallery),
    path("dit/", said),
    path("refuse/", refused),
    path("suspect/", suspicious),
    path("casse/", broken),
    path("absente/", absent),
    path("conflit/", conflict),
    path("conflit/<reference>/", conflict),
    path("trop/", too_many),
]
