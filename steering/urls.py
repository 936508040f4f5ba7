from django.urls import path

from steering import public, views

app_name = "steering"

urlpatterns = [
    path("verification/pilotage/", views.overview, name="overview"),
    path("verification/pilotage/<slug:name>.csv", views.download, name="download"),
    path("chiffres/", public.publications, name="publications"),
    path("chiffres/<slug:slug>/", public.publication, name="publication"),
    path("chiffres/<slug:slug>/<slug:name>.csv", public.download_published, name="download_published"),
]
