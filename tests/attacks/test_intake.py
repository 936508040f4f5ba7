"""What is sent to a page that takes no file, or not this person's, is thrown away as it comes."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import URLPattern, get_resolver
from django.urls.resolvers import URLResolver

from ecare.receiving import ANY, MANY, intake_of
from evidence import uploads
from tests.evidence.conftest import dossier_with
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

MEGABYTES = {
    "admin:applications_domain_scale": ("administrator", {"file": 10}, 1),
    "admin:establishments_importrequest_add": (
        "administrator",
        dict.fromkeys(["legal_entities", "sites", "ghts", "activities", "archive"], 200),
        1,
    ),
    "admin:evidence_spacetemplate_add": ("administrator", {"upload": 10}, 1),
    "applications:detail": ("referent", {ANY: 0}, MANY),
    "conventions:convention": ("referent", {"upload": 10}, 1),
    "evidence:bank_details": ("referent", {"upload": 200}, 1),
    "evidence:container": ("referent", {ANY: 200}, MANY),
    "evidence:containers": ("ans administrator", {"archive": 200, "table": 10}, 1),
    "evidence:give_up": ("referent", {ANY: 200}, MANY),
    "evidence:remove": ("referent", {ANY: 200}, MANY),
    "reviews:sign_convention": ("ans", {"upload": 10}, 1),
}


def views(resolver: URLResolver, space=""):
    for one in resolver.url_patterns:
        if isinstance(one, URLPattern):
            yield f"{space}{one.name}", one.callback
        else:
            yield from views(one, f"{space}{one.namespace}:" if one.namespace else space)


def test_these_pages_take_files_and_no_other():
    """`evidence:add` and `evidence:replace` ask the space for its limit."""
    found = {name: view.intake for name, view in views(get_resolver()) if hasattr(view, "intake")}
    assert {
        name: (" ".join(intake.roles), {field: size // 2**20 for field, size in intake.limits.items()}, intake.files)
        for name, intake in found.items()
    } == MEGABYTES


@pytest.fixture
def kept(monkeypatch):
    """How many bytes reach the disk."""
    sizes = []
    write = uploads.Spool.write

    def count(self, piece):
        sizes.append(len(piece))
        return write(self, piece)

    monkeypatch.setattr(uploads.Spool, "write", count)
    return sizes


def files(*names, size=5_000):
    return {name: SimpleUploadedFile(f"{name}.bin", b"0" * size) for name in names}


@pytest.mark.parametrize("address", ["/compte/courriers/", "/verification/conteneurs/", "/rien/", "/mot-de-passe/"])
def test_a_page_that_takes_none_keeps_none(address, signed_in, kept):
    signed_in(UserFactory()).post(address, files("archive", "table", "upload", "x"))
    assert kept == []


def test_files_come_before_the_token_is_checked_and_are_not_kept_for_that(signed_in, kept):
    client = signed_in(UserFactory())
    client.handler.enforce_csrf_checks = True
    answer = client.post("/compte/courriers/", {"csrfmiddlewaretoken": "x" * 64} | files("upload"))
    assert answer.status_code == 403 and kept == []


def test_a_page_keeps_the_fields_that_it_names_and_one_file_of_each(signed_in, kept):
    ans = signed_in(UserFactory(ans=True))
    ans.post("/verification/conteneurs/", files("archive", "autre"))
    assert sum(kept) == 5_000
    kept.clear()
    more = [SimpleUploadedFile(f"{rank}.zip", b"0" * 5_000) for rank in range(4)]
    ans.post("/verification/conteneurs/", {"archive": more})
    assert sum(kept) == 5_000 + 3  # of each of the others one byte: that it came


def test_the_files_of_a_step_are_bounded_together(signed_in, kept, monkeypatch):
    monkeypatch.setattr(uploads, "MOST_IN_ALL", 12_000)
    application = dossier_with({}, {})
    more = [SimpleUploadedFile(f"{rank}.pdf", b"0" * 5_000) for rank in range(4)]
    page = f"/candidatures/{application.reference}/preuves/"
    signed_in(application.referent).post(page, {"_page": "1", "espace-1": more})
    assert 12_000 <= sum(kept) <= 12_000 + len(more)


def test_a_request_that_leads_nowhere_takes_nothing(rf):
    assert intake_of(rf.post("/")) is None
