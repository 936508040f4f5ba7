"""« Pilotage »: figures counted by hand in small worlds, and whose dossiers they are."""

import re
from datetime import date, timedelta

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from applications.models import Application, ChangeRequest, Extension
from applications.states import REVIEWER_LABELS, State
from funding.models import Commitment
from funding.rules import consumption
from tests.factories import FormFactory, RegionFactory, UserFactory
from tests.funding.deciding import decide, domain_that_pays, dossier_in, line, pay, validate
from tests.steering.worlds import (
    NBSP,
    NOW,
    PAGE,
    dossier,
    lasting,
    led,
    page_of,
    paris,
    read,
    records,
    referent_in,
    section,
)

pytestmark = pytest.mark.django_db


def test_the_page_is_at_its_address():
    assert reverse("steering:overview") == PAGE


# --- whose figures ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("trait", [{}, {"administrator": True}])
@pytest.mark.parametrize("address", [PAGE, f"{PAGE}etats.csv"])
def test_a_referent_and_an_administrator_have_no_figures(trait, address, signed_in):
    dossier()
    assert signed_in(UserFactory(**trait)).get(address).status_code == 403


def test_an_ars_agent_counts_the_dossiers_of_their_regions_only(ars, ans):
    """Another region has a dossier that is sent, late and accepted, and amounts: nothing of it is told here."""
    form = FormFactory(domain__envelope=100_000_00)
    dossier(form=form)
    waited = NOW - timedelta(days=90)
    there = dossier(State.ACCEPTED, region="75", form=form, moved_at=waited, requested=50_000_00)
    lasting(there, (State.DRAFT, 5), (State.SUBMITTED, 7), end=State.ACCEPTED)
    here = page_of(ars)
    assert read(here, "chiffres-cles")["Dossiers commencés"] == ["1", f"100{NBSP}%"]
    assert read(here, "chiffres-cles")["Candidatures acceptées"][0] == "0"
    assert read(here, "montants")[form.domain.name][:2] == ["–", f"0{NBSP}€"]
    assert read(here, "retards")[REVIEWER_LABELS[State.ACCEPTED]] == ["0", "0", "0", "0"]
    assert REVIEWER_LABELS[State.ACCEPTED] not in read(here, "durees")
    assert 'id="regions"' not in here and "Nouvelle-Aquitaine" not in here
    assert read(page_of(ars, region="75"), "chiffres-cles")["Dossiers commencés"][0] == "1"
    rows = records(ars.get(f"{PAGE}etats.csv?region=75"))
    assert [REVIEWER_LABELS[State.ACCEPTED], "0", "0"] in rows
    everywhere = page_of(ans)
    assert read(everywhere, "chiffres-cles")["Dossiers commencés"][0] == "2"
    assert read(everywhere, "retards")[REVIEWER_LABELS[State.ACCEPTED]] == ["1", "1", "1", "1"]


def test_what_is_kept_for_one_agent_is_not_read_by_another(ars, ans, signed_in):
    """The ANS looks first, then agents of three scopes, within the same minutes."""
    dossier()
    dossier(region="75")
    elsewhere = signed_in(UserFactory(ars=True, regions=[RegionFactory(code="75"), RegionFactory(code="11")]))
    nowhere = signed_in(UserFactory(ars=True))
    numbers = []
    for client in (ans, ars, elsewhere, nowhere, ans):
        numbers.append(read(client.get(PAGE).content.decode(), "chiffres-cles")["Dossiers commencés"][0])
    assert numbers == ["2", "1", "1", "0", "2"]


def test_an_agent_who_gets_another_region_sees_it_at_once(signed_in):
    agent = UserFactory(ars=True, regions=[RegionFactory(code="76")])
    dossier(region="75")
    client = signed_in(agent)
    assert read(client.get(PAGE).content.decode(), "chiffres-cles")["Dossiers commencés"][0] == "0"
    agent.regions.add(RegionFactory(code="75"))
    assert read(client.get(PAGE).content.decode(), "chiffres-cles")["Dossiers commencés"][0] == "1"


def test_an_agent_without_region_is_told_so(signed_in):
    dossier()
    page = page_of(signed_in(UserFactory(ars=True)))
    assert "Aucune région ne vous est attribuée" in page
    assert read(page, "etats")["Ensemble"] == ["0", "–"]


