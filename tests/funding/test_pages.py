"""The decision page and what other pages say of money: who reads what, in which state, what is typed and refused."""

import html
import re

import pytest
from django.urls import reverse

from applications.models import Application, Question
from applications.people import transfer
from ecare.journal.models import Entry
from ecare.letters.models import Letter
from evidence.models import Evidence, StoredFile
from funding.actions import Outcome
from funding.models import Commitment, Decision, ExpenseVerdict, Payment
from tests.applications.life_cycle import STATES, people
from tests.factories import EstablishmentFactory, UserFactory
from tests.funding.deciding import (
    all_accepted,
    decide,
    declare,
    domain_that_pays,
    dossier_in,
    line,
    now,
    pay,
    validate,
    validated,
)

pytestmark = pytest.mark.django_db

LINES = [line(900_000, "Audit AD"), line(400_000, "Licences"), line(300_000, "Mobilier")]


@pytest.fixture
def cast():
    return people(EstablishmentFactory())


@pytest.fixture
def controlled(cast):
    return dossier_in("under_control", owner=cast["owner"], lines=LINES)


def address(application):
    return reverse("funding:decide", args=[application.reference])


def plain(response) -> str:
    """The words of a page: without tags, spaces made plain."""
    main = response.text.partition("<main")[2].partition("</main>")[0]
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", main)).replace("\u00a0", " ").split())


def typed(application, **fields):
    """The form as an agent fills it: everything reached, everything accepted."""
    decision = Decision.objects.filter(application=application).first()
    data = {"version": now(application).version, "seen": decision.version if decision else 0}
    data |= {"objective_0": "oui", "objective_1": "oui"}
    data |= {f"line_{number}_outcome": "accepted" for number in range(1, len(LINES) + 1)}
    return data | fields


def traces():
    models = (Application, Commitment, Decision, ExpenseVerdict, Payment)
    rows = [list(model.objects.order_by("pk").values()) for model in models]
    return rows, Entry.objects.count(), Letter.objects.count()


# --- who, in which state ----------------------------------------------------------------------------------------------
READS = {"owner": 403, "colleague": 404, "stranger": 404, "ars": 403, "ars_elsewhere": 404, "ans": 200}
READS |= {"administrator": 404, "inactive_ans": 302}


@pytest.mark.parametrize("state", STATES)
def test_the_ans_alone_opens_it_and_types_during_the_control_alone(state, cast, signed_in):
    application = dossier_in(state, owner=cast["owner"], lines=LINES)
    before = traces()
    for role, status in READS.items():
        browser = signed_in(cast[role])
        page = browser.get(address(application))
        assert page.status_code == status, role
        if role == "ans":
            assert ('name="objective_0"' in page.text) == (state == "under_control")
            if state == "under_control":
                continue
            status = 409
        assert browser.post(address(application), typed(application)).status_code == status, role
    assert traces() == before


def test_a_visitor_is_led_to_the_sign_in(client, controlled):
    for name, args in (("decide", [controlled.reference]), ("envelopes", []), ("payments_xlsx", [])):
        assert client.get(reverse(f"funding:{name}", args=args)).url.startswith(reverse("account_login"))


# --- what is typed ----------------------------------------------------------------------------------------------------
def test_it_is_saved_and_stays_and_leads_to_the_validation(cast, signed_in, controlled):
    browser = signed_in(cast["ans"])
    page = plain(browser.get(address(controlled)))
    assert "3 dépenses déclarées, 16 000 € en tout." in page and "Plafond : 50 000 €" in page
    refusal = {"line_3_outcome": "refused", "line_3_reason": "Sans lien"}
    reduction = {"line_2_outcome": "reduced", "line_2_amount": "1 500,50", "line_2_reason": "Hors périmètre"}
    answer = browser.post(address(controlled), typed(controlled) | refusal | reduction, follow=True)
    assert answer.redirect_chain == [(address(controlled), 302)]
    page = plain(answer)
    assert "10 500,50 €" in page and "Valider la déclaration" in page
    assert 'value="1\u202f500,50"' in answer.text and 'value="Hors périmètre"' in answer.text
    kept = {verdict.rank: (verdict.outcome, verdict.amount, verdict.reason) for verdict in ExpenseVerdict.objects.all()}
    assert kept == {
        0: ("accepted", 900_000, ""),
        1: ("reduced", 150_050, "Hors périmètre"),
        2: ("refused", 0, "Sans lien"),
    }


