"""The steps of a sign-in after the password: the code mailed to the person, bound to this very attempt, then the
code of their application for whoever enrolled one."""

from allauth.account.stages import LoginStage
from allauth.core import ratelimit
from allauth.core.internal.httpkit import headed_redirect_response
from django.contrib import messages

from accounts import actions
from accounts.models import SignInCode


class SignInCodeStage(LoginStage):
    key = "sign_in_code"
    urlname = "account_sign_in_code"

    def handle(self):
        user = self.login.user
        if user is None:
            return None, False
        if not ratelimit.consume(self.request, action="sign_in_code", key=str(user.pk)):
            messages.error(self.request, "Trop de codes demandés pour ce compte. Patientez quinze minutes.")
            return headed_redirect_response("account_login"), False
        self.request.session.cycle_key()
        self.state["attempt"] = actions.open_sign_in(user).pk
        return headed_redirect_response(self.urlname), True

    @property
    def attempt(self) -> SignInCode | None:
        """The attempt that this session began; None once a password change closed it."""
        return SignInCode.objects.filter(pk=self.state.get("attempt"), user=self.login.user).first()

    @property
    def identifier(self) -> str:
        """What the person typed: shown again, and nothing that the code has not yet opened."""
        return self.login.state.get("identifier", "")


class SecondFactorStage(LoginStage):
    key = "second_factor"
    urlname = "account_second_factor"

    def handle(self):
        if self.login.user.second_factor_since is None:
            return None, True
        self.request.session.cycle_key()
        return headed_redirect_response(self.urlname), True

    @property
    def attempt(self) -> SignInCode | None:
        """The attempt whose mailed code was given; None once a password change or a reset closed it."""
        found = self.controller.get_stage(SignInCodeStage.key).attempt
        return found if found and found.given_at and not found.confirmed else None
