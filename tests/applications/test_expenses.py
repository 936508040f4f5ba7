"""Lines of expenses: typed, checked one by one, summed up, read by everybody; without script, nothing is lost."""

import re
from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from applications import actions, rules
from applications.expenses import spoken_expenses, summed_up
from applications.fields import field_for
from applications.models import Answer, Application, Question, Submission, values_of
from reviews.readers import readings
from tests.applications.pages import address, text_of
from tests.factories import ApplicationFactory, DomainFactory, FormFactory, UserFactory

FIRST = date(2025, 7, 16)
GOOD = {"date": "2025-07-16", "supplier": "Sauvegarde & Cie", "label": "Coffre de sauvegarde", "amount": "12 000,50"}
STORED = {"date": "2025-07-16", "supplier": "Sauvegarde & Cie", "label": "Coffre de sauvegarde", "amount": 1_200_050}


@pytest.fixture
def application(db):
    domain = DomainFactory(expenses_from=FIRST)
    form = FormFactory(domain=domain, questions=[{"key": "spent", "kind": "expenses", "label": "Dépenses engagées"}])
    return ApplicationFactory(domain=domain, candidature_form=form)


@pytest.fixture
def browser(application, signed_in):
    return signed_in(application.referent)


def posted(*lines, **buttons):
    data = {"_page": "1", "spent:lines": "1"}
    for rank, line in enumerate(lines):
        data |= {f"spent:{rank}:{cell}": value for cell, value in (dict.fromkeys(GOOD, "") | line).items()}
    return data | {f"spent:{button}": value for button, value in buttons.items()}


def save(browser, application, *lines, **buttons):
    return browser.post(address("detail", application), posted(*lines, **buttons))


def lines_of(application):
    return values_of(Application.objects.get(pk=application.pk)).get("spent")


def typed_in(response):
    """What the inputs of the page hold, line by line."""
    lines = {}
    for tag in re.findall(r"<input[^>]*>", response.content.decode()):
        if found := re.search(r'name="spent:(\d+):(\w+)" value="([^"]*)"', tag):
            lines.setdefault(int(found[1]), {})[found[2]] = found[3].replace("&amp;", "&")
    return list(lines.values())


# --- kept and shown -----------------------------------------------------------------------------------------------
def test_lines_are_kept_in_order_and_come_back_with_one_more_to_fill(application, browser):
    save(browser, application, GOOD, {}, GOOD | {"label": "Tests de reprise", "amount": "99"})
    assert lines_of(application) == [STORED, STORED | {"label": "Tests de reprise", "amount": 9_900}]
    page = browser.get(address("detail", application))
    assert "Total : 12 099,50 €" in re.sub(r"<.*?>", "", text_of(page))
    first, second, blank = typed_in(page)
    assert first == GOOD | {"amount": "12\u202f000,50"}
    assert second["label"] == "Tests de reprise"
    assert set(blank.values()) == {""}


def test_the_buttons_work_without_script(application, browser):
    response = save(browser, application, GOOD, add="1")
    assert response.url == address("detail", application) + "#question-spent"
    save(browser, application, GOOD, GOOD | {"label": "Autre"}, remove="0")
    assert [line["label"] for line in lines_of(application)] == ["Autre"]
    save(browser, application, GOOD, remove="0")
    assert lines_of(application) == []


def test_a_page_that_does_not_carry_the_lines_leaves_them(application, browser):
    save(browser, application, GOOD)
    browser.post(address("detail", application), {"_page": "1"})
    assert lines_of(application) == [STORED]


def test_a_line_may_be_saved_before_it_is_complete_but_not_sent(application, browser):
    assert save(browser, application, {"supplier": "Sauvegarde & Cie"}).status_code == 302
    assert lines_of(application) == [{"date": None, "supplier": "Sauvegarde & Cie", "label": "", "amount": None}]
    page = text_of(browser.get(address("detail", application)))
    assert "Ligne à compléter : date, libellé, montant (€)." in page
    assert "0/1 questions obligatoires" in page
    assert "à compléter" in text_of(browser.get(address("recap", application)))
    with pytest.raises(actions.Incomplete):
        actions.submit(application, by=application.referent, version=application.version, at=timezone.now())


def test_everybody_reads_the_lines_and_the_total(application, browser):
    save(browser, application, GOOD, GOOD | {"amount": "99,50"})
    said = ("16 juillet 2025", "Sauvegarde & Cie", "Coffre de sauvegarde", "12 000,50 €", "12 100 €")
    recap = text_of(browser.get(address("recap", application)))
    assert [one for one in said if one not in recap] == []
    actions.submit(application, by=application.referent, version=application.version, at=timezone.now())
    assert Submission.objects.get().content["answers"]["spent"] == [STORED, STORED | {"amount": 9_950}]
    read = text_of(browser.get(address("detail", application)))
    assert [one for one in said if one not in read] == []


def test_reviewers_read_them_and_what_they_were_before(application, signed_in):
    agent = UserFactory(ars=True, regions=[application.establishment.region])
    question = Question.objects.get(key="spent")
    Answer.objects.create(application=application, question=question, value=[STORED])
    actions.submit(application, by=application.referent, version=application.version, at=timezone.now())
    application = Application.objects.get(pk=application.pk)
    actions.request_changes(application, by=agent, version=application.version, message="Il manque une facture.")
    Answer.objects.update(value=[STORED, STORED])
    application = Application.objects.get(pk=application.pk)
    actions.submit(application, by=application.referent, version=application.version, at=timezone.now())
    line = readings(application, [], user=agent)[0].changed[0]
    assert line.before.replace("\u00a0", " ") == "1 dépense, total 12 000,50 €"
    page = text_of(signed_in(agent).get(f"/verification/{application.reference}/"))
    assert "Avant : 1 dépense, total 12 000,50 €" in page
    assert "24 001 €" in page