def test_the_invoices_and_what_is_retained_stand_at_the_head_of_the_lines(cast, signed_in, controlled):
    file = StoredFile.objects.create(
        name="factures.pdf", size=1, sha256="b" * 64, media_type="application/pdf", storage_name="aa/f",
        key_name="embedded", scan=StoredFile.Scan.CLEAN, created_by=cast["owner"],
    )  # fmt: skip
    space = Question.objects.create(
        section=controlled.declaration_form.sections.first(),
        key="factures",
        kind="evidence",
        label="Factures",
        position=9,
    )
    Evidence.objects.create(application=controlled, question=space, file=file, added_after=0)
    sent = controlled.submissions.get(step="declaration")
    sent.content["answers"]["factures"] = [{"id": str(file.pk), "name": file.name, "size": 1, "sha256": file.sha256}]
    sent.save()
    browser = signed_in(cast["ans"])
    page = browser.get(address(controlled)).text
    head = page.partition('id="depenses"')[2].partition("ecare-spending")[0]
    assert reverse("evidence:download", args=[file.pk]) in head and reverse("evidence:preview", args=[file.pk]) in head
    assert "Retenu dans" not in head
    browser.post(address(controlled), typed(controlled, line_3_outcome="refused", line_3_reason="Sans lien"))
    assert "Retenu dans la décision enregistrée : 13 000 € sur 16 000 €." in plain(browser.get(address(controlled)))


def test_why_an_objective_was_missed_is_not_said_of_one_that_is_reached(cast, signed_in, controlled):
    browser = signed_in(cast["ans"])
    missed = {"objective_1": "non", "objective_1_remark": "Pas de preuve"}
    assert browser.post(address(controlled), typed(controlled) | missed).status_code == 302
    answer = browser.post(address(controlled), typed(controlled, objective_1_remark="Pas de preuve"))
    assert "dit pourquoi l’objectif n’était pas validé" in plain(answer)
    assert browser.post(address(controlled), typed(controlled, objective_1_remark="")).status_code == 302


def test_a_part_is_saved_and_what_remains_is_named(cast, signed_in, controlled):
    browser = signed_in(cast["ans"])
    part = typed(controlled) | {"objective_1": "", "line_2_outcome": "", "line_3_outcome": ""}
    page = plain(browser.post(address(controlled), part, follow=True))
    assert "Pas encore connu" in page and "Avis attendu : Objectif D1.O1.B." in page
    assert "2 dépenses attendent votre avis." in page and "Valider la déclaration" not in page


def test_one_click_accepts_what_nothing_is_said_of(cast, signed_in, controlled):
    given = {"version": 1, "seen": 0, "accept_all": "1", "line_2_outcome": "refused", "line_2_reason": "Sans lien"}
    signed_in(cast["ans"]).post(address(controlled), given)
    kept = dict(ExpenseVerdict.objects.values_list("rank", "outcome"))
    assert kept == {0: "accepted", 1: "refused", 2: "accepted"}


@pytest.mark.parametrize(
    ("fields", "at", "said"),
    [
        ({"line_2_outcome": "reduced", "line_2_reason": "x"}, "line_2_amount", "Écrivez le montant retenu."),
        (
            {"line_2_outcome": "reduced", "line_2_amount": "4 000", "line_2_reason": "x"},
            "line_2_amount",
            "Le montant déclaré est 4 000 €",
        ),
        ({"line_2_outcome": "reduced", "line_2_amount": "4000.01", "line_2_reason": "x"}, "line_2_amount", "4 000 €"),
        ({"line_2_outcome": "reduced", "line_2_amount": "beaucoup"}, "line_2_amount", "montant en euros"),
        ({"line_2_outcome": "reduced", "line_2_amount": "10"}, "line_2_reason", "Écrivez le motif"),
        ({"line_2_outcome": "refused"}, "line_2_reason", "Écrivez le motif"),
        ({"line_2_outcome": "refused", "line_2_reason": "x", "line_2_amount": "10"}, "line_2_amount", "Effacez"),
        ({"line_2_outcome": "accepted", "line_2_amount": "10"}, "line_2_amount", "Effacez ce montant"),
        ({"line_2_outcome": "", "line_2_reason": "Hors sujet"}, "line_2_outcome", "Choisissez un avis"),
        ({"line_2_outcome": "doubled"}, "line_2_outcome", "Choisissez une réponse"),
        ({"line_2_outcome": "refused", "line_2_reason": "x" * 501}, "line_2_reason", "trop long"),
        ({"objective_1": "non"}, "objective_1_remark", "Écrivez pourquoi"),
        ({"objective_1": "peut-être"}, "objective_1", "Choisissez une réponse"),
    ],
)
def test_what_does_not_hold_together_is_said_at_its_place_and_nothing_typed_is_lost(
    fields, at, said, cast, signed_in, controlled
):
    before = traces()
    given = typed(controlled) | {"line_1_reason": "Vu sur place", "objective_0_remark": "Rapport lu"} | fields
    answer = signed_in(cast["ans"]).post(address(controlled), given)
    assert answer.status_code == 200 and set(answer.context["form"].errors) == {at}
    assert said in plain(answer) and f'href="#id_{at}' in answer.text
    assert "Vu sur place" in answer.text and "Rapport lu" in answer.text
    for name, value in fields.items():
        assert value in html.unescape(answer.text) or name == "line_2_outcome" or name == "objective_1"
    assert traces() == before


