"""The signed convention: recorded with its copy in one piece, read by those of the dossier."""

from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.urls import reverse
from django.utils import timezone

from applications.models import Application
from applications.states import State
from conventions.rules import MAX_BYTES
from ecare.journal.models import Entry
from evidence import vault
from evidence.models import StoredFile
from reviews.models import Convention
from tests.applications.life_cycle import dossier, people, perform, traces
from tests.factories import DomainFactory, EstablishmentFactory
from tests.faults import break_inserts_into
from tests.reviews.conftest import PDF

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return people(EstablishmentFactory())


@pytest.fixture
def accepted(cast):
    """A candidature accepted a moment ago, whose declaration opens as soon as the convention is recorded."""
    application = dossier("submitted", owner=cast["owner"], domain=DomainFactory())
    perform("accept", application, by=cast["ars"])
    return Application.objects.get(pk=application.pk)


@pytest.fixture
def sign(accepted, cast, signed_in, pdf):
    """`sign(upload=…, signed_on=…)`: what the ANS posts, and the answer."""
    browser = signed_in(cast["ans"])

    def post(**fields):
        data = signatures() | {"version": accepted.version, "upload": pdf()}
        return browser.post(reverse("reviews:sign_convention", args=[accepted.reference]), data | fields)

    return post


def signatures() -> dict[str, str]:
    """Both parties, today."""
    return dict.fromkeys(("establishment_signed_on", "signed_on"), timezone.localdate().isoformat())


def stored_names():
    return list(vault.names()) if default_storage.exists("") else []


def test_the_ans_records_the_day_and_the_signed_copy_and_the_declaration_opens(sign, accepted, cast):
    assert sign().status_code == 302
    convention = Convention.objects.get(application=accepted)
    assert (convention.signed_on, convention.recorded_by) == (timezone.localdate(), cast["ans"])
    assert convention.establishment_signed_on == timezone.localdate()
    assert convention.file.name == "Convention signée.pdf"
    assert vault.open_stored(convention.file).read() == PDF
    moved = Application.objects.get(pk=accepted.pk)
    assert (moved.state, moved.convention_signed_on) == (State.DECLARATION_OPEN, timezone.localdate())


def test_the_digest_of_the_signed_copy_is_in_the_history(sign, accepted):
    sign()
    entry = Entry.objects.get(subject=accepted.subject, verb="store_convention")
    assert entry.data["sha256"] == StoredFile.objects.get().sha256


@pytest.mark.parametrize(
    ("days", "said"), [(1, "dans le futur"), (-1, "précède l’acceptation"), (-365, "précède l’acceptation")]
)
@pytest.mark.parametrize("field", ["establishment_signed_on", "signed_on"])
def test_a_day_that_cannot_be_is_refused(field, days, said, sign, accepted):
    before = traces(accepted)
    answer = sign(**{field: (timezone.localdate() + timedelta(days=days)).isoformat()})
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert (traces(accepted), stored_names()) == (before, [])


def test_a_day_may_be_typed_the_french_way(sign, accepted):
    assert sign(signed_on=timezone.localdate().strftime("%d/%m/%Y")).status_code == 302
    assert Convention.objects.get().signed_on == timezone.localdate()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("Convention.docx", PDF),
        ("Convention.pdf", b"This is no PDF at all."),
        ("Convention.pdf", b""),
        ("Convention.pdf", PDF + b" " * MAX_BYTES),
    ],
)
def test_a_file_that_is_no_pdf_of_ten_megabytes_at_most_is_refused_and_the_day_kept(name, content, sign, accepted, pdf):
    before = traces(accepted)
    answer = sign(upload=pdf(name, content))
    assert answer.status_code == 200
    assert answer.context["form"].errors["upload"]
    assert f'value="{timezone.localdate().isoformat()}"' in answer.content.decode()
    assert (traces(accepted), stored_names(), Convention.objects.count()) == (before, [], 0)


def test_two_files_are_refused(sign, accepted, pdf):
    answer = sign(upload=[pdf("une.pdf"), pdf("deux.pdf")])
    assert "un seul fichier" in answer.content.decode()
    assert not Convention.objects.exists()


def test_nothing_typed_says_what_is_missing(sign, accepted):
    answer = sign(establishment_signed_on="", signed_on="", upload="")
    assert set(answer.context["form"].errors) == {"establishment_signed_on", "signed_on", "upload"}


def test_a_fault_after_the_file_leaves_neither_file_nor_move(accepted, cast, signed_in, pdf):
    browser = signed_in(cast["ans"])
    browser.raise_request_exception = False
    before = traces(accepted)
    break_inserts_into(Convention)
    data = signatures() | {"version": accepted.version, "upload": pdf()}
    answer = browser.post(reverse("reviews:sign_convention", args=[accepted.reference]), data)
    assert answer.status_code == 500
    assert (traces(accepted), stored_names(), StoredFile.objects.count()) == (before, [], 0)


def test_a_dossier_that_moved_meanwhile_keeps_no_file(sign, accepted, cast):
    perform("abandon", accepted, by=cast["ans"])
    assert sign().status_code == 409
    assert (stored_names(), StoredFile.objects.count()) == ([], 0)


# --- reading it ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("role", ["owner", "ars", "ans"])
def test_those_of_the_dossier_download_it_and_it_is_noted(role, sign, accepted, cast, signed_in):
    sign()
    answer = signed_in(cast[role]).get(reverse("reviews:convention", args=[accepted.reference]))
    assert answer.status_code == 200
    assert answer["Content-Disposition"].startswith("attachment")
    assert b"".join(answer.streaming_content) == PDF
    assert Entry.objects.get(verb="download_convention").actor == cast[role].actor[0]


@pytest.mark.parametrize("role", ["colleague", "stranger", "ars_elsewhere", "administrator"])
def test_nobody_else_finds_it(role, sign, accepted, cast, signed_in):
    sign()
    answer = signed_in(cast[role]).get(reverse("reviews:convention", args=[accepted.reference]))
    assert answer.status_code == 404
    assert not Entry.objects.filter(verb="download_convention").exists()


def test_an_anonymous_visitor_is_led_to_the_sign_in(sign, accepted, client):
    sign()
    answer = client.get(reverse("reviews:convention", args=[accepted.reference]))
    assert answer.url.startswith(reverse("account_login"))


def test_there_is_none_before_the_signature(accepted, cast, signed_in):
    assert signed_in(cast["ans"]).get(reverse("reviews:convention", args=[accepted.reference])).status_code == 404


def test_a_copy_that_waits_for_its_scan_is_not_handed_out(sign, accepted, cast, signed_in):
    sign()
    StoredFile.objects.update(scan=StoredFile.Scan.PENDING)
    assert signed_in(cast["ans"]).get(reverse("reviews:convention", args=[accepted.reference])).status_code == 409


def test_a_copy_that_is_no_longer_in_the_vault_is_told(sign, accepted, cast, signed_in):
    sign()
    default_storage.delete(StoredFile.objects.get().storage_name)
    answer = signed_in(cast["ans"]).get(reverse("reviews:convention", args=[accepted.reference]))
    assert answer.status_code == 409
    assert "absent ou altéré" in answer.text
    assert not Entry.objects.filter(verb="download_convention").exists()
