import json

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.http import urlencode

from ecare.admin_site import ReadOnlyAdmin
from ecare.journal import files, rules, words
from ecare.journal.actions import broken_links
from ecare.journal.models import Anchor, Chain, Entry


class SubjectFilter(admin.SimpleListFilter):
    title, parameter_name = "objet", "objet"

    def lookups(self, request, model_admin):
        return list(words.SUBJECTS.items())

    def queryset(self, request, queryset):
        return queryset.filter(subject__startswith=self.value()) if self.value() in words.SUBJECTS else queryset


class VerbFilter(admin.SimpleListFilter):
    title, parameter_name = "action", "verb__exact"

    def lookups(self, request, model_admin):
        return sorted(words.VERBS.items(), key=lambda pair: pair[1].casefold())

    def queryset(self, request, queryset):
        return queryset.filter(verb=self.value()) if self.value() else queryset


class ActorFilter(admin.SimpleListFilter):
    title, parameter_name = "auteur", "auteur"

    def lookups(self, request, model_admin):
        return [("personne", "Une personne"), ("ecare", "eCaRE lui-même")]

    def queryset(self, request, queryset):
        if self.value() == "personne":
            return queryset.exclude(actor="system")
        return queryset.filter(actor="system") if self.value() == "ecare" else queryset


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    """The history, to read; each chain is verified on its own page."""

    actions = None
    list_display = ["at", "about", "sequence", "done", "by", "before", "after", "chain"]
    list_filter = [SubjectFilter, ActorFilter, VerbFilter, "at"]
    readonly_fields = ["about", "done", "by", "before", "after", "said", "told"]
    fields = ["about", "sequence", "at", "done", "by", "before", "after", "said", "told"]
    fields += ["subject", "verb", "actor", "previous", "digest"]
    search_fields = ["subject", "actor_label"]
    ordering = ["-at"]

    def get_urls(self):
        view = self.admin_site.admin_view(self.verify)
        return [path("verifier/", view, name="journal_entry_verify"), *super().get_urls()]

    @admin.display(description="données")
    def told(self, entry):
        """Without the name of a file that was purged since (ADR 26)."""
        ends = Entry.objects.filter(subject=entry.subject, verb__in=rules.verbs_that_forget())
        return json.dumps(rules.shown(entry.facts, {end.data.get("sha256") for end in ends}), ensure_ascii=False)

    @admin.display(description="nom de l’auteur", ordering="actor_label")
    def by(self, entry):
        """Unless their data were erased since (ADR 37)."""
        return entry.author

    @admin.display(description="message")
    def said(self, entry):
        return entry.words

    @admin.display(description="objet", ordering="subject")
    def about(self, entry):
        return words.subject(entry.subject)

    @admin.display(description="action", ordering="verb")
    def done(self, entry):
        return words.verb(entry.verb)

    @admin.display(description="état avant", ordering="from_state")
    def before(self, entry):
        return words.state(entry.from_state)

    @admin.display(description="état après", ordering="to_state")
    def after(self, entry):
        return words.state(entry.to_state)

    @admin.display(description="chaîne")
    def chain(self, entry):
        address = f"{reverse('admin:journal_entry_verify')}?{urlencode({'objet': entry.subject})}"
        return format_html(
            '<a href="{}">Vérifier<span class="visually-hidden"> la chaîne de {}</span></a>',
            address,
            words.subject(entry.subject),
        )

    def verify(self, request):
        """Whether the chain of `?objet=` was altered, shortened or inserted into; without one, what to do."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        subject = request.GET.get("objet", "").replace("\0", "")
        chain = Chain.objects.filter(subject=subject).first()
        if subject and chain is None and not Entry.objects.filter(subject=subject).exists():
            raise Http404
        context = self.admin_site.each_context(request) | {
            "title": "Vérifier une chaîne du journal",
            "subject": subject,
            "about": words.subject(subject),
            "chain": chain,
            "faults": list(broken_links(subject)) if subject else [],
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/journal/verify.html", context)


@admin.register(Anchor)
class AnchorAdmin(ReadOnlyAdmin):
    """The signed heads of each day, to be kept where nobody of the portal writes."""

    actions = None
    list_display = ["day", "at", "chains", "entries", "digest", "file"]
    fields = ["day", "at", "chains", "entries", "digest", "signature", "file"]
    readonly_fields = ["file"]
    ordering = ["-day"]

    def get_urls(self):
        view = self.admin_site.admin_view(self.download)
        return [path("<slug:pk>/telecharger/", view, name="journal_anchor_download"), *super().get_urls()]

    def get_queryset(self, request):
        return super().get_queryset(request).defer("content")

    @admin.display(description="fichier")
    def file(self, anchor):
        address = reverse("admin:journal_anchor_download", args=[anchor.pk])
        return format_html(
            '<a href="{}">Télécharger<span class="visually-hidden"> le relevé du {}</span></a>', address, anchor
        )

    def download(self, request, pk):
        if not self.has_view_permission(request):
            raise PermissionDenied
        if not pk.isdecimal():
            raise Http404
        anchor = get_object_or_404(Anchor, pk=pk)
        named = {"Content-Disposition": f'attachment; filename="{files.name_of(anchor)}"'}
        return HttpResponse(files.as_text(anchor), content_type="application/json", headers=named)
