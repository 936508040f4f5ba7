from django.urls import path

from applications import answering, contacts, transfers, views

app_name = "applications"

urlpatterns = [
    path("tableau-de-bord/", views.dashboard, name="dashboard"),
    path("candidatures/nouvelle/", views.start, name="start"),
    path("candidatures/reprises/", transfers.take_overs, name="take_overs"),
    path("candidatures/reprises/<slug:reference>/", transfers.request_take_over, name="request_take_over"),
    path("compte/collaborateurs/<int:pk>/transferer/", transfers.transfer, name="transfer"),
    path("candidatures/<slug:reference>/", answering.detail, name="detail"),
    path("candidatures/<slug:reference>/reponses/<slug:key>/", answering.answer, name="answer"),
    path("candidatures/<slug:reference>/formulaire-de-candidature/", views.step, name="step"),
    path("candidatures/<slug:reference>/recapitulatif/", views.recap, name="recap"),
    path("candidatures/<slug:reference>/transmettre/", views.submit, name="submit"),
    path("candidatures/<slug:reference>/transmise/", views.submitted, name="submitted"),
    path("candidatures/<slug:reference>/accuses/<slug:step>/<int:number>/", views.receipt, name="receipt"),
    path("candidatures/<slug:reference>/historique/", views.history, name="history"),
    path("candidatures/<slug:reference>/retirer/", views.withdraw, name="withdraw"),
    path("candidatures/<slug:reference>/contacts/", contacts.contacts, name="contacts"),
    path("candidatures/<slug:reference>/contacts/<slug:role>/", contacts.update_contact, name="update_contact"),
]
