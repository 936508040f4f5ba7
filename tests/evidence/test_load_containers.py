"""Batches of containers: the page of the ANS, the command, and every fault that a CSV file may have."""

import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from demo.ole import compound_bytes
from ecare.journal.models import Entry
from evidence.containers import password_of
from evidence.models import Container
from evidence.readers import UnreadableBatch, read_batch
from tests.evidence.pool import OBJECTIVE, SECRET, SPACE, dossier_that_asks, draw, fill_pool, zed, zipped
from tests.factories import FormFactory, UserFactory

pytestmark = pytest.mark.django_db

GOOD = "conteneur-1.zed;nom-1;Mot2Passe@1;{slug};D1.O1\nconteneur-2.zed;nom-2;Mot2Passe@2;{slug};D1.O1\n"


@pytest.fixture
def domain():
    return dossier_that_asks().domain


@pytest.fixture
def archive():
    return zipped({"conteneur-1.zed": zed(1), "conteneur-2.zed": zed(2)})


def read(archive: bytes, table: str | bytes, domain):
    table = table if isinstance(table, bytes) else table.format(slug=domain.slug).encode()
    return read_batch(io.BytesIO(archive), io.BytesIO(table))


def told(batch) -> list[str]:
    return [f"{fault.line} {fault.name} {fault.reason}".replace("\u00a0", " ") for fault in batch.faults]


# --- what is read -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "table",
    [
        GOOD,
        GOOD.replace(";", ","),
        "Nom du fichier;Nom d’utilisateur;Mot de passe;Domaine;Objectif\n" + GOOD,
        "Nom du fichier;Nom d'utilisateur;Mot de passe;Domaine;Objectif\r\n\r\n" + GOOD.replace("\n", "\r\n"),
        "\ufeff" + GOOD,
        GOOD.replace("Mot2Passe@1", '"Mot2Passe@1"'),
        GOOD.replace("\n", ""[:0] + "\n\n"),
    ],
)
def test_separators_headings_and_marks(archive, domain, table):
    batch = read(archive, table, domain)
    assert told(batch) == []
    assert [(one.username, one.password, one.objective) for one in batch.containers] == [
        ("nom-1", "Mot2Passe@1", OBJECTIVE),
        ("nom-2", "Mot2Passe@2", OBJECTIVE),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "latin-1"])
def test_encodings(archive, domain, encoding):
    password = "Été@ç" if encoding == "latin-1" else "Été@€"
    table = GOOD.replace("Mot2Passe@1", password).format(slug=domain.slug).encode(encoding)
    assert read(archive, table, domain).containers[0].password == password


def test_a_separator_may_stand_in_a_quoted_password(archive, domain):
    table = GOOD.replace("Mot2Passe@1", '"Mot;2""Passe"')
    assert read(archive, table, domain).containers[0].password == 'Mot;2"Passe'