def test_the_total_is_typed_where_there_are_no_lines(cast, signed_in):
    application = dossier_in("under_control", owner=cast["owner"], domain=domain_that_pays(has_lines=False))
    browser = signed_in(cast["ans"])
    assert "trame financière" in plain(browser.get(address(application)))
    given = {"version": 1, "seen": 0, "objective_0": "oui", "objective_1": "oui"}
    answer = browser.post(address(application), given | {"total": "sept mille"})
    assert answer.context["form"].errors["total"] and 'value="sept mille"' in answer.text
    page = browser.post(address(application), given | {"total": "7 000,50"}, follow=True)
    assert Decision.objects.get().amount == 700_050
    assert 'value="7\u202f000,50"' in page.text


def test_the_second_of_two_agents_keeps_what_they_typed_and_may_replace(cast, signed_in, controlled):
    browser = signed_in(cast["ans"])
    given = typed(controlled) | {"line_3_outcome": "refused", "line_3_reason": "Sans lien avec l’objectif"}
    decide(controlled, by=UserFactory(ans=True, first_name="Inès", last_name="Lenoir"))
    before = traces()
    answer = browser.post(address(controlled), given)
    assert answer.status_code == 409 and traces() == before
    assert "Inès Lenoir a enregistré cette décision" in plain(answer)
    assert "Sans lien avec l’objectif" in html.unescape(answer.text) and 'name="seen" value="2"' not in answer.text
    seen = re.search(r'name="seen" value="(\d+)"', answer.text)[1]
    assert browser.post(address(controlled), given | {"seen": seen}).status_code == 302
    assert Decision.objects.get().version == 2 and ExpenseVerdict.objects.get(rank=2).outcome == "refused"


def test_a_declaration_sent_again_keeps_each_verdict_with_its_expense_and_says_so(cast, signed_in, controlled):
    verdicts = all_accepted(controlled)
    verdicts.expenses["depenses", 1] = (Outcome.REFUSED, 0, "Sans lien")
    decide(controlled, by=cast["ans"], verdicts=verdicts)
    declare(controlled, [LINES[2], line(950_000, "Audit AD"), LINES[1]])
    page = signed_in(cast["ans"]).get(address(controlled))
    words = plain(page)
    assert "La déclaration a été transmise à nouveau" in words and "Nouvelle ou modifiée" in words
    assert "Audit AD, Cabinet, 9 000 € : retenue" in words
    form = page.context["form"]
    assert [form[f"line_{number}_outcome"].value() for number in (1, 2, 3)] == ["accepted", None, "refused"]
    accept = reverse("reviews:accept", args=[controlled.reference])
    assert "a été transmise à nouveau" in plain(signed_in(cast["ans"]).get(accept))


# --- the pages of others ----------------------------------------------------------------------------------------------
def test_the_validation_says_the_amount_before_the_click_and_why_it_is_not_possible(cast, signed_in, controlled):
    browser, accept = signed_in(cast["ans"]), reverse("reviews:accept", args=[controlled.reference])
    page = browser.get(accept)
    assert "Aucune décision de financement" in plain(page) and 'type="submit" class="fr-btn">Valider' not in page.text
    assert cast["owner"].email not in plain(page), "nobody is written to"
    assert browser.post(accept, {"version": 1}).status_code == 200 and now(controlled).state == "under_control"
    decide(controlled, by=cast["ans"])
    page = plain(browser.get(accept))
    assert "Montant à verser : 16 000 €" in page
    assert "Le montant décidé est de 16 000 €." in page, "the letter, as it would leave"
    assert Decision.objects.get().validated_at is None, "and nothing of it happened"
    assert browser.post(accept, {"version": 1}).status_code == 302
    assert Decision.objects.get().validated_by == cast["ans"]


def test_the_payment_page_says_the_amount_and_asks_for_the_transfer(cast, signed_in):
    application = validated(by=cast["ans"], owner=cast["owner"])
    browser, record = signed_in(cast["ans"]), reverse("reviews:record_payment", args=[application.reference])
    page = plain(browser.get(record))
    assert "12 000 €" in page and "Montant : 12 000 €" in page and not Payment.objects.exists()
    answer = browser.post(record, {"version": application.version, "paid_on": "01/01/2020", "reference": ""})
    assert set(answer.context["form"].errors) == {"paid_on", "reference"} and not Payment.objects.exists()


