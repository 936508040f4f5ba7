"""« Modèles »: what an evidence space gives to fill in, from its definition to the référent's screen."""

import io
import zipfile
from xml.etree import ElementTree

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from python_calamine import CalamineWorkbook

from applications import versions
from applications.definitions import load_domain
from applications.form_faults import FORMATS
from applications.models import Application, Domain, Question
from applications.readers import read_folder
from demo.specimens import docx, pdf
from ecare.journal.models import Entry
from evidence import files
from evidence.files import MEDIA_TYPES, Refused
from evidence.models import SpaceTemplate
from evidence.space_templates import publish_template
from evidence.templatetags.evidence import template_of
from evidence.writers import made, read_definitions
from tests.evidence.conftest import dossier_with, put_in
from tests.factories import FormFactory, UserFactory

FOLDER = settings.BASE_DIR / "fixtures" / "modeles"
DEFINITIONS = {definition["file"]: definition for definition in read_definitions(FOLDER)}


def parts_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        assert package.testzip() is None
        return {name: package.read(name) for name in package.namelist()}


def publish(domain, question="espace-1", content=None, **fields):
    upload = ContentFile(pdf() if content is None else content, name=fields.pop("name", "modele.pdf"))
    values = {"title": "Liste des serveurs", "by": None, "at": timezone.now()} | fields
    return publish_template(domain, question, upload=upload, **values)


def page_of(client, application) -> str:
    return client.get(reverse("applications:detail", args=[application.reference])).text


# --- the files ----------------------------------------------------------------------------------------------------
def test_there_are_three():
    assert sorted(DEFINITIONS) == [
        "liste-domaines-active-directory.docx",
        "liste-exposition-internet.docx",
        "trame-financiere.xlsx",
    ]


@pytest.mark.parametrize("name", sorted(DEFINITIONS))
def test_the_repository_holds_what_the_definitions_make(name, tmp_path):
    assert parts_of((FOLDER / name).read_bytes()) == parts_of(made(DEFINITIONS[name]))


