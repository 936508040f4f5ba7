"""A question for one kind of establishment: typed, required, sent and read there, and nowhere else."""

import pytest
from django.utils import timezone

from applications import actions, rules
from applications.forms import condition_of, parts_of
from applications.models import Application, Question, Submission, questions_of, values_of
from reviews.readers import readings
from tests.applications.pages import address, text_of
from tests.factories import ApplicationFactory, EstablishmentFactory, FormFactory, UserFactory

QUESTIONS = [
    {"key": "name", "label": "Nom"},
    {"key": "pact", "label": "Pacte du groupement", "shown_if": {"@kind": ["ght"]}},
    {"key": "why", "label": "Pourquoi", "shown_if": {"@kind": ["ght", "public"], "name": ["Autre"]}},
]


def dossier(trait):
    referent = UserFactory(establishment=EstablishmentFactory(**{trait: True} if trait else {}))
    form = FormFactory(questions=QUESTIONS)
    return ApplicationFactory(referent=referent, domain=form.domain, candidature_form=form)


@pytest.fixture
def group(db):
    return dossier("as_ght")


@pytest.mark.parametrize(("trait", "asked"), [("as_ght", True), ("", False), ("private", False)])
def test_only_its_kind_of_establishment_is_asked(db, signed_in, trait, asked):
    application = dossier(trait)
    browser = signed_in(application.referent)
    page = text_of(browser.get(address("detail", application)))
    assert ("Pacte du groupement" in page) == asked
    assert ("0/2 questions obligatoires" in page) == asked
    browser.post(address("detail", application), {"_page": "1", "name": "CH", "pact": "Convention"})
    assert ("pact" in values_of(Application.objects.get(pk=application.pk))) == asked
    for name in ("recap", "detail"):
        assert ("Pacte du groupement" in text_of(browser.get(address(name, application)))) == asked


def test_the_page_is_told_of_answers_only(group, signed_in):
    """What the establishment is never changes while the page stands open: the browser need not know it."""
    page = signed_in(group.referent).get(address("detail", group)).content.decode()
    assert "@kind" not in page
    assert 'data-shown-if="{&quot;name&quot;: [&quot;Autre&quot;]}"' in page
    assert page.count("data-shown-if") == 1


def test_what_was_sent_keeps_the_fact_that_decided(group, signed_in):
    actions.save_answers(group, by=group.referent, values={"name": "CH", "pact": "Convention"}, at=timezone.now())
    actions.submit(group, by=group.referent, version=group.version, at=timezone.now())
    assert Submission.objects.get().content["answers"] == {"name": "CH", "pact": "Convention", "@kind": "ght"}
    group = Application.objects.get(pk=group.pk)
    assert actions.is_as_sent(group)
    assert "Pacte du groupement" in text_of(signed_in(group.referent).get(address("detail", group)))
    reading = readings(group, [], user=UserFactory(ans=True))[0]
    assert [line.row.question.key for chapter in reading.chapters for line in chapter.lines] == ["name", "pact"]


def test_a_missing_answer_of_its_kind_holds_the_sending_back(group):
    actions.save_answers(group, by=group.referent, values={"name": "CH"}, at=timezone.now())
    with pytest.raises(actions.Incomplete):
        actions.submit(group, by=group.referent, version=group.version, at=timezone.now())


def test_where_no_establishment_is_known_the_question_stays_and_says_for_whom(group):
    """As on a page that prepares for the domain, before any account."""
    questions = questions_of(group.candidature_form)
    rows = [row for part in parts_of(questions, {}) for row in part.rows]
    assert [row.question.key for row in rows] == ["name", "pact", "why"]
    said = condition_of(questions[1], questions).replace("\u00a0", " ")
    assert said == "l’établissement est de type « Groupement Hospitalier de Territoire »"
    assert condition_of(questions[1], questions, {rules.KIND: "ght"}) == ""


@pytest.mark.parametrize(("known", "is_shown"), [({}, True), ({"@kind": "ght"}, True), ({"@kind": "private"}, False)])
def test_a_question_is_ruled_out_by_a_known_fact_only(known, is_shown):
    assert rules.is_shown(Question(shown_if={"@kind": ["ght"]}), known) == is_shown
    assert rules.is_shown(Question(shown_if={}), known)
