"""The articles of the conventions, domain by domain; the copies to look at, never their files."""

from django import forms
from django.contrib import admin

from conventions.models import ConventionText, SignedCopy
from conventions.readers import faults_of
from ecare.admin_site import OfferedFilters, ReadOnlyAdmin


class ConventionTextForm(forms.ModelForm):
    class Meta:
        model = ConventionText
        fields = ["domain", "text", "is_official"]
        widgets = {"text": forms.Textarea(attrs={"rows": 40, "cols": 100})}

    def clean_text(self):
        for fault in faults_of(self.cleaned_data["text"]):
            raise forms.ValidationError(fault)
        return self.cleaned_data["text"]


@admin.register(ConventionText)
class ConventionTextAdmin(OfferedFilters, admin.ModelAdmin):
    """A new version is added; none is changed or taken away."""

    form = ConventionTextForm
    list_display = ["domain", "number", "is_official", "published_at", "published_by"]
    list_filter = ["domain"]
    list_select_related = ["domain", "published_by"]

    def get_fields(self, request, obj=None):
        kept = ["number", "published_at", "published_by"]
        return ["domain", "text", "is_official", *(kept if obj else [])]

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def save_model(self, request, obj, form, change):
        latest = ConventionText.objects.in_force(obj.domain)
        obj.number = latest.number + 1 if latest else 1
        obj.published_by = request.user
        super().save_model(request, obj, form, change)


@admin.register(SignedCopy)
class SignedCopyAdmin(ReadOnlyAdmin):
    list_display = ["application", "file", "state", "by", "at", "decided_by", "decided_at"]
    list_filter = ["state"]
    list_select_related = ["application", "file", "by", "decided_by"]
    search_fields = ["application__reference"]
    fields = ["application", "file", "state", "by", "at", "decided_by", "decided_at", "message"]
