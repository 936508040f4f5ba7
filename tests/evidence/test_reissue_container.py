"""Lost credentials: a reason, a fresh container, the former one superseded, a letter without any secret."""

import re

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse, reverse_lazy
from django.utils import timezone

from applications.actions import NotNow
from applications.states import Step
from ecare.journal.models import Entry
from ecare.letters.models import Letter
from evidence.containers import MOST_REISSUED, REPLACED, PoolEmpty, password_of, pools
from evidence.models import Container
from tests.applications.pages import text_of
from tests.evidence.pool import (
    REASON,
    SECRET,
    SPACE,
    USERNAME,
    activate,
    dossier_that_asks,
    draw,
    fill_pool,
    reissue,
)
from tests.factories import ApplicationFactory, FormFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def application():
    found = dossier_that_asks()
    fill_pool(found, 2)
    activate(found, draw(found))
    return found


@pytest.fixture
def page(application):
    return reverse("evidence:reissue_container", args=[application.reference, SPACE["key"]])


def live(application):
    return Container.objects.live().get(application=application)


def test_a_fresh_container_takes_the_place_of_the_lost_one(application):
    old = live(application)
    fresh = reissue(application, old)
    assert live(application).pk == fresh.pk != old.pk
    assert password_of(fresh) == f"{SECRET}-2"
    old.refresh_from_db()
    assert (old.reissue_reason, old.superseded_at is not None) == (REASON, True)
    entry = Entry.objects.filter(subject=application.subject).latest("sequence")
    assert (entry.verb, entry.message, entry.data["replaced"]) == ("reissue_container", REASON, str(old.file_id))
    letter = Letter.objects.get(name="container_reissued")
    assert letter.recipient == application.referent.email
    assert letter.subject == application.subject
    for secret in (SECRET, USERNAME):
        assert secret not in letter.text + letter.html


def test_credentials_that_can_still_be_read_are_not_replaced(application):
    fresh = reissue(application, live(application))
    with pytest.raises(NotNow, match="encore lisibles"):
        reissue(application, fresh)


def test_a_page_from_before_the_replacement_erases_nothing(application):
    old = live(application)
    reissue(application, old)
    for verb in (activate, reissue):
        with pytest.raises(NotNow, match="remplacé"):
            verb(application, old)
    assert password_of(live(application)) == f"{SECRET}-2"
    assert "Rechargez" in REPLACED


def test_an_empty_pool_leaves_the_former_in_place(application):
    Container.objects.in_pool().delete()
    old = live(application)
    with pytest.raises(PoolEmpty):
        reissue(application, old)
    assert live(application).pk == old.pk
    assert not Letter.objects.filter(name="container_reissued").exists()


def test_the_database_asks_for_a_reason(application):
    with pytest.raises(IntegrityError), transaction.atomic():
        Container.objects.live().update(superseded_at=timezone.now())


def test_by_its_page(application, signed_in, page):
    referent = signed_in(application.referent)
    text = referent.get(page).content.decode()
    shown = re.search(r'name="container" value="([0-9a-f-]{36})"', text)[1]
    for reason, fault in (("", "Écrivez le motif"), ("court", "trop court"), ("x" * 1001, "trop long")):
        refused = referent.post(page, {"container": shown, "reason": reason}).content.decode()
        assert fault in refused
        assert f"{reason}</textarea>" in refused
    done = referent.post(page, {"container": shown, "reason": REASON}, follow=True)
    assert f"{SECRET}-2" in done.content.decode()
    assert "Un nouveau conteneur vous est attribué" in done.content.decode()
    assert referent.get(page).status_code == 409
    download = reverse("evidence:download_container", args=[application.reference, SPACE["key"]])
    assert referent.get(download).status_code == 409


def test_in_the_dialog(application, signed_in, page):
    referent, script = signed_in(application.referent), {"accept": "application/json"}
    answer = referent.get(page, headers=script).json()
    assert answer["title"] == "Demander un nouveau conteneur ZED"
    shown = re.search(r'name="container" value="([0-9a-f-]{36})"', answer["html"])[1]
    after = referent.post(page, {"container": shown, "reason": REASON}, headers=script).json()
    assert f"{SECRET}-2" in after["html"]