# --- counts -----------------------------------------------------------------------------------------------------------
def test_each_step_counts_the_dossiers_that_reached_it(ans):
    """One dossier in each state, and two more that were given up: validated before, and sent before."""
    for state in State:
        dossier(state)
    led(dossier(State.ABANDONED), (State.UNDER_CONTROL, NOW), (State.VALIDATED, NOW), (State.ABANDONED, NOW))
    dossier(State.WITHDRAWN, candidature_submitted_at=NOW)
    figures = {label: int(number) for label, (number, _) in read(page_of(ans), "chiffres-cles").items()}
    assert figures == {
        "Dossiers commencés": 17,
        "Candidatures transmises": 15,  # all but the draft and one that was withdrawn before
        "Candidatures acceptées": 11,  # from the convention to sign on, those abandoned since included
        "Conventions signées": 8,
        "Déclarations transmises": 6,
        "Déclarations validées": 3,  # to be paid, paid, and the one that was abandoned after
        "Dossiers versés": 1,
    }


def test_states_are_counted_with_their_share(ans):
    for _ in range(3):
        dossier(State.SUBMITTED)
    dossier(State.PAID)
    states = read(page_of(ans), "etats")
    assert states[REVIEWER_LABELS[State.SUBMITTED]] == ["3", f"75{NBSP}%"]
    assert states[REVIEWER_LABELS[State.PAID]] == ["1", f"25{NBSP}%"]
    assert states[REVIEWER_LABELS[State.DRAFT]] == ["0", f"0{NBSP}%"]
    assert states["Ensemble"] == ["4", f"100{NBSP}%"]
    assert len(states) == len(State) + 1


def test_regions_and_kinds_are_counted_and_lead_to_their_figures(ans):
    dossier(State.PAID)
    dossier(State.DRAFT, private=True)
    dossier(State.SUBMITTED, region="75", private=True)
    RegionFactory(code="94")
    page = page_of(ans)
    regions = read(page, "regions")
    assert list(regions) == ["Occitanie", "Nouvelle-Aquitaine", "Région 94", "Ensemble"]  # the most dossiers first
    assert regions["Occitanie"][:5] == ["2", "1", "1", "1", "1"]
    assert regions["Nouvelle-Aquitaine"][:5] == ["1", "1", "0", "0", "0"]
    assert regions["Ensemble"][:5] == ["3", "2", "1", "1", "1"]
    kinds = read(page, "types")
    assert kinds["Entité Juridique Privée"][:5] == ["2", "1", "0", "0", "0"]
    assert kinds["Entité Juridique Publique hors GHT"][:5] == ["1", "1", "1", "1", "1"]
    assert kinds["Groupement Hospitalier de Territoire"][:5] == ["0"] * 5
    assert 'href="?region=75#regions"' in section(page, "regions")
    assert 'href="?type=private#types"' in section(page, "types")


def test_filters_narrow_every_section_but_the_comparison_of_regions(ans):
    form = FormFactory()
    dossier(form=form)
    dossier(form=form, private=True)
    dossier(form=form, region="75")
    dossier()
    page = page_of(ans, domaine=form.domain.slug, region="76", type="private")
    assert read(page, "chiffres-cles")["Dossiers commencés"][0] == "1"
    assert list(read(page, "montants")) == [form.domain.name]
    assert read(page, "etats")["Ensemble"][0] == "1"
    assert read(page, "types")["Ensemble"][0] == "1"
    assert read(page_of(ans, domaine=form.domain.slug, region="76"), "regions")["Nouvelle-Aquitaine"][0] == "1"
    assert read(page_of(ans, region="76"), "types")["Ensemble"][0] == "3"


def test_a_domain_for_trial_counts_only_where_it_is_asked_for(ans):
    trial = FormFactory(domain__is_trial=True, domain__name="Domaine d’essai")
    dossier(form=trial)
    dossier()
    assert read(page_of(ans), "chiffres-cles")["Dossiers commencés"][0] == "1"
    assert "Domaine d’essai" not in section(page_of(ans), "montants")
    assert read(page_of(ans, domaine=trial.domain.slug), "chiffres-cles")["Dossiers commencés"][0] == "1"


def test_what_makes_no_sense_in_the_address_narrows_nothing(ans):
    dossier()
    for name in ("domaine", "region", "type", "periode"):
        for value in ("n’importe quoi", "\0", "' OR 1=1", "x" * 5000):
            page = page_of(ans, **{name: value})
            assert read(page, "chiffres-cles")["Dossiers commencés"][0] == "1", name


