"""Patient data found in a file: reported, read by the ANS alone, purged for good with its name, or kept after all."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.storage import default_storage
from django.db import DatabaseError
from django.urls import reverse
from django.utils import timezone

from applications import actions as verbs
from applications import writers
from applications.actions import NotNow
from applications.corrections import Named
from applications.models import PURGED_NAME, Application, RequestedChange, Submission, values_of
from demo.specimens import pdf
from ecare.journal.actions import broken_links
from ecare.journal.models import Entry
from ecare.letters.actions import deliver
from ecare.letters.models import Letter
from evidence import purges, vault
from evidence.actions import sweep
from evidence.files import Refused
from evidence.models import Evidence, PatientDataReport, StoredFile
from evidence.views import sealed_response
from tests.applications.life_cycle import ROLES
from tests.applications.life_cycle import people as cast_of
from tests.applications.pages import text_of
from tests.applications.test_receipt import read
from tests.evidence.conftest import assert_no_orphan, dossier_with, put_in, space_of, stored_names, transmit, upload
from tests.factories import EstablishmentFactory, RegionFactory, UserFactory
from tests.faults import break_inserts_into

pytestmark = pytest.mark.django_db

NAME, SEEN = "Dossier de Mme Untel.pdf", "Page 3, une liste de patients."


@pytest.fixture
def cast():
    return cast_of(EstablishmentFactory())


@pytest.fixture
def evidence(cast):
    """A file that was sent, and another beside it."""
    application = dossier_with({}, referent=cast["owner"])
    found = put_in(application, pdf(line="patients"), NAME)
    put_in(application, pdf(line="autre"), "Autre.pdf")
    transmit(application)
    return Evidence.objects.select_related("application", "file").get(pk=found.pk)


def report(evidence, cast, *, by="ars"):
    return purges.report_patient_data(evidence, by=cast[by], reason=SEEN, at=timezone.now())


def purge(evidence, cast, *, by="ans"):
    purges.purge_evidence(evidence, by=cast[by], reason=SEEN, at=timezone.now())


@pytest.fixture
def purged(evidence, cast, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        purge(evidence, cast)
    return Evidence.objects.select_related("application", "file").get(pk=evidence.pk)


def download(client, evidence, name="download") -> int:
    answer = client.get(reverse(f"evidence:{name}", args=[evidence.file_id]))
    answer.getvalue()
    return answer.status_code


def now(evidence) -> Application:
    return Application.objects.get(pk=evidence.application_id)


# --- reporting ------------------------------------------------------------------------------------------------------
def test_the_ars_reports_and_from_then_on_the_ans_alone_reads(evidence, cast, signed_in):
    address = reverse("evidence:patient_data", args=[evidence.file_id])
    ars = signed_in(cast["ars"])
    desk = reverse("reviews:dossier", args=[evidence.application.reference])
    assert address in ars.get(desk).text and cast["ans"].email in ars.get(address).text
    assert "sauf l’ANS" in text_of(ars.post(address, {"reason": SEEN}, follow=True))
    found = PatientDataReport.objects.get()
    assert (found.by, found.reason, found.state) == (cast["ars"], SEEN, "open")
    for role, status in {"owner": 409, "ars": 409, "ans": 200}.items():
        client = signed_in(cast[role])
        assert {download(client, evidence), download(client, evidence, "preview")} == {status}, role
    assert Letter.objects.get(name="patient_data_reported").recipient == cast["ans"].email
    assert ars.post(address, {"reason": SEEN}).status_code == 409


def test_the_ans_keeps_a_file_that_holds_none_as_it_was(evidence, cast, signed_in):
    found = report(evidence, cast)
    address, ans = reverse("evidence:dismiss_report", args=[found.pk]), signed_in(cast["ans"])
    assert address in ans.get(reverse("evidence:reports")).text and cast["ars"].email in ans.get(address).text
    assert "se lit comme avant" in text_of(ans.post(address, {"reason": "Des noms d’agents."}, follow=True))
    evidence.file.refresh_from_db()
    assert evidence.file.is_readable and download(signed_in(cast["owner"]), evidence) == 200
    assert "Des noms d’agents." in Letter.objects.get(name="report_dismissed").text
    assert ans.get(address).status_code == 409
    deliver()
    assert Letter.objects.get(name="patient_data_reported").state == Letter.State.CANCELLED


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"ars", "ans"}))
def test_nobody_else_reports(evidence, cast, role):
    with pytest.raises(PermissionDenied):
        report(evidence, cast, by=role)
    assert not PatientDataReport.objects.exists()


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"ans"}))
def test_the_ans_alone_purges_and_dismisses(evidence, cast, role):
    found = report(evidence, cast)
    with pytest.raises(PermissionDenied):
        purge(evidence, cast, by=role)
    with pytest.raises(PermissionDenied):
        purges.dismiss_report(found, by=cast[role], message=SEEN, at=timezone.now())
    assert PatientDataReport.objects.get().is_open and vault.open_stored(evidence.file).read()


def test_a_file_that_was_never_sent_is_seen_by_no_agent(cast, signed_in):
    draft = put_in(dossier_with({}, referent=cast["owner"]), pdf(), NAME)
    address = reverse("evidence:patient_data", args=[draft.file_id])
    assert {signed_in(cast[role]).get(address).status_code for role in ("ars", "ans")} == {404}
    assert signed_in(cast["owner"]).get(address).status_code == 403


# --- purging --------------------------------------------------------------------------------------------------------
def test_the_bytes_are_gone_and_only_size_and_digest_remain(evidence, purged, cast):
    file = purged.file
    assert (file.name, file.size, file.sha256) == (PURGED_NAME, evidence.file.size, evidence.file.sha256)
    assert evidence.file.storage_name not in stored_names() and len(stored_names()) == 1
    found = PatientDataReport.objects.get()
    assert (found.state, found.decided_by, found.message) == ("purged", cast["ans"], SEEN)
    entry = Entry.objects.get(subject=purged.application.subject, verb="purge_evidence")
    assert (entry.data["sha256"], entry.message) == (file.sha256, SEEN) and NAME not in str(entry.data)
    assert sweep(older_than=timedelta(0)) == ([], [])


@pytest.mark.parametrize("role", ["owner", "ars", "ans"])
@pytest.mark.parametrize("name", ["download", "preview"])
def test_nobody_reads_it_again(purged, cast, signed_in, role, name):
    assert download(signed_in(cast[role]), purged, name) == 409


def test_its_name_is_nowhere_to_be_read(purged, cast, signed_in):
    pages = {"ars": "reviews:dossier", "ans": "reviews:dossier", "owner": "applications:detail"}
    for role, page in pages.items():
        text = text_of(signed_in(cast[role]).get(reverse(page, args=[purged.application.reference])))
        assert "Untel" not in text and "Autre.pdf" in text, role
    assert PURGED_NAME in text_of(
        signed_in(cast["ans"]).get(reverse("reviews:dossier", args=[purged.application.reference]))
    )
    assert not any("Untel" in text for text in Letter.objects.values_list("text", flat=True))


def test_the_receipt_keeps_the_digest_only_and_what_was_sent_still_proves_itself(purged):
    submission = Submission.objects.get()
    said = read(writers.receipt(submission))
    assert purged.file.sha256 in said and PURGED_NAME in said and "Untel" not in said and "Autre.pdf" in said
    assert submission.digest in said


def test_its_space_is_free_and_the_referent_is_told_what_to_do(purged, cast, signed_in):
    application = now(purged)
    assert [file["name"] for file in values_of(application)["espace-1"]] == ["Autre.pdf"]
    letter = Letter.objects.get(name="evidence_purged", recipient=cast["owner"].email)
    assert "n’est pas modifiable en ce moment" in letter.text
    verbs.request_changes(application, by=cast["ars"], version=application.version, message="Sans les patients.")
    page = text_of(signed_in(cast["owner"]).get(reverse("applications:detail", args=[application.reference])))
    assert "il contenait des données de patients" in page
    with pytest.raises(Refused, match="purgé"):
        put_in(now(purged), pdf(line="patients"), "Encore.pdf")
    put_in(now(purged), pdf(line="corrigé"), "Corrigé.pdf")
    transmit(now(purged))
    desk = text_of(signed_in(cast["ars"]).get(reverse("reviews:dossier", args=[application.reference])))
    assert "Corrigé.pdf" in desk and "Untel" not in desk


def test_while_the_form_is_open_the_referent_is_told_to_put_another(evidence, cast):
    application = now(evidence)
    verbs.request_changes(application, by=cast["ars"], version=application.version, message="Le RIB est illisible.")
    purge(evidence, cast)
    assert "Votre formulaire est ouvert" in Letter.objects.get(name="evidence_purged").text


def test_a_request_that_names_other_questions_opens_its_space_too(cast):
    application = dossier_with({}, {"key": "texte", "kind": "text"}, referent=cast["owner"])
    found = put_in(application, pdf(line="patients"), NAME)
    transmit(application)
    named = [Named("texte", remark="À préciser."), Named("espace-1", file=str(found.file_id), remark="Illisible.")]
    verbs.request_changes(now(found), by=cast["ars"], version=now(found).version, message="Voir.", named=named[:1])
    with pytest.raises(NotNow):
        put_in(now(found), pdf(line="corrigé"), "Corrigé.pdf")
    purge(found, cast)
    put_in(now(found), pdf(line="corrigé"), "Corrigé.pdf")
    assert "données de patients" in RequestedChange.objects.get(question__key="espace-1").remark


def test_a_request_that_named_the_file_no_longer_says_its_name(evidence, cast):
    named = [Named("espace-1", file=str(evidence.file_id), remark="Illisible.")]
    application = now(evidence)
    verbs.request_changes(application, by=cast["ars"], version=application.version, message="Voir.", named=named)
    assert RequestedChange.objects.get().file_name == NAME
    purge(evidence, cast)
    assert RequestedChange.objects.get(file=evidence.file_id).file_name == PURGED_NAME


def test_whoever_reported_it_is_told_and_the_report_is_decided(evidence, cast, signed_in):
    report(evidence, cast)
    address = reverse("evidence:patient_data", args=[evidence.file_id])
    ans = signed_in(cast["ans"])
    page = ans.get(address).text
    assert cast["ars"].email in page and cast["owner"].email in page
    refused = ans.post(address, {"reason": SEEN})
    assert "la purge ne peut pas être annulée" in text_of(refused)
    assert "son contenu est détruit" in text_of(ans.post(address, {"reason": SEEN, "is_sure": "on"}, follow=True))
    told = Letter.objects.filter(name="evidence_purged").values_list("recipient", flat=True)
    assert set(told) == {cast["ars"].email, cast["owner"].email}
    assert PatientDataReport.objects.get().state == "purged"


def test_the_ars_that_holds_the_dossier_is_told_and_a_reporter_who_lost_sight_of_it_is_not(evidence, cast, signed_in):
    report(evidence, cast)
    cast["ars"].regions.set([RegionFactory(code="75")])
    colleague = UserFactory(ars=True, regions=[evidence.application.establishment.region])
    address = reverse("evidence:patient_data", args=[evidence.file_id])
    assert colleague.email in text_of(signed_in(cast["ans"]).get(address))
    purge(evidence, cast)
    told = set(Letter.objects.filter(name="evidence_purged").values_list("recipient", flat=True))
    assert told == {cast["owner"].email, colleague.email}


def test_a_reporter_who_no_longer_sees_the_dossier_gets_no_answer(evidence, cast):
    one = report(evidence, cast)
    cast["ars"].regions.clear()
    purges.dismiss_report(one, by=cast["ans"], message="Un exemple fictif.", at=timezone.now())
    assert not Letter.objects.filter(name="report_dismissed").exists()


def test_the_link_says_what_it_does_for_each_desk(evidence, cast, signed_in):
    dossier = reverse("reviews:dossier", args=[evidence.application.reference])
    assert "Signaler des données de patients" in text_of(signed_in(cast["ars"]).get(dossier))
    page = text_of(signed_in(cast["ans"]).get(dossier))
    assert "Purger (données de patients)" in page and "Signaler des données" not in page


def test_every_copy_of_it_in_the_dossier_goes(cast, django_capture_on_commit_callbacks):
    application = dossier_with({}, {}, referent=cast["owner"])
    one = put_in(application, pdf(line="patients"), NAME)
    put_in(application, pdf(line="patients"), NAME, key="espace-2")
    transmit(application)
    with django_capture_on_commit_callbacks(execute=True):
        purge(one, cast)
    assert set(StoredFile.objects.values_list("scan", flat=True)) == {"purged"} and not stored_names()
    assert values_of(now(one)) == {"espace-1": [], "espace-2": []}


def test_one_that_was_replaced_before_goes_too(evidence, cast):
    application = now(evidence)
    verbs.request_changes(application, by=cast["ars"], version=application.version, message="Le RIB est illisible.")
    purge_of = Evidence.objects.get(pk=evidence.pk)
    purge_of.withdrawn_after, purge_of.withdrawn_at = 1, timezone.now()
    purge_of.save()
    before = values_of(now(evidence))
    purge(evidence, cast)
    assert values_of(now(evidence)) == before
    assert StoredFile.objects.get(pk=evidence.file_id).is_purged


# --- races ----------------------------------------------------------------------------------------------------------
def test_who_asked_for_it_just_before_gets_nothing(evidence, purged):
    """The row was read before the purge, the bytes would be opened after it."""
    assert evidence.file.is_readable, "the row as it was"
    with pytest.raises(NotNow, match="absent"):
        sealed_response(evidence.file, name="x")


def test_a_download_that_had_begun_ends(evidence, cast, django_capture_on_commit_callbacks):
    response = sealed_response(evidence.file, name="x")
    with django_capture_on_commit_callbacks(execute=True):
        purge(evidence, cast)
    assert b"".join(response) == pdf(line="patients")
    response.close()


def test_it_is_purged_once(evidence, purged, cast):
    with pytest.raises(NotNow, match="déjà purgé"):
        purge(evidence, cast)
    with pytest.raises(NotNow, match="déjà purgé"):
        report(evidence, cast)
    told = Letter.objects.filter(name="evidence_purged", recipient=cast["owner"].email)
    assert PatientDataReport.objects.count() == told.count() == 1


def test_what_the_worker_could_not_delete_is_swept(evidence, cast):
    """The process died between the commit and the deletion."""
    purge(evidence, cast)
    left = evidence.file.storage_name
    assert left in stored_names()
    assert sweep(older_than=timedelta(0)) == ([left], [])
    assert left not in stored_names()


def test_a_fault_on_the_way_destroys_nothing(evidence, cast):
    break_inserts_into(Letter)
    with pytest.raises(DatabaseError, match="fault"):
        purge(evidence, cast)
    evidence.file.refresh_from_db()
    assert (
        evidence.file.is_readable and evidence.file.name == NAME and default_storage.exists(evidence.file.storage_name)
    )
    assert_no_orphan()


# --- the list -------------------------------------------------------------------------------------------------------
def test_agents_read_those_of_their_dossiers(evidence, cast, signed_in):
    found = report(evidence, cast)
    address, dismiss = reverse("evidence:reports"), reverse("evidence:dismiss_report", args=[found.pk])
    assert (
        SEEN in text_of(signed_in(cast["ars"]).get(address)) and dismiss not in signed_in(cast["ars"]).get(address).text
    )
    assert SEEN not in text_of(signed_in(cast["ars_elsewhere"]).get(address))
    assert signed_in(cast["owner"]).get(address).status_code == 403
    statuses = {role: signed_in(cast[role]).get(dismiss).status_code for role in ("ars", "ars_elsewhere", "owner")}
    assert statuses == {"ars": 403, "ars_elsewhere": 404, "owner": 403}


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_costs_the_same_however_long(cast, signed_in, django_assert_num_queries, count):
    for _ in range(count):
        application = dossier_with({}, referent=cast["owner"])
        found = put_in(application)
        transmit(application)
        report(found, cast)
    client = signed_in(cast["ans"])
    with django_assert_num_queries(6):
        client.get(reverse("evidence:reports"))


def test_the_space_still_takes_its_number_of_files(purged, cast):
    application = now(purged)
    assert space_of(application).max_files == 3
    verbs.request_changes(application, by=cast["ars"], version=application.version, message="Sans les patients.")
    for rank in range(2):
        put_in(now(purged), pdf(line=f"n {rank}"), f"{rank}.pdf")
    with pytest.raises(Refused, match="maximum"):
        put_in(now(purged), upload().read(), "De trop.pdf")


def test_the_administration_reads_the_journal_without_the_name(evidence, cast, signed_in):
    """Of the same bytes, also where they were put and taken out again under another name."""
    twin = put_in(dossier_with({}, referent=cast["owner"]), pdf(line="patients"), NAME)
    desk = signed_in(cast["administrator"])
    named = [entry for entry in Entry.objects.order_by("pk") if "name" in entry.data]

    def pages_with(name) -> set[str]:
        page = {entry: desk.get(reverse("admin:journal_entry_change", args=[entry.pk])).text for entry in named}
        return {entry.subject for entry in named if name in page[entry]}

    both = {evidence.application.subject, twin.application.subject}
    assert pages_with("Mme Untel") == both
    purge(evidence, cast)
    assert pages_with("Mme Untel") == {twin.application.subject}, "another dossier, where nothing was purged"
    assert pages_with("Autre.pdf") == {evidence.application.subject}
    assert pages_with("nom effacé") == {evidence.application.subject}
    assert any("Mme Untel" in str(entry.data) for entry in Entry.objects.filter(subject=evidence.application.subject))
    assert list(broken_links(evidence.application.subject)) == []
