"""The next version of the terms in the administration: begun from the present one, read, published on a day, frozen."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import terms
from accounts.models import Terms, TermsAcceptance
from ecare.clock import paris_day
from ecare.journal.models import Entry
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
LIST = "/administration/accounts/terms/"


@pytest.fixture
def first():
    return Terms.objects.create(
        version="1.0", text="# Objet\n\nPremier texte.", published_at=timezone.now() - timedelta(days=9)
    )


@pytest.fixture
def desk(first, administrator, signed_in):
    return signed_in(administrator)


def page(version, name="change"):
    return f"{LIST}{version.pk}/{name}/"


def next_version(desk, first, text="# Objet\n\nDeuxième <b>texte</b>."):
    desk.post(page(first, "version-suivante"))
    draft = Terms.objects.get(version="2.0")
    desk.post(page(draft), {"version": "2.0", "text": text})
    draft.refresh_from_db()
    return draft


def publish(desk, draft, **typed):
    mark = re.search(r'name="mark" value="(\w+)"', desk.get(page(draft, "publier")).text)[1]
    answer = desk.post(page(draft, "publier"), {"mark": mark, "on": paris_day(timezone.now()).isoformat()} | typed)
    draft.refresh_from_db()
    return answer


def test_from_the_present_version_to_the_next_one_in_force(desk, first, administrator, signed_in):
    """Whoever accepted the former one is asked again; what was published does not change any more."""
    person = UserFactory(last_login=timezone.now())
    browser = signed_in(person)
    UserFactory(last_login=timezone.now(), is_active=False)
    UserFactory(last_login=None)
    desk.post(page(first, "version-suivante"))
    draft = Terms.objects.get(version="2.0")
    assert (draft.text, draft.published_at) == (first.text, None)
    assert "En préparation" in desk.get(LIST).text
    draft = next_version(desk, first)
    preview = desk.get(page(draft, "apercu")).text
    assert "Deuxième &lt;b&gt;texte&lt;/b&gt;." in preview and '<h2 class="fr-h4">Objet</h2>' in preview
    assert "Une nouvelle version est parue." in preview and "J’ai lu et j’accepte" in preview
    asked = desk.get(page(draft, "publier")).text
    assert "Référent\u00a0: 1 personne, dont 1 a déjà accepté" in asked.replace("&nbsp;", "\u00a0")
    assert "2 personnes en tout, dont 2 à nouveau." in asked
    assert browser.get("/compte/").status_code == 200, "nothing is asked before"
    answer = publish(desk, draft)
    assert answer.status_code == 302 and draft.published_at is not None
    assert browser.get("/compte/")["Location"].startswith("/cgu/accepter/")
    entry = Entry.objects.get(subject=f"terms:{draft.pk}", verb="publish_terms")
    assert entry.data["version"] == "2.0" and entry.actor == f"user:{administrator.pk}"
    TermsAcceptance.objects.create(user=administrator, terms=draft)
    assert "Elle ne se modifie plus" in desk.get(page(draft)).text
    desk.post(page(draft), {"version": "2.0", "text": "Autre."})
    assert desk.post(page(draft, "delete"), {"post": "yes"}).status_code == 403
    draft.refresh_from_db()
    assert "Deuxième" in draft.text
    verbs = Entry.objects.filter(subject=f"terms:{draft.pk}").order_by("sequence").values_list("verb", flat=True)
    assert list(verbs) == ["duplicate_terms", "save_terms", "publish_terms"]


def test_a_day_to_come_leaves_the_present_version_in_force(desk, first):
    draft = next_version(desk, first)
    day = paris_day(timezone.now()) + timedelta(days=10)
    publish(desk, draft, on=day.strftime("%d/%m/%Y"))
    assert paris_day(draft.published_at) == day
    assert Terms.objects.in_force() == first
    assert "en vigueur à partir du" in desk.get(LIST).text
    desk.post(page(draft, "version-suivante"))
    third = Terms.objects.get(version="3.0")
    said = publish(desk, third)
    assert "entre en vigueur le" in said.text and third.published_at is None, "it would never be in force"
    publish(desk, third, on=(day + timedelta(days=1)).isoformat())
    assert third.published_at > draft.published_at


@pytest.mark.parametrize(
    ("typed", "said"),
    [({"on": ""}, "Choisissez un jour."), ({"on": "hier"}, "Écrivez un jour"), ({"on": "2020-01-01"}, "est passé")],
)
def test_a_day_that_is_none_is_refused_with_a_sentence(desk, first, typed, said):
    draft = next_version(desk, first)
    answer = publish(desk, draft, **typed)
    assert said in answer.text and draft.published_at is None
    assert not Entry.objects.filter(verb="publish_terms").exists()


def test_what_changed_since_it_was_read_is_not_published(desk, first):
    draft = next_version(desk, first)
    mark = terms.mark_of(draft)
    Terms.objects.filter(pk=draft.pk).update(text="Autre chose.")
    answer = publish(desk, draft, mark=mark)
    assert draft.published_at is None
    assert terms.CHANGED in desk.get(answer["Location"]).text


def test_one_version_is_prepared_at_a_time_and_may_be_given_up(desk, first):
    draft = next_version(desk, first)
    answer = desk.post(page(first, "version-suivante"), follow=True)
    assert "est déjà en préparation" in answer.text and Terms.objects.count() == 2
    desk.post(page(draft, "delete"), {"post": "yes"})
    assert list(Terms.objects.all()) == [first]
    assert Entry.objects.filter(subject=f"terms:{draft.pk}", verb="discard_terms").exists()
    assert desk.post(f"{LIST}add/", {"version": "é/ ?", "text": "x"}).status_code == 200
    desk.post(f"{LIST}add/", {"version": "2.0", "text": " "})
    assert Terms.objects.count() == 1


def test_a_verb_refuses_what_was_published_meanwhile(first, administrator):
    for act in (
        lambda: terms.save(first, version="1.0", text="Autre.", by=administrator),
        lambda: terms.discard(first, by=administrator),
        lambda: terms.publish(
            first, on=paris_day(timezone.now()), mark=terms.mark_of(first), by=administrator, at=timezone.now()
        ),
    ):
        with pytest.raises(terms.Refused, match="publiée"):
            act()
    assert not Entry.objects.exists()


@pytest.mark.parametrize("count", [1, 3])
def test_the_pages_cost_the_same_however_many_versions_and_people(desk, first, count):
    for rank in range(count):
        Terms.objects.create(version=f"0.{rank}", text="x", published_at=timezone.now() - timedelta(days=99))
        TermsAcceptance.objects.create(user=UserFactory(last_login=timezone.now()), terms=first)
    draft = Terms.objects.create(version="2.0", text="x")
    asked = []
    for address in (LIST, page(draft), page(draft, "publier"), page(draft, "apercu")):
        desk.get(address)
        with CaptureQueriesContext(connection) as queries:
            assert desk.get(address).status_code == 200
        asked.append(len(queries))
    assert asked == [9, 7, 8, 5]
