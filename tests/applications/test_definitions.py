"""Domains and forms as data: what the definitions say, how they are loaded, what is refused and where."""

import textwrap
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from applications import actions, rules
from applications.definitions import load_domain, shift_calendar
from applications.models import Domain, FormVersion, Question, questions_of
from applications.readers import DefinitionError, read_domain, read_folder
from tests.applications.conftest import DEFINITIONS, HISTORICAL
from tests.factories import ApplicationFactory, UserFactory

IDENTITY = ["civility", "last-name", "first-name", "email"]
REQUIRED_IN_CANDIDATURE = [
    "commitment",
    *(f"dsi-{part}" for part in IDENTITY),
    *(f"rssi-{part}" for part in IDENTITY),
    "account-holder",
    "iban",
    "bic",
    "rib",
    "ps1-1",
    "ps1-2",
    "entities",
    "signatory-civility",
    "signatory-last-name",
    "signatory-first-name",
    "signatory-job",
    "signatory-email",
    "signatory-phone",
]
REQUIRED_IN_DECLARATION = [
    "d1-o1-a",
    "d1-o1-b",
    "d1-o1-ad-list",
    "d1-o1-consent",
    "d1-o1-container",
    "d1-o2-a",
    "d1-o2-b",
    "d1-o2-exposure-list",
    "d1-o2-consent",
    "d1-o2-container",
    "financial-frame",
    "financial-summary",
    "attestation",
]


def required(form, values):
    found = rules.progress(questions_of(form), values, frozenset(["340000001"]))
    return [question.key for question in found.remaining] + [
        key for key in values if key in {q.key for q in questions_of(form)}
    ]


@pytest.mark.parametrize("slug", ["domaine-1", "domaine-recette"])
def test_the_candidature_asks_22_required_questions_when_the_prerequisites_are_met(domains, slug):
    form = domains[slug].forms.get(step="candidature")
    assert len(REQUIRED_IN_CANDIDATURE) == 22
    assert sorted(required(form, {"ps1-1": "oui", "ps1-2": "oui"})) == sorted(REQUIRED_IN_CANDIDATURE)


@pytest.mark.parametrize("slug", ["domaine-1", "domaine-recette"])
def test_the_declaration_asks_13_required_questions(domains, slug):
    form = domains[slug].forms.get(step="declaration")
    assert len(REQUIRED_IN_DECLARATION) == 13
    assert required(form, {}) == REQUIRED_IN_DECLARATION


@pytest.mark.parametrize(
    ("values", "added"),
    [
        ({"ps1-1": "non", "ps1-2": "oui"}, ["ps1-1-documents"]),
        ({"ps1-1": "oui", "ps1-2": "non"}, ["ps1-2-documents"]),
        ({"ps1-1": "non", "ps1-2": "non"}, ["ps1-1-documents", "ps1-2-documents"]),
    ],
)
def test_a_prerequisite_that_is_not_met_makes_its_own_documents_required(domains, values, added):
    form = domains["domaine-1"].forms.get(step="candidature")
    assert sorted(required(form, values)) == sorted(REQUIRED_IN_CANDIDATURE + added)


LIMITS = {  # by step and space: formats, Mo per file, files
    ("candidature", "rib"): (["pdf", "jpg", "png"], 10, 1),
    ("candidature", "ps1-1-documents"): (["pdf"], 10, 10),
    ("candidature", "ps1-2-documents"): (["pdf"], 10, 10),
    ("declaration", "d1-o1-ad-list"): (["doc", "docx", "zip"], 10, 10),
    ("declaration", "d1-o1-container"): (["zed"], 49, 10),
    ("declaration", "d1-o2-exposure-list"): (["doc", "docx", "zip"], 10, 10),
    ("declaration", "d1-o2-container"): (["zed"], 49, 10),
    ("declaration", "financial-frame"): (["xlsx"], 10, 10),
    ("declaration", "financial-summary"): (["pdf"], 10, 10),
}


def test_each_evidence_space_has_its_limits(domains):
    spaces = Question.objects.filter(section__form__domain=domains["domaine-1"], kind=Question.Kind.EVIDENCE)
    found = {
        (space.section.form.step, space.key): (space.formats, space.max_megabytes, space.max_files)
        for space in spaces.select_related("section__form")
    }
    assert found == LIMITS