def test_an_empty_pool_is_told_here_too(application, signed_in, page):
    Container.objects.in_pool().delete()
    typed = {"container": live(application).file_id, "reason": REASON}
    told = signed_in(application.referent).post(page, typed)
    assert told.status_code == 409
    assert "Aucun conteneur ZED disponible" in told.content.decode()


def test_one_dossier_does_not_empty_everybody_s_pool(application):
    fill_pool(application, MOST_REISSUED + 2)
    for _ in range(MOST_REISSUED):
        activate(application, reissue(application, live(application)))
    left = Container.objects.in_pool().count()
    with pytest.raises(NotNow, match="a déjà été remplacé 3 fois"):
        reissue(application, live(application))
    assert Container.objects.in_pool().count() == left > 0


# --- the list of the ANS --------------------------------------------------------------------------------------------
LIST = reverse_lazy("evidence:reissues")


def test_the_ans_reads_which_dossier_lost_one_who_asked_when_and_why(application, signed_in):
    reissue(application, live(application))
    ans = signed_in(UserFactory(ans=True))
    assert str(LIST) in ans.get(reverse("evidence:containers")).text
    said = text_of(ans.get(LIST))
    for expected in (application.reference, str(application.establishment), REASON, str(application.referent), "D1.O1"):
        assert expected in said


@pytest.mark.parametrize(("words", "is_found"), [("égaré", True), ("reference", True), ("xyzzyx", False)])
def test_it_is_searched_by_dossier_and_by_reason(application, signed_in, words, is_found):
    reissue(application, live(application))
    words = application.reference if words == "reference" else words
    said = text_of(signed_in(UserFactory(ans=True)).get(LIST, {"q": words}))
    assert (REASON in said) == is_found and ("Aucun remplacement ne correspond" in said) != is_found


def test_nobody_else_reads_it(application, signed_in):
    reissue(application, live(application))
    region = application.establishment.region
    others = [application.referent, UserFactory(ars=True, regions=[region]), UserFactory(administrator=True)]
    assert {signed_in(person).get(LIST).status_code for person in others} == {403}


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_costs_the_same_however_long(signed_in, django_assert_num_queries, count):
    for _ in range(count):
        application = dossier_that_asks()
        fill_pool(application, 2)
        activate(application, draw(application))
        reissue(application, live(application))
    ans = signed_in(UserFactory(ans=True))
    with django_assert_num_queries(6):
        ans.get(LIST)


# --- who will want one ----------------------------------------------------------------------------------------------
def expected(domain) -> dict[str, tuple[int, int]]:
    """By objective: awaited, missing."""
    return {pool.objective: (pool.awaited, pool.missing) for pool in pools() if pool.domain == domain}


def test_who_will_want_one_is_told_by_the_form_that_a_dossier_has_or_will_have():
    candidature = FormFactory()
    domain = candidature.domain
    asks, two = [SPACE], [SPACE, SPACE | {"key": "autres", "container": "D1.O2"}]
    old = FormFactory(domain=domain, step=Step.DECLARATION, number=1, questions=asks)
    FormFactory(domain=domain, step=Step.DECLARATION, number=2, questions=two)
    common = {"domain": domain, "candidature_form": candidature}
    for state in ("declaration_open", "paid"):
        dossier = ApplicationFactory(state=state, declaration_form=old, **common)
    for state in ("accepted", "convention_signed", "submitted", "abandoned"):
        ApplicationFactory(state=state, **common)
    fill_pool(dossier, 1)
    assert expected(domain) == {"D1.O1": (3, 2), "D1.O2": (2, 2)}


def test_who_holds_one_waits_for_none():
    candidature = FormFactory()
    common = {"domain": candidature.domain, "candidature_form": candidature}
    form = FormFactory(domain=candidature.domain, step=Step.DECLARATION, questions=[SPACE])
    dossier = ApplicationFactory(state="declaration_open", declaration_form=form, **common)
    ApplicationFactory(state="accepted", **common)
    fill_pool(dossier, 1)
    assert expected(candidature.domain) == {"D1.O1": (2, 1)}
    draw(dossier)
    assert expected(candidature.domain) == {"D1.O1": (1, 1)}
