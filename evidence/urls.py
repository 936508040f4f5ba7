from django.urls import path

from evidence import upload_views, views

app_name = "evidence"

urlpatterns = [
    path("candidatures/<slug:reference>/preuves/", views.add, name="add"),
    path("modeles/<int:pk>/", views.template, name="template"),
    path("preuves/<uuid:pk>/", views.download, name="download"),
    path("preuves/<uuid:pk>/apercu/", views.preview, name="preview"),
    path("preuves/<uuid:pk>/retirer/", views.remove, name="remove"),
    path("preuves/<uuid:pk>/remplacer/", upload_views.replace, name="replace"),
]
