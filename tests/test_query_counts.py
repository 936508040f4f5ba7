"""What each page asks of the database: one literal number, the same for one row of everything that grows and for three.

Every page is visited by the person it belongs to. Pages counted beside their own tests are named in COUNTED_ELSEWHERE.
"""

import re

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import agents
from accounts.mailboxes import correct_email
from accounts.models import Invitation, TermsAcceptance
from applications.models import Application
from tests.accounts.steps import (
    enrolled,
    fill_establishment,
    fill_person,
    give_code,
    give_password,
    register,
    secret_of,
)
from tests.addresses import GET
from tests.evidence.pool import SPACE as CONTAINER
from tests.factories import PASSWORD, UserFactory
from tests.test_accessibility import NOT_PAGES
from tests.world import World

# The name of an address, and in which state, or as what, it is asked for.
# fmt: off
COUNTS = {
    "accounts:register":                             2,
    "accounts:registered":                           0,
    "accounts:resend_activation":                    0,
    "accounts:activation_resent":                    0,
    "account_login":                                 0,
    "account_inactive":                              0,
    "account_reset_password":                        0,
    "account_reset_password_done":                   0,
    "account_reset_password_from_key_done":          0,
    "accounts:terms_version":                        1,
    "eligibility_of entity":                         4,
    "eligibility_of group":                          5,
    "accounts:register_establishment":               3,
    "accounts:check_establishment":                  4,
    "accounts:register_recap":                       2,
    "account_confirm_email":                         7,
    "account_confirm_email unknown":                 0,
    "account_sign_in_code":                          4,
    "account_reset_password_from_key":               4,
    "account_reset_password_from_key unknown":       1,
    "accounts:confirm_email_change":                 1,
    "accounts:confirm_email_change unknown":         0,
    "accounts:stop_email_correction":                1,
    "accounts:stop_email_correction unknown":        0,
    "accounts:change_email":                         4,
    "accounts:letters":                              4,
    "accounts:accept_invitation":                    2,
    "accounts:accept_invitation unknown":            1,
    "account_second_factor":                         3,
    "account_change_password":                       4,
    "account_logout":                                3,
    "applications:start":                           11,
    "accounts:accept_terms":                         4,
    "applications:transfer":                         6,
    "applications:request_take_over":                6,
    "applications:detail draft":                    14,
    "applications:detail changes_requested":        19,
    "applications:detail declaration_open":         14,
    "applications:detail submitted":                13,
    "applications:detail validated":                16,
    "applications:step declaration_open":           13,
    "applications:recap draft":                     12,
    "applications:recap declaration_open":          12,
    "applications:submitted submitted":              8,
    "applications:submitted under_control":          8,
    "applications:history draft":                    9,
    "applications:history validated":               10,
    "applications:withdraw draft":                   8,
    "applications:withdraw submitted":               8,
    "applications:contacts draft":                   6,
    "applications:contacts validated":               6,
    "applications:update_contact draft":             6,
    "applications:update_contact validated":         6,
    "applications:receipt submitted":                8,
    "conventions:convention accepted":              12,
    "evidence:bank_details accepted":                8,
    "evidence:bank_details validated":               8,
    "evidence:remove draft":                         6,
    "evidence:remove changes_requested":             6,
    "evidence:replace changes_requested":            7,
    "evidence:container draft":                      7,
    "evidence:container declaration_open":           7,
    "evidence:container changes_requested":          8,
    "evidence:reissue_container changes_requested":  7,
    "evidence:patient_data under_control":          65,
    "evidence:dismiss_report":                      27,
    "evidence:containers":                          11,
    "funding:decide under_control":                 17,
    "funding:decide validated":                     14,
    "funding:decide draft":                         18,
    "reviews:dossier submitted":                    26,
    "reviews:accept submitted":                     59,
    "reviews:request_changes submitted":             43,
    "reviews:reject submitted":                     35,
    "reviews:cancel_changes asked":                 43,
    "reviews:move_due_date asked":                  29,
    "reviews:read_letter":                           6,
    "reviews:dossier draft":                        23,
    "reviews:accept draft":                          8,
    "reviews:reopen rejected":                       40,
    "reviews:dossier accepted":                     24,
    "reviews:sign_convention accepted":             54,
    "reviews:refuse_copy accepted":                 29,
    "reviews:abandon accepted":                     35,
    "reviews:dossier under_control":                24,
    "reviews:accept under_control":                 30,
    "reviews:request_changes under_control":         42,
    "reviews:reject under_control":                 34,
    "reviews:send_back under_control":               30,
    "reviews:abandon under_control":                35,
    "reviews:record_payment validated":             49,
    "reviews:abandon validated":                    35,
    "reviews:pieces submitted":                      11,
    "reviews:add_note":                              5,
    "reviews:ask_opinion":                          25,
    "reviews:pieces under_control":                  11,
    "reviews:give_opinion":                         31,
    "reviews:resend_letter":                         7,
    "reviews:phrases":                               5,
    "reviews:add_phrase":                            4,
    "reviews:edit_phrase":                           5,
    "reviews:extensions_of":                         8,
    "reviews:give_extension":                       44,
    "reviews:withdraw_extension":                   36,
    "reviews:accept_take_over":                      34,
    "reviews:refuse_take_over":                      28,
    "reviews:confirm_bank_details":                  35,
    "reviews:refuse_bank_details":                   26,
}
COUNTED_ELSEWHERE = {
    "home": "tests/look/test_pages.py::test_the_home_page_asks_once_for_the_domains",
    "agents legal_notice personal_data accessibility sitemap":
        "tests/look/test_pages.py::test_a_page_of_text_is_open_and_asks_nothing_of_the_database",
    "help": "tests/look/test_help.py::test_the_page_asks_nothing_of_the_database",
    "guide_of_referent guide_of_ars guide_of_ans guide_of_administrator":
        "tests/guides/test_pages.py::test_a_guide_asks_no_more_than_who_reads_it",
    "letters:mailbox": "tests/letters/test_mailbox.py::test_the_list_costs_the_same_for_one_and_three_letters",
    "eligibility": "tests/applications/test_public_pages.py::test_the_search_asks_as_much_for_one_row_as_for_three",
    "preparations preparation":
        "tests/applications/test_public_pages.py::test_the_lists_ask_as_much_for_one_row_as_for_three",
    "accounts:choose_establishment": "tests/accounts/test_register.py::test_the_list_costs_the_same_however_long",
    "accounts:terms": "tests/accounts/test_terms.py::test_the_list_of_versions_costs_one_question",
    "accounts:account":
        "tests/accounts/test_open_sessions.py::test_the_account_costs_the_same_however_many_sessions",
    "accounts:second_factor accounts:enrol accounts:renew_recovery_codes accounts:remove_second_factor":
        "tests/accounts/test_second_factor.py::test_what_each_page_asks_of_the_database",
    "accounts:recovery_codes": "tests/accounts/test_second_factor.py::test_what_the_codes_ask",
    "applications:dashboard":
        "tests/applications/test_dashboard.py::test_the_number_of_queries_does_not_grow_with_the_rows",
    "applications:take_overs": "tests/applications/test_take_over.py::test_the_list_costs_the_same_however_long",
    "steering:overview":
        "tests/steering/test_overview.py::test_the_page_asks_as_much_for_a_hundred_dossiers_as_for_one",
    "systems:documentation": "tests/systems/test_answers.py::test_the_page_is_made_of_the_document",
    "steering:publications steering:publication":
        "tests/steering/test_publications.py::test_the_pages_ask_as_much_for_a_hundred_dossiers_as_for_one",
    "evidence:reissues": "tests/evidence/test_reissue_container.py::test_the_list_costs_the_same_however_long",
    "evidence:reports": "tests/evidence/test_purge.py::test_the_list_costs_the_same_however_long",
    "reviews:extensions reviews:find_establishment":
        "tests/reviews/test_extending.py::test_the_lists_cost_the_same_however_long",
    "reviews:queue":
        "tests/reviews/test_queue.py::test_the_queue_asks_the_database_as_much_for_three_dossiers_as_for_one",
    "funding:payments": "tests/funding/test_payments.py::test_the_list_costs_the_same_for_one_row_and_ten",
    "funding:envelopes": "tests/funding/test_pages.py::test_the_envelopes_cost_the_same_for_one_domain_and_ten",
    "exports:exports": "tests/exports/test_pages_of_exports.py::test_the_list_costs_the_same_however_long",
    "reviews:requests": "tests/applications/test_take_over.py::test_the_requests_cost_the_same_however_many",
}
# fmt: on


