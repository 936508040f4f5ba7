from django.urls import path

from exports import views

app_name = "exports"

urlpatterns = [
    path("verification/exports/", views.exports, name="exports"),
    path("verification/exports/vue/", views.ask_view, name="ask_view"),
    path("verification/exports/archive/", views.ask_archive, name="ask_archive"),
    path("verification/exports/<uuid:number>/telecharger/", views.download, name="download"),
    path("verification/exports/<uuid:number>/annuler/", views.cancel, name="cancel"),
    path("verification/<slug:reference>/exporter/<slug:form>/", views.ask_dossier, name="ask_dossier"),
]