# --- amounts ----------------------------------------------------------------------------------------------------------
def test_each_dossier_counts_once_in_the_envelope_as_the_ans_reads_it_there(ans):
    """Committed, then validated, then paid; a rejected or abandoned one no more. Ceilings here: 50,000 €."""
    domain = domain_that_pays(envelope=400_000_00)
    for state, cents in (
        (State.ACCEPTED, 8_000_50),
        (State.DECLARATION_SUBMITTED, 90_000_00),
        (State.SUBMITTED, 3_000_00),
        (State.ABANDONED, 5_000_00),
    ):
        one = dossier_in(state, domain=domain, requested=cents)
        Application.objects.filter(pk=one.pk).update(requested=cents)
    for is_paid in (False, True):
        one = dossier_in(State.UNDER_CONTROL, domain=domain, requested=20_000_00, lines=[line(12_000_00)])
        Application.objects.filter(pk=one.pk).update(requested=20_000_00)
        decide(one, by=ans_agent())
        validate(one, by=ans_agent())
        if is_paid:
            pay(one, by=ans_agent())
    Commitment.objects.filter(application__state=State.ABANDONED).update(released_at=timezone.now())
    page = page_of(ans)
    assert read(page, "montants")[domain.name] == [
        f"146{NBSP}000,50{NBSP}€",  # all six
        f"58{NBSP}000,50{NBSP}€",  # 8,000.50 + the ceiling
        f"12{NBSP}000{NBSP}€",
        f"12{NBSP}000{NBSP}€",
        f"400{NBSP}000{NBSP}€",
        f"20,5{NBSP}%",
    ]
    kinds = read(page, "types")["Entité Juridique Publique hors GHT"]
    assert kinds[5:] == [f"146{NBSP}000,50{NBSP}€", f"82{NBSP}000,50{NBSP}€"]
    assert consumption(domain).used == 82_000_50


def ans_agent():
    return UserFactory(ans=True)


def test_a_domain_that_asks_for_no_amount_has_none_and_the_whole_adds_up(ans):
    silent, other = domain_that_pays(envelope=0), domain_that_pays(envelope=50_000_00)
    dossier_in(State.ACCEPTED, domain=silent)
    one = dossier_in(State.SUBMITTED, domain=other)
    Application.objects.filter(pk=one.pk).update(requested=1_000_00)
    amounts = read(page_of(ans), "montants")
    zero = f"0{NBSP}€"
    assert amounts[silent.name] == ["–", f"50{NBSP}000{NBSP}€", zero, zero, "–", "–"]
    assert amounts["Ensemble"][:5] == [
        f"1{NBSP}000{NBSP}€", f"50{NBSP}000{NBSP}€", zero, zero, f"50{NBSP}000{NBSP}€"
    ]  # fmt: skip


# --- how long ---------------------------------------------------------------------------------------------------------
def test_each_stay_counts_for_itself_when_a_state_is_left_and_entered_again(ans):
    """With the ARS: 10 and 2 days of one dossier, 4 and 5 of two others; a fourth is still there, since 21 days."""
    twice = [(State.DRAFT, 1), (State.SUBMITTED, 10), (State.CHANGES_REQUESTED, 3), (State.SUBMITTED, 2)]
    lasting(dossier(State.ACCEPTED), *twice, end=State.ACCEPTED)
    lasting(dossier(State.ACCEPTED), (State.DRAFT, 2), (State.SUBMITTED, 4), end=State.ACCEPTED)
    lasting(dossier(State.REJECTED), (State.DRAFT, 3), (State.SUBMITTED, 5), end=State.REJECTED)
    lasting(dossier(State.SUBMITTED, moved_at=NOW - timedelta(days=21)), (State.DRAFT, 40), end=State.SUBMITTED)
    stays = read(page_of(ans), "durees")
    # 2, 4, 5, 10: median 4.5; the ninth decile lies at 0.7 between 5 and 10.
    assert stays[REVIEWER_LABELS[State.SUBMITTED]] == ["4", "4,5", "8,5", "1", "21"]
    assert stays[REVIEWER_LABELS[State.DRAFT]][:3] == ["4", "2,5", "28,9"]  # 1, 2, 3, 40
    assert stays[REVIEWER_LABELS[State.CHANGES_REQUESTED]] == ["1", "3", "3", "0", "–"]
    assert REVIEWER_LABELS[State.REJECTED] not in stays  # nobody waits there
    assert stays[REVIEWER_LABELS[State.ACCEPTED]][:3] == ["0", "–", "–"]


