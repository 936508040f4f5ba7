"""A dossier takes one container for each objective, reads its credentials, activates it: then nobody reads them."""

import logging
import re

import pytest
from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from applications.actions import NotNow
from applications.models import Application
from applications.states import State
from ecare.journal.actions import broken_links
from ecare.journal.models import Entry
from ecare.letters.models import Letter
from evidence import containers, vault
from evidence.containers import NewContainer, PoolEmpty, password_of
from evidence.files import Refused
from evidence.models import Container
from tests.evidence.conftest import dossier_with, put_in, space_of
from tests.evidence.pool import (
    OBJECTIVE,
    SECRET,
    SPACE,
    USERNAME,
    activate,
    dossier_that_asks,
    draw,
    fill_pool,
    zed,
)
from tests.factories import FormFactory, UserFactory

pytestmark = pytest.mark.django_db
MEMORISED = "Je confirme avoir mémorisé les identifiants du conteneur sécurisé"


@pytest.fixture
def application():
    found = dossier_that_asks()
    fill_pool(found, 2)
    return found


@pytest.fixture
def referent(signed_in, application):
    return signed_in(application.referent)


def address(application, name="container"):
    return reverse(f"evidence:{name}", args=[application.reference, SPACE["key"]])


def verbs_of(application):
    return list(Entry.objects.filter(subject=application.subject).order_by("sequence").values_list("verb", flat=True))


def everything_stored() -> bytes:
    """Every column of every row of every table, as bytes."""
    found = []
    for model in apps.get_models(include_auto_created=True):
        for row in model._base_manager.values_list():
            found += [bytes(cell) if isinstance(cell, memoryview | bytes) else str(cell).encode() for cell in row]
    return b"\n".join(found)


# --- the verbs ----------------------------------------------------------------------------------------------------
def test_a_dossier_draws_one_and_keeps_it(application):
    first = draw(application)
    assert (first.username, password_of(first)) == (f"{USERNAME}-1", f"{SECRET}-1")
    assert draw(application).pk == first.pk
    assert Container.objects.in_pool().count() == 1
    assert verbs_of(application) == ["draw_container"]


def test_two_dossiers_share_none(application):
    other = dossier_that_asks()
    Application.objects.filter(pk=other.pk).update(
        domain=application.domain, candidature_form=application.candidature_form
    )
    other = Application.objects.get(pk=other.pk)
    assert draw(application).pk != draw(other).pk


def test_nobody_else_draws_or_activates(application):
    container = draw(application)
    space = space_of(application, SPACE["key"])
    for stranger in (UserFactory(establishment=application.establishment), UserFactory(ans=True)):
        with pytest.raises(PermissionDenied):
            containers.draw(application, space, by=stranger, at=timezone.now())
        with pytest.raises(PermissionDenied):
            containers.activate(application, space, shown=str(container.file_id), by=stranger, at=timezone.now())
    assert password_of(Container.objects.get(pk=container.pk))


def test_a_form_that_is_closed_hands_out_nothing(application):
    Application.objects.filter(pk=application.pk).update(
        state=State.SUBMITTED, sendings=1, candidature_submitted_at=timezone.now()
    )
    with pytest.raises(NotNow):
        draw(application)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="a setting of SQLite")
def test_what_is_erased_is_written_over_in_the_file(db):
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA secure_delete").fetchone() == (1,)


def test_activation_erases_the_credentials_for_good(application, caplog):
    """Before, the password is sealed; after, no column and no log line holds it, nor the name that goes with it."""
    caplog.set_level(logging.DEBUG)
    container = draw(application)
    before = everything_stored()
    assert f"{USERNAME}-1".encode() in before
    assert f"{SECRET}-1".encode() not in before
    sealed = bytes(Container.objects.get(pk=container.pk).password)
    activate(application, container)
    after = everything_stored()
    for secret in (f"{SECRET}-1".encode(), f"{USERNAME}-1".encode(), sealed):
        assert secret not in after
    assert bytes(Container.objects.in_pool().get().password) in after  # the test would see it
    assert SECRET not in caplog.text
    assert verbs_of(application) == ["draw_container", "activate_container"]
    assert not list(broken_links(application.subject))


def test_a_second_activation_changes_nothing(application):
    container = draw(application)
    first = activate(application, container).activated_at
    assert activate(application, container).activated_at == first
    assert verbs_of(application).count("activate_container") == 1


