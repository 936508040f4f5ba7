"""The register in the administration: to look at, without a way to the files."""

import pytest
from django.urls import reverse

from demo.specimens import pdf
from evidence.models import StoredFile
from tests.evidence.conftest import put_in

LIST = "admin:evidence_storedfile_changelist"


def test_an_administrator_reads_names_sizes_and_digests(application, admin):
    file = put_in(application).file
    page = admin.get(reverse(LIST)).text
    assert file.name in page
    assert file.sha256 in page


def test_no_file_and_no_storage_name_is_within_reach(application, admin):
    file = put_in(application).file
    for address in (reverse(LIST), reverse("admin:evidence_storedfile_change", args=[file.pk])):
        page = admin.get(address).text
        assert file.storage_name not in page
        assert reverse("evidence:download", args=[file.pk]) not in page


def test_nothing_is_added_changed_or_deleted_there(application, admin):
    file = put_in(application).file
    change = reverse("admin:evidence_storedfile_change", args=[file.pk])
    assert admin.get(reverse("admin:evidence_storedfile_add")).status_code == 403
    assert admin.post(change, {"name": "autre.pdf"}).status_code == 403
    assert admin.post(reverse("admin:evidence_storedfile_delete", args=[file.pk])).status_code == 403
    assert StoredFile.objects.get().name == "RIB.pdf"


@pytest.mark.parametrize("count", [1, 3])
def test_the_register_asks_no_more_with_more_files(application, admin, count, django_assert_num_queries):
    for n in range(count):
        put_in(application, pdf(line=str(n)))
    admin.get(reverse(LIST))
    with django_assert_num_queries(8):
        admin.get(reverse(LIST))
