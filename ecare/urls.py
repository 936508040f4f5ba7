from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from applications import public
from applications.home import home
from ecare import views
from ecare.guides import GUIDES
from ecare.health import alive, health
from ecare.metrics import metrics

handler400 = "ecare.views.bad_request"
handler403 = "ecare.views.permission_denied"
handler404 = "ecare.views.page_not_found"
handler500 = "ecare.views.server_error"


def _page(address, name, title):
    return path(address, views.page, {"template": f"ecare/{name}.html", "title": title}, name=name)


def _guide(one):
    view = views.guide if one.roles else views.open_guide
    return path(f"aide/guides/{one.slug}/", view, {"slug": one.slug}, name=one.name)


urlpatterns = [
    path("", home, name="home"),
    path("administration/", admin.site.urls),
    path("", include("accounts.urls")),
    path("", include("accounts.sign_in_urls")),
    path("", include("systems.urls")),
    path("", include("applications.urls")),
    path("", include("evidence.urls")),
    path("", include("steering.urls")),  # before the dossiers, whose addresses take any word
    path("", include("conventions.urls")),
    path("", include("funding.urls")),
    path("", include("exports.urls")),  # likewise
    path("", include("reviews.urls")),
    path("eligibilite/", public.eligibility_search, name="eligibility"),
    path("eligibilite/<slug:number>/", public.eligibility_of, name="eligibility_of"),
    path("preparer/", public.preparations, name="preparations"),
    path("preparer/<slug:slug>/", public.preparation, name="preparation"),
    path("sante/", health, name="health"),
    path("sante/vivant/", alive, name="alive"),
    path("metriques/", metrics, name="metrics"),
    _page("inscription/agents/", "agents", "Inscription des ARS et des GRADeS"),
    _page("mentions-legales/", "legal_notice", "Mentions légales"),
    path("donnees-personnelles/", views.personal_data, name="personal_data"),
    _page("accessibilite/", "accessibility", "Accessibilité"),
    _page("plan-du-site/", "sitemap", "Plan du site"),
    path("aide/", views.help_page, name="help"),
    *(_guide(one) for one in GUIDES),
]

if settings.EMBEDDED:
    urlpatterns += [path("boite-aux-lettres/", include("ecare.letters.urls"))]