def test_the_database_refuses_an_activated_container_with_a_password(application):
    container = draw(application)
    for fault in ({"activated_at": timezone.now()}, {"password": None}, {"application": None}, {"username": ""}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Container.objects.filter(pk=container.pk).update(**fault)


def test_the_database_refuses_a_second_live_container(application):
    draw(application)
    with pytest.raises(IntegrityError), transaction.atomic():
        Container.objects.in_pool().update(application=application, drawn_at=timezone.now())


def test_an_empty_pool_changes_nothing_and_warns_the_ans_once(application):
    Container.objects.all().delete()
    UserFactory(ans=True)
    for _ in range(2):
        with pytest.raises(PoolEmpty, match="ans-support"):
            draw(application)
    letter = Letter.objects.get(name="pool_low")
    assert "Il ne reste aucun conteneur" in letter.text
    assert verbs_of(application) == []


def test_the_ans_is_warned_before_the_pool_is_empty(application, settings):
    settings.CONTAINER_POOL_THRESHOLD = 1
    agents = [UserFactory(ans=True), UserFactory(ans=True)]
    UserFactory(ans=True, is_active=False)
    draw(application)
    letters = Letter.objects.filter(name="pool_low")
    assert {letter.recipient for letter in letters} == {agent.email for agent in agents}
    assert "Il reste un seul conteneur ZED" in letters[0].text
    letters.update(created_at=timezone.now() - containers.WARNING_INTERVAL * 2)
    assert containers.warn_of_low_pools(at=timezone.now()) == 0  # nobody waits for one
    other = dossier_that_asks(state=State.DRAFT)
    Application.objects.filter(pk=other.pk).update(
        domain=application.domain, state=State.ACCEPTED, candidature_submitted_at=timezone.now()
    )
    assert containers.warn_of_low_pools(at=timezone.now()) == 0  # its declaration asks for none
    FormFactory(domain=application.domain, step="declaration", questions=[SPACE])
    assert containers.warn_of_low_pools(at=timezone.now()) == 1
    assert containers.warn_of_low_pools(at=timezone.now()) == 0  # once a day


def test_a_pool_that_is_not_low_warns_nobody(application, settings):
    settings.CONTAINER_POOL_THRESHOLD = 0
    UserFactory(ans=True)
    draw(application)
    assert not Letter.objects.filter(name="pool_low").exists()


def test_the_untouched_container_is_no_evidence(application):
    draw(application)
    with pytest.raises(Refused, match="encore vide"):
        put_in(application, zed(1), "preuves.zed", SPACE["key"])
    assert put_in(application, zed("rempli"), "preuves.zed", SPACE["key"])


# --- the pool ------------------------------------------------------------------------------------------------------
def one(application, content: bytes, name="a.zed"):
    return NewContainer(SimpleUploadedFile(name, content), application.domain, OBJECTIVE, "nom", SECRET)


@pytest.mark.parametrize("fault", [b"ceci n'est pas un conteneur", zed(1)])
def test_a_batch_enters_whole_or_not_at_all(application, fault):
    """`zed(1)`: already known, as when two agents load the same batch at once."""
    stored, rows = set(vault.names()), Container.objects.count()
    with pytest.raises((Refused, containers.AlreadyKnown)):
        containers.load([one(application, zed("neuf")), one(application, fault)], by=None, at=timezone.now())
    assert Container.objects.count() == rows
    assert set(vault.names()) == stored


@pytest.mark.parametrize("role", ["ans", "administrator"])
def test_who_loads_is_noted(application, role):
    agent = UserFactory(**{role: True})
    containers.load([one(application, zed("neuf"))], by=agent, at=timezone.now())
    entry = Entry.objects.filter(verb="load_containers").latest("pk")
    assert entry.actor == agent.actor[0]
    assert entry.subject == f"pool:{application.domain.slug}:{OBJECTIVE}"
    assert SECRET not in str(entry.data)


def test_others_load_nothing(application):
    for person in (application.referent, UserFactory(ars=True)):
        with pytest.raises(PermissionDenied):
            containers.load([one(application, zed("neuf"))], by=person, at=timezone.now())


def test_a_new_container_never_shows_its_credentials(application):
    assert SECRET not in repr(one(application, zed("neuf")))


# --- the pages -----------------------------------------------------------------------------------------------------
def test_the_form_leads_to_the_credentials_and_back(application, referent):
    form = referent.get(reverse("applications:detail", args=[application.reference])).content.decode()
    assert f'formaction="{address(application)}"' in form
    assert SECRET not in form
    assert referent.get(address(application)).status_code == 200
    assert not Container.objects.live().exists(), "a GET draws nothing"

    page = referent.post(address(application), follow=True)
    text = page.content.decode()
    for words in (
        "Téléchargement du conteneur ZED sécurisé et chiffré",
        "vous avez besoin du nom d’utilisateur et du mot de passe suivants",
        f"{USERNAME}-1",
        f"{SECRET}-1",
        "Activer le téléchargement du conteneur ZED",
        MEMORISED,
        "Annuler",
    ):
        assert words in text
    assert {"no-store", "private"} <= set(page["Cache-Control"].split(", "))
    assert SECRET in referent.get(address(application)).content.decode(), "« Annuler » erases nothing"

    refused = referent.post(address(application, "activate_container"), {"container": shown(text)})
    assert "Cochez cette case" in refused.content.decode()
    assert SECRET in refused.content.decode()
    assert referent.get(address(application, "download_container")).status_code == 409

    typed = {"container": shown(text), "is_memorised": "on"}
    done = referent.post(address(application, "activate_container"), typed, follow=True)
    assert done.redirect_chain[-1][0].endswith(f"#espace-{SPACE['key']}")
    assert address(application, "download_container") in done.content.decode()
    assert SECRET not in referent.get(address(application)).content.decode()

    file = referent.get(address(application, "download_container"))
    assert b"".join(file.streaming_content) == zed(1)
    assert "attachment" in file["Content-Disposition"]
    assert "no-store" in file["Cache-Control"]
    assert verbs_of(application) == ["draw_container", "activate_container", "download_container"]


def shown(page: str) -> str:
    return re.search(r'name="container" value="([0-9a-f-]{36})"', page)[1]


def test_what_is_typed_in_the_form_is_kept_on_the_way(application, referent):
    """Without script the button posts the whole step."""
    added = application.candidature_form.sections.get().questions.create(
        position=9, key="precision", kind="text", label="Précision", is_required=False
    )
    page = referent.get(reverse("applications:detail", args=[application.reference])).content.decode()
    mark = re.search(r'name="_page" value="([^"]+)"', page)[1]
    referent.post(address(application), {"_page": mark, added.key: "Deux forêts"})
    assert application.answers.get(question=added).value == "Deux forêts"
    assert Container.objects.live().count() == 1


def test_the_dialog_gets_the_same_as_json(application, referent):
    script = {"accept": "application/json"}
    answer = referent.post(address(application), headers=script).json()
    assert answer["title"] == "Téléchargement du conteneur ZED sécurisé et chiffré"
    assert SECRET in answer["html"]
    typed = {"container": shown(answer["html"])}
    again = referent.post(address(application, "activate_container"), typed, headers=script).json()
    assert "Cochez cette case" in again["html"]
    done = referent.post(
        address(application, "activate_container"), typed | {"is_memorised": "on"}, headers=script
    ).json()
    assert address(application, "download_container") in done["space"]
    assert SECRET not in str(done)


def test_an_empty_pool_is_told_plainly(application, referent):
    Container.objects.all().delete()
    page = referent.post(address(application))
    assert page.status_code == 409
    for words in ("Aucun conteneur ZED disponible", "revenez demain", "ans-support-convergence@esante.gouv.fr"):
        assert words in page.content.decode()


def test_a_page_that_shows_another_container_activates_nothing(application, referent):
    draw(application)
    other = Container.objects.in_pool().get()
    for container in (other.file_id, "", "abc"):
        typed = {"container": container, "is_memorised": "on"}
        assert referent.post(address(application, "activate_container"), typed).status_code == 409
    assert Container.objects.live().get().activated_at is None


def test_a_space_without_container_has_no_such_page(application, referent):
    assert referent.get(reverse("evidence:container", args=[application.reference, "autre"])).status_code == 404


def test_the_form_asks_the_same_number_of_questions_with_and_without_a_container(
    application, referent, django_assert_max_num_queries
):
    page = reverse("applications:detail", args=[application.reference])
    referent.get(page)
    with django_assert_max_num_queries(100) as before:
        referent.get(page)
    activate(application, draw(application))
    with django_assert_max_num_queries(len(before)):
        referent.get(page)


@pytest.mark.parametrize("role", ["administrator", "ans"])
def test_the_administration_shows_no_credentials(application, signed_in, role):
    container = draw(application)
    client = signed_in(UserFactory(**{role: True}))
    pages = [
        reverse("admin:evidence_container_changelist"),
        reverse("admin:evidence_container_change", args=[container.pk]),
    ]
    seen = "".join(client.get(page, follow=True).content.decode() for page in pages)
    assert SECRET not in seen
    assert f"{USERNAME}-1" not in seen
    filtered = client.get(pages[0], {"username__startswith": "c"}, follow=True)
    assert "conteneur-1.zed" not in filtered.content.decode()


def test_the_engine_itself_holds_no_plain_password(application):
    """The file of SQLite, byte by byte, once written; PostgreSQL is read by its columns above."""
    draw(application)
    if connection.vendor == "sqlite":
        assert f"{SECRET}-1".encode() not in connection.connection.serialize()
    assert SECRET.encode() not in b"".join(open_bytes())


def open_bytes():
    for container in Container.objects.select_related("file"):
        with vault.default_storage.open(container.file.storage_name) as file:
            yield file.read()


def test_one_filled_container_is_not_put_into_the_space_of_another_objective(db):
    second = SPACE | {"key": "preuves-2", "container": "D1.O2", "label": "Preuves du second objectif"}
    application = dossier_with(SPACE, second, {"formats": ["zed", "pdf"], "key": "autre"})
    put_in(application, zed("rempli"), "d1-o1.zed", "preuves")
    with pytest.raises(Refused, match="déjà déposé dans un autre espace, «\u00a0Preuves\u00a0»"):
        put_in(application, zed("rempli"), "d1-o2.zed", "preuves-2")
    assert put_in(application, zed("second"), "d1-o2.zed", "preuves-2").pk
    assert put_in(application, zed("second"), "copie.zed", "autre").pk, "elsewhere than among containers it may stand"
