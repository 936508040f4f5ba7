"""Two tabs, two dossiers, two batches at once."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from applications.models import Application
from ecare.journal.models import Entry
from evidence import containers, vault
from evidence.containers import NewContainer, password_of
from evidence.models import Container
from tests.evidence.pool import OBJECTIVE, activate, dossier_that_asks, draw, fill_pool, reissue, zed
from tests.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def count(application, verb):
    return Entry.objects.filter(subject=application.subject, verb=verb).count()


def test_two_tabs_draw_one_container():
    application = dossier_that_asks()
    fill_pool(application, 4)
    drawn = at_once(*[lambda: draw(application)] * 4)
    assert len({container.pk for container in drawn}) == 1
    assert Container.objects.in_pool().count() == 3
    assert count(application, "draw_container") == 1


def test_two_tabs_activate_once():
    application = dossier_that_asks()
    fill_pool(application, 2)
    container = draw(application)
    done = at_once(*[lambda: activate(application, container)] * 4)
    assert len({one.activated_at for one in done}) == 1, "one erasure"
    assert count(application, "activate_container") == 1
    kept = Container.objects.get(pk=container.pk)
    assert (kept.username, kept.password) == ("", None)
    assert Container.objects.in_pool().count() == 1


def test_a_late_tab_never_erases_the_credentials_of_a_new_container():
    application = dossier_that_asks()
    fill_pool(application, 3)
    old = activate(application, draw(application))
    at_once(lambda: reissue(application, old), lambda: activate(application, old), lambda: reissue(application, old))
    live = Container.objects.live().get()
    assert live.pk != old.pk
    assert password_of(live)
    assert count(application, "reissue_container") == 1


def test_two_dossiers_never_get_the_same():
    first, second = dossier_that_asks(), dossier_that_asks()
    Application.objects.filter(pk=second.pk).update(domain=first.domain, candidature_form=first.candidature_form)
    second = Application.objects.get(pk=second.pk)
    fill_pool(first, 1)
    outcomes = at_once(lambda: draw(first), lambda: draw(second))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Container", "PoolEmpty"]


def test_the_same_batch_loaded_twice_enters_once():
    application = dossier_that_asks()

    def load():
        upload = SimpleUploadedFile("a.zed", zed("un"))
        batch = [NewContainer(upload, application.domain, OBJECTIVE, "nom", "secret")]
        return containers.load(batch, by=None, at=timezone.now())

    outcomes = at_once(load, load, refusals=(containers.AlreadyKnown,))
    assert sum(isinstance(outcome, containers.AlreadyKnown) for outcome in outcomes) == 1
    container = Container.objects.get()
    assert set(vault.names()) == {container.file.storage_name}
