"""Every hostile file of the corpus and every honest one, over HTTP, with the script of the space and without it.

What each is refused for is decided in evidence/files and shown in tests/evidence/test_refused_files.py; here: the
answer says so at the space, nothing stays, and what is honest enters all the same.
"""

import hashlib
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from evidence.models import Evidence, StoredFile
from tests.evidence.conftest import assert_no_orphan, dossier_with, stored_names
from tests.evidence.test_accepted_files import EVERY, HONEST
from tests.evidence.test_refused_files import CONTENTS, NAMES

pytestmark = pytest.mark.django_db
SCRIPT = {"headers": {"Accept": "application/json"}}
# Folders and what does not print are cut off a name before anybody reads it.
CUT_OFF = {
    "slash",
    "backslash",
    "null",
    "line end",
    "escape",
    "right to left",
    "isolate",
    "zero width",
    "line separator",
}
NOT_OVER_HTTP = {"no name", *CUT_OFF}
HOSTILE = {
    **{
        f"name, {kind}": (name, b"%PDF-1.7", ["pdf"], reason)
        for kind, (name, reason) in NAMES.items()
        if kind not in NOT_OVER_HTTP
    },
    **{kind: (name, content, EVERY, reason) for kind, (name, content, reason) in CONTENTS.items()},
}


def test_the_corpus_is_large_enough():
    assert len(HOSTILE) >= 120
    assert len(HONEST) >= 40


@pytest.mark.parametrize(("name", "content", "formats", "reason"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_file_is_refused_at_its_space_and_leaves_nothing(signed_in, name, content, formats, reason):
    """Without `files.check` in `evidence.actions`, each of them enters."""
    application = dossier_with({"formats": formats})
    client, address = signed_in(application.referent), reverse("evidence:add", args=[application.reference])
    answer = client.post(address, {"espace-1": SimpleUploadedFile(name, content)}, **SCRIPT)
    assert answer.status_code == 422
    ((_, said),) = answer.json()["refused"]["espace-1"]
    assert reason.lower() in said.lower()
    page = client.post(address, {"_page": "1", "espace-1": SimpleUploadedFile(name, content)}, follow=True)
    assert page.status_code == 200 and said in unescape(page.text)
    assert not Evidence.objects.exists() and not StoredFile.objects.exists()
    assert not stored_names()


@pytest.mark.parametrize(("name", "content"), HONEST.values(), ids=HONEST)
def test_an_honest_file_enters_whole(signed_in, name, content):
    application = dossier_with({"formats": EVERY})
    address = reverse("evidence:add", args=[application.reference])
    sent = {"espace-1": SimpleUploadedFile(name, content)}
    answer = signed_in(application.referent).post(address, sent, **SCRIPT)
    assert answer.json()["refused"] == {}
    file = StoredFile.objects.get()
    assert (file.name, file.sha256) == (name.strip(), hashlib.sha256(content).hexdigest())
    assert_no_orphan()