# --- who visits what ----------------------------------------------------------------------------------------------
def visits(world: World, signed_in) -> dict[str, tuple[Client, str]]:
    """The browser and the address of each row, in the order of the table."""
    found = {}
    for part in (as_a_stranger, as_somebody_who_registers, by_a_letter, at_home, of_a_dossier, of_files, of_agents):
        found |= part(world, signed_in)
    return found


def at(client: Client, *rows: str, args=()) -> dict[str, tuple[Client, str]]:
    return {row: (client, reverse(row.partition(" ")[0], args=args)) for row in rows}


def as_a_stranger(world, signed_in):
    client = Client()
    found = at(
        client,
        "accounts:register",
        "accounts:registered",
        "accounts:resend_activation",
        "accounts:activation_resent",
        "account_login",
        "account_inactive",
        "account_reset_password",
        "account_reset_password_done",
        "account_reset_password_from_key_done",
    )
    found |= at(client, "accounts:terms_version", args=["1.0"])
    found |= at(client, "eligibility_of entity", args=[world.establishment.ght.members.first().finess])
    found |= at(client, "eligibility_of group", args=[world.establishment.ght.code])
    return found


def as_somebody_who_registers(world, signed_in):
    client = Client()
    fill_person(client)
    fill_establishment(client, world.establishment)
    found = at(client, "accounts:register_establishment", "accounts:check_establishment", "accounts:register_recap")
    person, half = Client(), Client()
    register(person, world.establishment, username="autre.sante", email="autre.sante@exemple.fr")
    found |= at(Client(), "account_confirm_email", args=[secret_of("activation").rstrip("/").rpartition("/")[2]])
    found |= at(Client(), "account_confirm_email unknown", args=["cle-inconnue"])
    give_password(half, world.colleague)
    found |= at(half, "account_sign_in_code")
    enrolled(world.agent)
    between = Client()
    give_password(between, world.agent)
    give_code(between, secret_of("code", to=world.agent.email))
    return found | at(between, "account_second_factor")