def test_as_plain_text_every_line_is_there():
    text = spoken_expenses([STORED, STORED | {"date": None, "amount": None}]).replace("\u00a0", " ")
    assert text.splitlines() == [
        "16 juillet 2025 – Sauvegarde & Cie – Coffre de sauvegarde – 12 000,50 €",
        "Sauvegarde & Cie – Coffre de sauvegarde",
        "Total : 12 000,50 €",
    ]
    assert summed_up([STORED, STORED]).replace("\u00a0", " ") == "2 dépenses, total 24 001 €"


@pytest.mark.parametrize(
    ("lines", "is_answered"),
    [(None, False), ([], False), ([STORED], True), ([STORED, STORED | {"amount": None}], False)],
)
def test_the_question_is_answered_by_at_least_one_line_all_complete(lines, is_answered):
    assert rules.is_answered(Question(kind="expenses"), lines, frozenset()) == is_answered


# --- refused ------------------------------------------------------------------------------------------------------
TOMORROW = timezone.localdate() + timedelta(days=1)


@pytest.mark.parametrize(
    ("cell", "typed", "said"),
    [
        ("date", "2025-07-15", "La dépense du 15 juillet 2025 est antérieure au 16 juillet 2025"),
        ("date", TOMORROW.isoformat(), "est à venir"),
        ("date", "hier", "date"),
        ("date", "0001-01-01", "trop éloignée"),
        ("amount", "0", "Le montant doit être supérieur à 0 €"),
        ("amount", "-12", "Saisissez un montant en euros"),
        ("amount", "12,345", "Saisissez un montant en euros"),
        ("amount", "9" * 14, "Ce montant est trop grand"),
        ("supplier", "S" * 151, "150 caractères au plus, il en compte 151"),
        ("label", "L" * 201, "200 caractères au plus, il en compte 201"),
    ],
)
def test_a_wrong_line_is_explained_and_nothing_is_lost(application, browser, cell, typed, said):
    response = save(browser, application, GOOD, GOOD | {cell: typed}, GOOD | {"label": "Dernière"})
    assert response.status_code == 200
    page = text_of(response)
    assert said in page
    assert f'<a class="fr-link" href="#id_spent_1_{cell}">Dépenses engagées</a> : ligne 2 : ' in page
    assert f'id="id_spent_1_{cell}_error"' in page
    # All is on the page as typed; all but the wrong cell is kept, as a line to complete.
    assert typed_in(response)[:3] == [GOOD, GOOD | {cell: typed}, GOOD | {"label": "Dernière"}]
    empty = "" if cell in ("supplier", "label") else None
    assert lines_of(application) == [STORED, STORED | {cell: empty}, STORED | {"label": "Dernière"}]


def test_a_date_to_come_is_told_with_both_days(application, browser):
    page = text_of(save(browser, application, GOOD | {"date": "2100-01-01"}))
    assert "La date du 1er janvier 2100 est à venir, nous sommes le" in page
    assert str(timezone.localdate().year) in page


def test_today_and_the_first_day_are_good(application, browser):
    lines = [GOOD | {"date": FIRST.isoformat()}, GOOD | {"date": timezone.localdate().isoformat()}]
    assert save(browser, application, *lines).status_code == 302


def test_a_domain_without_first_day_takes_every_past_day():
    field = field_for(Question(kind="expenses", key="q", label="Dépenses"))
    assert field.clean([GOOD | {"date": "2001-02-03"}]) == [STORED | {"date": "2001-02-03"}]


def test_201_lines_are_too_many_and_the_former_ones_stay(application, browser):
    assert save(browser, application, *[GOOD] * 200).status_code == 302
    response = save(browser, application, *[GOOD] * 201)
    assert "200 lignes au plus : il y en a 201." in text_of(response)
    assert len(typed_in(response)) == 202
    assert len(lines_of(application)) == 200


def test_each_of_several_faults_leads_to_its_own_cell(application, browser):
    page = text_of(save(browser, application, GOOD | {"amount": "0", "date": "2020-01-01"}, GOOD | {"amount": "x"}))
    for cell in ("0_date", "0_amount", "1_amount"):
        assert f'href="#id_spent_{cell}"' in page


def test_hostile_text_is_shown_as_text(application, browser):
    attack = '<script>alert("1")</script>'
    save(browser, application, GOOD | {"supplier": attack, "label": attack})
    for name in ("detail", "recap"):
        assert b"<script>alert(" not in browser.get(address(name, application)).content


def test_saved_as_typed_a_wrong_line_holds_back_nothing_else_and_is_no_conflict(application, browser):
    """The page learns which version its good lines have become, and goes on from there."""
    place = reverse("applications:answer", args=[application.reference, "spent"])
    first = browser.post(place, posted(GOOD) | {"_version:spent": ""})
    assert first.status_code == 200
    wrong = posted(GOOD, GOOD | {"amount": "0"}) | {"_version:spent": first.json()["mark"]}
    second = browser.post(place, wrong)
    assert second.status_code == 422
    assert "ligne 2 : le montant doit être supérieur" in second.json()["errors"][0].replace("\u00a0", " ")
    assert lines_of(application) == [STORED, STORED | {"amount": None}]
    third = browser.post(place, posted(GOOD, GOOD) | {"_version:spent": second.json()["mark"]})
    assert third.status_code == 200
    assert lines_of(application) == [STORED, STORED]
