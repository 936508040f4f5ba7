"""Preparing a form: what each verb does to its version, what a published one refuses, and what is told."""

from datetime import timedelta

import pytest
from django.utils import timezone

from applications import actions, versions
from applications.form_faults import faults_of
from applications.models import Application, Question, Section, questions_of
from applications.states import Step
from ecare.journal.actions import broken_links
from ecare.journal.models import Entry
from tests.factories import ApplicationFactory, DomainFactory, FormFactory, UserFactory
from tests.racing import at_once


@pytest.fixture
def published(administrator):
    """A published form of two sections."""
    form = FormFactory(
        questions=[
            {"key": "met", "kind": "choice", "choices": [["oui", "Oui"], ["non", "Non"]]},
            {"key": "reason", "shown_if": {"met": ["non"]}},
            {"key": "rib", "kind": "evidence", "formats": ["pdf"]},
        ]
    )
    second = Section.objects.create(form=form, position=2, title="Suite")
    Question.objects.create(section=second, position=1, key="more", kind="text", label="Autre")
    return form


@pytest.fixture
def draft(published, administrator):
    return versions.duplicate(published, by=administrator)


def keys(form) -> list[list[str]]:
    return [[q.key for q in s.questions.order_by("position")] for s in form.sections.order_by("position")]


def ranks(form) -> list[list[int]]:
    return [[q.position for q in s.questions.order_by("position")] for s in form.sections.order_by("position")]


def publish(form, by, **more):
    return versions.publish(form, by=by, at=timezone.now(), mark=versions.mark_of(form), **more)


def test_the_next_version_says_the_same_and_is_nobodys_yet(published, draft):
    assert (draft.number, draft.published_at) == (2, None)
    assert versions.mark_of(draft) == versions.mark_of(published)
    assert draft.domain.forms.latest_published(Step.CANDIDATURE) == published


def test_one_version_is_prepared_at_a_time(published, draft, administrator):
    with pytest.raises(actions.NotNow, match="La version 2 est déjà en préparation"):
        versions.duplicate(published, by=administrator)


def test_a_step_without_form_gets_its_first_version(administrator):
    domain = DomainFactory()
    form = versions.begin(domain, Step.DECLARATION, by=administrator)
    assert (form.number, form.published_at, form.step) == (1, None, "declaration")
    with pytest.raises(actions.NotNow, match="a déjà un formulaire"):
        versions.begin(domain, Step.DECLARATION, by=administrator)


def test_publishing_freezes_and_dossiers_keep_theirs(published, draft, administrator):
    held = ApplicationFactory(domain=published.domain, candidature_form=published)
    publish(draft, administrator)
    assert Application.objects.get(pk=held.pk).candidature_form == published
    started = actions.start(published.domain, by=UserFactory(), at=timezone.now())
    assert started.candidature_form == draft
    entry = Entry.objects.get(verb="publish")
    assert (entry.subject, entry.actor) == (f"domain:{published.domain.slug}", administrator.actor[0])
    assert entry.data["number"] == 2
    assert not list(broken_links(entry.subject))


def test_what_is_published_is_changed_by_no_verb(published, administrator):
    before = versions.mark_of(published)
    section = published.sections.first()
    question = section.questions.first()
    for verb in (
        lambda: versions.save_reminder(published, "Autre", by=administrator),
        lambda: versions.save_section(section, by=administrator),
        lambda: versions.save_section(Section(form=published, title="Autre"), by=administrator),
        lambda: versions.save_question(question, by=administrator),
        lambda: versions.delete_section(section, by=administrator),
        lambda: versions.delete_question(question, by=administrator),
        lambda: versions.move_section(section, up=False, by=administrator),
        lambda: versions.move_question(question, up=False, by=administrator),
        lambda: versions.discard(published, by=administrator),
        lambda: publish(published, administrator),
    ):
        with pytest.raises(actions.NotNow, match="Cette version est publiée"):
            verb()
    assert versions.mark_of(published) == before
    assert not Entry.objects.exists()


def test_what_changed_since_it_was_read_is_not_published(draft, administrator):
    mark = versions.mark_of(draft)
    versions.save_reminder(draft, "Nouveau rappel", by=administrator)
    with pytest.raises(actions.NotNow, match="a changé depuis"):
        versions.publish(draft, by=administrator, at=timezone.now(), mark=mark)
    draft.refresh_from_db()
    assert draft.published_at is None