def test_the_domain_may_be_given_by_its_name_and_the_files_lie_in_folders(domain):
    nested = zipped(
        {"lot/conteneur-1.zed": zed(1), "lot/conteneur-2.zed": zed(2), "__MACOSX/lot/._x": b"", "Thumbs.db": b"x"}
    )
    batch = read(nested, GOOD.replace("{slug}", domain.name.upper()), domain)
    assert told(batch) == []
    assert [one.domain for one in batch.containers] == [domain, domain]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("conteneur-2.zed;nom-2;Secret2;{slug}", "4 colonnes au lieu de 5"),
        ("conteneur-2.zed;nom-2;Sec;ret2;{slug};D1.O1", "6 colonnes au lieu de 5"),
        (";nom-2;Secret2;{slug};D1.O1", "« nom du fichier » est vide"),
        ("conteneur-2.zed;;Secret2;{slug};D1.O1", "« nom d’utilisateur » est vide"),
        ("conteneur-2.zed;nom-2;;{slug};D1.O1", "« mot de passe » est vide"),
        ("conteneur-2.zed;nom-2;Secret2;;D1.O1", "« domaine » est vide"),
        ("conteneur-2.zed;nom-2;Secret2;{slug};", "« objectif » est vide"),
        ("conteneur-2.zip;nom-2;Secret2;{slug};D1.O1", "ne se termine pas par .zed"),
        ("conteneur-2.zed;nom-2; Secret2;{slug};D1.O1", "commence ou finit par une espace"),
        ("conteneur-2.zed;nom-2;Sec\x07ret2;{slug};D1.O1", "« mot de passe » contient un caractère invisible"),
        (f"conteneur-2.zed;nom-2;{'Secret2' * 20};{{slug}};D1.O1", "« mot de passe » dépasse 100 caractères"),
        (f"conteneur-2.zed;{'n' * 101};Secret2;{{slug}};D1.O1", "« nom d’utilisateur » dépasse 100 caractères"),
        ("conteneur-2.zed;nom-2;Secret2;domaine-x;D1.O1", "Le domaine « domaine-x » n’existe pas"),
        ("conteneur-2.zed;nom-2;Secret2;{slug};D9.O9", "n’a pas d’objectif « D9.O9 » à conteneur ; connus : D1.O1"),
        ("conteneur-3.zed;nom-2;Secret2;{slug};D1.O1", "n’est pas dans l’archive"),
        ("conteneur-1.zed;nom-2;Secret2;{slug};D1.O1", "déjà nommé à la ligne 1"),
        ("conteneur-2.zed;nom-1;Secret1;{slug};D1.O1", "identifiants sont ceux de la ligne 1"),
        ('conteneur-2.zed;nom-2;"Secret2" ;{slug};D1.O1', "guillemets"),
    ],
)
def test_each_fault_of_a_line_is_told_with_its_number_and_without_its_secret(archive, domain, line, reason):
    batch = read(archive, "conteneur-1.zed;nom-1;Secret1;{slug};D1.O1\n" + line + "\n", domain)
    [fault] = [fault for fault in batch.faults if fault.line]
    assert fault.line == 2
    assert reason in fault.reason.replace("\u00a0", " ")
    assert "Secret" not in str(batch.faults)


def test_every_line_is_looked_at(archive, domain):
    batch = read(
        archive, "conteneur-1.zed;nom-1\nconteneur-2.zed;nom-2;x;{slug};D9\n\nz.zed;n;y;{slug};D1.O1\n", domain
    )
    assert [fault.line for fault in batch.faults] == [1, 2, 4, 0]
    assert "n’est nommé par aucune ligne" in batch.faults[-1].reason


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ({"conteneur-1.zed": zed(1), "conteneur-2.zed": compound_bytes({"x": b"y"})}, "pas un conteneur ZED"),
        ({"conteneur-1.zed": zed(1), "conteneur-2.zed": b""}, "vide"),
        ({"conteneur-1.zed": zed(1), "conteneur-2.zed": zed(2)[:5000]}, "incomplet ou abîmé"),
        ({"conteneur-1.zed": zed(1), "conteneur-2.zed": zed(1)}, "identique à celui de la ligne 1"),
        ({"conteneur-1.zed": zed(1), "conteneur-2.zed": zed(2), "x/conteneur-2.zed": zed(3)}, "deux fichiers"),
        ({"conteneur-1.zed": zed(1), "conteneur-2.zed": zed(2), "lisez-moi.txt": b"!"}, "nommé par aucune ligne"),
    ],
)
def test_each_fault_of_the_archive_is_told(domain, entries, reason):
    batch = read(zipped(entries), GOOD, domain)
    assert reason in " ".join(told(batch))
    assert "déposez" not in " ".join(told(batch)).lower()


def test_a_known_container_is_refused(domain, archive):
    application = dossier_that_asks()
    fill_pool(application, 1)
    assert "a déjà été chargé" in " ".join(told(read(archive, GOOD, domain)))


@pytest.mark.parametrize(
    ("content", "table", "reason"),
    [
        (b"pas une archive", GOOD, "L’archive ne peut pas être lue"),
        (zipped({"a.zed": b"x"})[:-9], GOOD, "L’archive ne peut pas être lue"),
        (zipped({"a.zed": b"x"}), "", "aucune ligne"),
        (zipped({"a.zed": b"x"}), "a\0b", "pas un fichier texte"),
        (zipped({"a.zed": b"x"}), "x" * (1024 * 1024 + 1), "dépasse 1 Mo"),
    ],
)
def test_what_cannot_be_read_at_all(domain, content, table, reason):
    with pytest.raises(UnreadableBatch, match=reason):
        read(content, table, domain)


# --- the command --------------------------------------------------------------------------------------------------
@pytest.fixture
def files(tmp_path, archive):
    def write(table: str):
        (tmp_path / "lot.zip").write_bytes(archive)
        (tmp_path / "lot.csv").write_text(table)
        return str(tmp_path / "lot.zip"), str(tmp_path / "lot.csv")

    return write


