"""A tired director clicks « Transmettre » again and again: the version that the page showed is the key of the sending.

The protection is `lock`, which refuses a version that is no longer the dossier's: without the check there are several
transitions; without the lock several receipts.
"""

import pytest
from django.test import Client
from django.urls import reverse

from applications.models import Application, Submission
from ecare.journal.actions import broken_links
from ecare.journal.models import Entry
from ecare.letters.models import Letter
from tests.applications.life_cycle import dossier
from tests.counts import few_or_all
from tests.factories import UserFactory
from tests.racing import at_once

CLICKS, DOSSIERS = few_or_all(12, 50), few_or_all(2, 200)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("state", ["draft", "declaration_open"])
def test_one_key_is_one_sending(signed_in, state):
    owner = UserFactory()
    cookies = signed_in(owner).cookies
    for _ in range(DOSSIERS):
        application = dossier(state, owner=owner)
        address = reverse("applications:submit", args=[application.reference])

        def click(address=address, version=application.version):
            browser = Client()
            browser.cookies = cookies
            return browser.post(address, {"version": version})

        answers = at_once(*[click] * CLICKS)
        receipt = reverse("applications:submitted", args=[application.reference])
        assert {(answer.status_code, answer.get("Location")) for answer in answers} == {(302, receipt)}
        found = Application.objects.get(pk=application.pk)
        assert (found.version, found.sendings) == (application.version + 1, application.sendings + 1)
        assert Submission.objects.filter(application=application).count() == 1
        assert Entry.objects.filter(subject=application.subject, verb="submit").count() == 1
        assert Letter.objects.about(application.subject).filter(name="submitted").count() == 1
        assert not list(broken_links(application.subject))
