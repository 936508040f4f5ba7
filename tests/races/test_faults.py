"""Every post that writes, refused by the database at its second row and at each later one: nothing of it stays, nothing
is in the outbox, and the person gets a page.

The protection is that a verb is one transaction: with `@transaction.atomic` taken away from one of them, its row fails.
"""

import pytest

from ecare.letters.models import Letter
from tests.addresses import POST, ROLES
from tests.faults import Writes
from tests.posts import all_posts
from tests.races.refusing import assert_nothing_stays
from tests.world import World

pytestmark = pytest.mark.django_db

# Addresses that somebody is answered 200 or 302 at, and that are not here.
ELSEWHERE = {
    "read, or one row that nobody else reads": (
        "home agents legal_notice personal_data accessibility sitemap accounts:challenge accounts:password_strength "
        "accounts:register accounts:register_establishment accounts:choose_establishment accounts:check_establishment "
        "accounts:registered account_logout account_signup account_email_verification_sent account_login "
        "account_second_factor "
    ),
    "tests/races/test_faults_of_accounts.py": (
        "accounts:register_recap accounts:resend_activation account_sign_in_code account_reset_password "
        "account_reset_password_from_key accounts:enrol accounts:renew_recovery_codes accounts:remove_second_factor "
        "accounts:close_session "
    ),
    "tests/evidence/test_load_containers.py": "evidence:containers",
    "tests/evidence/test_arrivals_end.py": "evidence:give_up",
    "tests/exports/test_life_of_an_export.py": "exports:cancel",
}


@pytest.fixture
def posts(signed_in):
    return all_posts(World(1), signed_in)


def test_whatever_row_is_refused_nothing_of_a_post_stays(posts):
    writes = Writes()
    counts = {row: assert_nothing_stays(row, writes, *post) for row, post in posts.items()}
    assert sum(count > 1 for count in counts.values()) > 45
    assert {row for row, count in counts.items() if count == 1} <= {
        "accounts:accept_terms", "applications:answer draft", "reviews:add_phrase", "reviews:edit_phrase",
        "reviews:save_view", "reviews:forget_view", "reviews:remove_phrase", "reviews:claim", "reviews:release",
    }  # fmt: skip


def test_every_address_that_writes_is_posted_to_here_or_elsewhere(posts):
    """As the tables of the access matrix say: somebody is answered 200 or 302 there."""
    writing = set()
    for row, line in POST.items():
        answers = dict(zip(ROLES, line.split(), strict=True))
        if {answers[role] for role in ROLES if role not in ("anonymous", "password_only")} & {"200", "302"}:
            writing.add(row.partition(" ")[0])
    here = {row.partition(" ")[0] for row in posts}
    elsewhere = {name for names in ELSEWHERE.values() for name in names.split()}
    assert writing - here - elsewhere == set()
    assert not here & elsewhere
    assert Letter.objects.exists(), "the world has letters that a fault could have lost"
