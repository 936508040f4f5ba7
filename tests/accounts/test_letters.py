"""« Vos courriers »: one letter a day, or each at once."""

import pytest
from django.conf import settings

from accounts.models import User
from ecare.journal.models import Entry
from ecare.letters.rules import waits
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

# Receipts and decisions about a dossier, its hands and its money.
LEGAL = {
    "abandoned",
    "accepted",
    "bank_details_changed",
    "bank_details_confirmed",
    "bank_details_refused",
    "changes_cancelled",
    "changes_requested",
    "convention_signed",
    "declaration_opened",
    "due_date_moved",
    "evidence_purged",
    "export_failed",
    "export_ready",
    "extension_given",
    "extension_withdrawn",
    "file_quarantined",
    "paid",
    "patient_data_reported",
    "rejected",
    "reopened",
    "report_dismissed",
    "signed_copy_received",
    "signed_copy_refused",
    "submitted",
    "take_over_accepted",
    "take_over_moot",
    "take_over_refused",
    "take_over_requested",
    "transferred",
    "validated",
    "withdrawn",
    "withheld_file_replaced",
}
# What opens or protects an account.
SAFETY = {
    "account_erased",
    "account_expiring",
    "account_not_found",
    "activation",
    "code",
    "container_reissued",
    "data_handed_over",
    "draft_expiring",
    "email_change_attempted",
    "email_change_requested",
    "email_change_to_confirm",
    "email_changed",
    "email_corrected",
    "email_correction_stopped",
    "email_correction_to_stop",
    "establishment_changed",
    "invitation",
    "password_changed",
    "password_reset",
    "password_reset_held",
    "recovery_code_used",
    "recovery_codes_renewed",
    "registration_attempted",
    "second_factor_enrolled",
    "second_factor_removed",
    "second_factor_reset",
    "token_expiring",
}
# They gather others already.
DIGESTS = {"desk_digest", "digest"}
# To whoever answers for a system: they have no account here, and so no choice.
SYSTEMS = {"notifications_suspended"}
# To whoever keeps the digests of the journal outside.
AUDITOR = {"journal_anchored"}
AT_ONCE = LEGAL | SAFETY | DIGESTS | SYSTEMS | AUDITOR
MAY_WAIT = {
    "quarantine_lifted",
    "colleague_registered",
    "contacts_changed",
    "convention_to_countersign",
    "dossiers_assigned",
    "envelope_near",
    "establishment_closed",
    "opinion_asked",
    "opinion_given",
    "passed_to_ans",
    "pool_low",
    "reminder",
    "sent_back",
    "signature_reminder",
    "subscription_suspended",
    "take_over_to_decide",
    "to_review",
}


@pytest.mark.parametrize("trait", [None, "ars", "ans", "administrator"])
def test_everybody_chooses(signed_in, trait):
    user = UserFactory(**({trait: True} if trait else {}))
    client = signed_in(user)
    assert client.get("/compte/courriers/").context["form"]["daily"].value() == "non"
    assert client.post("/compte/courriers/", {"daily": "oui"}).status_code == 302
    assert User.objects.get(pk=user.pk).wants_daily_letter
    assert "Votre choix est enregistré." in client.get("/compte/courriers/").text


def test_the_same_choice_twice_is_written_once(signed_in):
    user = UserFactory()
    for _ in range(2):
        signed_in(user).post("/compte/courriers/", {"daily": "oui"})
    assert Entry.objects.filter(subject=f"user:{user.pk}", verb="choose_letters").count() == 1


@pytest.mark.parametrize("choice", ["", "peut-être"])
def test_a_choice_that_is_none_is_refused_with_a_sentence(signed_in, choice):
    user = UserFactory()
    page = signed_in(user).post("/compte/courriers/", {"daily": choice})
    assert page.status_code == 200 and page.context["form"].errors
    assert not User.objects.get(pk=user.pk).wants_daily_letter


def test_every_letter_leaves_at_once_or_may_wait():
    """A new letter is a choice to make here."""
    sources = (settings.BASE_DIR / "templates" / "letters").glob("*.txt")
    assert {source.stem for source in sources} - {"footer"} == AT_ONCE | MAY_WAIT
    assert set() == AT_ONCE & MAY_WAIT


@pytest.mark.parametrize("name", sorted(AT_ONCE | MAY_WAIT))
def test_all_but_what_has_legal_value_or_keeps_account_and_money_safe_may_wait(name):
    assert waits(name) == (name in MAY_WAIT)


def test_the_tab_is_marked(signed_in):
    page = signed_in(UserFactory()).get("/compte/courriers/").text
    assert '<a href="/compte/courriers/" aria-current="page">Vos courriers</a>' in page


@pytest.mark.parametrize(("trait", "has"), [(None, False), ("ars", True), ("ans", True), ("administrator", False)])
def test_agents_with_a_desk_choose_the_monday_letter(signed_in, trait, has):
    user = UserFactory(**({trait: True} if trait else {}))
    client = signed_in(user)
    assert ("Recevoir le point du lundi" in client.get("/compte/courriers/").text) == has
    client.post("/compte/courriers/", {"daily": "non"})
    user.refresh_from_db()
    assert user.wants_weekly_letter == (not has), "whoever was not asked chose nothing"
    if has:
        client.post("/compte/courriers/", {"daily": "non", "weekly": "on"})
        user.refresh_from_db()
        assert user.wants_weekly_letter
        entries = Entry.objects.filter(subject=f"user:{user.pk}", verb="choose_letters").order_by("sequence")
        assert [entry.data["weekly"] for entry in entries] == [False, True]