def test_a_version_older_than_the_published_one_serves_nobody(published, draft, administrator):
    FormFactory(domain=published.domain, number=3)
    with pytest.raises(actions.NotNow, match="plus récente"):
        publish(draft, administrator)


def test_a_fault_keeps_it_from_being_published(draft, administrator):
    Question.objects.filter(section__form=draft, key="rib").update(formats=[])
    with pytest.raises(versions.NotReady) as refused:
        publish(draft, administrator)
    assert [(fault.question.key, fault.field) for fault in refused.value.faults] == [("rib", "formats")]


@pytest.mark.parametrize(
    ("key", "up", "expected"),
    [
        ("reason", True, [["reason", "met", "rib"], ["more"]]),
        ("reason", False, [["met", "rib", "reason"], ["more"]]),
        ("met", True, [["met", "reason", "rib"], ["more"]]),
        ("rib", False, [["met", "reason"], ["rib", "more"]]),
        ("more", True, [["met", "reason", "rib", "more"], []]),
        ("more", False, [["met", "reason", "rib"], ["more"]]),
    ],
)
def test_a_question_moves_one_place_and_over_the_edge_of_its_section(draft, administrator, key, up, expected):
    question = Question.objects.select_related("section__form").get(section__form=draft, key=key)
    versions.move_question(question, up=up, by=administrator)
    assert keys(draft) == expected
    assert all(row == list(range(1, len(row) + 1)) for row in ranks(draft))


def test_a_section_moves_with_its_questions(draft, administrator):
    versions.move_section(draft.sections.get(position=2), up=True, by=administrator)
    assert keys(draft) == [["more"], ["met", "reason", "rib"]]


def test_what_is_added_comes_last_and_what_goes_leaves_no_gap(draft, administrator):
    section = versions.save_section(Section(form=draft, title="Fin"), by=administrator)
    versions.save_question(Question(section=section, key="end", kind="text", label="Fin"), by=administrator)
    versions.delete_question(Question.objects.get(section__form=draft, key="reason"), by=administrator)
    assert keys(draft) == [["met", "rib"], ["more"], ["end"]]
    versions.delete_section(draft.sections.get(title="Suite"), by=administrator)
    assert (keys(draft), ranks(draft)) == ([["met", "rib"], ["end"]], [[1, 2], [1]])
    assert [section.position for section in draft.sections.order_by("position")] == [1, 2]


def test_a_question_taken_over_by_another_section_comes_last_there(draft, administrator):
    question = Question.objects.get(section__form=draft, key="met")
    question.section = draft.sections.get(title="Suite")
    versions.save_question(question, by=administrator)
    assert (keys(draft), ranks(draft)) == ([["reason", "rib"], ["more", "met"]], [[1, 2], [1, 2]])


def test_a_question_does_not_leave_its_form(published, draft, administrator):
    question = Question.objects.get(section__form=published, key="met")
    question.section = draft.sections.first()
    with pytest.raises(actions.NotNow, match="reste dans son formulaire"):
        versions.save_question(question, by=administrator)


def test_a_version_in_the_making_is_given_up(draft, administrator):
    versions.discard(draft, by=administrator)
    assert not Question.objects.filter(section__form=draft.pk).exists()
    assert Entry.objects.get(verb="discard_form").data["number"] == 2


# --- what is said before publishing -------------------------------------------------------------------------------
def said(form) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for fault in versions.faults_in(form):
        found.setdefault(fault.question.key if fault.question else "", []).append(fault.message)
    return found


