"""`python -m deploy.inquest`, in the environment of the portal: reads what people were told (JSON, as deploy/chaos.py
keeps it), looks for it, and prints each thing that is not so as a list of sentences. Waits first until every letter has
left."""

import json
import os
import sys
import time
from hashlib import sha256
from io import StringIO

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecare.settings")
django.setup()

from django.core.management import CommandError, call_command

from applications.models import Application
from ecare.journal.models import Entry
from ecare.letters.models import Letter
from evidence import vault
from evidence.models import Evidence

PATIENCE = 300  # seconds for the last letters: a lease of a killed worker has to run out first


def main(told: list[dict]) -> list[str]:
    end = time.monotonic() + PATIENCE
    waiting = Letter.objects.filter(state__in=[Letter.State.QUEUED, Letter.State.SENDING])
    while waiting.exists() and time.monotonic() < end:
        time.sleep(0.5)
    found = [f"letter {one.pk} ({one.name}) never left: {one.error}" for one in waiting]
    found += [f"letter {one.pk} ({one.name}) failed: {one.error}" for one in Letter.objects.filter(state="failed")]
    for one in told:
        found += dossier_faults(one)
    return found + state_faults(told) + chain_faults()


def dossier_faults(told: dict) -> list[str]:
    """A dossier whose receipt was shown: sent once, with that digest and those files."""
    if not told["receipt"]:
        return []
    application = Application.objects.filter(reference=told["reference"]).first()
    if application is None:
        return [f"{told['reference']}: lost"]
    found = []
    if application.state != "submitted" or application.referent.username != told["username"]:
        found.append(f"{told['reference']}: {application.state} of {application.referent.username}")
    sendings = list(application.submissions.all())
    if [one.digest for one in sendings] != [told["receipt"]]:
        found.append(f"{told['reference']}: {len(sendings)} sendings, or another digest than the receipt's")
    moves = Entry.objects.filter(subject=application.subject, verb="submit").count()
    if moves != 1:
        found.append(f"{told['reference']}: submitted {moves} times in the journal")
    return found + file_faults(application, told["files"])


def file_faults(application, files: dict[str, str]) -> list[str]:
    found = []
    kept = {one.file.name: one.file for one in Evidence.objects.filter(application=application).select_related("file")}
    for name, digest in files.items():
        if name not in kept:
            found.append(f"{application.reference}: {name} is lost")
            continue
        with vault.open_stored(kept[name]) as plain:
            if sha256(plain.read()).hexdigest() != digest:
                found.append(f"{application.reference}: {name} is altered")
    if len(kept) != len(files):
        found.append(f"{application.reference}: {len(kept)} files for {len(files)}")
    return found


def state_faults(told: list[dict]) -> list[str]:
    """Nobody has two dossiers; those without a receipt are drafts, or sent whole before their receipt was shown."""
    everybody = Application.objects.filter(referent__username__in=[one["username"] for one in told])
    wrong = [f"{one.reference}: {one.state}" for one in everybody.exclude(state__in=["draft", "submitted"])]
    half = [one.reference for one in everybody if (one.state == "submitted") != one.submissions.exists()]
    return wrong + [f"{one}: half sent" for one in half]


def chain_faults() -> list[str]:
    try:
        call_command("verify_audit", stdout=StringIO(), stderr=StringIO())
    except CommandError as fault:
        return [f"journal: {fault}"]
    return []


if __name__ == "__main__":
    json.dump(main(json.load(sys.stdin)), sys.stdout)
