"""Under `/api/`. The addresses of the API take no slash at their end, as the systems that read them expect."""

from django.urls import path, re_path

from systems import views
from systems.api import ROOT, api
from systems.bearers import answered

app_name = "systems"


def _of_api():
    """Those that the API describes, each behind its door."""
    patterns, _, _ = api.urls
    for pattern in patterns:
        if pattern.callback and pattern.name != "api-root":
            yield path(f"{ROOT[1:]}{pattern.pattern}", answered(pattern.callback), name=pattern.name)


urlpatterns = [
    path("api/", views.documentation, name="documentation"),
    path(f"{ROOT[1:]}openapi.json", answered(views.openapi), name="openapi"),
    *_of_api(),
    re_path(f"^{ROOT[1:]}(?P<rest>.*)$", answered(views.nothing), name="nothing"),
]
