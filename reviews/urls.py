from django.urls import path

from reviews import desk, extending, queue, requests, signing, views

app_name = "reviews"

urlpatterns = [
    path("verification/", queue.queue, name="queue"),
    path("verification/attribuer/", queue.assign, name="assign"),
    path("verification/vues/enregistrer/", queue.save_view, name="save_view"),
    path("verification/vues/<int:pk>/supprimer/", queue.forget_view, name="forget_view"),
    path("verification/phrases/", desk.phrases, name="phrases"),
    path("verification/phrases/nouvelle/", desk.edit_phrase, name="add_phrase"),
    path("verification/phrases/<int:pk>/", desk.edit_phrase, name="edit_phrase"),
    path("verification/phrases/<int:pk>/supprimer/", desk.remove_phrase, name="remove_phrase"),
    path("verification/demandes/", requests.requests, name="requests"),
    path("verification/demandes/reprises/<int:pk>/accepter/", requests.accept_take_over, name="accept_take_over"),
    path("verification/demandes/reprises/<int:pk>/refuser/", requests.refuse_take_over, name="refuse_take_over"),
    path(
        "verification/demandes/coordonnees-bancaires/<int:pk>/confirmer/",
        requests.confirm_bank_details,
        name="confirm_bank_details",
    ),
    path(
        "verification/demandes/coordonnees-bancaires/<int:pk>/refuser/",
        requests.refuse_bank_details,
        name="refuse_bank_details",
    ),
    path("verification/prolongations/", extending.extensions, name="extensions"),
    path("verification/prolongations/etablissements/", extending.find_establishment, name="find_establishment"),
    path("verification/prolongations/etablissements/<int:pk>/", extending.extensions_of, name="extensions_of"),
    path(
        "verification/prolongations/etablissements/<int:pk>/<slug:slug>/<slug:step>/",
        extending.give_extension,
        name="give_extension",
    ),
    path("verification/prolongations/<int:pk>/retirer/", extending.withdraw_extension, name="withdraw_extension"),
    path("verification/<slug:reference>/", views.dossier, name="dossier"),
    path("verification/<slug:reference>/examiner/", desk.claim, name="claim"),
    path("verification/<slug:reference>/liberer/", desk.release, name="release"),
    path("verification/<slug:reference>/pieces/", desk.pieces, name="pieces"),
    path("verification/<slug:reference>/notes/ajouter/", desk.add_note, name="add_note"),
    path("verification/<slug:reference>/notes/<int:pk>/supprimer/", desk.remove_note, name="remove_note"),
    path("verification/<slug:reference>/avis/demander/", desk.ask_opinion, name="ask_opinion"),
    path("verification/<slug:reference>/avis/<int:pk>/", desk.give_opinion, name="give_opinion"),
    path("verification/<slug:reference>/courriers/<uuid:pk>/renvoyer/", desk.resend_letter, name="resend_letter"),
    path("verification/<slug:reference>/convention/", views.convention, name="convention"),
    path("verification/<slug:reference>/accepter/", views.accept, name="accept"),
    path("verification/<slug:reference>/demander-une-modification/", views.request_changes, name="request_changes"),
    path("verification/<slug:reference>/rejeter/", views.reject, name="reject"),
    path("verification/<slug:reference>/remettre-a-l-examen/", views.reopen, name="reopen"),
    path("verification/<slug:reference>/renvoyer-a-l-ars/", views.send_back, name="send_back"),
    path("verification/<slug:reference>/signer-la-convention/", views.sign_convention, name="sign_convention"),
    path("verification/<slug:reference>/refuser-l-exemplaire/", signing.refuse_copy, name="refuse_copy"),
    path("verification/<slug:reference>/enregistrer-le-versement/", views.record_payment, name="record_payment"),
    path("verification/<slug:reference>/abandonner/", views.abandon, name="abandon"),
]