@pytest.mark.parametrize("slug", ["domaine-1", "domaine-recette"])
def test_each_objective_hands_out_a_container(domains, slug):
    spaces = Question.objects.filter(section__form__domain=domains[slug]).exclude(container="")
    assert dict(spaces.values_list("key", "container")) == {"d1-o1-container": "D1.O1", "d1-o2-container": "D1.O2"}


def test_the_definitions_keep_the_historical_dates_and_the_envelope(domains):
    domain = domains["domaine-1"]
    assert {name: getattr(domain, name) for name in HISTORICAL} == HISTORICAL
    assert domain.envelope == 65_000_000_00
    assert not domain.is_trial


def test_the_trial_domain_is_always_open(domains):
    trial = domains["domaine-recette"]
    assert trial.is_trial
    assert rules.may_start(trial, timezone.now())
    assert rules.may_start(trial, timezone.now() + timedelta(days=36500))


def test_loading_again_changes_nothing(domains):
    before = list(FormVersion.objects.values_list("pk", "published_at"))
    for definition in read_folder(DEFINITIONS):
        assert load_domain(definition, at=timezone.now()) == []
    assert list(FormVersion.objects.values_list("pk", "published_at")) == before


def test_a_changed_form_becomes_a_version_that_open_dossiers_do_not_take(domain, application):
    definition = read_folder(DEFINITIONS)[0]
    definition.forms["candidature"].sections[0].questions[0].label = "Engagement de l’établissement"
    done = load_domain(definition, at=timezone.now())
    assert done == ["Formulaire de candidature\u00a0: version 2 publiée"]
    first, second = domain.forms.filter(step="candidature").order_by("number")
    application = type(application).objects.get(pk=application.pk)
    assert application.candidature_form == first
    assert Question.objects.get(section__form=first, key="commitment").label == "Engagement"
    assert actions.start(domain, by=UserFactory(), at=timezone.now()).candidature_form == second


def test_a_domain_that_exists_keeps_its_calendar_unless_asked(domains):
    domain = domains["domaine-1"]
    Domain.objects.filter(pk=domain.pk).update(candidature_until=None)
    definition = read_folder(DEFINITIONS)[0]
    assert load_domain(definition, at=timezone.now()) == []
    assert load_domain(definition, at=timezone.now(), resets_calendar=True) != []
    domain.refresh_from_db()
    assert domain.candidature_until == HISTORICAL["candidature_until"]


def test_the_demo_calendar_lets_start_and_declare_on_the_same_day(domains):
    now, today = timezone.now(), timezone.localdate()
    for domain in domains.values():
        shift_calendar(domain, today=today)
        assert rules.may_start(domain, now)
        forms = {f"{form.step}_form": form for form in domain.forms.all()}
        signed = ApplicationFactory(
            domain=domain, state="convention_signed", candidature_form=forms["candidature_form"]
        )
        assert rules.declaration_may_open(signed, now)
        assert not rules.is_late(ApplicationFactory(domain=domain, state="declaration_open", **forms), now)


def test_the_command_loads_the_folder_and_says_what_it_did(db):
    out = StringIO()
    call_command("load_domains", stdout=out)
    call_command("load_domains", today=timezone.localdate(), stdout=out)
    assert "Domaine 1 Audits techniques\u00a0: domaine créé" in out.getvalue()
    assert "calendrier décalé" in out.getvalue()
    assert rules.may_start(Domain.objects.get(slug="domaine-1"), timezone.now())


# --- what is refused, and where -----------------------------------------------------------------------------------
GOOD = """
slug: essai
name: Essai
kinds: [ght]
forms:
  candidature:
    sections:
      - title: Section
        questions:
          - {key: un, kind: choice, label: Un, choices: {oui: Oui, non: Non}}
          - {key: deux, kind: text, label: Deux, shown_if: {un: [oui]}}
  declaration:
    sections: [{title: Section, questions: [{key: un, kind: text, label: Un}]}]
"""


def read(tmp_path, text):
    file = tmp_path / "essai.yaml"
    file.write_text(textwrap.dedent(text), encoding="utf-8")
    return read_domain(file)