@pytest.mark.parametrize(
    ("key", "changes", "told"),
    [
        ("more", {"key": "met"}, "est déjà la clé de"),
        ("reason", {"key": "Rib_2"}, "Des minuscules"),
        ("reason", {"shown_if": {"nowhere": ["non"]}}, "n’est pas la clé d’une question posée avant"),
        ("met", {"shown_if": {"reason": ["non"]}}, "n’est pas la clé d’une question posée avant"),
        ("more", {"shown_if": {"reason": ["x"]}}, "n’est ni un choix unique ni une case à cocher"),
        ("reason", {"shown_if": {"met": ["peut-être"]}}, "n’est pas une réponse possible"),
        ("reason", {"shown_if": {"met": []}}, "ne nomme aucune réponse"),
        ("reason", {"shown_if": {"@kind": ["clinic"]}}, "n’est pas une réponse possible"),
        ("met", {"choices": []}, "au moins deux réponses"),
        ("met", {"choices": [["oui", "Oui"], ["oui", "Si"]]}, "est donnée deux fois"),
        ("reason", {"choices": [["oui", "Oui"]]}, "Seul un choix"),
        ("reason", {"kind": "checkbox"}, "Écrivez le texte de la case"),
        ("reason", {"checkbox_label": "Oui"}, "Seule une case à cocher"),
        ("rib", {"formats": []}, "Cochez au moins un format"),
        ("rib", {"formats": ["exe"]}, "ne peut pas être vérifié"),
        ("rib", {"max_files": 0}, "Un nombre de 1 à 100"),
        ("rib", {"max_megabytes": 201}, "Un nombre de 1 à 200"),
        ("reason", {"formats": ["pdf"]}, "Seul un espace de dépôt a des formats"),
        ("rib", {"container": "D1.O1"}, "accepte le format zed"),
        ("rib", {"container": "o1", "formats": ["zed"]}, "20 capitales"),
        ("reason", {"activity_share": 66}, "Seule une liste des entités"),
        ("reason", {"contact_role": "dsi"}, "à la fois le contact"),
        ("reason", {"contact_role": "dsi", "contact_field": "email"}, "se demande par une question de type"),
        ("reason", {"contact_role": "dsi", "contact_field": "iban"}, "n’est pas connu d’un contact"),
        ("more", {"kind": "long_text"}, "Donnez une autre clé à celle-ci"),
    ],
)
def test_each_fault_is_said_where_it_stands(draft, key, changes, told):
    assert said(draft) == {}
    Question.objects.filter(section__form=draft, key=key).update(**changes)
    messages = said(draft)[changes.get("key", key)]
    assert any(told in message.replace("\u00a0", " ") for message in messages), messages


def test_two_spaces_of_one_container_and_two_questions_of_one_contact(draft):
    Question.objects.filter(section__form=draft, key="rib").update(container="D1.O1", formats=["zed"])
    more = Question.objects.get(section__form=draft, key="more")
    Question.objects.filter(pk=more.pk).update(kind="evidence", container="D1.O1", formats=["zed"], key="more-2")
    bound = {"contact_role": "dsi", "contact_field": "last_name"}
    Question.objects.filter(section__form=draft, key="reason").update(**bound)
    Question.objects.create(section=more.section, position=2, key="again", kind="text", label="Encore", **bound)
    assert "a déjà son espace" in " ".join(said(draft)["more-2"])
    assert "demande déjà la même chose" in " ".join(said(draft)["again"])


def test_an_empty_form_and_an_empty_section_are_told(administrator):
    form = versions.begin(DomainFactory(), Step.CANDIDATURE, by=administrator)
    assert "aucune section" in said(form)[""][0]
    versions.save_section(Section(form=form, title="Vide"), by=administrator)
    assert "aucune question" in said(form)[""][0]


def test_a_key_that_changed_under_the_same_label_is_a_remark_and_blocks_nothing(draft, administrator):
    Question.objects.filter(section__form=draft, key="more").update(key="other", label="Autre")
    [fault] = versions.faults_in(draft)
    assert not fault.blocks
    assert "avait la clé" in fault.message
    publish(draft, administrator)


@pytest.mark.parametrize("slug", ["domaine-1", "domaine-2", "domaine-recette"])
def test_the_published_forms_have_no_fault(domains, slug):
    for form in domains[slug].forms.all():
        assert faults_of(list(form.sections.all()), questions_of(form), []) == []


# --- races --------------------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_two_publications_at_once_publish_once(draft, administrator):
    mark, at = versions.mark_of(draft), timezone.now() + timedelta(seconds=1)
    told = at_once(*[lambda: versions.publish(draft, by=administrator, at=at, mark=mark)] * 2)
    assert sum(isinstance(one, actions.NotNow) for one in told) == 1
    assert Entry.objects.filter(verb="publish").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_next_versions_at_once_make_one(published, administrator):
    told = at_once(*[lambda: versions.duplicate(published, by=administrator)] * 2)
    assert sum(isinstance(one, actions.NotNow) for one in told) == 1
    assert published.domain.forms.count() == 2


@pytest.mark.django_db(transaction=True)
def test_an_edit_and_a_publication_at_once_never_change_what_is_published(draft, administrator):
    mark = versions.mark_of(draft)
    at_once(
        lambda: versions.publish(draft, by=administrator, at=timezone.now(), mark=mark),
        lambda: versions.save_reminder(draft, "Autre", by=administrator),
    )
    draft.refresh_from_db()
    assert draft.published_at is None or versions.mark_of(draft) == mark