def test_the_command_loads_a_batch(files, domain, capsys):
    call_command("load_containers", *files(GOOD.format(slug=domain.slug)))
    assert "Conteneurs chargés\u00a0: 2" in capsys.readouterr().out
    assert [password_of(one) for one in Container.objects.all()] == ["Mot2Passe@1", "Mot2Passe@2"]
    assert Entry.objects.get(verb="load_containers").actor == "system"


def test_the_command_tells_the_faults_and_loads_nothing(files, domain):
    with pytest.raises(CommandError, match=r"ligne 2, conteneur-2\.zed.: Le domaine"):
        call_command("load_containers", *files(GOOD.format(slug=domain.slug).replace(domain.slug, "x")))
    with pytest.raises(CommandError, match="absent"):
        call_command("load_containers", "/nulle/part/absent.zip", "/nulle/part/absent.csv")
    assert not Container.objects.exists()


# --- the page of the ANS ------------------------------------------------------------------------------------------
PAGE = "/verification/conteneurs/"


@pytest.fixture
def ans(signed_in):
    return signed_in(UserFactory(ans=True))


def post(client, archive: bytes, table: str):
    return client.post(
        PAGE,
        {"archive": SimpleUploadedFile("lot.zip", archive), "table": SimpleUploadedFile("lot.csv", table.encode())},
        follow=True,
    )


def test_the_ans_loads_a_batch(ans, archive, domain):
    page = post(ans, archive, GOOD.format(slug=domain.slug)).content.decode()
    assert "2 conteneurs chargés dans la réserve." in page
    assert Container.objects.in_pool().count() == 2
    assert "Mot2Passe" not in page
    assert "a déjà été chargé" in post(ans, archive, GOOD.format(slug=domain.slug)).content.decode()


def test_the_faults_are_listed_with_their_lines(ans, archive, domain):
    page = post(ans, archive, GOOD.format(slug=domain.slug).replace("nom-2", "")).content.decode()
    assert "Rien n’a été chargé" in page
    assert "Ligne 2, conteneur-2.zed" in page
    assert "Mot2Passe" not in page
    assert not Container.objects.exists()


def test_both_files_are_needed(ans, domain):
    page = ans.post(PAGE).content.decode()
    assert "Choisissez l’archive zip des conteneurs." in page
    assert "Choisissez le fichier CSV des identifiants." in page
    assert "L’archive ne peut pas être lue" in post(ans, b"rien", "a;b").content.decode()


def test_the_levels_of_the_pools(ans, settings):
    settings.CONTAINER_POOL_THRESHOLD = 1
    application = dossier_that_asks()
    fill_pool(application, 2)
    row = re.compile(r"<tr role=\"row\">\s*<td role=\"cell\".*?</tr>", re.DOTALL)
    assert "Bas" not in row.search(ans.get(PAGE).content.decode())[0]
    draw(application)
    assert "Bas" in row.search(ans.get(PAGE).content.decode())[0]
    Container.objects.in_pool().delete()
    assert "Vide" in row.search(ans.get(PAGE).content.decode())[0]


def test_the_page_asks_the_same_questions_for_one_pool_and_for_three(ans):
    ans.get(PAGE)

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as found:
            ans.get(PAGE)
        return len(found)

    fill_pool(dossier_that_asks(), 1)
    once = queries()
    for rank in (2, 3):
        fill_pool(dossier_that_asks(), 1, objective=f"D{rank}.O1")
    assert ans.get(PAGE).content.decode().count('data-label="Objectif">D') >= 3
    assert queries() == once


@pytest.mark.parametrize("role", ["ars", "referent"])
def test_others_do_not_enter(signed_in, role):
    client = signed_in(UserFactory(**({"ars": True} if role == "ars" else {})))
    assert client.get(PAGE).status_code == 403
    assert client.post(PAGE).status_code == 403


def test_an_administrator_may_load_too(signed_in, archive, domain):
    post(signed_in(UserFactory(administrator=True)), archive, GOOD.format(slug=domain.slug))
    assert Container.objects.count() == 2


def test_an_unpublished_form_asks_for_nothing_yet(domain, archive):
    FormFactory(domain=domain, step="declaration", published_at=None, questions=[SPACE | {"container": "D7.O7"}])
    assert "connus : D1.O1" in " ".join(told(read(archive, GOOD.replace("D1.O1", "D7.O7"), domain)))
    assert SECRET
    assert reverse("evidence:containers") == PAGE