def test_a_small_definition_is_enough(tmp_path):
    questions = read(tmp_path, GOOD).forms["candidature"].sections[0].questions
    assert [(q.key, q.is_required, q.shown_if) for q in questions] == [
        ("un", True, {}),
        ("deux", True, {"un": ["oui"]}),
    ]


QUESTION_1, QUESTION_2 = "sections 1 → questions 1 (un)", "sections 1 → questions 2 (deux)"


@pytest.mark.parametrize(
    ("old", "new", "place", "reason"),
    [
        ("slug: essai", "slug: Essai Un", "slug", "des minuscules"),
        ("name: Essai", "name: 12", "name", "un texte"),
        ("name: Essai", "titre: Essai", "", "« titre » inconnue"),
        ("name: Essai", "", "", "« name » manque"),
        ("kinds: [ght]", "kinds: [chu]", "kinds", "ght, public, private"),
        ("kinds: [ght]", "kinds: [ght]\nmore_url: http://exemple.fr", "more_url", "https"),
        ("kinds: [ght]", "kinds: [ght]\nenvelope_euros: beaucoup", "envelope_euros", "nombre entier"),
        (
            "kinds: [ght]",
            "kinds: [ght]\ncalendar: {candidature_from: 2024-05-01, candidature_until: 2024-04-01}",
            "candidature_until",
            "précède",
        ),
        ("kinds: [ght]", "kinds: [ght]\ncalendar: {candidature_from: demain}", "candidature_from", "une date"),
        ("kinds: [ght]", "kinds: [ght]\ncalendar: {ouverture: 2024-05-01}", "calendar", "inconnue"),
        ("  declaration:", "  bilan:", "forms", "« bilan » inconnue"),
        ("kind: choice", "kind: choix", QUESTION_1, "« choix » inconnu"),
        ("choices: {oui: Oui, non: Non}", "choices: {oui: Oui}", QUESTION_1, "deux choix"),
        ("choices: {oui: Oui, non: Non}", "choices: {1: Oui, 2: Non}", QUESTION_1, "des textes"),
        ("key: deux", "key: un", "sections 1 → questions 2 (un)", "déjà la clé"),
        ("shown_if: {un: [oui]}", "shown_if: {trois: [oui]}", QUESTION_2, "« trois »"),
        ("shown_if: {un: [oui]}", "shown_if: {un: [peut-être]}", QUESTION_2, "« peut-être »"),
        ("shown_if: {un: [oui]}", "shown_if: {un: oui}", QUESTION_2, "une liste"),
        ("shown_if: {un: [oui]}", 'shown_if: {"@kind": [chu]}', QUESTION_2, "« chu »"),
        ("shown_if: {un: [oui]}", 'shown_if: {"@region": ["76"]}', QUESTION_2, "« @region »"),
        ("shown_if: {un: [oui]}", "contact: dsi.age", QUESTION_2, "rôle.champ"),
        ("shown_if: {un: [oui]}", "contact: dsi.email", QUESTION_2, "« email »"),
        ("shown_if: {un: [oui]}", "formats: [pdf]", QUESTION_2, "seul un espace de dépôt"),
        ("shown_if: {un: [oui]}", "box: Oui", QUESTION_2, "case à cocher"),
        ("shown_if: {un: [oui]}", "required: oui", QUESTION_2, "yes ou no"),
        (
            "kind: text, label: Deux, shown_if: {un: [oui]}",
            "kind: evidence, label: D, formats: [.PDF]",
            QUESTION_2,
            "extensions",
        ),
        (
            "kind: text, label: Deux, shown_if: {un: [oui]}",
            "kind: evidence, label: D, max_files: 0",
            QUESTION_2,
            "de 1 à 100",
        ),
        ("kind: text, label: Deux, shown_if: {un: [oui]}", "kind: checkbox, label: D", QUESTION_2, "case à cocher"),
        ("shown_if: {un: [oui]}", "container: D1.O1", QUESTION_2, "accepte le format zed"),
        (
            "kind: text, label: Deux, shown_if: {un: [oui]}",
            "kind: evidence, label: D, formats: [zed], container: objectif un",
            QUESTION_2,
            "20 capitales",
        ),
        (
            "kind: text, label: Deux, shown_if: {un: [oui]}}",
            (
                "kind: evidence, label: D, formats: [zed], container: O1}\n"
                "          - {key: trois, kind: evidence, label: T, formats: [zed], container: O1}"
            ),
            "questions 3 (trois) → container",
            "a déjà un espace",
        ),
        (
            "kind: text, label: Deux, shown_if: {un: [oui]}",
            "kind: text, label: D, activity_share: 66",
            "questions 2 (deux) → activity_share",
            "seule une liste d’entités",
        ),
        (
            "kind: text, label: Deux, shown_if: {un: [oui]}",
            "kind: checklist, label: D, activity_share: 0",
            "questions 2 (deux) → activity_share",
            "de 1 à 100",
        ),
        ("label: Deux", f"label: {'D' * 301}", QUESTION_2, "301 caractères, 300 au plus"),
        ("kinds: [ght]", "kinds: [ght", "", "ligne"),
    ],
)
def test_a_wrong_definition_is_refused_with_its_file_its_place_and_the_reason(tmp_path, old, new, place, reason):
    assert old in GOOD
    with pytest.raises(DefinitionError) as refused:
        read(tmp_path, GOOD.replace(old, new, 1))
    said = str(refused.value).replace("\u00a0", " ")
    assert said.startswith("essai.yaml")
    assert place in said
    assert reason in said


