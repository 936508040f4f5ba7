"""Patient data in a file that stands in no space of the forms: the RIB of a change of account, a signed copy."""

import zipfile
from io import BytesIO

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from applications.actions import NotNow
from applications.models import PURGED_NAME, Application
from conventions.actions import send_copy
from conventions.models import SignedCopy
from demo.specimens import pdf
from ecare.journal.models import Entry
from ecare.letters.models import Letter
from evidence import bank, purges
from evidence.files import Refused
from evidence.models import BankDetails, Evidence, StoredFile
from exports.models import Export
from tests.evidence.conftest import stored_names
from tests.exports.conftest import built, content_of
from tests.factories import UserFactory
from tests.world import NEW_BANK, World

pytestmark = pytest.mark.django_db

SEEN = "Page 1, une ordonnance."
PATIENTS = pdf(line="patients")


def upload(content=PATIENTS, name="Dossier de Mme Untel.pdf"):
    return SimpleUploadedFile(name, content)


@pytest.fixture
def world():
    return World(1)


def ask(application, **given):
    return bank.change_bank_details(application, by=application.referent, values=NEW_BANK, upload=upload(**given))


def send(application, **given):
    return send_copy(application, by=application.referent, upload=upload(**given), at=timezone.now())


@pytest.mark.parametrize("put", [ask, send])
def test_the_ans_destroys_it_after_reading_the_letter(put, world, signed_in, django_capture_on_commit_callbacks):
    application = Application.objects.get(pk=world.dossiers["accepted"].pk)
    row = put(application)
    stored = row.file.storage_name
    name = "evidence:rib" if isinstance(row, BankDetails) else "conventions:copy"
    download, address = reverse(name, args=[row.pk]), reverse("evidence:patient_data", args=[row.file_id])
    ans, dossier = signed_in(world.cast["ans"]), reverse("reviews:dossier", args=[application.reference])
    assert address in ans.get(dossier).text
    assert address not in signed_in(world.cast["ars"]).get(dossier).text
    page = ans.get(address)
    assert [letter.recipient for letter in page.context["letters"]] == [application.referent.email]
    assert application.referent.email in page.text and "Purger ce fichier" in page.text
    assert stored in stored_names() and not StoredFile.objects.get(pk=row.file_id).is_purged
    with django_capture_on_commit_callbacks(execute=True):
        answer = ans.post(address, {"reason": SEEN, "is_sure": "on"}, follow=True)
    assert "Fichier purgé" in answer.text and "Mme Untel" not in answer.text.partition('id="historique"')[0]
    file = StoredFile.objects.get(pk=row.file_id)
    assert file.is_purged and file.name == PURGED_NAME and stored not in stored_names()
    for person in (world.owner, world.cast["ars"], world.cast["ans"]):
        refused = signed_in(person).get(download)
        assert refused.status_code == 409 and "purgé" in refused.text
    entry = Entry.objects.get(subject=application.subject, verb="purge_evidence")
    assert (entry.message, entry.data["sha256"]) == (SEEN, file.sha256) and "Untel" not in str(entry.data)
    letter = Letter.objects.get(name="evidence_purged")
    assert SEEN in letter.text and "Untel" not in letter.text and letter.recipient == application.referent.email
    assert ans.get(address).status_code == 409
    for again in (ask, send):
        with pytest.raises(Refused, match="a été purgé"):
            again(Application.objects.get(pk=application.pk))


def test_every_copy_of_the_dossier_goes_at_once_and_no_other(world):
    application = Application.objects.get(pk=world.dossiers["accepted"].pk)
    asked, copy = ask(application), send(application)
    purges.purge_held(
        purges.held_file(asked.file_id, world.cast["ans"]), by=world.cast["ans"], reason=SEEN, at=timezone.now()
    )
    assert StoredFile.objects.filter(scan="purged").count() == 2
    assert {asked.file_id, copy.file_id} == set(StoredFile.objects.filter(scan="purged").values_list("pk", flat=True))
    with pytest.raises(NotNow, match="purgé"):
        bank.confirm_bank_details(asked, by=world.cast["ans"], at=timezone.now())
    bank.refuse_bank_details(asked, by=world.cast["ans"], message="Déposez un autre RIB.")


def test_a_rib_that_is_in_its_space_is_purged_there(world):
    """Confirmed, it is evidence too: one file, one trace."""
    asked = world.bank_details
    bank.confirm_bank_details(asked, by=world.cast["ans"], at=timezone.now())
    evidence = Evidence.objects.get(file=asked.file_id)
    purges.purge_evidence(evidence, by=world.cast["ans"], reason=SEEN, at=timezone.now())
    assert StoredFile.objects.get(pk=asked.file_id).is_purged
    assert Entry.objects.filter(verb="purge_evidence").count() == 1


def test_who_may_not(world, signed_in):
    application = Application.objects.get(pk=world.dossiers["accepted"].pk)
    asked = ask(application)
    address = reverse("evidence:patient_data", args=[asked.file_id])
    elsewhere = UserFactory(ars=True)
    told = {"owner": 403, "ars": 403, "stranger": 404}
    assert {who: signed_in(world.cast[who]).post(address, {}).status_code for who in told} == told
    assert signed_in(elsewhere).get(address).status_code == 404
    held = purges.held_file(asked.file_id, world.cast["ars"])
    with pytest.raises(PermissionDenied):
        purges.purge_held(held, by=world.cast["ars"], reason=SEEN, at=timezone.now())
    assert not StoredFile.objects.filter(scan="purged").exists()


def test_the_zip_says_that_it_was_purged(world):
    application = Application.objects.get(pk=world.dossiers["accepted"].pk)
    asked, ans = ask(application), world.cast["ans"]
    purges.purge_held(purges.held_file(asked.file_id, ans), by=ans, reason=SEEN, at=timezone.now())
    package = zipfile.ZipFile(BytesIO(content_of(built(Export.Kind.DOSSIER_ZIP, by=ans, what=application.reference))))
    index = package.read("INDEX.csv").decode()
    [line] = [line for line in index.splitlines() if asked.file.sha256 in line]
    assert "Purgé" in line and "non fourni" in line and "Untel" not in index
    assert not [name for name in package.namelist() if "Untel" in name]
    assert SignedCopy.objects.filter(file__scan="purged").count() == 0
