"""The home page: three doors, and what may be started or declared today."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.shortcuts import render

from applications.models import Domain
from applications.rules import Window, calendar


@login_not_required
def home(request):
    calendars = [calendar(domain, request.arrived_at) for domain in Domain.objects.all()]
    context = {
        "open": [c for c in calendars if c.candidatures == Window.OPEN],
        "to_come": [c for c in calendars if c.candidatures == Window.BEFORE],
        "declaring": [c for c in calendars if c.declarations == Window.OPEN],
        "vendor_sign_in_url": settings.VENDOR_SIGN_IN_URL,
        "vendor_registration_url": settings.VENDOR_REGISTRATION_URL,
    }
    return render(request, "ecare/home.html", context)
