"""Domaine 2 as it is published: what each kind of establishment is asked, its dates, and its spaces."""

from datetime import date

import pytest
from django.utils import timezone

from applications import rules
from applications.definitions import shift_calendar
from applications.models import Question, questions_of
from tests.applications.test_definitions import IDENTITY

REQUIRED_IN_CANDIDATURE = [
    "commitment",
    *(f"dsi-{part}" for part in IDENTITY),
    *(f"rssi-{part}" for part in IDENTITY),
    "account-holder",
    "iban",
    "bic",
    "rib",
    "p1",
    "p2",
    "p2-organisation",
    "statutes",
    "ars-certificate",
    "objectives-agreed",
    "rssi-designation",
    "security-policy",
    "action-plan",
    "objectives",
    "solutions",
    "estimated-costs",
    "capacity-to-commit",
    "requested-amount",
    "requested-amount-reason",
    "entities",
    *(f"signatory-{part}" for part in ("civility", "last-name", "first-name", "job", "email", "phone")),
]
REQUIRED_IN_DECLARATION = [
    "d2-o1",
    "d2-o1-evidence",
    "d2-o2",
    "d2-o2-evidence",
    "expenses",
    "invoices",
    "service-certificates",
    "accounting-documents",
    "attestation",
]


@pytest.fixture
def domain(domains):
    return domains["domaine-2"]


def required(domain, step, kind):
    questions = questions_of(domain.forms.get(step=step))
    return [q.key for q in rules.progress(questions, {"@kind": kind}, frozenset(["340000001"])).remaining]


@pytest.mark.parametrize(
    ("kind", "of_the_group", "count"),
    [("ght", ["constitutive-convention"], 36), ("public", [], 35), ("private", [], 35)],
)
def test_the_candidature_asks_a_group_for_its_convention(domain, kind, of_the_group, count):
    asked = required(domain, "candidature", kind)
    assert sorted(asked) == sorted([*REQUIRED_IN_CANDIDATURE, *of_the_group])
    assert len(asked) == count


@pytest.mark.parametrize(
    ("kind", "of_the_group", "count"), [("ght", ["d2-o1-tested"], 10), ("public", [], 9), ("private", [], 9)]
)
def test_the_declaration_asks_a_group_which_members_made_the_tests(domain, kind, of_the_group, count):
    asked = required(domain, "declaration", kind)
    assert sorted(asked) == sorted([*REQUIRED_IN_DECLARATION, *of_the_group])
    assert len(asked) == count


def test_the_identity_parts_are_those_of_domaine_1(domains):
    def section(slug, key):
        question = Question.objects.get(section__form__domain__slug=slug, key=key)
        names = ["key", "kind", "label", "help", "contact_role", "contact_field", "formats", "max_files"]
        questions = question.section.questions.order_by("position").values(*names)
        return question.section.title, question.section.introduction, list(questions)

    for key in ("dsi-email", "rssi-email", "rib", "signatory-phone"):
        assert section("domaine-2", key) == section("domaine-1", key)


@pytest.mark.parametrize(
    ("step", "key", "limits"),
    [
        ("candidature", "statutes", (["pdf"], 10, 10)),
        ("candidature", "constitutive-convention", (["pdf"], 10, 10)),
        ("candidature", "estimated-costs", (["pdf", "xlsx"], 10, 10)),
        ("candidature", "solutions", (["pdf", "docx"], 10, 10)),
        ("declaration", "invoices", (["pdf"], 10, 50)),
        ("declaration", "accounting-documents", (["pdf", "xlsx"], 10, 10)),
    ],
)
def test_each_evidence_space_has_its_limits(domain, step, key, limits):
    space = Question.objects.get(section__form__domain=domain, section__form__step=step, key=key)
    assert (space.formats, space.max_megabytes, space.max_files) == limits


def test_the_dates_and_the_envelope_are_the_historical_ones(domain):
    assert (domain.candidature_from, domain.candidature_until) == (date(2025, 9, 2), date(2025, 10, 31))
    assert domain.expenses_from == date(2025, 7, 16)
    assert (domain.declaration_from, domain.declaration_until) == (date(2026, 1, 16), None)
    assert domain.envelope == 45_000_000_00


def test_a_shifted_calendar_keeps_expenses_as_long_before_the_candidatures(domain):
    today = timezone.localdate()
    shift_calendar(domain, today=today)
    assert (domain.candidature_from - domain.expenses_from).days == 48
    assert domain.expenses_from < domain.candidature_from < today <= domain.candidature_until
    assert domain.declaration_from < today
    assert domain.declaration_until is None
