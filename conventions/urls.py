from django.urls import path

from conventions import views

app_name = "conventions"

urlpatterns = [
    path("candidatures/<slug:reference>/convention/", views.convention, name="convention"),
    path("candidatures/<slug:reference>/convention/a-signer/", views.to_sign, name="to_sign"),
    path("conventions/<int:pk>/exemplaire/", views.copy, name="copy"),
]
