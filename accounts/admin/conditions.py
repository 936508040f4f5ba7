"""The terms of use: written, read as everybody will, published on a day, frozen; and who accepted which."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Subquery
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import terms
from accounts.forms import TermsForm
from accounts.models import Terms, TermsAcceptance
from accounts.workshop_forms import PublishTermsForm, TermsTextForm
from ecare.admin_site import OfferedFilters, ReadOnlyAdmin
from ecare.french import paris_date, paris_datetime


@admin.register(Terms)
class TermsAdmin(OfferedFilters, admin.ModelAdmin):
    """Written, read as everybody will, published on a day, then frozen: people accepted these very words."""

    form = TermsTextForm
    actions = None
    list_display = ("version", "situation", "accepted_by")
    change_form_template = "admin/accounts/terms/change_form.html"

    def get_urls(self):
        pages = [("apercu", self.preview, "preview"), ("publier", self.publish, "publish")]
        pages.append(("version-suivante", self.duplicate, "duplicate"))
        urls = [
            path(f"<int:pk>/{address}/", self.admin_site.admin_view(view), name=f"accounts_terms_{name}")
            for address, view, name in pages
        ]
        return [*urls, *super().get_urls()]

    def get_queryset(self, request):
        in_force = Terms.objects.published().values("pk")[:1]
        return super().get_queryset(request).annotate(in_force=Subquery(in_force), accepted=Count("acceptances"))

    @admin.display(description="situation")
    def situation(self, version):
        if version.published_at is None:
            return "En préparation"
        if version.published_at > timezone.now():
            return f"Publiée, en vigueur à partir du {paris_datetime(version.published_at)}"
        day = paris_date(version.published_at)
        return f"En vigueur depuis le {day}" if version.pk == version.in_force else f"Remplacée, publiée le {day}"

    @admin.display(description="acceptations")
    def accepted_by(self, version):
        return version.accepted

    def has_change_permission(self, request, obj=None):
        return (obj is None or obj.published_at is None) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request, obj=None):
        return obj is not None and obj.published_at is None and super().has_delete_permission(request, obj)

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        context |= {"show_save_and_add_another": False, "show_save_and_continue": False}
        if obj is not None:
            context |= {"situation": self.situation(obj), "accepted": obj.accepted}
        return super().render_change_form(request, context, add, change, form_url, obj)

    def save_model(self, request, obj, form, change):
        typed = {"version": obj.version, "text": obj.text, "by": request.user}
        if change:
            terms.save(obj, **typed)
        else:
            obj.pk = terms.begin(**typed).pk

    def delete_model(self, request, obj):
        terms.discard(obj, by=request.user)

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except terms.Refused as refusal:  # published since the page was shown
            messages.error(request, str(refusal))
            return HttpResponseRedirect(request.path)

    # --- its other pages ---
    def _one(self, request, pk: int) -> Terms:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return get_object_or_404(self.get_queryset(request), pk=pk)

    def _to_editor(self, version: Terms):
        return HttpResponseRedirect(reverse("admin:accounts_terms_change", args=[version.pk]))

    def preview(self, request, pk):
        return require_safe(self._preview)(request, self._one(request, pk))

    def _preview(self, request, version):
        """As everybody will read it, in the site's own look."""
        editor, is_draft = reverse("admin:accounts_terms_change", args=[version.pk]), version.published_at is None
        version.published_at = version.published_at or request.arrived_at
        context = {"terms": version, "is_draft": is_draft, "form": TermsForm(), "editor": editor}
        return render(request, "accounts/terms_preview.html", context)

    def publish(self, request, pk):
        return require_http_methods(["GET", "HEAD", "POST"])(self._publish)(request, self._one(request, pk))

    def _publish(self, request, version):
        form = PublishTermsForm(version, request.POST or None, at=request.arrived_at)
        try:
            if version.published_at is not None:
                raise terms.Refused(terms.FROZEN)
            if form.is_valid():
                mark = request.POST.get("mark", "")
                terms.publish(version, on=form.cleaned_data["on"], mark=mark, by=request.user, at=request.arrived_at)
                self.message_user(request, f"{version} : publiée et figée.", messages.SUCCESS)
                return self._to_editor(version)
        except terms.Refused as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            return self._to_editor(version)
        people = terms.who_will_accept()
        context = self.admin_site.each_context(request) | {
            "terms": version,
            "form": form,
            "mark": terms.mark_of(version),
            "people": people,
            "total": sum(row["number"] for row in people),
            "again": sum(row["again"] for row in people),
            "title": f"Publier les {version}",
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/accounts/terms/publish.html", context)

    def duplicate(self, request, pk):
        return require_POST(self._duplicate)(request, self._one(request, pk))

    def _duplicate(self, request, version):
        try:
            copy = terms.duplicate(version, by=request.user)
        except terms.Refused as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            return self._to_editor(version)
        self.message_user(request, f"{copy} : reprend le texte de la version {version.version}. Modifiez-le ici.")
        return self._to_editor(copy)


@admin.register(TermsAcceptance)
class TermsAcceptanceAdmin(ReadOnlyAdmin):
    list_display = ("user", "terms", "at")
    list_select_related = ("user", "terms")
    list_filter = ("terms",)
    search_fields = ("user__username", "user__email")