def test_forms_like_an_unknown_domain_are_refused(tmp_path):
    (tmp_path / "a.yaml").write_text("slug: a\nname: A\nkinds: [ght]\nforms: {like: b}\n", encoding="utf-8")
    with pytest.raises(DefinitionError, match=r"a\.yaml, forms → like"):
        read_folder(tmp_path)


LENDING = GOOD.replace("- title: Section", "- key: partie\n        title: Section", 1)
BORROWING = """
slug: voisin
name: Voisin
kinds: [ght]
forms:
  candidature:
    sections:
      - {like: essai/candidature/partie}
      - title: Suite
        questions: [{key: trois, kind: text, label: Trois, shown_if: {un: [oui]}}]
  declaration:
    sections: [{title: Section, questions: [{key: un, kind: text, label: Un}]}]
"""


def test_a_section_with_a_key_is_taken_over_word_for_word(tmp_path):
    (tmp_path / "a.yaml").write_text(LENDING, encoding="utf-8")
    (tmp_path / "b.yaml").write_text(BORROWING, encoding="utf-8")
    lender, borrower = read_folder(tmp_path)
    assert [section.title for section in borrower.forms["candidature"].sections] == ["Section", "Suite"]
    assert borrower.forms["candidature"].sections[0] == lender.forms["candidature"].sections[0]
    # The questions taken over are questions of this form: others may depend on them, none may bear their keys.
    assert borrower.forms["candidature"].sections[1].questions[0].shown_if == {"un": ["oui"]}
    (tmp_path / "b.yaml").write_text(BORROWING.replace("key: trois", "key: deux"), encoding="utf-8")
    with pytest.raises(DefinitionError, match=r"b\.yaml, .*sections 2 → questions 1 \(deux\) → key"):
        read_folder(tmp_path)


@pytest.mark.parametrize("name", ["essai/candidature/autre", "essai/declaration/partie", "partie", "[partie]"])
def test_a_section_like_an_unknown_one_is_refused(tmp_path, name):
    (tmp_path / "a.yaml").write_text(LENDING, encoding="utf-8")
    (tmp_path / "b.yaml").write_text(BORROWING.replace("essai/candidature/partie", name), encoding="utf-8")
    with pytest.raises(DefinitionError, match=r"b\.yaml, forms → candidature → sections 1 → like"):
        read_folder(tmp_path)


def test_two_files_with_one_slug_are_refused(tmp_path):
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(GOOD, encoding="utf-8")
    with pytest.raises(DefinitionError, match=r"b\.yaml, slug"):
        read_folder(tmp_path)


def test_the_command_stops_at_a_wrong_definition_and_writes_nothing(db, tmp_path):
    (tmp_path / "a.yaml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "b.yaml").write_text(GOOD.replace("essai", "autre").replace("choice", "choix"), encoding="utf-8")
    with pytest.raises(CommandError, match=r"b\.yaml"):
        call_command("load_domains", tmp_path)
    assert not Domain.objects.exists()