def test_other_entries_of_the_journal_do_not_cut_a_stay(ans):
    one = dossier(State.ACCEPTED)
    led(one, (State.DRAFT, paris(2026, 10, 1)), ("", paris(2026, 10, 2)), (State.SUBMITTED, paris(2026, 10, 5)))
    assert read(page_of(ans), "durees")[REVIEWER_LABELS[State.DRAFT]][:2] == ["1", "4"]


def test_a_stay_over_the_change_of_hour_lasts_what_it_lasted(ans):
    """From noon to noon over the night of 24 October 2026: 25 hours."""
    led(dossier(State.SUBMITTED), (State.DRAFT, paris(2026, 10, 24, 12)), (State.SUBMITTED, paris(2026, 10, 25, 12)))
    lines = ans.get(f"{PAGE}durees.csv")
    [row] = [row for row in records(lines) if row[0] == REVIEWER_LABELS[State.DRAFT]]
    assert row[1:4] == ["1", "1", "1"]
    led(dossier(State.SUBMITTED), (State.DRAFT, paris(2026, 10, 24, 1)), (State.SUBMITTED, paris(2026, 10, 26, 1)))
    assert read(page_of(ans), "durees")[REVIEWER_LABELS[State.DRAFT]][:2] == ["2", "1,5"]  # (25 + 49) / 2 hours


# --- late dossiers, last days -----------------------------------------------------------------------------------------
def test_a_dossier_is_late_once_it_has_waited_on_a_desk_for_more_days(ans):
    """15 days to the second are not late; one second more is."""
    for days, seconds in ((15, 0), (15, 1), (30, 1), (60, 1), (0, 0)):
        dossier(State.SUBMITTED, moved_at=NOW - timedelta(days=days, seconds=seconds))
    dossier(State.UNDER_CONTROL, moved_at=NOW - timedelta(days=40))
    dossier(State.CHANGES_REQUESTED, moved_at=NOW - timedelta(days=90))  # on no desk
    late = read(page_of(ans), "retards")
    assert late[REVIEWER_LABELS[State.SUBMITTED]] == ["5", "3", "2", "1"]
    assert late[REVIEWER_LABELS[State.UNDER_CONTROL]] == ["1", "1", "1", "0"]
    assert REVIEWER_LABELS[State.CHANGES_REQUESTED] not in late


def test_a_desk_leads_to_its_queue_with_the_same_filters(ans):
    form = FormFactory()
    found, _other = dossier(form=form), dossier()
    page = page_of(ans, domaine=form.domain.slug, region="76", periode="ouverture")
    [address] = re.findall(r'href="(/verification/\?[^"]*etat=submitted)"', section(page, "retards"))
    queue = ans.get(address.replace("&amp;", "&"))
    assert [row.record.reference for row in queue.context["table"].paginated_rows] == [found.reference]
    assert "periode" not in address


def test_each_number_of_late_dossiers_leads_to_as_many_in_the_queue(ans):
    for days in (16, 31, 32, 61):
        dossier(State.SUBMITTED, moved_at=NOW - timedelta(days=days))
    found = re.findall(r'href="(/verification/\?[^"]*attente=\d+)" aria-label="(\d+),', page_of(ans))
    assert [int(number) for _, number in found] == [4, 3, 1]
    for address, number in found:
        rows = list(ans.get(address.replace("&amp;", "&")).context["table"].paginated_rows)
        assert len(rows) == int(number)


def test_last_days_come_near_with_the_drafts_that_were_never_sent(ans):
    today = NOW.date()
    soon = FormFactory(domain__candidature_until=today + timedelta(days=12), domain__name="Bientôt").domain
    dossier(State.DRAFT, form=soon.forms.get())
    dossier(State.DRAFT, form=soon.forms.get())
    dossier(State.CHANGES_REQUESTED, form=soon.forms.get())  # sent once: no last day
    last = FormFactory(domain__declaration_until=today, domain__name="Aujourd’hui")
    dossier(State.DECLARATION_OPEN, form=last)
    over = FormFactory(domain__candidature_until=date(2026, 11, 1), domain__name="Passé")
    dossier(State.DRAFT, form=over)
    FormFactory(domain__candidature_until=date(2026, 11, 1), domain__name="Passé, sans brouillon")
    FormFactory(domain__candidature_until=today + timedelta(days=61), domain__name="Loin")
    FormFactory(domain__candidature_until=None, domain__name="Sans fin")
    told = [(name, *rest[1:]) for name, rest in read(page_of(ans), "echeances").items()]
    assert told == [
        ("Passé", "1er novembre 2026", "dépassé", "1"),
        ("Aujourd’hui", "21 novembre 2026", "dernier jour", "1"),
        ("Bientôt", "3 décembre 2026", f"12{NBSP}jours", "2"),
    ]


