"""Issuing and revoking tokens, by verbs and in the administration."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from ecare.journal.models import Entry
from systems import actions, rules
from systems.models import System, Token, Usage
from systems.rules import Reach
from tests.factories import DomainFactory, RegionFactory, UserFactory
from tests.systems.conftest import ALL, EVERYTHING

pytestmark = pytest.mark.django_db


def in_days(days: int):
    return timezone.localdate() + timedelta(days=days)


def test_the_value_is_kept_as_a_digest_alone(issue):
    token, value = issue()
    assert rules.is_well_formed(value) and value.startswith("ecare_") and len(value) == 52
    assert token.digest == rules.digest_of(value) and value.startswith(token.prefix) and len(token.prefix) == 12
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            assert value not in str(cursor.fetchall()), table


def test_values_differ_and_a_wrong_letter_is_seen():
    values = {rules.new_value() for _ in range(100)}
    assert len(values) == 100
    value = values.pop()
    other = "A" if value[20] != "A" else "B"
    for wrong in (value[:20] + other + value[21:], value[:-1], f"{value}0", value.upper(), f" {value}", ""):
        assert not rules.is_well_formed(wrong), wrong


def test_the_journal_tells_who_issued_and_revoked_what(issue, system, administrator):
    domain, region = DomainFactory(), RegionFactory()
    token, value = issue(label="Nuit", scopes=["dossiers"], domains=[domain], regions=[region])
    assert actions.revoke_token(token, by=administrator, at=timezone.now())
    assert not actions.revoke_token(token, by=administrator, at=timezone.now()), "once"
    told = list(Entry.objects.filter(subject=system.subject).order_by("sequence"))
    assert [entry.verb for entry in told] == ["add_system", "issue_token", "revoke_token"]
    assert {entry.actor for entry in told} == {f"user:{administrator.pk}"}
    data = told[1].data
    assert (data["scopes"], data["domains"], data["regions"]) == (["dossiers"], [domain.slug], [region.pk])
    assert value not in str([entry.data for entry in told]) and system.contact not in str([e.data for e in told])


@pytest.mark.parametrize("trait", ["ans", "ars", None])
def test_administrators_alone_issue_revoke_and_change(issue, system, trait):
    person = UserFactory(**({trait: True} if trait else {}))
    token, _ = issue()
    reach = Reach(scopes=EVERYTHING, **ALL)
    asked = {"by": person, "at": timezone.now()}
    with pytest.raises(PermissionDenied):
        actions.issue_token(system, reach, label="x", expires_on=in_days(3), **asked)
    with pytest.raises(PermissionDenied):
        actions.revoke_token(token, **asked)
    with pytest.raises(PermissionDenied):
        actions.change_system(system, by=person)
    assert Token.objects.get().revoked_at is None


@pytest.mark.parametrize(
    ("days", "reach", "word"),
    [
        (0, ALL, "à venir"),
        (366, ALL, "un an au plus"),
        (3, {}, "au moins un domaine"),
        (3, {"all_domains": True}, "au moins une région"),
        (3, ALL | {"scopes": []}, "ce que le jeton lit"),
        (3, ALL | {"scopes": ["amounts"]}, "ce que le jeton lit"),
    ],
)
def test_a_token_is_limited_in_so_many_words(system, administrator, days, reach, word):
    asked = Reach(**({"scopes": EVERYTHING} | reach))
    said = {"by": administrator, "at": timezone.now(), "label": "x", "expires_on": in_days(days)}
    with pytest.raises(actions.CannotIssue, match=word):
        actions.issue_token(system, asked, **said)
    assert not Token.objects.exists()


def test_a_label_is_used_once_and_again_after_revocation(issue, administrator):
    token, _ = issue(label="Nuit")
    with pytest.raises(actions.CannotIssue, match="déjà cet intitulé"):
        issue(label="Nuit")
    actions.revoke_token(token, by=administrator, at=timezone.now())
    issue(label="Nuit")
    with pytest.raises(IntegrityError), transaction.atomic():
        Token.objects.filter(pk=token.pk).update(revoked_at=None, revoked_by=None)


def test_a_closed_system_gets_no_token(issue, system, administrator):
    system.is_active = False
    actions.change_system(system, by=administrator)
    assert Entry.objects.get(verb="change_system").data["is_active"] == [True, False]
    with pytest.raises(actions.CannotIssue, match="réactivez-le"):
        issue()


def test_the_change_of_a_contact_is_told_without_the_addresses(system, administrator):
    System.objects.filter(pk=system.pk).update(contact="ancienne@exemple.fr")
    actions.change_system(system, by=administrator)
    assert Entry.objects.get(verb="change_system").data == {"changed": ["contact"]}
    actions.change_system(system, by=administrator)
    assert Entry.objects.filter(verb="change_system").count() == 1


def test_the_row_itself_refuses_a_value_and_half_a_revocation(issue):
    token, value = issue()
    for wrong in ({"digest": value}, {"revoked_at": timezone.now()}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Token.objects.filter(pk=token.pk).update(**wrong)


# --- the administration -------------------------------------------------------------------------------------------
def typed(system, **more):
    return {
        "system": system.pk,
        "label": "Chargement de nuit",
        "expires_on": in_days(90).strftime("%d/%m/%Y"),
        "scopes": ["dossiers"],
        "all_domains": "on",
        "all_regions": "on",
    } | more


def test_the_value_is_shown_once_on_a_page_that_is_stored_nowhere(signed_in, system, administrator, read):
    client = signed_in(administrator)
    page = client.post(reverse("admin:systems_token_add"), typed(system))
    assert page.status_code == 200 and "no-store" in page["Cache-Control"]
    token = Token.objects.get()
    value = page.context["value"]
    assert value in page.text and rules.digest_of(value) == token.digest
    assert read(value, "dossiers").status_code == 200
    for address in (
        reverse("admin:systems_token_changelist"),
        reverse("admin:systems_token_change", args=[token.pk]),
        reverse("admin:systems_token_history", args=[token.pk]),
        reverse("admin:systems_system_change", args=[system.pk]),
        reverse("admin:systems_usage_changelist"),
        reverse("admin:journal_entry_changelist"),
        reverse("admin:index"),
    ):
        later = client.get(address)
        assert later.status_code == 200 and value not in later.text and token.digest not in later.text, address
    again = client.post(reverse("admin:systems_token_add"), typed(system))
    assert "déjà cet intitulé" in again.text and Token.objects.count() == 1, "a page sent twice issues nothing more"


def test_what_is_missing_is_said_at_its_field_and_nothing_is_ticked_beforehand(signed_in, system, administrator):
    client = signed_in(administrator)
    form = client.get(reverse("admin:systems_token_add"))
    assert "checked" not in form.text
    page = client.post(reverse("admin:systems_token_add"), {"system": system.pk, "label": "Nuit"})
    errors = page.context["adminform"].form.errors
    assert set(errors) == {"expires_on", "scopes", "domains", "regions"}
    assert 'value="Nuit"' in page.text
    page = client.post(reverse("admin:systems_token_add"), typed(system, expires_on="01/01/2099"))
    assert "un an au plus" in page.text
    page = client.post(reverse("admin:systems_token_add"), typed(system, domains=[DomainFactory().pk]))
    assert "pas les deux" in page.text
    assert not Token.objects.exists()


def test_revoking_says_what_it_does_first(signed_in, issue, administrator, read):
    token, value = issue()
    client = signed_in(administrator)
    asked = {"action": "revoke", "_selected_action": [token.pk]}
    page = client.post(reverse("admin:systems_token_changelist"), asked)
    assert "pour toujours" in page.text and read(value, "domains").status_code == 200
    client.post(reverse("admin:systems_token_changelist"), asked | {"confirmed": "1"})
    assert read(value, "domains").status_code == 401
    assert Token.objects.get().revoked_by == administrator
    page = client.post(reverse("admin:systems_token_changelist"), asked | {"confirmed": "1"}, follow=True)
    assert "Déjà révoqués" in page.text


def test_a_system_is_registered_and_closed_never_removed(signed_in, administrator):
    client = signed_in(administrator)
    said = {"name": "Entrepôt", "purpose": "Suivre", "contact": "a@exemple.fr", "is_active": "on"}
    assert client.post(reverse("admin:systems_system_add"), said).status_code == 302
    system = System.objects.get()
    del said["is_active"]
    assert client.post(reverse("admin:systems_system_change", args=[system.pk]), said).status_code == 302
    assert not System.objects.get().is_active
    assert [entry.verb for entry in Entry.objects.filter(subject=system.subject)] == ["add_system", "change_system"]
    assert client.post(reverse("admin:systems_system_delete", args=[system.pk]), {"post": "yes"}).status_code == 403


def test_the_lists_cost_the_same_however_long(signed_in, issue, administrator):
    client = signed_in(administrator)
    domain, region = DomainFactory(), RegionFactory()
    counts = {}
    for number in (1, 3):
        while Token.objects.count() < number:
            token, _ = issue(domains=[domain], regions=[region])
            Usage.objects.create(token=token, day=timezone.localdate(), requests=4, dossiers=7, refusals=2)
        for page in ("systems_token_changelist", "systems_usage_changelist", "systems_system_changelist"):
            with CaptureQueriesContext(connection) as found:
                text = client.get(reverse(f"admin:{page}")).text
            counts.setdefault(page, []).append(len(found))
        assert "Outil 0" in text or "Entrepôt" in text
    assert all(one == three for one, three in counts.values()), counts
