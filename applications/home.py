"""The home page: three doors, and the domains in which a candidature may be started today."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.shortcuts import render

from applications.models import Domain
from ecare.clock import paris_day


@login_not_required
def home(request):
    domains = Domain.objects.open(paris_day(request.arrived_at))
    return render(request, "ecare/home.html", {"domains": domains, "vendor_url": settings.VENDOR_URL})