def test_corrections_that_are_awaited_are_counted_and_lead_to_the_queue(ans, ars):
    form = FormFactory()
    today, by = NOW.date(), UserFactory(ars=True)
    for due in (None, today - timedelta(days=1), today, today + timedelta(days=7), today + timedelta(days=8)):
        one = dossier(State.CHANGES_REQUESTED, form=form)
        ChangeRequest.objects.create(application=one, step="candidature", desk="ars", by=by, message="…", due_on=due)
    told = {"step": "candidature", "desk": "ars", "by": by, "message": "…", "due_on": today - timedelta(days=9)}
    ChangeRequest.objects.create(application=dossier(form=form), answered_at=NOW, **told)
    ChangeRequest.objects.create(application=dossier(State.WITHDRAWN, form=form), **told)
    ChangeRequest.objects.create(application=dossier(State.CHANGES_REQUESTED, region="75", form=form), **told)
    page = page_of(ars)
    assert read(page, "corrections")[form.domain.name][1:] == ["5", "2", "1"]
    assert read(page_of(ans), "corrections")[form.domain.name][1:] == ["6", "2", "2"]
    assert read(page_of(ans, region="75"), "corrections")[form.domain.name][1:] == ["1", "0", "1"]
    [address] = re.findall(r'href="(/verification/\?[^"]*echeance=en-retard[^"]*)"', section(page, "corrections"))
    assert len(list(ars.get(address.replace("&amp;", "&")).context["table"].paginated_rows)) == 1


def test_extensions_that_end_are_named_until_they_were_used(ans, ars):
    """Also where no dossier is yet; one that was used, replaced, or ends far away is not."""
    form, by, today = FormFactory(), UserFactory(ans=True), NOW.date()
    given = {"domain": form.domain, "step": "candidature", "reason": "Incident.", "by": by}

    def lengthen(establishment, days, **fields):
        fields = given | {"establishment": establishment, "until": today + timedelta(days=days)} | fields
        return Extension.objects.create(**fields)

    draft = dossier(State.DRAFT, form=form)
    lengthen(draft.establishment, 60)
    lengthen(draft.establishment, 0, state="replaced", ended_at=NOW)
    lone, far = referent_in("76").establishment, referent_in("75").establishment
    lengthen(lone, -1)
    lengthen(far, 0)
    for days in (-61, 61):
        lengthen(referent_in("76").establishment, days)
    lengthen(dossier(form=form, candidature_submitted_at=NOW).establishment, 5)
    lengthen(dossier(State.REJECTED, form=form).establishment, 5)
    waiting = dossier(State.DECLARATION_OPEN, form=form, candidature_submitted_at=NOW)
    lengthen(waiting.establishment, 1, step="declaration")
    rows = records(ans.get(f"{PAGE}prolongations.csv"))[1:]
    assert [(row[0], *row[2:]) for row in rows] == [
        (lone.name, "Formulaire de candidature", "20 novembre 2026", "dépassé", "Pas de dossier"),
        (far.name, "Formulaire de candidature", "21 novembre 2026", "dernier jour", "Pas de dossier"),
        (waiting.establishment.name, "Déclaration d’atteinte des objectifs", "22 novembre 2026", f"1{NBSP}jour",
         REVIEWER_LABELS[State.DECLARATION_OPEN]),
        (draft.establishment.name, "Formulaire de candidature", "20 janvier 2027", f"60{NBSP}jours",
         REVIEWER_LABELS[State.DRAFT]),
    ]  # fmt: skip
    page = section(page_of(ars), "prolongations")
    assert lone.name in page and far.name not in page
    assert reverse("reviews:dossier", args=[draft.reference]) in page and f"?q={lone.finess}" in page


