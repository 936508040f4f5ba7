"""The administration, behind the one sign-in."""

from datetime import date

from django.conf import settings
from django.contrib.admin import AdminSite, ModelAdmin, SimpleListFilter, TabularInline, display
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import get_fields_from_path
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import DateField, DateTimeField, TextField
from django.db.models.constants import LOOKUP_SEP
from django.forms import CharField
from django.shortcuts import redirect, resolve_url
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString, mark_safe

from ecare.french import paris_date, paris_datetime

# What an administrator comes to do: title of the group; then label, one sentence, name of the address.
TASKS = [
    (
        "Domaines et formulaires",
        [
            (
                "Ouvrir un domaine",
                "Son calendrier, son enveloppe, son barème et qui peut candidater.",
                "admin:applications_domain_changelist",
            ),
            (
                "Préparer un formulaire",
                "Modifier les questions d’une étape, relire l’aperçu, publier la version suivante.",
                "admin:applications_formversion_changelist",
            ),
            (
                "Donner un modèle à remplir",
                "Le document qu’un espace de dépôt propose, version après version.",
                "admin:evidence_spacetemplate_changelist",
            ),
            (
                "Charger des conteneurs",
                "La réserve de conteneurs ZED de chaque objectif, et le chargement d’un lot.",
                "evidence:containers",
            ),
        ],
    ),
    (
        "Courriers et textes",
        [
            (
                "Relire un courrier",
                "Ce qui attend, ce qui est parti, ce qui a échoué ; renvoyer ou annuler.",
                "admin:letters_letter_changelist",
            ),
            (
                "Modifier le texte d’un courrier",
                "Son objet et ses phrases ; relire, s’envoyer un essai, mettre en service.",
                "admin:letters_lettertext_changelist",
            ),
            (
                "Publier des CGU",
                "Une nouvelle version est demandée à chacun à sa prochaine connexion.",
                "admin:accounts_terms_changelist",
            ),
        ],
    ),
    (
        "Personnes et établissements",
        [
            (
                "Inviter un agent",
                "Une ARS, l’ANS ou un administrateur ouvre son compte depuis le lien reçu.",
                "admin:accounts_invitation_changelist",
            ),
            (
                "Trouver une personne",
                "Son rôle, son établissement, ses régions ; désactiver un compte.",
                "admin:accounts_user_changelist",
            ),
            (
                "Mettre à jour le répertoire",
                "Charger les extraits FINESS et la liste des GHT, d’abord à blanc.",
                "admin:establishments_importrequest_changelist",
            ),
            (
                "Chercher un établissement",
                "Ceux qui peuvent candidater, par nom, ville, FINESS ou code GHT.",
                "admin:establishments_establishment_changelist",
            ),
        ],
    ),
    (
        "Systèmes de l’État",
        [
            (
                "Enregistrer un système",
                "Qui lit eCaRE par une machine, pourquoi, et qui en répond.",
                "admin:systems_system_changelist",
            ),
            (
                "Émettre un jeton",
                "Ce qu’il ouvre, dans quels domaines et régions, jusqu’à quand ; le révoquer.",
                "admin:systems_token_changelist",
            ),
            (
                "Voir qui lit combien",
                "Les lectures et les refus de chaque jeton, jour par jour.",
                "admin:systems_usage_changelist",
            ),
            (
                "Prévenir un système",
                "Ses abonnements : adresse, événements demandés, secret ; essayer, suspendre, rejouer.",
                "admin:webhooks_subscription_changelist",
            ),
            (
                "Relire les notifications",
                "Ce qui est parti, ce qui attend, ce qui a échoué et pourquoi ; envoyer de nouveau.",
                "admin:webhooks_delivery_changelist",
            ),
        ],
    ),
    (
        "Suivi",
        [
            (
                "Consulter un dossier",
                "Son état et ses envois, sans ses réponses ni ses preuves.",
                "admin:applications_application_changelist",
            ),
            (
                "Lire le journal",
                "Qui a fait quoi et quand ; vérifier qu’aucune écriture n’a été modifiée.",
                "admin:journal_entry_changelist",
            ),
        ],
    ),
]


class LinesField(CharField):
    """A browser ends lines as the wire does: what was only read would not be what is kept."""

    def to_python(self, value):
        return super().to_python(value).replace("\r\n", "\n")


class InFrench:
    """What Django writes by itself, as the house writes it: dates of lists, apostrophes of messages, ends of lines."""

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        if isinstance(db_field, TextField):
            kwargs.setdefault("form_class", LinesField)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_list_display(self, request):
        fields = {field.name: field for field in self.model._meta.fields if isinstance(field, DateField)}
        return [_dated(fields[one]) if one in fields else one for one in super().get_list_display(request)]

    def message_user(self, request, message, *args, **options):
        told = str(message).replace("'", "’").replace("&#x27;", "’")
        kept = mark_safe(told) if isinstance(message, SafeString) else told  # as safe as it was
        super().message_user(request, kept, *args, **options)


