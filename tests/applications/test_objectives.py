"""The boxes that attest an objective: in the definitions, refused where they make no sense, and named by the migration
in forms that were published before."""

import importlib

import pytest
from django.apps import apps

from applications.definitions import load_domain
from applications.models import FormVersion, Question
from applications.readers import DefinitionError, read_folder
from applications.versions import faults_in
from tests.applications.conftest import DEFINITIONS
from tests.factories import FormFactory

pytestmark = pytest.mark.django_db

NAMED = {
    "domaine-1": {"d1-o1-a": "D1.O1.A", "d1-o1-b": "D1.O1.B", "d1-o2-a": "D1.O2.A", "d1-o2-b": "D1.O2.B"},
    "domaine-2": {"d2-o1": "D2.O1", "d2-o2": "D2.O2"},
}
NAMED["domaine-recette"] = NAMED["domaine-1"]


def named(slug) -> dict:
    boxes = Question.objects.filter(section__form__domain__slug=slug).exclude(objective="")
    return dict(boxes.values_list("key", "objective"))


def test_the_definitions_name_the_objectives_of_each_domain(domains):
    assert {slug: named(slug) for slug in NAMED} == NAMED


def test_forms_published_before_are_named_by_key_and_no_new_version_follows(domains):
    migration = importlib.import_module("applications.migrations.0011_objectives_of_published_forms")
    Question.objects.update(objective="")
    FormFactory(questions=[{"key": "d1-o1-a", "kind": "checkbox"}])  # a candidature names none
    migration.name_them(apps, None)
    assert {slug: named(slug) for slug in NAMED} == NAMED
    assert Question.objects.exclude(objective="").exclude(section__form__step="declaration").count() == 0
    before = FormVersion.objects.count()
    for definition in read_folder(DEFINITIONS):
        load_domain(definition, at=FormVersion.objects.first().published_at)
    assert FormVersion.objects.count() == before


@pytest.mark.parametrize(
    ("kind", "objective", "said"),
    [
        ("checkbox", "objectif un", "20 capitales"),
        ("text", "D1.O3", "Seule une case à cocher atteste un objectif"),
        ("checkbox", "D1.O1", "est déjà attesté par « Première »"),
        ("checkbox", "D1.O2", None),
    ],
)
def test_an_objective_that_makes_no_sense_keeps_a_form_from_being_published(kind, objective, said):
    box = {"kind": "checkbox", "checkbox_label": "Oui"}
    first = box | {"key": "un", "label": "Première", "objective": "D1.O1"}
    second = (box if kind == "checkbox" else {"kind": kind}) | {
        "key": "deux",
        "label": "Seconde",
        "objective": objective,
    }
    form = FormFactory(questions=[first, second], published_at=None)
    faults = [fault.message.replace("\u00a0", " ") for fault in faults_in(form) if fault.field == "objective"]
    assert faults == [] if said is None else said in faults[0]


@pytest.mark.parametrize(
    ("boxes", "said"),
    [
        (["kind: checkbox, box: A, objective: un"], "20 capitales"),
        (["kind: text, objective: D1.O3"], "seule une case"),
        (["kind: checkbox, box: A, objective: X"] * 2, "déjà attesté"),
    ],
)
def test_nor_is_one_read_from_a_file(tmp_path, boxes, said):
    asked = ", ".join(f"{{key: q-{rank}, label: Q, {box}}}" for rank, box in enumerate(boxes))
    step = f"{{sections: [{{title: Section, questions: [{asked}]}}]}}"
    text = f"slug: a\nname: A\nkinds: [ght]\nforms:\n  candidature: {step}\n  declaration: {step}\n"
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(DefinitionError, match=said):
        read_folder(tmp_path)
