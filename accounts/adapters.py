"""Where allauth asks for our ways: letters through the outbox, our stages, limits that lock no owner out."""

from allauth.account.adapter import DefaultAccountAdapter
from django.urls import reverse

from accounts import actions
from accounts.models import User
from accounts.passwords import NOT_THE_PRESENT_ONE

UNKNOWN = (
    "Identifiant ou mot de passe incorrect, ou compte pas encore activé. Vérifiez votre saisie. Sinon, choisissez un "
    "nouveau mot de passe, ou demandez un nouveau lien d’activation : les liens sont plus bas."
)

SENTENCES = {
    "account/messages/password_changed.txt": "Votre mot de passe est changé. Vos autres sessions sont fermées.",
    "account/messages/logged_out.txt": "Vous êtes déconnecté.",
}


class AccountAdapter(DefaultAccountAdapter):
    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": UNKNOWN,
        "email_password_mismatch": UNKNOWN,
        "too_many_login_attempts": "Trop d’essais. Patientez cinq minutes avant de réessayer.",
        "enter_current_password": NOT_THE_PRESENT_ONE,
    }

    # --- signing in ---------------------------------------------------------------------------------------
    def get_login_stages(self):
        return [
            "allauth.account.stages.EmailVerificationStage",
            "accounts.stages.SignInCodeStage",
            "accounts.stages.SecondFactorStage",
        ]

    def get_login_redirect_url(self, request):
        home = {
            User.Role.REFERENT: "applications:dashboard",
            User.Role.ARS: "reviews:queue",
            User.Role.ANS: "reviews:queue",
            User.Role.ADMINISTRATOR: "admin:index",
        }
        return reverse(home[request.user.role])

    def _get_login_attempts_cache_key(self, request, **credentials):
        """One budget per name typed, however spelled, and address: a stranger elsewhere locks nobody out.

        The user name and the e-mail of a person have a budget each: a common one would tell that they belong together,
        and so that the e-mail has an account.
        """
        typed = (credentials.get("email") or credentials.get("username") or "").strip()
        return f"{typed.upper().casefold()}@{self.get_client_ip(request)}"  # upper: as the database compares

    # --- activation and password ----------------------------------------------------------------------------
    def confirm_email(self, request, email_address):
        return actions.activate(email_address)

    def get_email_verification_redirect_url(self, email_address):
        return reverse("account_login")

    def set_password(self, user, password):
        actions.change_password(user, password)

    def get_password_change_redirect_url(self, request):
        return reverse("accounts:account")

    # --- letters: each is written by the verb that causes it -----------------------------------------------
    def send_mail(self, template_prefix, email, context):
        raise RuntimeError(f"{template_prefix}: letters leave through the outbox, from accounts.actions.")

    def send_notification_mail(self, template_prefix, user, context=None, email=None):
        """Nothing: `change_password` has written its letter."""

    def send_confirmation_mail(self, request, emailconfirmation, signup):
        actions.resend_activation(emailconfirmation.email_address.email)

    def add_message(self, request, level, message_template=None, message_context=None, extra_tags="", message=None):
        """In our words, or not at all: allauth's ready-made sentences are not shown."""
        message = message or SENTENCES.get(message_template)
        if message:
            super().add_message(request, level, message=message, extra_tags=extra_tags)
