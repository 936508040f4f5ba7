from django.urls import path

from funding import views

app_name = "funding"

urlpatterns = [
    path("verification/enveloppes/", views.envelopes, name="envelopes"),
    path("verification/versements/", views.payments, name="payments"),
    path("verification/versements/versements.csv", views.payments_csv, name="payments_csv"),
    path("verification/versements/versements.xlsx", views.payments_xlsx, name="payments_xlsx"),
    path("verification/<slug:reference>/financement/", views.decide, name="decide"),
]
