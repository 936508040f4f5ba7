"""The form editor of the administration: what an administrator sees, types, and is refused."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from applications import versions
from applications.models import FormVersion, Question, Section
from tests.applications.pages import text_of
from tests.factories import ApplicationFactory, DomainFactory, EstablishmentFactory, FormFactory


@pytest.fixture
def desk(signed_in, administrator):
    return signed_in(administrator)


@pytest.fixture
def published(db):
    return FormFactory(
        questions=[
            {"key": "met", "kind": "choice", "label": "Prérequis", "choices": [["oui", "Oui"], ["non", "Non"]]},
            {"key": "box", "kind": "checkbox", "label": "Engagement", "checkbox_label": "Je m’engage"},
            {"key": "reason", "label": "Motif", "shown_if": {"met": ["non"]}},
            {"key": "rib", "kind": "evidence", "label": "RIB", "formats": ["pdf", "zed"], "container": "D1.O1"},
            {"key": "of-group", "label": "Code du groupement", "shown_if": {"@kind": ["ght"]}},
        ]
    )


@pytest.fixture
def draft(published, administrator):
    return versions.duplicate(published, by=administrator)


def page(name, *args, query="") -> str:
    return reverse(f"admin:applications_{name}", args=args) + query


def question(form, key) -> Question:
    return Question.objects.select_related("section").get(section__form=form, key=key)


def filled(desk, address, **changes) -> dict:
    """What a browser would post from this page, changed by hand."""
    form = desk.get(address).context["adminform"].form
    data = {name: form[name].value() for name in form.fields if form[name].value() not in (None, False)}
    return {key: value for key, value in (data | changes).items() if value is not None}


# --- a version ----------------------------------------------------------------------------------------------------
def test_the_editor_shows_sections_questions_and_conditions(desk, draft):
    said = text_of(desk.get(page("formversion_change", draft.pk)))
    for words in ("En préparation.", "Rien n’empêche de la publier", "1. Section", "Prérequis", "Choix unique"):
        assert words in said
    assert "Si « Prérequis » est « Non »" in said
    assert "Si l’établissement est de type « Groupement Hospitalier de Territoire »" in said


def test_a_fault_is_said_at_its_question(desk, draft):
    Question.objects.filter(section__form=draft, key="rib").update(formats=[])
    said = text_of(desk.get(page("formversion_change", draft.pk)))
    assert "2 points à corriger avant de publier" in said
    assert said.index("RIB") < said.index("Cochez au moins un format") < said.index("Code du groupement")


def test_a_published_version_is_read_only_everywhere(desk, published):
    section, one = published.sections.get(), question(published, "met")
    editor = text_of(desk.get(page("formversion_change", published.pk)))
    assert "Elle ne se modifie plus" in editor
    for absent in ("_save", "Ajouter une", "Monter", "Supprimer"):
        assert absent not in editor
    for address in (page("section_change", section.pk), page("question_change", one.pk)):
        assert "_save" not in text_of(desk.get(address))
        assert desk.post(address, {"title": "Autre", "label": "Autre"}).status_code == 403
    assert desk.post(page("formversion_change", published.pk), {"reminder": "Autre"}).status_code == 403
    for name, pk in (("formversion", published.pk), ("section", section.pk), ("question", one.pk)):
        assert desk.post(page(f"{name}_delete", pk), {"post": "yes"}).status_code == 403
    assert desk.get(page("section_add", query=f"?formulaire={published.pk}")).status_code == 403
    assert desk.get(page("question_add", query=f"?section={section.pk}")).status_code == 403
    assert desk.post(page("formversion_move", published.pk), {"up": f"question-{one.pk}"}).status_code == 409
    assert desk.get(page("formversion_publish", published.pk)).status_code == 409


def test_a_published_question_is_read_in_plain_words(desk, published):
    said = text_of(desk.get(page("question_change", question(published, "reason").pk)))
    assert "« Prérequis » est « Non »" in said
    assert "shown_if" not in said


def test_the_next_version_is_prepared_edited_and_published(desk, published):
    ApplicationFactory(domain=published.domain, candidature_form=published)
    answer = desk.post(page("formversion_duplicate", published.pk))
    copy = FormVersion.objects.get(domain=published.domain, number=2)
    assert answer["Location"] == page("formversion_change", copy.pk)
    desk.post(page("formversion_change", copy.pk), {"reminder": "Soyez prêts."})
    said = text_of(desk.get(page("formversion_publish", copy.pk)))
    assert "version 1 : 1 dossier" in said
    desk.post(page("formversion_publish", copy.pk), {"mark": re.search(r'name="mark" value="(\w+)"', said)[1]})
    copy.refresh_from_db()
    assert copy.published_at is not None
    assert copy.reminder == "Soyez prêts."


def test_nothing_wrong_is_published_whatever_is_posted(desk, draft):
    Question.objects.filter(section__form=draft, key="reason").update(shown_if={"ps9": ["non"]})
    said = text_of(desk.get(page("formversion_publish", draft.pk)))
    assert "ne peut pas encore être publiée" in said
    assert "Section › Motif" in said
    answer = desk.post(page("formversion_publish", draft.pk), {"mark": versions.mark_of(draft)})
    assert answer.status_code == 409
    draft.refresh_from_db()
    assert draft.published_at is None


def test_what_was_edited_since_the_page_is_not_published(desk, draft, administrator):
    mark = desk.get(page("formversion_publish", draft.pk)).context["mark"]
    versions.save_reminder(draft, "Autre", by=administrator)
    answer = desk.post(page("formversion_publish", draft.pk), {"mark": mark})
    assert answer.status_code == 409
    assert "a changé depuis" in text_of(answer)


def test_the_first_form_of_a_step_is_begun(desk):
    domain = DomainFactory()
    data = {"domain": domain.pk, "step": "declaration"}
    answer = desk.post(page("formversion_add"), data)
    form = domain.forms.get()
    assert answer["Location"] == page("formversion_change", form.pk)
    assert "Cette étape a déjà un formulaire" in text_of(desk.post(page("formversion_add"), data))


def test_a_version_in_the_making_is_deleted(desk, draft):
    assert desk.post(page("formversion_delete", draft.pk), {"post": "yes"}).status_code == 302
    assert not FormVersion.objects.filter(pk=draft.pk).exists()


def test_moving_comes_back_to_the_place(desk, draft):
    one = question(draft, "box")
    answer = desk.post(page("formversion_move", draft.pk), {"up": f"question-{one.pk}"})
    assert answer["Location"].endswith(f"#question-{one.pk}")
    assert question(draft, "box").position == 1


@pytest.mark.parametrize("posted", ["", "question-", "question-999999", "domain-1", "question-١"])
def test_moving_what_is_not_there_is_not_found(desk, draft, posted):
    assert desk.post(page("formversion_move", draft.pk), {"up": posted}).status_code == 404


def test_a_question_of_another_form_is_not_moved_from_here(desk, draft):
    other = question(FormFactory(published_at=None), "precision")
    assert desk.post(page("formversion_move", draft.pk), {"up": f"question-{other.pk}"}).status_code == 404


# --- sections and questions ---------------------------------------------------------------------------------------
def test_a_section_is_added_changed_and_deleted(desk, draft):
    add = page("section_add", query=f"?formulaire={draft.pk}")
    assert desk.post(add, {"title": "Suite", "introduction": ""})["Location"].startswith(
        page("formversion_change", draft.pk)
    )
    section = draft.sections.get(title="Suite")
    desk.post(page("section_change", section.pk), {"title": "Suite et fin", "introduction": "- un point"})
    assert Section.objects.get(pk=section.pk).title == "Suite et fin"
    desk.post(page("section_delete", section.pk), {"post": "yes"})
    assert not Section.objects.filter(pk=section.pk).exists()


def test_a_question_is_added_from_lines_boxes_and_rows(desk, draft):
    section = draft.sections.get()
    address = page("question_add", query=f"?section={section.pk}")
    assert "à la fin de sa section" in text_of(desk.get(address))
    typed = {
        "label": "Périmètre retenu",
        "kind": "choice",
        "choices": "tout = Tout l’établissement\nAvant le 31 décembre",
        "condition_0": ["non"],
        "condition_1": ["@ticked"],
        "condition_kind": ["ght", "public"],
    }
    assert desk.post(address, filled(desk, address, **typed)).status_code == 302
    made = question(draft, "perimetre-retenu")
    assert made.choices == [["tout", "Tout l’établissement"], ["avant-le-31-decembre", "Avant le 31 décembre"]]
    assert made.shown_if == {"@kind": ["ght", "public"], "met": ["non"], "box": [True]}
    assert made.position == 6
    assert versions.faults_in(draft) == []


def test_a_question_opens_as_it_is_and_saves_as_it_was(desk, draft):
    before = list(Question.objects.filter(section__form=draft).order_by("pk").values())
    for one in Question.objects.filter(section__form=draft):
        address = page("question_change", one.pk)
        answer = desk.post(address, filled(desk, address))
        assert answer.status_code == 302, answer.context["adminform"].form.errors
    assert list(Question.objects.filter(section__form=draft).order_by("pk").values()) == before


def test_a_space_gets_its_limits(desk, draft):
    address = page("question_change", question(draft, "rib").pk)
    desk.post(address, filled(desk, address, formats=["pdf", "docx", "zed"], max_megabytes="49", max_files="3"))
    made = question(draft, "rib")
    assert (made.formats, made.max_megabytes, made.max_files) == (["pdf", "docx", "zed"], 49, 3)


@pytest.mark.parametrize(
    ("key", "changes", "told"),
    [
        ("reason", {"choices": "oui = Oui\nnon = Non"}, "Seul un choix unique ou multiple"),
        ("reason", {"formats": ["pdf"]}, "Seul un espace de dépôt a des formats"),
        ("reason", {"max_files": "3"}, "Seul un espace de dépôt a cette limite"),
        ("reason", {"container": "D1.O1"}, "accepte le format zed"),
        ("reason", {"activity_share": "66"}, "Seule une liste des entités rattachées"),
        ("reason", {"checkbox_label": "Je valide"}, "Seule une case à cocher"),
        ("reason", {"kind": "checkbox"}, "Écrivez le texte de la case"),
        ("reason", {"contact_role": "dsi"}, "à la fois le contact"),
        ("reason", {"key": "met"}, "a déjà cette clé"),
        ("met", {"choices": "oui ="}, "Ligne 1, « oui = » : écrivez l’intitulé seul, ou « valeur = Intitulé »"),
        ("met", {"choices": "oui = Oui"}, "au moins deux réponses"),
        ("rib", {"formats": []}, "Cochez au moins un format"),
        ("rib", {"max_megabytes": "300"}, "inférieure ou égale à 200"),
    ],
)
def test_what_a_kind_has_no_use_for_is_refused_at_its_field(desk, draft, key, changes, told):
    one = question(draft, key)
    address = page("question_change", one.pk)
    answer = desk.post(address, filled(desk, address, **changes))
    assert answer.status_code == 200
    assert told in text_of(answer)
    assert question(draft, key).__dict__ | {"_state": 0} == one.__dict__ | {"_state": 0}


def test_a_condition_that_lost_its_question_is_taken_away(desk, draft):
    Question.objects.filter(section__form=draft, key="reason").update(shown_if={"gone": ["non"], "met": ["oui"]})
    address = page("question_change", question(draft, "reason").pk)
    assert "« gone »" in text_of(desk.get(address))
    desk.post(address, filled(desk, address))
    assert question(draft, "reason").shown_if == {"gone": ["non"], "met": ["oui"]}
    desk.post(address, filled(desk, address, stale=["gone"]))
    assert question(draft, "reason").shown_if == {"met": ["oui"]}


def test_only_questions_before_it_are_offered_as_a_condition(desk, draft):
    said = text_of(desk.get(page("question_change", question(draft, "box").pk)))
    assert "« Prérequis »" in said
    assert "« Engagement »" not in said


# --- preview and comparison ---------------------------------------------------------------------------------------
def test_the_preview_shows_what_a_kind_of_establishment_is_asked(desk, draft):
    EstablishmentFactory(as_ght=True)
    group = text_of(desk.get(page("formversion_preview", draft.pk, query="?type=ght")))
    private = text_of(desk.get(page("formversion_preview", draft.pk, query="?type=private")))
    for said in (group, private):
        for words in ("Aperçu de la version 2, non publiée", "À remplir si « Prérequis » est « Non »", "Je m’engage"):
            assert words in said
    assert "Code du groupement" in group
    assert "Code du groupement" not in private
    assert "Le répertoire ne contient aucun établissement de ce type" in private


def test_the_preview_of_a_whole_form_opens_for_each_step_and_writes_nothing(desk, domain):
    for kind in ("ght", "public", "private"):
        EstablishmentFactory(**({"as_ght": True} if kind == "ght" else {"private": kind == "private"}))
        for form in domain.forms.all():
            answer = desk.get(page("formversion_preview", form.pk, query=f"?type={kind}"))
            assert answer.status_code == 200
            for part in form.sections.all():
                assert part.title in text_of(answer)
    assert not domain.applications.exists()


def test_versions_are_compared(desk, published, draft, administrator):
    versions.delete_question(question(draft, "of-group"), by=administrator)
    changed = question(draft, "rib")
    changed.max_files = 3
    versions.save_question(changed, by=administrator)
    section = draft.sections.get()
    made = {"key": "new", "kind": "text", "label": "Nouvelle", "shown_if": {"met": ["non"]}}
    versions.save_question(Question(section=section, **made), by=administrator)
    versions.save_reminder(draft, "Un rappel", by=administrator)
    shown = desk.get(page("formversion_compare", draft.pk))
    assert "(<code>new</code>), obligatoire, affichée si" in text_of(shown)
    found = shown.context["changes"]
    assert [one.question.key for one in found.added] == ["new"]
    assert [one.key for one in found.removed] == ["of-group"]
    [change] = found.changed
    assert [(one.name, one.before, one.after) for one in change.differences] == [("Nombre de fichiers", "10", "3")]
    assert found.reminder.after == "Un rappel"


def test_what_only_moved_is_told_as_moved(desk, draft, administrator):
    versions.move_question(question(draft, "rib"), up=True, by=administrator)
    found = desk.get(page("formversion_compare", draft.pk)).context["changes"]
    assert {change.question.key for change in found.changed} == {"rib", "reason"}
    assert "disent la même chose" not in text_of(desk.get(page("formversion_compare", draft.pk)))


@pytest.mark.parametrize("rows", [1, 3])
def test_the_editor_asks_as_much_for_one_question_as_for_three(desk, administrator, rows):
    fields = [{"key": f"q-{rank}", "kind": "text", "shown_if": {"@kind": ["ght"]}} for rank in range(rows)]
    form = versions.duplicate(FormFactory(questions=fields), by=administrator)
    found = {}
    for name in ("change", "preview", "publish", "compare"):
        address = page(f"formversion_{name}", form.pk)
        desk.get(address)
        with CaptureQueriesContext(connection) as asked:
            desk.get(address)
        found[name] = len(asked)
    assert found == {"change": 15, "preview": 7, "publish": 15, "compare": 11}
