from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from applications.home import home
from ecare import views
from ecare.health import health

handler400 = "ecare.views.bad_request"
handler403 = "ecare.views.permission_denied"
handler404 = "ecare.views.page_not_found"
handler500 = "ecare.views.server_error"

urlpatterns = [
    path("", home, name="home"),
    path("administration/", admin.site.urls),
    path("", include("applications.urls")),
    path("sante/", health, name="health"),
    path("inscription/agents/", views.page, {"template": "ecare/agents.html"}, name="agents"),
    path("mentions-legales/", views.page, {"template": "ecare/legal_notice.html"}, name="legal_notice"),
    path("donnees-personnelles/", views.page, {"template": "ecare/personal_data.html"}, name="personal_data"),
    path("accessibilite/", views.page, {"template": "ecare/accessibility.html"}, name="accessibility"),
    path("plan-du-site/", views.page, {"template": "ecare/sitemap.html"}, name="sitemap"),
    path("aide/", views.page, {"template": "ecare/help.html"}, name="help"),
]

if settings.EMBEDDED:
    urlpatterns += [path("boite-aux-lettres/", include("ecare.letters.urls"))]
