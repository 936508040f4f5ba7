"""Several processes append to one chain: the lock of its head is the protection (without it the chain forks, or the
unique rank refuses)."""

import subprocess
import sys

import pytest
from django.db import connection

from ecare.journal.actions import broken_links, record
from ecare.journal.models import Chain, Entry
from tests.counts import few_or_all
from tests.portal import ROOT
from tests.workers import environment, variables

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="other processes write to the same database"),
]
PROCESSES, EACH = few_or_all(4, 8), few_or_all(25, 1000)
DOSSIER = "application:VEHCXTRMWL"
APPEND = f"""
import django
django.setup()
from ecare.journal.actions import record
for rank in range({EACH}):
    record("{DOSSIER}", "save", data={{"rank": rank}})
"""


def test_a_chain_never_forks(tmp_path):
    record(DOSSIER, "start")
    given = environment() | variables(tmp_path) | {"DJANGO_SETTINGS_MODULE": "ecare.settings"}
    command = [sys.executable, "-W", "ignore", "-c", APPEND]
    writers = [
        subprocess.Popen(command, cwd=ROOT, env=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(PROCESSES)
    ]
    said = [writer.communicate(timeout=600)[0] for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * PROCESSES, said
    count = PROCESSES * EACH + 1
    assert list(Entry.objects.values_list("sequence", flat=True)) == list(range(1, count + 1))
    assert Entry.objects.values("previous").distinct().count() == count, "two entries follow from one"
    assert list(broken_links(DOSSIER)) == []
    assert Chain.objects.get().length == count
