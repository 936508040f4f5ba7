"""The administration, behind the one sign-in."""

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.shortcuts import resolve_url


class EcareAdminSite(AdminSite):
    """Open to staff whose session passed the second step; it has no sign-in form of its own."""

    site_header = site_title = "Administration eCaRE"
    index_title = "Atelier"

    def has_permission(self, request):
        return super().has_permission(request) and request.user.is_verified()

    def login(self, request, extra_context=None):
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(request.get_full_path(), resolve_url(settings.LOGIN_URL))
