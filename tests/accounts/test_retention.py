"""What is kept of people only for a time goes by itself: on its day, not before, and only once."""

from datetime import timedelta

import pytest
from captcha.models import CaptchaStore
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from accounts import retention
from accounts.agents import invite, revoke_invitation
from accounts.models import EmailChange, EmailCorrection, Invitation, SignInCode, User, UsernameHold
from ecare.journal.actions import broken_links
from ecare.journal.models import Entry
from ecare.letters import retention as letters
from ecare.letters.actions import CannotResend, resend
from ecare.letters.models import Letter
from ecare.tasks import forget_cache
from tests.factories import ApplicationFactory, UserFactory

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def now():
    return timezone.now()


def unused(days, **fields) -> User:
    return UserFactory(last_login=now() - days * DAY, **fields)


def forget(*, days=0):
    return retention.forget(now() + days * DAY)


def test_codes_links_and_captchas_go_once_they_are_of_no_use():
    user, other = UserFactory(), UserFactory()
    for person, until in ((user, now() - DAY), (other, now() + DAY)):
        EmailCorrection.objects.create(user=person, former="ancienne@exemple.fr", until=until)
        EmailChange.objects.create(user=person, email="nouvelle@exemple.fr", until=until)
        UsernameHold.objects.create(username=person.username * 2, email="a@exemple.fr", until=until)
        SignInCode.objects.create(user=person, created_at=until - DAY)
        CaptchaStore.objects.create(challenge="a", response="a", expiration=until, hashkey=person.username)
    done = forget()
    names = ("sign-in codes", "e-mail changes", "e-mail corrections", "user names held", "captchas")
    assert [done[name] for name in names] == [1, 1, 1, 1, 1]
    assert EmailCorrection.objects.get().user == other and CaptchaStore.objects.get().hashkey == other.username
    assert not any(forget().values())


def test_an_invitation_that_nobody_accepted_goes_after_a_year_and_its_mailbox_with_it(admin, administrator):
    invitation = invite(Invitation(email="canari@ans.example", role="ans"), regions=[], by=administrator)
    revoke_invitation(invitation, by=administrator)
    assert forget(days=364)["invitations"] == 0
    assert forget(days=366)["invitations"] == 1
    assert not Invitation.objects.exists() and "canari" not in Letter.objects.get(name="invitation").text
    entry = Entry.objects.get(verb="invite")
    assert "canari" in entry.data["email"] and entry.facts == {}, "the ledger keeps it, pages do not show it"
    page = admin.get(f"/administration/journal/entry/{entry.pk}/change/").content.decode()
    assert "canari" not in page and list(broken_links(entry.subject)) == []


def test_an_account_that_was_never_activated_goes(settings):
    old = UserFactory(verified=False, last_login=None, date_joined=now() - 31 * DAY)
    young = UserFactory(verified=False, last_login=None, date_joined=now() - 29 * DAY)
    used = UserFactory(last_login=None, date_joined=now() - 31 * DAY)
    assert forget()["accounts never activated"] == 1
    assert set(User.objects.values_list("pk", flat=True)) == {young.pk, used.pk}
    assert Entry.objects.filter(subject=f"user:{old.pk}", verb="forget_account").exists()


def test_whoever_stopped_coming_is_warned_once_then_closed_and_can_come_back_before(signed_in):
    gone, back = unused(1066), unused(1066)
    assert forget()["accounts warned"] == 2 and forget()["accounts warned"] == 0
    letter = Letter.objects.get(name="account_expiring", recipient=gone.email)
    assert "30 jours" in letter.text and "/connexion/" in letter.text
    User.objects.filter(pk=back.pk).update(last_login=now())
    assert forget(days=29)["accounts deactivated"] == 0
    assert forget(days=31)["accounts deactivated"] == 1
    gone.refresh_from_db(), back.refresh_from_db()
    assert (gone.is_active, back.is_active) == (False, True)
    assert Entry.objects.get(subject=f"user:{gone.pk}", verb="deactivate").actor == "system"


def test_nobody_is_closed_without_a_warning_that_is_old_enough():
    """Also where the worker was away for years: the letter comes first, the days after it count."""
    unused(5000)
    done = forget()
    assert (done["accounts warned"], done["accounts deactivated"]) == (1, 0)


def test_whoever_holds_a_dossier_under_way_keeps_their_account():
    ApplicationFactory(referent=unused(2000))
    assert forget()["accounts warned"] == 0 and forget(days=40)["accounts deactivated"] == 0


def test_the_last_administrator_is_never_closed():
    last = unused(2000, administrator=True)
    forget()
    assert forget(days=40)["accounts deactivated"] == 0
    last.refresh_from_db()
    assert last.is_active


def test_the_words_of_a_letter_go_and_its_row_stays():
    told = {"recipient": "a@exemple.fr", "title": "t", "text": "des mots", "html": "des mots", "sent_at": now()}
    for name, age, state in (("old", 731, "sent"), ("young", 729, "sent"), ("waiting", 731, "queued")):
        Letter.objects.create(name=name, created_at=now() - age * DAY, state=state, **told)
    assert letters.forget(now())["words of letters"] == 1
    assert letters.forget(now())["words of letters"] == 0
    old = Letter.objects.get(name="old")
    assert (old.text, old.html, old.recipient, old.state) == ("", "", "a@exemple.fr", "sent")
    assert Letter.objects.exclude(name="old").filter(text="des mots").count() == 2
    with pytest.raises(CannotResend):
        resend(old)


def test_what_expired_in_the_cache_goes_and_the_rest_stays():
    cache.set("old", 1, timeout=1000)
    cache.set("young", 1, timeout=1000)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE cache SET expires = %s WHERE cache_key LIKE %s", ["2001-01-01 00:00:00", "%old"])
    forget_cache()
    with connection.cursor() as cursor:
        cursor.execute("SELECT cache_key FROM cache")
        assert [key for (key,) in cursor.fetchall()] == [":1:young"]


def test_one_command_forgets_all(capsys):
    unused(1066)
    call_command("forget_expired")
    said = capsys.readouterr().out
    assert "accounts warned: 1" in said and "drafts: 0" in said and "words of letters: 0" in said
