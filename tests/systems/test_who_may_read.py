"""Who reads what: a literal table of tokens and addresses."""

from datetime import timedelta

import pytest
from django.utils import timezone

from applications.models import Application
from applications.states import State
from systems import actions, rules
from systems.models import Token
from tests.factories import ApplicationFactory, DomainFactory, RegionFactory, UserFactory
from tests.systems.conftest import ALL, dossiers

pytestmark = pytest.mark.django_db

ADDRESSES = ("dossiers", "dossiers/<own>", "statistics", "domains", "dossiers/<draft>", "dossiers/<trial>")
# fmt: off
TABLE = {
    #                        list one stat domains draft trial
    "nothing":               "401 401 401 401 401 401",
    "another scheme":        "401 401 401 401 401 401",
    "an unknown token":      "401 401 401 401 401 401",
    "no token at all":       "401 401 401 401 401 401",
    "an expired token":      "401 401 401 401 401 401",
    "a revoked token":       "401 401 401 401 401 401",
    "a closed system":       "401 401 401 401 401 401",
    "dossiers":              "200 200 403 200 404 404",
    "statistics":            "403 403 200 200 403 403",
    "everything":            "200 200 200 200 404 404",
    "its region":            "200 200 200 200 404 404",
    "another region":        "200 404 200 200 404 404",
    "its domain":            "200 200 200 200 404 404",
    "another domain":        "200 404 200 200 404 404",
    "the domain for trial":  "200 404 200 200 404 200",
}
# fmt: on
COUNTED = {"another region": 0, "another domain": 0, "the domain for trial": 1}


@pytest.fixture
def own(db):
    [found] = dossiers(1)
    return found


@pytest.fixture
def trial(own):
    return dossiers(1, domain=DomainFactory(is_trial=True))[0]


@pytest.fixture
def values(issue, own, trial, administrator):
    """What each reader of the table shows."""
    region, elsewhere = own.establishment.region, RegionFactory(code="75")
    expired, past = issue(days=1, at=timezone.now() - timedelta(days=3))[1], timezone.now()
    revoked, value = issue()
    actions.revoke_token(revoked, by=administrator, at=past)
    return {
        "nothing": None,
        "another scheme": f"x {issue()[1]}",
        "an unknown token": rules.new_value(),
        "no token at all": "ecare_",
        "an expired token": expired,
        "a revoked token": value,
        "dossiers": issue(scopes=["dossiers"])[1],
        "statistics": issue(scopes=["statistics"])[1],
        "everything": issue()[1],
        "its region": issue(all_domains=True, regions=[region])[1],
        "another region": issue(all_domains=True, regions=[elsewhere])[1],
        "its domain": issue(domains=[own.domain], all_regions=True)[1],
        "another domain": issue(domains=[DomainFactory()], all_regions=True)[1],
        "the domain for trial": issue(domains=[trial.domain], all_regions=True)[1],
        "a closed system": issue()[1],
    }


def test_the_table(read, values, own, trial, system, administrator):
    same = {"domain": own.domain, "candidature_form": own.candidature_form, "moved_at": own.moved_at}
    draft, withdrawn = ApplicationFactory(**same), ApplicationFactory(state=State.WITHDRAWN, **same)
    places = {"<own>": own.reference, "<draft>": draft.reference, "<trial>": trial.reference}
    assert list(TABLE) == sorted(values, key=list(TABLE).index)
    for reader, expected in TABLE.items():
        if reader == "a closed system":
            continue
        answers = [read(values[reader], _placed(path, places)) for path in ADDRESSES]
        assert " ".join(str(one.status_code) for one in answers) == expected, reader
        _check_words(answers, reader)
        if answers[0].status_code == 200:
            told = {one["reference"] for one in answers[0].json()["items"]}
            wanted = {"another region": set(), "another domain": set(), "the domain for trial": {trial.reference}}
            assert told == wanted.get(reader, {own.reference}), reader
            assert not told & {draft.reference, withdrawn.reference}
        if answers[2].status_code == 200:
            rows = answers[2].json()["items"]
            assert sum(row["reached"]["submitted"] for row in rows) == COUNTED.get(reader, 1), reader
            counted = sum(one["dossiers"] for row in rows for one in row["states"])
            assert counted == COUNTED.get(reader, 1), f"{reader}: what was never sent is not counted"
    system.is_active = False
    actions.change_system(system, by=administrator)
    answers = [read(values["everything"], _placed(path, places)) for path in ADDRESSES]
    assert " ".join(str(one.status_code) for one in answers) == TABLE["a closed system"]