def _dated(field: DateField):
    written = paris_datetime if isinstance(field, DateTimeField) else paris_date

    def shown(row):
        return written(getattr(row, field.name)) or None

    shown.__name__ = field.name
    return display(description=field.verbose_name, ordering=field.name)(shown)


class EcareAdminSite(AdminSite):
    """Open to staff whose session passed the second step; it has neither sign-in nor password form of its own."""

    site_header = site_title = "Administration eCaRE"
    index_title = "Atelier"
    enable_nav_sidebar = False  # the first page leads everywhere; lists need the room
    site_url = None  # « Voir le site » would say of the portal that it is another one

    def register(self, model_or_iterable, admin_class=None, **options):
        """Every page, also those of the libraries, is read in French."""
        page = admin_class or ModelAdmin
        super().register(model_or_iterable, type(page.__name__, (InFrench, page), {}), **options)

    def index(self, request, extra_context=None):
        tasks = [
            {
                "title": title,
                "tasks": [
                    {"label": label, "sentence": sentence, "address": reverse(name)} for label, sentence, name in rows
                ],
            }
            for title, rows in TASKS
        ]
        return super().index(request, {"tasks": tasks, **(extra_context or {})})

    def has_permission(self, request):
        return super().has_permission(request) and request.user.is_verified()

    @method_decorator(login_not_required)
    def login(self, request, extra_context=None):
        wanted = request.GET.get(REDIRECT_FIELD_NAME, "")
        if not url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
            wanted = reverse("admin:index", current_app=self.name)
        if self.has_permission(request):
            return redirect(wanted)
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(wanted, resolve_url(settings.LOGIN_URL))

    def password_change(self, request, extra_context=None):
        return redirect("account_change_password")

    def password_change_done(self, request, extra_context=None):
        return redirect("accounts:account")


class ReadOnly:
    """Open to whoever may enter the administration, and to nobody's pen."""

    def has_module_permission(self, request):
        return request.user.is_staff

    def has_view_permission(self, request, obj=None):
        return request.user.is_staff

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


class OfferedFilters:
    """An address filters in the very words that the list itself links to, and in no others.

    Django lets it name any column: whoever asks `?password__startswith=…` or `?content__contains=…` often enough
    reads, letter by letter, what no page shows. An offered column opens no way further either:
    `?regions__agents__password__startswith=…` begins like a filter and ends in another table. Every list of ours is
    one of these; the tests ask each.
    """

    def lookup_allowed(self, lookup, value, request):
        return _can_be_asked(str(value)) and any(lookup in self._words_of(one) for one in self.get_list_filter(request))

    def _words_of(self, offered) -> set[str]:
        """What Django's own filter of this column writes into an address."""
        if isinstance(offered, type) and issubclass(offered, SimpleListFilter):
            return {str(offered.parameter_name)}
        name = offered[0] if isinstance(offered, list | tuple) else offered
        field = get_fields_from_path(self.model, name)[-1]
        if field.is_relation:
            endings = [f"{field.target_field.name}{LOOKUP_SEP}exact", "isnull"]
        elif isinstance(field, DateField):
            endings = ["gte", "lt", "isnull"]
        else:
            endings = ["exact", "isnull"]
        words = {f"{name}{LOOKUP_SEP}{ending}" for ending in endings}
        return words if field.is_relation else words | {name}


def _can_be_asked(value: str) -> bool:
    """Neither NUL, which a database refuses, nor a day at either end of the calendar, which has no hour in UTC."""
    try:
        day = parse_datetime(value) or parse_date(value)
    except ValueError:  # Django says so
        day = None
    return "\0" not in value and (day is None or date.min.year < day.year < date.max.year)


class Confirmed:
    """Actions that say what they do and to whom they write, and do it once that was confirmed."""

    def confirm(self, request, queryset, *, title, says, asks_why=False):
        """The page that asks, also for a reason; None once the answer was yes."""
        if "confirmed" in request.POST and (not asks_why or request.POST.get("reason", "").strip()):
            return None
        back = request.get_full_path()
        return self.ask(request, queryset, title=title, says=says, back=back, asks_why=asks_why)

    def ask(self, request, queryset, *, title, says, back, asks_why=False):
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "says": says,
            "concerned": [self.name_of(one) for one in queryset],
            "queryset": queryset,
            "action": request.POST.get("action", ""),
            "checkbox_name": ACTION_CHECKBOX_NAME,
            "back": back,
            "asks_why": asks_why,
            "lacks_reason": "confirmed" in request.POST,
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/confirm.html", context)

    def name_of(self, one) -> str:
        return str(one)


class ReadOnlyAdmin(OfferedFilters, ReadOnly, ModelAdmin):
    show_full_result_count = False
    list_per_page = 50


class ReadOnlyInline(ReadOnly, TabularInline):
    extra = 0
    show_change_link = True


class MatchingSearch:
    """Searches as the site does: by the queryset's own `matching`, accents and case forgiven."""

    search_fields = ["pk"]  # shows the field to type in; which columns are looked into, `matching` says

    def get_search_results(self, request, queryset, search_term):
        return queryset.matching(search_term), False
