"""Quarantine of a file that stands in no space: the RIB of a change of account, a signed copy, a container, a model."""

import pytest
from django.urls import reverse
from django.utils import timezone

from applications.actions import NotNow
from applications.models import Application
from conventions.actions import send_copy
from conventions.models import SignedCopy
from demo.specimens import pdf
from ecare.letters.models import Letter
from evidence import bank, containers, scanning
from evidence.models import BankDetails, Container, SpaceTemplate
from tests.evidence.conftest import dossier_with, space_of, upload
from tests.evidence.pool import SPACE as CONTAINER
from tests.evidence.pool import fill_pool
from tests.evidence.scanning import FOUND, MARK, found_infected, now
from tests.world import NEW_BANK, World

pytestmark = pytest.mark.django_db


def told(name) -> set[str]:
    return set(Letter.objects.filter(name=name).values_list("recipient", flat=True))


@pytest.fixture
def world():
    return World(1)


def accepted(world):
    return Application.objects.get(pk=world.dossiers["accepted"].pk)


def test_an_infected_rib_is_asked_for_again_and_not_confirmed(world, signed_in):
    application, file = accepted(world), upload(pdf(line="rib"), "rib.pdf")
    asked_for = bank.change_bank_details(application, by=world.owner, values=NEW_BANK, upload=file)
    Letter.objects.all().delete()
    found_infected(asked_for)
    assert now(asked_for).is_infected
    letter = Letter.objects.get(name="file_quarantined", recipient=world.owner.email)
    assert reverse("evidence:bank_details", args=[application.reference]) in letter.text and "RIB" in letter.text
    assert world.cast["ans"].email in told("file_quarantined")
    with pytest.raises(NotNow, match="Personne ne peut lire"):
        bank.confirm_bank_details(asked_for, by=world.cast["ans"], at=timezone.now())
    link = reverse("evidence:rib", args=[asked_for.pk])
    for person, page in (
        (world.owner, reverse("evidence:bank_details", args=[application.reference])),
        (world.cast["ans"], reverse("reviews:dossier", args=[application.reference])),
    ):
        text = signed_in(person).get(page).text
        assert link not in text and "en quarantaine" in text
        assert signed_in(person).get(link).status_code == 409
    healthy = upload(pdf(line="sain"), "r.pdf")
    again = bank.change_bank_details(application, by=world.owner, values=NEW_BANK, upload=healthy)
    bank.confirm_bank_details(again, by=world.cast["ans"], at=timezone.now())
    assert BankDetails.objects.get(pk=asked_for.pk).state == BankDetails.State.REPLACED


def test_a_rib_that_waits_for_the_antivirus_is_not_confirmed(world, settings):
    settings.SCANNER = "clamd:///nowhere"
    application = accepted(world)
    asked_for = bank.change_bank_details(application, by=world.owner, values=NEW_BANK, upload=upload(pdf(line="rib")))
    with pytest.raises(NotNow, match="pas encore analysé"):
        bank.confirm_bank_details(asked_for, by=world.cast["ans"], at=timezone.now())


def test_an_infected_copy_of_the_convention_goes_back_to_the_establishment(world, signed_in):
    application = accepted(world)
    copy = send_copy(application, upload=upload(pdf(line="signée"), "signee.pdf"), by=world.owner, at=timezone.now())
    Letter.objects.all().delete()
    found_infected(copy)
    assert accepted(world).is_to_sign and SignedCopy.objects.get(pk=copy.pk).state == SignedCopy.State.REFUSED
    address = reverse("conventions:convention", args=[application.reference])
    assert address in Letter.objects.get(name="file_quarantined", recipient=world.owner.email).text
    page = signed_in(world.owner).get(address).text
    assert "Exemplaire infecté" in page and "L’ANS a refusé" not in page
    again = send_copy(accepted(world), upload=upload(pdf(line="saine"), "s.pdf"), by=world.owner, at=timezone.now())
    assert again.is_waiting


def test_an_infected_container_is_never_drawn(db):
    """Seen to fail when the pool offers every container that is left."""
    application = dossier_with(CONTAINER, state="draft")
    fill_pool(application, 2)
    first, second = Container.objects.order_by("pk")
    found_infected(first)
    drawn = containers.draw(
        application, space_of(application, CONTAINER["key"]), by=application.referent, at=timezone.now()
    )
    assert drawn.pk == second.pk


@pytest.mark.parametrize(("line", "says"), [("sain", ""), (MARK.decode(), FOUND)])
def test_a_model_is_scanned_before_anybody_downloads_it(antivirus, line, says):
    """Seen to fail when the form asks the antivirus nothing."""
    fault = scanning.fault_of(upload(pdf(line=line)))
    assert says in fault and bool(fault) == bool(says)


def test_without_a_word_of_the_antivirus_no_model_is_published(no_antivirus, admin):
    application = dossier_with({})
    given = {"domain": application.domain_id, "question": "espace-1", "title": "Liste", "upload": upload(pdf())}
    answer = admin.post(reverse("admin:evidence_spacetemplate_add"), given)
    assert "L’antivirus ne répond pas" in answer.text and not SpaceTemplate.objects.exists()