def _placed(path, places):
    for word, reference in places.items():
        path = path.replace(word, reference)
    return path


def _check_words(answers, reader):
    for answer in answers:
        if answer.status_code == 200:
            continue
        assert answer["Content-Type"].startswith("application/problem+json")
        body = answer.json()
        assert body["status"] == answer.status_code and body["detail"].endswith(".")
        challenge = answer.headers.get("WWW-Authenticate", "")
        error = {401: "" if reader == "nothing" else "invalid_token", 403: "insufficient_scope"}.get(answer.status_code)
        assert (error is not None) == challenge.startswith("Bearer realm=")
        assert not error or f'error="{error}"' in challenge
        assert "set-cookie" not in {name.lower() for name in answer.headers}


def test_a_token_says_why_it_opens_nothing(read, issue, administrator):
    token, value = issue()
    actions.revoke_token(token, by=administrator, at=timezone.now())
    assert "révoqué" in read(value, "dossiers").json()["detail"]
    old = issue(days=1, at=timezone.now() - timedelta(days=3))[1]
    assert "expiré" in read(old, "dossiers").json()["detail"]


def test_the_last_day_counts_until_its_last_second(time_machine, read, issue):
    time_machine.move_to("2026-11-27T12:00:00+01:00", tick=False)
    _, value = issue(days=3)
    time_machine.move_to("2026-11-30T23:59:59+01:00", tick=False)
    assert read(value, "domains").status_code == 200
    time_machine.move_to("2026-12-01T00:00:00+01:00", tick=False)
    assert read(value, "domains").status_code == 401


def test_without_a_limit_said_nothing_is_read(read, issue, own):
    """Closed by default, whatever wrote the row."""
    token, value = issue()
    Token.objects.filter(pk=token.pk).update(all_domains=False)
    assert read(value, "dossiers").json()["items"] == read(value, "domains").json()["items"] == []
    Token.objects.filter(pk=token.pk).update(all_domains=True, all_regions=False)
    assert read(value, "dossiers").json()["items"] == read(value, "statistics").json()["items"] == []
    assert read(value, f"dossiers/{own.reference}").status_code == 404
    Token.objects.filter(pk=token.pk).update(scopes=[], all_regions=True)
    assert read(value, "dossiers").status_code == read(value, "statistics").status_code == 403


def test_amounts_need_their_scope(read, issue, own):
    Application.objects.filter(pk=own.pk).update(requested=1_234_500)
    for scopes, expected in ((["dossiers", "statistics"], None), (["dossiers", "statistics", "amounts"], 1_234_500)):
        value = issue(scopes=scopes)[1]
        for answer in (read(value, "dossiers").json()["items"][0], read(value, "statistics").json()["items"][0]):
            assert (answer["amounts"] and answer["amounts"]["requested"]) == expected
        assert (read(value, "domains").json()["items"][0]["envelope"] is None) == (expected is None)


@pytest.mark.parametrize("trait", ["administrator", "ans"])
def test_a_session_opens_nothing(signed_in, own, trait):
    client = signed_in(UserFactory(**{trait: True}))
    before = dict(client.session)
    for path in ("dossiers", f"dossiers/{own.reference}", "statistics", "domains"):
        answer = client.get(f"/api/v1/{path}")
        assert answer.status_code == 401 and not answer.cookies
    assert dict(client.session) == before


def test_a_token_opens_nothing_but_the_api(client, issue, own):
    headers = {"authorization": f"Bearer {issue(**ALL)[1]}"}
    for path in ("/verification/", "/administration/", "/tableau-de-bord/", f"/candidatures/{own.reference}/"):
        assert client.get(path, headers=headers).status_code in (302, 404), path


def test_a_filter_beyond_the_limits_is_said_like_one_that_does_not_exist(read, issue, own):
    region, elsewhere = own.establishment.region, RegionFactory(code="75")
    value = issue(domains=[own.domain], regions=[region])[1]
    other = DomainFactory()
    for path in ("dossiers", "statistics"):
        for beyond, nowhere in (
            ({"domain": other.slug}, {"domain": "rien"}),
            ({"region": elsewhere.pk}, {"region": "99"}),
        ):
            answers = [read(value, path, **asked) for asked in (beyond, nowhere)]
            assert {one.status_code for one in answers} == {422}
            assert answers[0].json() == answers[1].json()
        assert len(read(value, path, domain=own.domain.slug, region=region.pk, kind="public").json()["items"]) == 1
        assert read(value, path, kind="ght").json()["items"] == []
    assert read(value, "dossiers", state="paid").json()["items"] == []
