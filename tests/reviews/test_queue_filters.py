"""What an agent narrows the queue by, and the views that they keep."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from applications.models import Application, ChangeRequest
from applications.states import Desk, State, Step
from evidence.models import StoredFile
from reviews.assignments import MOST_VIEWS
from reviews.filters import QueueFilter, view_of
from reviews.models import Assignment, SavedView
from tests.evidence.conftest import dossier_with, put_in
from tests.factories import ApplicationFactory, RegionFactory, UserFactory

pytestmark = pytest.mark.django_db

QUEUE = reverse("reviews:queue")
SIGNED_AT = datetime(2026, 7, 1, tzinfo=UTC)  # the copy of the establishment: the ANS is to countersign
PARIS = ZoneInfo("Europe/Paris")


def rows(answer):
    return {row.record.reference for row in answer.context["table"].paginated_rows}


@pytest.fixture
def ans():
    return UserFactory(ans=True)


@pytest.fixture
def desk(ans, signed_in):
    return signed_in(ans)


def test_the_queue_narrows_to_a_step(desk):
    candidature = ApplicationFactory(state=State.ACCEPTED, signed_copy_at=SIGNED_AT)
    declaration = ApplicationFactory(state=State.UNDER_CONTROL)
    assert rows(desk.get(QUEUE, {"etape": "candidature"})) == {candidature.reference}
    assert rows(desk.get(QUEUE, {"etape": "declaration"})) == {declaration.reference}


def test_the_queue_narrows_to_what_waits_for_longer_than_so_many_days(desk):
    now = timezone.now()
    for days in (6, 8, 31):
        ApplicationFactory(
            state=State.ACCEPTED,
            signed_copy_at=SIGNED_AT,
            moved_at=now - timedelta(days=days),
            reference=f"JOURS{days:05d}",
        )
    assert rows(desk.get(QUEUE, {"attente": "7"})) == {"JOURS00008", "JOURS00031"}
    assert rows(desk.get(QUEUE, {"attente": "30"})) == {"JOURS00031"}
    assert rows(desk.get(QUEUE, {"attente": "60"})) == set()


def test_the_queue_narrows_to_amounts_in_euros(desk):
    small, large = (
        ApplicationFactory(state=State.ACCEPTED, signed_copy_at=SIGNED_AT, requested=cents)
        for cents in (700_050, 2_500_000)
    )
    ApplicationFactory(state=State.ACCEPTED, signed_copy_at=SIGNED_AT, requested=0)
    assert rows(desk.get(QUEUE, {"montant_min": "7 000,50"})) == {small.reference, large.reference}
    assert rows(desk.get(QUEUE, {"montant_min": "7000,51 €"})) == {large.reference}
    assert rows(desk.get(QUEUE, {"montant_min": "1", "montant_max": "7000,50"})) == {small.reference}


def test_an_amount_that_is_none_is_said_at_its_field_and_hides_no_dossier(desk):
    dossier = ApplicationFactory(state=State.ACCEPTED, signed_copy_at=SIGNED_AT)
    answer = desk.get(QUEUE, {"montant_min": "beaucoup"})
    assert "Saisissez un montant en euros" in answer.content.decode()
    assert rows(answer) == {dossier.reference}


def test_the_queue_narrows_to_whoever_follows_at_this_desk(ans, desk):
    mine, theirs, nobodys = (ApplicationFactory(state=State.ACCEPTED, signed_copy_at=SIGNED_AT) for _ in range(3))
    colleague = UserFactory(ans=True)
    Assignment.objects.create(application=mine, desk=Desk.ANS, agent=ans, by=ans)
    Assignment.objects.create(application=theirs, desk=Desk.ANS, agent=colleague, by=ans)
    Assignment.objects.create(application=nobodys, desk=Desk.ARS, agent=UserFactory(ars=True), by=ans)
    assert rows(desk.get(QUEUE, {"suivi": "moi"})) == {mine.reference}
    assert rows(desk.get(QUEUE, {"suivi": str(colleague.pk)})) == {theirs.reference}
    assert rows(desk.get(QUEUE, {"suivi": "personne"})) == {nobodys.reference}


def test_a_dossier_of_an_agent_who_left_is_found_among_those_that_nobody_follows(ans, desk):
    left = ApplicationFactory(state=State.ACCEPTED, signed_copy_at=SIGNED_AT)
    Assignment.objects.create(application=left, desk=Desk.ANS, agent=UserFactory(ans=True, is_active=False), by=ans)
    answer = desk.get(QUEUE, {"suivi": "personne"})
    assert rows(answer) == {left.reference}
    assert "(compte désactivé)" in answer.content.decode()


def test_an_agent_of_another_desk_is_no_choice(desk):
    dossier = ApplicationFactory(state=State.ACCEPTED, signed_copy_at=SIGNED_AT)
    answer = desk.get(QUEUE, {"suivi": str(UserFactory(ars=True).pk)})
    assert "Choisissez une réponse de la liste." in answer.content.decode()
    assert rows(answer) == {dossier.reference}


@pytest.mark.parametrize(
    ("last_day", "came", "is_late"),
    [
        (date(2026, 3, 29), datetime(2026, 3, 29, 23, 59, 59, tzinfo=PARIS), False),
        (date(2026, 3, 29), datetime(2026, 3, 30, 0, 0, tzinfo=PARIS), True),
        (None, datetime(2026, 3, 30, 0, 0, tzinfo=PARIS), False),
    ],
)
def test_a_file_is_late_once_the_last_day_of_a_first_sending_is_over(last_day, came, is_late, desk):
    """29 March 2026 has 23 hours."""
    dossier = with_file_of(came, candidature_until=last_day)
    assert rows(desk.get(QUEUE, {"tardif": "oui"})) == ({dossier.reference} if is_late else set())


def test_the_last_day_to_send_counts_where_there_is_one(desk):
    with_file_of(
        datetime(2026, 3, 10, tzinfo=PARIS),
        candidature_until=date(2026, 3, 1),
        candidature_first_submission_until=date(2026, 3, 15),
    )
    assert rows(desk.get(QUEUE, {"tardif": "oui"})) == set()


def with_file_of(came, **calendar):
    """An accepted dossier of a domain with this calendar, and a file that came in at this instant."""
    dossier = dossier_with({})
    put_in(dossier)
    StoredFile.objects.update(created_at=came)
    type(dossier.domain).objects.update(**calendar)
    sent = {"state": State.ACCEPTED, "sendings": 2, "candidature_submitted_at": came, "signed_copy_at": SIGNED_AT}
    Application.objects.filter(pk=dossier.pk).update(**sent)
    return dossier


@time_machine.travel(datetime(2026, 11, 27, 12, tzinfo=PARIS), tick=False)
def test_the_queue_finds_corrections_awaited_and_overdue(ans, desk):
    found = {}
    for name, due, is_answered in (
        ("today", date(2026, 11, 27), False),
        ("yesterday", date(2026, 11, 26), False),
        ("open", None, False),
        ("answered", date(2026, 11, 1), True),
    ):
        dossier = ApplicationFactory(state=State.CHANGES_REQUESTED)
        ChangeRequest.objects.create(
            application=dossier,
            step=Step.CANDIDATURE,
            desk=Desk.ARS,
            by=ans,
            message="Corrigez.",
            due_on=due,
            answered_at=timezone.now() if is_answered else None,
        )
        found[name] = dossier.reference
    asked = {"etat": "tous"}
    awaited = rows(desk.get(QUEUE, asked | {"echeance": "attendues"}))
    assert awaited == {found["today"], found["yesterday"], found["open"]}
    answer = desk.get(QUEUE, asked | {"echeance": "en-retard"})
    assert rows(answer) == {found["yesterday"]}
    assert "Échéance dépassée" in answer.content.decode()


def test_every_filter_may_be_asked_at_once_and_none_invents_a_dossier(ans, desk):
    """Each name with a value that is one of its own: the query is well formed on both engines."""
    ApplicationFactory(state=State.ACCEPTED, signed_copy_at=SIGNED_AT)
    asked = {
        "q": "CH", "etat": "accepted", "domaine": "aucun", "region": "76", "type": "ght", "etape": "candidature",
        "attente": "7", "suivi": "moi", "montant_min": "1", "montant_max": "2", "tardif": "oui",
        "echeance": "en-retard", "fichiers": "quarantaine",
    }  # fmt: skip
    assert set(asked) == set(QueueFilter.base_filters)
    asked["domaine"] = ApplicationFactory().domain.slug
    assert rows(desk.get(QUEUE, asked)) == set()


def test_a_used_filter_stands_open(desk):
    shut = '<details class="ecare-more ecare-filters__more">'
    assert shut in desk.get(QUEUE).content.decode()
    assert shut not in desk.get(QUEUE, {"attente": "7"}).content.decode()
    assert shut not in desk.get(QUEUE, {"montant_min": "beaucoup"}).content.decode()


# --- views ----------------------------------------------------------------------------------------------------
SAVE = reverse("reviews:save_view")


def saved(desk, name, query):
    return desk.post(SAVE, {"name": name, "query": query}, follow=True)


def test_a_view_is_kept_and_leads_back_to_the_same_dossiers(ans, desk):
    far = ApplicationFactory(
        state=State.ACCEPTED, signed_copy_at=SIGNED_AT, moved_at=timezone.now() - timedelta(days=40)
    )
    ApplicationFactory(state=State.ACCEPTED, signed_copy_at=SIGNED_AT)
    answer = saved(desk, "Vieux dossiers", "attente=30&sort=-moved_at&apres=abc&etat=&inconnu=1")
    assert answer.redirect_chain == [(f"{QUEUE}?attente=30&sort=-moved_at", 302)]
    view = SavedView.objects.get(owner=ans)
    assert (view.name, view.query) == ("Vieux dossiers", "attente=30&sort=-moved_at")
    assert rows(desk.get(f"{QUEUE}?{view.query}")) == {far.reference}
    page = answer.content.decode()
    assert f'href="{QUEUE}?attente=30&amp;sort=-moved_at" aria-current="page">Vieux dossiers</a>' in page


def test_a_view_is_shared_by_its_address_and_shows_each_agent_their_own(desk, signed_in):
    ApplicationFactory(state=State.SUBMITTED)
    far = UserFactory(ars=True, regions=[RegionFactory(code="75")])
    address = f"{QUEUE}?etat=submitted"
    assert len(rows(desk.get(address))) == 1
    assert rows(signed_in(far).get(address)) == set()


def test_a_shared_address_names_the_agent_and_stands_on_the_page(ans, desk, signed_in):
    """« Moi » in an address would be somebody else for whoever opens it."""
    theirs, other = ApplicationFactory(state=State.PAID), UserFactory(ans=True)
    Assignment.objects.create(application=theirs, desk=Desk.ANS, agent=ans, by=ans)
    page = desk.get(QUEUE, {"suivi": "moi", "etat": "tous"})
    assert rows(page) == {theirs.reference}
    address = f"{QUEUE}?etat=tous&amp;suivi={ans.pk}"
    assert f'readonly value="{settings.SITE_ADDRESS}{address}"' in page.content.decode()
    saved(desk, "Les miens", "suivi=moi&etat=tous")
    assert SavedView.objects.get(owner=ans).query == f"etat=tous&suivi={ans.pk}"
    assert rows(signed_in(other).get(address.replace("&amp;", "&"))) == {theirs.reference}


def test_those_given_to_me_have_a_view_of_their_own(ans, desk):
    mine = ApplicationFactory(state=State.PAID)
    ApplicationFactory(state=State.UNDER_CONTROL)
    Assignment.objects.create(application=mine, desk=Desk.ANS, agent=ans, by=ans)
    to_do, given, *_others = desk.get(QUEUE).context["filter"].tallies()
    assert (to_do["label"], to_do["count"], to_do["is_current"]) == ("À traiter par l’ANS", "1", True)
    assert (given["label"], given["count"]) == ("Attribués à moi", "1")
    answer = desk.get(f"{QUEUE}?{given['query']}")
    assert rows(answer) == {mine.reference}
    assert [tally["label"] for tally in answer.context["filter"].tallies() if tally["is_current"]] == [
        "Attribués à moi"
    ]


def test_the_same_name_replaces_the_view(ans, desk):
    saved(desk, "À voir", "etat=paid")
    saved(desk, "À voir", "etat=validated")
    assert [view.query for view in SavedView.objects.filter(owner=ans)] == ["etat=validated"]


@pytest.mark.parametrize("name", ["", "  ", "x" * 61])
def test_a_view_needs_a_name_of_sensible_length(name, desk):
    answer = saved(desk, name, "etat=paid")
    assert not SavedView.objects.exists()
    assert "nom" in str(next(iter(answer.context["messages"])))


def test_an_agent_keeps_so_many_views_and_no_more(ans, desk):
    SavedView.objects.bulk_create(SavedView(owner=ans, name=f"Vue {rank}") for rank in range(MOST_VIEWS))
    answer = saved(desk, "Une de plus", "etat=paid")
    assert "supprimez-en une" in str(next(iter(answer.context["messages"])))
    assert SavedView.objects.count() == MOST_VIEWS
    saved(desk, "Vue 3", "etat=paid")
    assert SavedView.objects.get(name="Vue 3").query == "etat=paid"


def test_a_view_is_removed_by_its_owner_alone(ans, desk, signed_in):
    view = SavedView.objects.create(owner=ans, name="À voir", query="etat=paid")
    address = reverse("reviews:forget_view", args=[view.pk])
    assert signed_in(UserFactory(ans=True)).post(address).status_code == 404
    assert SavedView.objects.exists()
    answer = desk.post(address)
    assert answer.url == f"{QUEUE}?etat=paid"
    assert not SavedView.objects.exists()


def test_what_makes_a_view_is_no_page_and_no_strange_name(rf):
    asked = rf.get("/", {"q": " CH ", "etat": "", "per_page": "50", "apres": "x", "next": "//ailleurs"}).GET
    assert view_of(asked, user=UserFactory(ans=True)) == "q=CH"
