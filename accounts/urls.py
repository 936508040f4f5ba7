from captcha.views import captcha_image
from django.contrib.auth.decorators import login_not_required
from django.urls import path, re_path
from django.views.decorators.cache import never_cache

from accounts.views import account, addresses, authentication, invitations, letters, registration, strength

app_name = "accounts"

urlpatterns = [
    path("inscription/", registration.register, name="register"),
    path("inscription/controle/", registration.challenge, name="challenge"),
    path("inscription/mot-de-passe/", strength.password_strength, name="password_strength"),
    path("inscription/etablissement/", registration.register_establishment, name="register_establishment"),
    path("inscription/etablissement/choix/", registration.choose_establishment, name="choose_establishment"),
    path("inscription/etablissement/entites/", registration.check_establishment, name="check_establishment"),
    path("inscription/recapitulatif/", registration.register_recap, name="register_recap"),
    path("inscription/fin/", registration.registered, name="registered"),
    path("activation/renvoyer/", registration.resend_activation, name="resend_activation"),
    path("activation/renvoyee/", registration.activation_resent, name="activation_resent"),
    re_path(r"^invitation/(?P<secret>[-\w]+)/$", invitations.accept_invitation, name="accept_invitation"),
    path("cgu/", account.terms, name="terms"),
    path("cgu/accepter/", account.accept_terms, name="accept_terms"),
    path("cgu/<str:version>/", account.terms_version, name="terms_version"),
    path("compte/", account.account, name="account"),
    path("compte/adresse/", addresses.change_email, name="change_email"),
    path("compte/adresse/annuler/", addresses.cancel_email_change, name="cancel_email_change"),
    re_path(
        r"^compte/adresse/confirmer/(?P<key>[-:\w]+)/$",
        never_cache(addresses.confirm_email_change),
        name="confirm_email_change",
    ),
    re_path(
        r"^compte/adresse/arreter/(?P<key>[-:\w]+)/$",
        never_cache(addresses.stop_email_correction),
        name="stop_email_correction",
    ),
    path("compte/sessions/fermer/", account.close_other_sessions, name="close_other_sessions"),
    path("compte/sessions/<slug:name>/fermer/", account.close_session, name="close_session"),
    path("compte/courriers/", letters.letters, name="letters"),
    path("compte/double-authentification/", authentication.overview, name="second_factor"),
    path("compte/double-authentification/activer/", authentication.enrol, name="enrol"),
    path("compte/double-authentification/activer/qr.svg", authentication.qr_code, name="qr_code"),
    path("compte/double-authentification/codes/", authentication.recovery_codes, name="recovery_codes"),
    path(
        "compte/double-authentification/codes/renouveler/",
        authentication.renew_recovery_codes,
        name="renew_recovery_codes",
    ),
    path("compte/double-authentification/desactiver/", authentication.remove, name="remove_second_factor"),
]

# Named as the library that draws the image expects.
captcha_urlpatterns = [
    path(
        "inscription/controle/<slug:key>/",
        login_not_required(never_cache(captcha_image)),
        {"scale": 1},
        name="captcha-image",
    )
]
