"""The register of the vault, to look at: names, sizes, digests; never a file."""

from django import forms
from django.contrib import admin, messages
from django.utils import timezone

from applications.actions import NotNow
from ecare.admin_site import Confirmed, OfferedFilters, ReadOnlyAdmin
from ecare.receiving import receives
from evidence import files, scanning, scans
from evidence.models import Container, PatientDataReport, SpaceTemplate, StoredFile
from evidence.space_templates import FORMATS, MAX_BYTES, asks_for, publish_template


@admin.register(StoredFile)
class StoredFileAdmin(Confirmed, ReadOnlyAdmin):
    actions = ["scan_selection"]
    list_display = ["name", "size", "scan", "scan_found", "scanned_at", "created_at", "created_by", "sha256"]
    list_filter = ["scan"]
    list_select_related = ["created_by"]
    search_fields = ["name", "sha256"]
    fields = [
        "name",
        "size",
        "media_type",
        "sha256",
        "scan",
        "scan_found",
        "scanned_at",
        "scan_after",
        "scan_attempts",
        "key_name",
        "created_at",
        "created_by",
    ]

    @admin.action(description="Demander une nouvelle analyse")
    def scan_selection(self, request, queryset):
        found = StoredFile.objects.filter(pk__in=list(queryset.values_list("pk", flat=True)))
        if "confirmed" not in request.POST:
            return self.confirm(request, found, title="Demander une nouvelle analyse", says=SCANNED_AGAIN)
        try:
            for file in found:
                scans.scan_again(file, by=request.user, at=request.arrived_at)
        except NotNow as refused:
            self.message_user(request, str(refused), messages.ERROR)
        else:
            self.message_user(request, "L’antivirus analysera ces fichiers à leur tour.")
        return None

    def name_of(self, file):
        return str(file)


SCANNED_AGAIN = (
    "L’antivirus analysera ces fichiers à leur tour. D’ici là, ceux qui se lisent restent lisibles, ceux qui sont en "
    "quarantaine y restent."
)


class SpaceTemplateForm(forms.ModelForm):
    upload = forms.FileField(label="Fichier", help_text="docx, xlsx ou pdf, 10 Mo au plus.")

    class Meta:
        model = SpaceTemplate
        fields = ["domain", "question", "title"]

    def clean_upload(self):
        try:
            files.check(self.cleaned_data["upload"], formats=FORMATS, max_bytes=MAX_BYTES)
        except files.Refused as refusal:
            raise forms.ValidationError(str(refusal)) from None
        if fault := scanning.fault_of(self.cleaned_data["upload"]):
            raise forms.ValidationError(fault)
        return self.cleaned_data["upload"]

    def clean(self):
        domain, question = self.cleaned_data.get("domain"), self.cleaned_data.get("question")
        if domain and question and not asks_for(domain, question):
            self.add_error("question", "Aucun espace de dépôt de ce domaine ne porte cette clé.")


@admin.register(SpaceTemplate)
class SpaceTemplateAdmin(OfferedFilters, admin.ModelAdmin):
    """A new version is added; none is changed or taken away."""

    form = SpaceTemplateForm
    list_display = ["title", "domain", "question", "number", "name", "size", "published_at"]
    list_filter = ["domain"]
    list_select_related = ["domain"]
    fields = ["domain", "question", "title", "upload"]

    def get_queryset(self, request):
        return super().get_queryset(request).defer("content")

    def get_fields(self, request, obj=None):
        kept = ["number", "name", "size", "sha256", "published_at", "published_by"]
        return [*self.fields[:3], *kept] if obj else self.fields

    @receives("administrator", upload=MAX_BYTES)
    def add_view(self, *args, **kwargs):
        return super().add_view(*args, **kwargs)

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def save_model(self, request, obj, form, change):
        typed = form.cleaned_data
        published = publish_template(
            typed["domain"],
            typed["question"],
            title=typed["title"],
            upload=typed["upload"],
            by=request.user,
            at=timezone.now(),
        )
        same = SpaceTemplate.objects.filter(domain=typed["domain"], question=typed["question"])
        kept = published or same.order_by("-number").first()
        obj.pk, obj.number = kept.pk, kept.number


@admin.register(Container)
class ContainerAdmin(ReadOnlyAdmin):
    """The pool, to look at: a container's credentials are its référent's alone."""

    list_display = [
        "file",
        "domain",
        "objective",
        "application",
        "loaded_at",
        "drawn_at",
        "activated_at",
        "superseded_at",
    ]
    list_filter = ["domain", "objective", "activated_at"]
    list_select_related = ["file", "domain", "application"]
    search_fields = ["file__name", "sha256", "application__reference"]
    fields = [
        "file",
        "domain",
        "objective",
        "sha256",
        "application",
        "loaded_at",
        "drawn_at",
        "activated_at",
        "superseded_at",
        "reissue_reason",
        "reissued_by",
    ]


@admin.register(PatientDataReport)
class PatientDataReportAdmin(ReadOnlyAdmin):
    """To look at: the ANS decides on its own pages."""

    list_display = ["evidence", "by", "at", "state", "decided_by", "decided_at"]
    list_filter = ["state"]
    list_select_related = ["evidence", "by", "decided_by"]
    search_fields = ["evidence__application__reference"]
    fields = ["by", "at", "reason", "state", "decided_by", "decided_at", "message"]
