"""The drill: back up while writes go on, destroy, restore elsewhere; everything is there, and people sign in."""

import json
import shutil

import pytest

from tests.backups.conftest import KEYS, Portal
from tests.portal import wait_for

# One person works: a file put in, another deleted, keys changed, a line in the journal; each as its verb does it.
WORK = """
import hashlib, os, sys, time
from ecare.journal.actions import record
from evidence import rotation, vault
from evidence.models import StoredFile

def put_in(number):
    content = os.urandom(300_000)
    with vault.sealed([content]) as spool:
        digest = hashlib.sha256(content).hexdigest()
        StoredFile.objects.create(name=f"work-{number}.pdf", size=len(content), sha256=digest,
            media_type="application/pdf", storage_name=vault.keep(spool), key_name=spool.key_name)

shelf = vault.shelves()[0]
for number in range(1000):
    put_in(number)
    if number % 3 == 2:
        file = StoredFile.objects.filter(name=f"work-{number - 2}.pdf").get()
        file.delete()
        vault.discard(file.storage_name)
    if number % 3 == 1:
        former = rotation.Former(0)
        rotation._reseal_object(shelf, StoredFile.objects.get(name=f"work-{number}.pdf"), former)
        former.discard_due()
    record("directory", "ask_import", data={"number": number})
    with open(sys.argv[1], "a") as worked:
        worked.write("x")
"""
FACTS = "from backups.actions import facts_of; import json; print(json.dumps(facts_of('default')))"
SIGN_IN = """
from django.test import Client
from django.urls import reverse
from tests.accounts.steps import secret_of
from tests.factories import PASSWORD
client = Client()
page = client.post(reverse("account_login"), {"login": "camille", "password": PASSWORD})
assert page.status_code == 302, page.content.decode()
page = client.post(page["Location"], {"code": secret_of("code")})
assert page.status_code == 302, page.content.decode()
page = client.get("/tableau-de-bord/", follow=True)
print("Se déconnecter" in page.content.decode())
"""


def how_far(folder) -> int:
    return (folder / "worked").stat().st_size if (folder / "worked").exists() else 0


@pytest.mark.parametrize("kind", ["folder", "bucket"])
def test_the_drill(tmp_path, request, kind, backup):
    store = request.getfixturevalue("object_store") if kind == "bucket" else None
    here, folder = Portal(tmp_path / "here", store), tmp_path / "backup"
    here.manage("restore", backup)
    work = here.start("-c", f"import django; django.setup()\n{WORK}", tmp_path / "worked")
    wait_for(lambda: how_far(tmp_path) or work.poll() is not None, seconds=60, what="nobody works")
    began = how_far(tmp_path)
    said = here.manage("backup", folder)
    assert work.poll() is None, work.communicate()
    assert how_far(tmp_path) > began, "work went on"
    work.kill()
    work.communicate()
    manifest = json.loads((folder / "manifest.json").read_text())["content"]
    assert manifest["vault"]["lost"] == 0 and manifest["vault"]["objects"] > 14, said

    shutil.rmtree(here.folder)
    there = Portal(tmp_path / "there", store)
    said = there.manage("restore", folder)
    assert "restored and verified" in said
    there.manage("migrate", "--check")
    assert "intact" in there.manage("verify_audit")
    if not manifest["vault"]["gone"]:
        assert "intact" in there.manage("verify_vault")
    facts = json.loads(there.python(FACTS))
    facts["journal"].pop("heads"), manifest["journal"].pop("heads")  # that it was restored is noted
    facts["journal"]["entries"] -= 1
    assert facts["journal"] == manifest["journal"]
    facts["counts"]["journal.Entry"] -= 1
    assert facts["counts"] == manifest["counts"]
    assert there.python(SIGN_IN).strip().endswith("True")


def test_no_key_and_nothing_readable_is_in_a_backup(portal, backup):
    """Protections: keys stay out; the database is sealed like the files."""
    canaries = [key.partition(":")[2].encode() for key in KEYS] + [portal.variables["SECRET_KEY"].encode()]
    canaries += [b"Camille", b"camille@exemple.fr", b"SQLite format", b"PGDMP", b"%PDF"]
    paths = [path for path in backup.rglob("*") if path.is_file()]
    assert len(paths) > 10
    for path in paths:
        content = path.read_bytes()
        assert [canary for canary in canaries if canary in content] == [], path
    assert backup.stat().st_mode & 0o077 == 0
    key = json.loads((backup / "manifest.json").read_text())["content"]["keys"]
    assert sorted(key) == ["2025", "2026"] and all(len(value) == 32 for value in key.values())


def test_a_backup_may_be_checked_without_a_place_to_restore_to(portal, backup):
    assert "backup of 20" in portal.manage("restore", backup, "--check")


def test_a_backup_goes_into_an_empty_folder_only(portal, backup):
    assert "is not empty" in portal.refused("backup", backup)


def test_a_place_that_holds_something_is_not_overwritten_unless_told(elsewhere, backup):
    """Protection: `is_empty`, and the same of the vault."""
    elsewhere.manage("restore", backup)
    elsewhere.python("from evidence.models import StoredFile; StoredFile.objects.update(name='x')")
    assert "The database is not empty" in elsewhere.refused("restore", backup)
    assert "restored and verified" in elsewhere.manage("restore", backup, "--replace")
    asked = "from evidence.models import StoredFile; print(StoredFile.objects.filter(name='x').exists())"
    assert elsewhere.python(asked).strip() == "False"


def test_a_vault_that_holds_something_is_not_overwritten_unless_told(elsewhere, backup):
    elsewhere.python("from evidence import vault; vault.keep(vault.sealed([b'x']))")
    assert "The vault is not empty" in elsewhere.refused("restore", backup)


def test_former_sessions_are_not_brought_back(tmp_path, elsewhere):
    """Protection: whoever had signed out would be in again."""
    here = Portal(tmp_path / "here")
    here.manage("migrate", "--verbosity=0")
    made = "from accounts.sessions import SessionStore; s = SessionStore(); s['a'] = 1; s.save()"
    count = "from accounts.models import OpenSession; print(OpenSession.objects.count())"
    here.manage("createcachetable", "--verbosity=0")
    here.python(made)
    assert here.python(count).strip() == "1"
    here.manage("backup", tmp_path / "backup")
    elsewhere.manage("restore", tmp_path / "backup")
    assert elsewhere.python(count).strip() == "0"
