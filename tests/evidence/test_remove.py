"""The référent takes a file back: for good before it was sent, into history afterwards."""

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from applications.actions import NotNow
from applications.models import values_of
from applications.states import State
from demo.specimens import pdf
from ecare.journal.models import Entry
from evidence import actions
from evidence.models import Evidence, StoredFile
from tests.evidence.conftest import assert_no_orphan, dossier_with, put_in, stored_names, transmit
from tests.factories import UserFactory


def address(evidence):
    return reverse("evidence:remove", args=[evidence.file_id])


def test_before_any_sending_row_and_bytes_are_gone(application, django_capture_on_commit_callbacks):
    kept, gone = put_in(application), put_in(application, pdf(line="2"), name="2.pdf")
    with django_capture_on_commit_callbacks(execute=True):
        actions.remove(gone, by=application.referent, at=timezone.now())
    assert Evidence.objects.get() == kept
    assert stored_names() == {kept.file.storage_name}
    assert [file["name"] for file in values_of(application)["espace-1"]] == ["RIB.pdf"]


def test_bytes_stay_until_the_removal_is_committed(application):
    evidence = put_in(application)
    actions.remove(evidence, by=application.referent, at=timezone.now())
    assert stored_names() == {evidence.file.storage_name}  # the test's own transaction is still open


def test_once_sent_it_stays_in_history(db, django_capture_on_commit_callbacks):
    application = dossier_with({}, state=State.CHANGES_REQUESTED)
    evidence = put_in(application)
    Evidence.objects.update(added_after=0)  # it stood there at the first sending
    with django_capture_on_commit_callbacks(execute=True):
        actions.remove(evidence, by=application.referent, at=timezone.now())
    evidence = Evidence.objects.get()
    assert evidence.withdrawn_after == 1
    assert values_of(application)["espace-1"] == []
    assert_no_orphan()
    assert StoredFile.objects.count() == 1


def test_a_file_added_after_the_sending_is_gone_for_good(db, django_capture_on_commit_callbacks):
    application = dossier_with({}, state=State.CHANGES_REQUESTED)
    evidence = put_in(application)
    with django_capture_on_commit_callbacks(execute=True):
        actions.remove(evidence, by=application.referent, at=timezone.now())
    assert not StoredFile.objects.exists()
    assert not stored_names()


def test_a_file_taken_back_twice_is_told_so(db):
    application = dossier_with({}, state=State.CHANGES_REQUESTED)
    evidence = put_in(application)
    Evidence.objects.update(added_after=0)
    actions.remove(evidence, by=application.referent, at=timezone.now())
    with pytest.raises(NotNow, match="déjà été retiré"):
        actions.remove(evidence, by=application.referent, at=timezone.now())


def test_a_place_taken_back_is_free_again(db):
    application = dossier_with({"max_files": 1})
    actions.remove(put_in(application), by=application.referent, at=timezone.now())
    assert put_in(application)


def test_the_history_says_who_took_it_back(application):
    evidence = put_in(application)
    actions.remove(evidence, by=application.referent, at=timezone.now())
    entry = Entry.objects.filter(subject=application.subject).latest("sequence")
    assert (entry.verb, entry.data["file"]) == ("remove_evidence", str(evidence.file_id))


def test_a_sent_dossier_keeps_its_files(application):
    evidence = put_in(application)
    type(application).objects.filter(pk=application.pk).update(
        state=State.SUBMITTED, sendings=1, candidature_submitted_at=timezone.now()
    )
    with pytest.raises(NotNow):
        actions.remove(evidence, by=application.referent, at=timezone.now())
    assert Evidence.objects.get().withdrawn_after is None


@pytest.mark.parametrize("trait", ["ars", "ans", None])
def test_nobody_but_the_referent_takes_a_file_back(application, trait):
    evidence = put_in(application)
    with pytest.raises(PermissionDenied):
        actions.remove(evidence, by=UserFactory(**({trait: True} if trait else {})), at=timezone.now())
    assert Evidence.objects.exists()


# --- the page -----------------------------------------------------------------------------------------------------
def test_the_page_asks_first(application, signed_in):
    evidence = put_in(application)
    page = signed_in(application.referent).get(address(evidence))
    assert page.status_code == 200
    assert "Retirer ce fichier" in page.text
    assert "RIB.pdf" in page.text
    assert Evidence.objects.exists()


def test_the_button_of_the_page_takes_it_back(application, signed_in):
    evidence = put_in(application)
    answer = signed_in(application.referent).post(address(evidence))
    assert answer.headers["Location"].endswith(f"/{application.reference}/#espace-espace-1")
    assert not Evidence.objects.exists()


def test_back_to_a_file_that_is_gone_leads_to_its_space(application, signed_in):
    evidence = put_in(application)
    client = signed_in(application.referent)
    client.post(address(evidence))
    for answer in (client.get(address(evidence)), client.post(address(evidence))):
        assert answer.headers["Location"].endswith(f"/{application.reference}/#espace-espace-1")
    assert "Ce fichier est déjà retiré." in client.get(reverse("applications:dashboard")).text
    assert signed_in(application.referent).get(address(evidence)).status_code == 404, "another session knows nothing"


def test_the_button_of_the_form_keeps_what_was_typed_and_only_asks(db, signed_in):
    application = dossier_with({}, {"kind": "text"}, {"kind": "email"})
    evidence = put_in(application)
    client = signed_in(application.referent)
    answer = client.post(address(evidence), {"_page": "1", "espace-2": "Précision", "espace-3": "pas une adresse"})
    assert answer.headers["Location"] == address(evidence)
    assert Evidence.objects.exists()
    assert values_of(application)["espace-2"] == "Précision"
    page = client.get(reverse("applications:detail", args=[application.reference])).text
    assert "pas une adresse" in page


def test_a_stranger_finds_no_page(application, signed_in):
    evidence = put_in(application)
    for stranger in (UserFactory(), UserFactory(establishment=application.establishment), UserFactory(ars=True)):
        client = signed_in(stranger)
        assert client.get(address(evidence)).status_code == 404
        assert client.post(address(evidence)).status_code == 404
    assert Evidence.objects.exists()


def test_a_reviewer_sees_it_but_may_not_take_it_back(db, signed_in):
    application = dossier_with({})
    evidence = put_in(application)
    transmit(application)
    for agent in (UserFactory(ans=True), UserFactory(ars=True, regions=[application.establishment.region])):
        assert signed_in(agent).post(address(evidence)).status_code == 403
    assert Evidence.objects.get().withdrawn_after is None