def test_the_referent_reads_what_was_decided_once_it_is_validated(cast, signed_in, controlled):
    browser, detail = signed_in(cast["owner"]), reverse("applications:detail", args=[controlled.reference])
    verdicts = all_accepted(controlled)
    verdicts.expenses["depenses", 2] = (Outcome.REFUSED, 0, "Sans lien <b>avec</b> l’objectif")
    decide(controlled, by=cast["ans"], verdicts=verdicts)
    before = plain(browser.get(detail))
    assert "13 000 €" not in before and "Sans lien" not in before
    validate(controlled, by=cast["ans"])
    page = browser.get(detail)
    assert "Montant à verser : 13 000 €" in plain(page) and "<b>avec</b>" not in page.text
    assert "Mobilier, Cabinet, 2 juillet 2026, 3 000 € : refusée . Sans lien" in plain(page)
    pay(controlled, by=cast["ans"], reference="VIR-77")
    assert "Montant versé : 13 000 €" in plain(browser.get(detail)) and "VIR-77" in plain(browser.get(detail))


def test_a_former_referent_reads_nothing_of_it(cast, signed_in):
    application = validated(by=cast["ans"], owner=cast["owner"])
    transfer(application, by=cast["owner"], to=cast["colleague"], version=now(application).version)
    detail = reverse("applications:detail", args=[application.reference])
    assert signed_in(cast["owner"]).get(detail).status_code == 404
    assert "12 000 €" in plain(signed_in(cast["colleague"]).get(detail))


def test_the_ars_reads_the_sums_but_no_draft(cast, signed_in, controlled):
    decide(controlled, by=cast["ans"])
    dossier = reverse("reviews:dossier", args=[controlled.reference])
    sums = {role: plain(signed_in(cast[role]).get(dossier)) for role in ("ars", "ans")}
    assert all("Montant engagé 50 000 €" in text for text in sums.values())
    assert "Montant à verser (décision à valider) 16 000 €" in sums["ans"] and "Décider du financement" in sums["ans"]
    assert "Montant à verser" not in sums["ars"] and "Décider du financement" not in sums["ars"]
    validate(controlled, by=cast["ans"])
    assert "Montant à verser 16 000 €" in plain(signed_in(cast["ars"]).get(dossier))


def test_before_acceptance_the_dossier_says_the_ceiling_and_what_was_asked_for(cast, signed_in):
    application = dossier_in("submitted", owner=cast["owner"], requested=1_500_000)
    words = plain(signed_in(cast["ars"]).get(reverse("reviews:dossier", args=[application.reference])))
    assert "Plafond de l’établissement 50 000 €" in words and "Montant demandé 15 000 €" in words
    assert "Montant engagé" not in words


# --- what they cost ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("count", [1, 10])
def test_the_decision_costs_the_same_for_one_line_and_ten(count, cast, signed_in, django_assert_num_queries):
    lines = [line(100_000 + rank) for rank in range(count)]
    application = dossier_in("under_control", owner=cast["owner"], lines=lines)
    decide(application, by=cast["ans"])
    browser = signed_in(cast["ans"])
    browser.get(address(application))
    with django_assert_num_queries(23):
        browser.get(address(application))
    with django_assert_num_queries(74):
        browser.get(reverse("reviews:accept", args=[application.reference]))


@pytest.mark.parametrize("count", [1, 10])
def test_the_referents_page_costs_the_same_for_one_refusal_and_ten(count, cast, signed_in, django_assert_num_queries):
    application = dossier_in(
        "under_control", owner=cast["owner"], lines=[line(900_000 + rank) for rank in range(count)]
    )
    verdicts = all_accepted(application)
    verdicts.expenses |= dict.fromkeys(verdicts.expenses, (Outcome.REDUCED, 700000, "Trop cher"))
    decide(application, by=cast["ans"], verdicts=verdicts)
    validate(application, by=cast["ans"])
    browser = signed_in(cast["owner"])
    browser.get(reverse("applications:detail", args=[application.reference]))
    with django_assert_num_queries(16):
        page = browser.get(reverse("applications:detail", args=[application.reference]))
    assert plain(page).count("Trop cher") == count


@pytest.mark.parametrize("count", [1, 10])
def test_the_envelopes_cost_the_same_for_one_domain_and_ten(count, cast, signed_in, django_assert_num_queries):
    for _ in range(count):
        dossier_in("accepted", domain=domain_that_pays())
    browser = signed_in(cast["ans"])
    browser.get(reverse("funding:envelopes"))
    with django_assert_num_queries(8):
        browser.get(reverse("funding:envelopes"))