def by_a_letter(world, signed_in):
    forgetful = Client()
    forgetful.post(reverse("account_reset_password"), {"email": world.colleague.email})
    page = forgetful.get("/mot-de-passe/nouveau/" + secret_of("password_reset") + "/", follow=True)
    found = {"account_reset_password_from_key": (forgetful, page.redirect_chain[-1][0])}
    found |= at(Client(), "account_reset_password_from_key unknown", args=["1", "abc"])
    typed = {"email": "nouvelle.adresse@exemple.fr", "password": PASSWORD}
    signed_in(world.colleague).post(reverse("accounts:change_email"), typed)
    agents.invite(Invitation(email="invitee@ars.example", role="ars"), regions=world.regions, by=None)
    found |= at(Client(), "accounts:accept_invitation", args=[secret_of("invitation")])
    found |= at(Client(), "accounts:accept_invitation unknown", args=["abc"])
    found |= at(Client(), "accounts:confirm_email_change", args=[secret_of("email_change_to_confirm")])
    found |= at(Client(), "accounts:confirm_email_change unknown", args=["abc"])
    correct_email(
        world.colleagues[0], by=UserFactory(administrator=True), email="neuve@exemple.fr", reason="Messagerie perdue."
    )
    found |= at(Client(), "accounts:stop_email_correction", args=[secret_of("email_correction_to_stop")])
    return found | at(Client(), "accounts:stop_email_correction unknown", args=["abc"])


def at_home(world, signed_in):
    owner, late = signed_in(world.owner), signed_in(world.cast["stranger"])
    TermsAcceptance.objects.filter(user=world.cast["stranger"]).delete()
    found = at(owner, "accounts:change_email", "accounts:letters", "account_change_password", "account_logout")
    found |= at(owner, "applications:start")
    found |= at(late, "accounts:accept_terms")
    found |= at(owner, "applications:transfer", args=[world.colleagues[0].pk])
    asking = signed_in(world.colleague)
    return found | at(asking, "applications:request_take_over", args=[world.dossiers["draft"].reference])


def of_a_dossier(world, signed_in):
    client, found = signed_in(world.owner), {}
    states = {
        "detail": "draft changes_requested declaration_open submitted validated",
        "step": "declaration_open",
        "recap": "draft declaration_open",
        "submitted": "submitted under_control",
        "history": "draft validated",
        "withdraw": "draft submitted",
        "contacts": "draft validated",
    }
    for name, wanted in states.items():
        for state in wanted.split():
            found |= at(client, f"applications:{name} {state}", args=[world.dossiers[state].reference])
    for state in ("draft", "validated"):
        reference = world.dossiers[state].reference
        found |= at(client, f"applications:update_contact {state}", args=[reference, "dsi"])
    submitted = world.dossiers["submitted"].reference
    return found | at(client, "applications:receipt submitted", args=[submitted, "candidature", 1])


def of_files(world, signed_in):
    client, found = signed_in(world.owner), {}
    for state in ("accepted", "validated"):
        found |= at(client, f"evidence:bank_details {state}", args=[world.dossiers[state].reference])
    found |= at(client, "conventions:convention accepted", args=[world.dossiers["accepted"].reference])
    draft, changed = world.dossiers["draft"], world.dossiers["changes_requested"]
    for name, dossier in {"remove draft": draft, "remove changes_requested": changed}.items():
        found |= at(client, f"evidence:{name}", args=[file_of(dossier)])
    found |= at(client, "evidence:replace changes_requested", args=[file_of(changed)])
    for state in ("draft", "declaration_open", "changes_requested"):  # to draw, to activate, activated
        found |= at(client, f"evidence:container {state}", args=[world.dossiers[state].reference, CONTAINER["key"]])
    found |= at(client, "evidence:reissue_container changes_requested", args=[changed.reference, CONTAINER["key"]])
    ans = signed_in(world.cast["ans"])
    found |= at(ans, "evidence:patient_data under_control", args=[world.report.evidence.file_id])
    found |= at(ans, "evidence:dismiss_report", args=[world.report.pk])
    return found | at(ans, "evidence:containers")