def test_the_command_makes_them(tmp_path):
    for path in FOLDER.glob("*.yaml"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    call_command("make_templates", tmp_path, verbosity=0)
    assert {path.name for path in tmp_path.glob("*.[dx]*")} == set(DEFINITIONS)


@pytest.mark.parametrize("name", sorted(DEFINITIONS))
def test_the_vault_takes_them_back(name):
    upload = ContentFile((FOLDER / name).read_bytes(), name=name)
    assert files.check(upload, formats=["docx", "xlsx"], max_bytes=2**20).name == name


@pytest.mark.parametrize("name", sorted(DEFINITIONS))
def test_every_part_is_sound(name):
    parts = parts_of((FOLDER / name).read_bytes())
    for part, content in parts.items():
        assert ElementTree.fromstring(content) is not None, part
    announced = ElementTree.fromstring(parts["[Content_Types].xml"])
    named = {one.get("PartName").lstrip("/") for one in announced if one.get("PartName")}
    assert named <= set(parts)


@pytest.mark.parametrize("name", [name for name in sorted(DEFINITIONS) if name.endswith(".docx")])
def test_a_document_says_what_its_definition_says_and_has_rows_to_fill_in(name):
    word = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
    body = ElementTree.fromstring(parts_of((FOLDER / name).read_bytes())["word/document.xml"])
    text = "\n".join("".join(one.itertext()) for one in body.iter(f"{word}p"))
    for block in DEFINITIONS[name]["content"]:
        for value in block.values():
            said = [value] if isinstance(value, str) else value if isinstance(value, list) else []
            said = said or [column["title"] for column in value["columns"]]
            assert [one for one in said if one not in text] == []
    wanted = [block["table"]["rows"] + 1 for block in DEFINITIONS[name]["content"] if "table" in block]
    assert [len(table.findall(f"{word}tr")) for table in body.iter(f"{word}tbl")][1:] == wanted


def test_the_frame_has_its_two_sheets():
    book = CalamineWorkbook.from_filelike(io.BytesIO((FOLDER / "trame-financiere.xlsx").read_bytes()))
    assert book.sheet_names == ["Dépenses", "Synthèse des frais engagés"]
    expenses = book.get_sheet_by_name("Dépenses").to_python()
    assert any("Fournisseur" in row and "Montant toutes taxes" in row for row in expenses)
    said = str(book.get_sheet_by_name("Synthèse des frais engagés").to_python())
    for expected in ("D1.O1", "D1.O2", "Prestation d’audit", "Total des frais engagés", "Signature et cachet"):
        assert expected in said


def test_the_frame_counts_by_formulas_and_refuses_expenses_before_the_opening():
    parts = parts_of((FOLDER / "trame-financiere.xlsx").read_bytes())
    expenses, summary = (parts[f"xl/worksheets/sheet{rank}.xml"].decode() for rank in (1, 2))
    assert "<f>H7+I7</f>" in expenses
    assert "<f>SUM(J7:J206)</f>" in expenses
    assert "<f>SUMIFS('Dépenses'!$J$7:$J$206,'Dépenses'!$G$7:$G$206,$A8,'Dépenses'!$F$7:$F$206,B$7)</f>" in summary
    assert "45369" in expenses, "18/03/2024, as workbooks count days"


# --- publishing ---------------------------------------------------------------------------------------------------
def test_every_space_that_asks_for_one_gets_it_and_again_changes_nothing(db):
    for definition in read_folder(settings.BASE_DIR / "fixtures" / "domaines"):
        load_domain(definition, at=timezone.now())
    call_command("load_templates", verbosity=0)
    call_command("load_templates", verbosity=0)
    for slug in ("domaine-1", "domaine-recette"):
        found = SpaceTemplate.objects.filter(domain__slug=slug)
        assert {one.question for one in found} == {"d1-o1-ad-list", "d1-o2-exposure-list", "financial-frame"}
        assert {one.number for one in found} == {1}


def test_a_changed_model_is_the_next_version_and_the_older_one_stays(db):
    domain = dossier_with({}).domain
    first, again, second = publish(domain), publish(domain), publish(domain, content=pdf(line="2"))
    assert (first.number, again, second.number) == (1, None, 2)
    assert [one.number for one in SpaceTemplate.objects.latest_of(domain)] == [2]
    assert SpaceTemplate.objects.count() == 2
    entries = Entry.objects.filter(subject=f"domain:{domain.slug}", verb="publish_template")
    assert [entry.data["number"] for entry in entries] == [1, 2]


def test_a_model_is_checked_as_any_file(db):
    with pytest.raises(files.Refused):
        publish(dossier_with({}).domain, content=b"MZ", name="modele.pdf")
    assert not SpaceTemplate.objects.exists()


# --- on screen ----------------------------------------------------------------------------------------------------
def test_it_stands_beside_its_space(db, signed_in):
    application = dossier_with({}, {})
    template = publish(application.domain, content=docx(), name="liste.docx")
    publish(dossier_with({}).domain, title="D’un autre domaine")
    page = page_of(signed_in(application.referent), application)
    assert page.count(reverse("evidence:template", args=[template.pk])) == 1
    assert page.index('id="espace-espace-1"') < page.index("Liste des serveurs") < page.index('id="espace-espace-2"')
    assert "DOCX" in page and "D’un autre domaine" not in page


def test_it_is_downloaded_by_whoever_signed_in(db, signed_in, client):
    template = publish(dossier_with({}).domain)
    address = reverse("evidence:template", args=[template.pk])
    answer = signed_in(UserFactory()).get(address)
    assert answer.content == pdf()
    assert answer["Content-Disposition"] == 'attachment; filename="modele.pdf"'
    assert answer["Content-Type"] == "application/octet-stream"
    assert client.get(address).status_code == 302


def test_the_number_of_queries_does_not_grow(db, signed_in):
    counts = set()
    for spaces in (1, 3):
        application = dossier_with(*[{}] * spaces)
        for rank in range(1, spaces + 1):
            publish(application.domain, f"espace-{rank}")
        client = signed_in(application.referent)
        page_of(client, application)
        with CaptureQueriesContext(connection) as asked:
            page_of(client, application)
        counts.add(len(asked))
    assert len(counts) == 1


# --- in the administration ----------------------------------------------------------------------------------------
def post(client, application, **fields):
    values = {"domain": application.domain.pk, "question": "espace-1", "title": "Liste"} | fields
    return client.post(reverse("admin:evidence_spacetemplate_add"), values)


def test_an_administrator_adds_a_version(db, admin):
    application = dossier_with({})
    for line in ("1", "2"):
        answer = post(admin, application, upload=ContentFile(pdf(line=line), name="m.pdf"))
        assert answer.status_code == 302
    assert sorted(SpaceTemplate.objects.values_list("number", flat=True)) == [1, 2]
    assert SpaceTemplate.objects.first().published_by.role == "administrator"
    change = reverse("admin:evidence_spacetemplate_change", args=[SpaceTemplate.objects.first().pk])
    assert "m.pdf" in admin.get(change).text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"question": "nulle-part"}, "Aucun espace de dépôt de ce domaine ne porte cette clé."),
        ({"upload": ContentFile(b"MZ", name="m.pdf")}, "son contenu est"),
        ({"upload": ContentFile(b"", name="m.pdf")}, "vide"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(db, admin, fields, said):
    answer = post(admin, dossier_with({}), **({"upload": ContentFile(pdf(), name="m.pdf")} | fields))
    assert answer.status_code == 200
    assert said in answer.text
    assert not SpaceTemplate.objects.exists() and Domain.objects.exists()


# --- a model that comes back empty --------------------------------------------------------------------------------
def test_a_model_as_it_was_downloaded_is_refused_with_what_to_do(db):
    application = dossier_with({}, {})
    content = pdf(line="le modèle")
    publish(application.domain, content=content)
    for space in ("espace-1", "espace-2"):
        with pytest.raises(Refused, match="encore vide"):
            put_in(application, content, "modele.pdf", space)
    assert put_in(application, pdf(line="le modèle, rempli"), "modele.pdf").pk


def test_the_next_version_of_a_form_keeps_the_models_of_its_spaces(db):
    form = FormFactory(questions=[{"key": "liste", "kind": "evidence", "formats": ["pdf"]}])
    publish(form.domain, "liste", title="Liste")
    administrator = UserFactory(administrator=True)
    copy = versions.duplicate(form, by=administrator)
    versions.publish(copy, by=administrator, at=timezone.now(), mark=versions.mark_of(copy))
    dossier = Application(domain=form.domain)
    space = Question.objects.get(section__form=copy, key="liste")
    assert template_of(dossier, space).title == "Liste"


def test_the_editor_offers_the_formats_that_the_vault_can_check():
    assert set(FORMATS) == set(MEDIA_TYPES)