# --- week by week -----------------------------------------------------------------------------------------------------
def test_events_fall_into_the_iso_weeks_of_paris(ans):
    """Around the change of hour, the last second of a Sunday and the first of a Monday are one second apart."""
    for at in (paris(2026, 10, 25, 23, 59, 59), paris(2026, 10, 26), paris(2026, 10, 19)):
        dossier(candidature_submitted_at=at)
    led(dossier(State.ACCEPTED, candidature_submitted_at=NOW), (State.ACCEPTED, paris(2026, 10, 25, 23, 30)))
    rejected = dossier(State.REJECTED, candidature_submitted_at=paris(2020, 1, 1))
    led(rejected, (State.REJECTED, paris(2026, 11, 9)), (State.SUBMITTED, NOW), (State.REJECTED, NOW))
    led(
        dossier(State.VALIDATED, candidature_submitted_at=paris(2020, 1, 1)),
        (State.VALIDATED, paris(2026, 11, 20)),
        (State.DECLARATION_REJECTED, paris(2026, 11, 20)),
    )
    weeks = read(page_of(ans), "semaines")
    assert len(weeks) == 26
    assert weeks["2026, semaine 43, dès le 19 octobre 2026"] == ["2", "1", "0", "0"]
    assert weeks["2026, semaine 44, dès le 26 octobre 2026"] == ["1", "0", "0", "0"]
    assert weeks["2026, semaine 46, dès le 9 novembre 2026"] == ["0", "0", "1", "0"]
    assert weeks["2026, semaine 47, dès le 16 novembre 2026"] == ["1", "0", "2", "1"]


def test_a_week_over_new_year_bears_the_year_of_its_thursday(now, signed_in):
    now.move_to(paris(2027, 1, 5, 10))
    ans = signed_in(UserFactory(ans=True))
    for at in (paris(2026, 12, 28), paris(2027, 1, 3, 23, 59), paris(2027, 1, 4)):
        dossier(candidature_submitted_at=at)
    weeks = read(page_of(ans), "semaines")
    assert weeks["2026, semaine 53, dès le 28 décembre 2026"][0] == "2"
    assert weeks["2027, semaine 1, dès le 4 janvier 2027"][0] == "1"
    assert len(weeks) == 26


def test_weeks_since_the_opening_begin_with_the_first_event(ans):
    dossier(candidature_submitted_at=paris(2026, 2, 3))
    assert sum(int(row[0]) for row in read(page_of(ans), "semaines").values()) == 0
    weeks = read(page_of(ans, periode="ouverture"), "semaines")
    assert next(iter(weeks.items())) == ("2026, semaine 6, dès le 2 février 2026", ["1", "0", "0", "0"])
    assert len(weeks) == 42


# --- one look at the database -----------------------------------------------------------------------------------------
def test_figures_stay_as_they_were_for_some_minutes_and_say_when(ans, now):
    dossier()
    first = ans.get(PAGE).content.decode()
    assert f"Chiffres du 21 novembre 2026 à 14{NBSP}h{NBSP}05" in first
    dossier()
    now.shift(timedelta(minutes=4))
    assert read(ans.get(PAGE).content.decode(), "chiffres-cles")["Dossiers commencés"][0] == "1"
    # Another choice in between is read as of the same instant.
    led(dossier(), (State.DRAFT, NOW), (State.SUBMITTED, NOW + timedelta(minutes=1)))
    other = ans.get(PAGE, {"type": "public"}).content.decode()
    assert f"à 14{NBSP}h{NBSP}05" in other and read(other, "durees").keys() == {REVIEWER_LABELS[State.SUBMITTED]}
    now.shift(timedelta(minutes=2))
    later = ans.get(PAGE).content.decode()
    assert f"à 14{NBSP}h{NBSP}11" in later
    assert read(later, "chiffres-cles")["Dossiers commencés"][0] == "3"


@pytest.mark.parametrize("rows", [1, 10, 100])
def test_the_page_asks_as_much_for_a_hundred_dossiers_as_for_one(rows, ans, ars, django_assert_num_queries):
    form = FormFactory()
    for rank in range(rows):
        its_form = {} if rank else {"form": form}
        one = dossier(State.ACCEPTED, region="75" if rank % 2 else "76", requested=1_000_00, **its_form)
        lasting(one, (State.DRAFT, 1), (State.SUBMITTED, 2), end=State.ACCEPTED)
        given = {"establishment": one.establishment, "until": NOW.date(), "by": one.referent, "reason": "…"}
        Extension.objects.create(domain=one.domain, step="declaration", **given)
        asked = {"step": "candidature", "desk": "ars", "by": one.referent, "message": "…", "due_on": NOW.date()}
        ChangeRequest.objects.create(application=one, **asked)
    with django_assert_num_queries(29):
        ans.get(PAGE)
    with django_assert_num_queries(8):
        ans.get(PAGE)
    cache.clear()
    with django_assert_num_queries(30):
        ars.get(PAGE)
