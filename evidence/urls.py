from django.urls import path

from evidence import bank_views, container_views, purge_views, scan_views, upload_views, views

app_name = "evidence"

urlpatterns = [
    path("candidatures/<slug:reference>/preuves/", views.add, name="add"),
    path("candidatures/<slug:reference>/coordonnees-bancaires/", bank_views.bank_details, name="bank_details"),
    path("coordonnees-bancaires/<int:pk>/rib/", bank_views.rib, name="rib"),
    path("modeles/<int:pk>/", views.template, name="template"),
    path("preuves/<uuid:pk>/", views.download, name="download"),
    path("preuves/<uuid:pk>/apercu/", views.preview, name="preview"),
    path("preuves/<uuid:pk>/retirer/", views.remove, name="remove"),
    path("preuves/<uuid:pk>/remplacer/", upload_views.replace, name="replace"),
    path("candidatures/<slug:reference>/conteneurs/<slug:key>/", container_views.container, name="container"),
    path(
        "candidatures/<slug:reference>/conteneurs/<slug:key>/activer/",
        container_views.activate,
        name="activate_container",
    ),
    path(
        "candidatures/<slug:reference>/conteneurs/<slug:key>/telecharger/",
        container_views.download,
        name="download_container",
    ),
    path(
        "candidatures/<slug:reference>/conteneurs/<slug:key>/reemettre/",
        container_views.reissue,
        name="reissue_container",
    ),
    path("verification/preuves/<uuid:pk>/donnees-de-patients/", purge_views.patient_data, name="patient_data"),
    path("verification/preuves/<uuid:pk>/analyser/", scan_views.scan_again, name="scan_again"),
    path("verification/signalements/", purge_views.reports, name="reports"),
    path("verification/signalements/<int:pk>/ecarter/", purge_views.dismiss_report, name="dismiss_report"),
    path("verification/conteneurs/", container_views.containers, name="containers"),
    path("verification/conteneurs/remplacements/", container_views.reissues, name="reissues"),
    path("candidatures/<slug:reference>/depots/", upload_views.start_upload, name="start_upload"),
    path("depots/<uuid:pk>/parties/<int:rank>/", upload_views.receive_part, name="receive_part"),
    path("depots/<uuid:pk>/terminer/", upload_views.finish_upload, name="finish_upload"),
    path("depots/<uuid:pk>/abandonner/", upload_views.give_up, name="give_up"),
]
