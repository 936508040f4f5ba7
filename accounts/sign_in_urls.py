"""Those of allauth's pages that we want, under the names that allauth gives them."""

from allauth.account import views as allauth_views
from django.contrib.auth.decorators import login_not_required
from django.urls import path, re_path
from django.views.decorators.cache import never_cache
from django.views.generic import RedirectView

from accounts.urls import captcha_urlpatterns
from accounts.views import sign_in

urlpatterns = [
    *captcha_urlpatterns,
    path("connexion/", allauth_views.login, name="account_login"),
    path("connexion/code/", sign_in.sign_in_code, name="account_sign_in_code"),
    path("connexion/double-authentification/", sign_in.sign_in_second_factor, name="account_second_factor"),
    path("connexion/compte-desactive/", allauth_views.account_inactive, name="account_inactive"),
    path("deconnexion/", allauth_views.logout, name="account_logout"),
    path(
        "inscription/nouvelle/",
        login_not_required(RedirectView.as_view(pattern_name="accounts:register")),
        name="account_signup",
    ),
    path(
        "activation/a-faire/",
        login_not_required(RedirectView.as_view(pattern_name="accounts:resend_activation")),
        name="account_email_verification_sent",
    ),
    re_path(
        r"^activation/(?P<key>[-:\w]+)/$", never_cache(sign_in.ActivationView.as_view()), name="account_confirm_email"
    ),
    path("compte/mot-de-passe/", allauth_views.password_change, name="account_change_password"),
    path("mot-de-passe/", sign_in.RequestPasswordView.as_view(), name="account_reset_password"),
    path("mot-de-passe/demande/", allauth_views.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^mot-de-passe/nouveau/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        never_cache(allauth_views.password_reset_from_key),
        name="account_reset_password_from_key",
    ),
    path(
        "mot-de-passe/change/",
        allauth_views.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
]