def file_of(dossier: Application):
    return dossier.evidence.filter(question__key="espace-0").first().file_id


def of_agents(world, signed_in):
    ars, ans = signed_in(world.cast["ars"]), signed_in(world.cast["ans"])
    found = {}
    desks = {
        "submitted": (ars, "dossier accept request_changes reject"),
        "draft": (ars, "dossier accept"),
        "rejected": (ans, "reopen"),
        "accepted": (ans, "dossier sign_convention refuse_copy abandon"),
        "under_control": (ans, "dossier accept request_changes reject send_back abandon"),
        "validated": (ans, "record_payment abandon"),
    }
    for state, (client, verbs) in desks.items():
        rows = [f"reviews:{verb} {state}" for verb in verbs.split()]
        found |= at(client, *rows, args=[world.dossiers[state].reference])
    amended = ("reviews:cancel_changes asked", "reviews:move_due_date asked")
    found |= at(ars, *amended, args=[world.dossiers["asked"].reference])
    for state in ("under_control", "validated", "draft"):
        found |= at(ans, f"funding:decide {state}", args=[world.dossiers[state].reference])
    found |= at(ars, "reviews:accept_take_over", "reviews:refuse_take_over", args=[world.asked.pk])
    beside = ("reviews:pieces submitted", "reviews:add_note", "reviews:ask_opinion")
    found |= at(ars, *beside, args=[world.dossiers["submitted"].reference])
    found |= at(ans, "reviews:pieces under_control", args=[world.dossiers["under_control"].reference])
    submitted = world.dossiers["submitted"].reference
    found |= at(ars, "reviews:give_opinion", args=[submitted, world.opinion.pk])
    found |= at(ars, "reviews:read_letter", "reviews:resend_letter", args=[submitted, world.letter.pk])
    found |= at(ars, "reviews:phrases", "reviews:add_phrase") | at(ars, "reviews:edit_phrase", args=[world.phrase.pk])
    extension = world.extension
    found |= at(ans, "reviews:extensions_of", args=[extension.establishment_id])
    lengthened = [extension.establishment_id, extension.domain.slug, extension.step]
    found |= at(ans, "reviews:give_extension", args=lengthened)
    found |= at(ans, "reviews:withdraw_extension", args=[extension.pk])
    names = ("reviews:confirm_bank_details", "reviews:refuse_bank_details")
    return found | at(ans, *names, args=[world.bank_details.pk])


# --- the counts ---------------------------------------------------------------------------------------------------
REFUSALS = {
    "accounts:accept_invitation unknown": 410,
    "accounts:confirm_email_change unknown": 410,
    "accounts:stop_email_correction unknown": 410,
    "reviews:accept draft": 409,
}


def asked_by(client: Client, address: str) -> tuple[int, list[str]]:
    """The answer to a second visit, and what it asked: the first one fills what is kept between requests."""
    client.get(address)
    with CaptureQueriesContext(connection) as asked:
        response = client.get(address)
        b"".join(response)
    return response.status_code, [query["sql"] for query in asked.captured_queries]


@pytest.mark.django_db
@pytest.mark.parametrize("rows", [1, 3])
def test_each_page_asks_as_much_for_three_of_everything_as_for_one(rows, signed_in):
    world, counts = World(rows), {}
    for row, (client, address) in visits(world, signed_in).items():
        status, asked = asked_by(client, address)
        assert status == REFUSALS.get(row, 200), row
        counts[row] = len(asked)
    assert counts == COUNTS


def test_every_page_has_its_count():
    """Each address that answers with a page: here, or in the test that COUNTED_ELSEWHERE names."""
    answering = {row.split()[0] for row, answers in GET.items() if re.search("200|409|410", answers)}
    elsewhere = {name for names in COUNTED_ELSEWHERE for name in names.split()}
    here = {row.split()[0] for row in COUNTS}
    assert answering - here - elsewhere - set(NOT_PAGES.split()) == set()
    assert here & elsewhere == set()


@pytest.mark.parametrize("test", COUNTED_ELSEWHERE.values())
def test_what_is_counted_elsewhere_is_counted_there(test):
    path, _, name = test.partition("::")
    body = (settings.BASE_DIR / path).read_text().partition(f"def {name}(")[2].partition("\ndef ")[0]
    assert re.search(r"assert_num_queries\(\w+\)", body)
