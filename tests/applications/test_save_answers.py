"""One page never writes over another in silence: what each had seen travels with what it sends."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from applications import actions
from applications.models import Answer, Application, Contact, Question, answers_of, mark_of, values_of
from tests.applications.conftest import CANDIDATURE, page_of
from tests.applications.pages import address, text_of
from tests.factories import ApplicationFactory, FormFactory, SiteFactory, UserFactory
from tests.racing import at_once

pytestmark = pytest.mark.django_db

HOLDER = "account-holder"


def save(application, values, **marks):
    return actions.save_answers(
        application,
        by=application.referent,
        values=values,
        at=timezone.now(),
        marks={key.replace("_", "-"): mark for key, mark in marks.items()},
    )


def mark(application, key=HOLDER):
    return mark_of(answers_of(application).get(key))


def value(application, key=HOLDER):
    return values_of(application).get(key)


@pytest.fixture
def seen(application):
    """The mark of a page that shows « CH de la Ville », which another page has changed since."""
    save(application, {HOLDER: "CH de la Ville"})
    seen = mark(application)
    save(application, {HOLDER: "CH de la Montagne"}, account_holder=seen)
    return seen


# --- the verb -----------------------------------------------------------------------------------------------------
def test_a_page_writes_over_what_it_shows(application):
    assert save(application, {HOLDER: "Un"}, account_holder=mark(application)).changed == 1
    saved = save(application, {HOLDER: "Deux"}, account_holder=mark(application))
    assert (saved.changed, saved.conflicts) == (1, {})
    assert Answer.objects.get().version == 2


def test_a_page_does_not_write_over_what_it_has_not_seen(application, seen):
    saved = save(application, {HOLDER: "CH du Port"}, account_holder=seen)
    assert saved.changed == 0
    assert saved.conflicts[HOLDER].value == value(application) == "CH de la Montagne"


def test_an_answer_first_given_elsewhere_is_not_seen_either(application):
    before = mark(application)
    save(application, {HOLDER: "Un"})
    assert HOLDER in save(application, {HOLDER: "Deux"}, account_holder=before).conflicts


def test_a_conflict_is_of_one_question_alone(application, seen):
    saved = save(application, {HOLDER: "CH du Port", "bic": "AGRIFRPP"}, account_holder=seen)
    assert (saved.changed, list(saved.conflicts)) == (1, [HOLDER])
    assert value(application, "bic") == "AGRIFRPP"


def test_a_page_that_left_an_answer_as_it_was_takes_nothing_away(application, seen):
    saved = save(application, {HOLDER: "CH de la Ville"}, account_holder=seen)
    assert (saved.changed, saved.conflicts) == (0, {})
    assert value(application) == "CH de la Montagne"


def test_the_same_answer_given_twice_is_no_conflict(application, seen):
    assert save(application, {HOLDER: "CH de la Montagne"}, account_holder=seen) == actions.Saved()


@pytest.mark.parametrize("mangled", ["", "2", "2-", "9-000000000000", "x", "-" * 500])
def test_a_mark_that_no_page_carried_writes_over_nothing(application, seen, mangled):
    assert HOLDER in save(application, {HOLDER: "CH du Port"}, account_holder=mangled).conflicts


def test_what_is_not_kept_leaves_its_contact_alone(application):
    save(application, {"dsi-last-name": "Un"})
    seen = mark(application, "dsi-last-name")
    save(application, {"dsi-last-name": "Deux"})
    save(application, {"dsi-last-name": "Trois"}, dsi_last_name=seen)
    assert Contact.objects.get(application=application, role="dsi").last_name == "Deux"


@pytest.mark.django_db(transaction=True)
def test_of_two_pages_that_save_at_once_one_is_told():
    application = ApplicationFactory()
    before = mark(application, "precision")

    def write(rank):
        mine = Application.objects.get(pk=application.pk)
        return save(mine, {"precision": f"Valeur {rank}"}, precision=before)

    outcomes = at_once(*[lambda rank=rank: write(rank) for rank in range(4)])
    assert sorted(saved.changed for saved in outcomes) == [0, 0, 0, 1]
    assert sorted(len(saved.conflicts) for saved in outcomes) == [0, 1, 1, 1]
    assert Answer.objects.get().version == 1


# --- one answer, as it is typed -----------------------------------------------------------------------------------
def send(client, application, key, **data):
    return client.post(reverse("applications:answer", args=[application.reference, key]), data)


def test_an_answer_is_saved_by_itself(client, application):
    answer = send(client, application, "iban", iban="FR76 3000 6000 0112 3456 7890 189", bic="faux")
    assert answer.status_code == 200
    told = answer.json()
    assert re.fullmatch(r"\d\d?\u00a0h\u00a0\d\d", told["at"])
    assert told["mark"] == mark(application, "iban")
    assert told["note"] == "Banque\u00a0: CREDIT AGRICOLE SA"
    assert "1/22" in told["side"]
    assert list(answers_of(application)) == ["iban"]


def test_a_wrong_answer_is_told_and_not_kept(client, application):
    answer = send(client, application, "iban", iban="FR77 3000 6000 0112 3456 7890 189")
    assert answer.status_code == 422
    assert "La clé de contrôle de cet IBAN est fausse" in answer.json()["errors"][0]
    assert not Answer.objects.exists()


def test_an_answer_given_elsewhere_is_shown_with_the_choice(client, application, seen):
    answer = send(client, application, HOLDER, **{HOLDER: "CH du Port", f"_version:{HOLDER}": seen})
    assert answer.status_code == 409
    assert "Cette réponse a été modifiée ailleurs" in answer.json()["errors"][0]
    assert "«\u00a0CH de la Montagne\u00a0»" in answer.json()["errors"][0]
    assert "Garder la mienne" in answer.json()["conflict"]
    assert "Prendre l’autre" in answer.json()["conflict"]
    assert value(application) == "CH de la Montagne"


def test_a_box_that_is_unticked_is_saved_too(client, complete):
    assert send(client, complete, "commitment", _page="1").status_code == 200
    assert value(complete, "commitment") is False
    assert value(complete, "bic") == CANDIDATURE["bic"]


def test_no_answer_is_saved_once_the_step_is_sent(client, referent):
    application = ApplicationFactory(referent=referent, state="submitted")
    answer = send(client, application, "precision", precision="Trop tard")
    assert (answer.status_code, answer.json()) == (409, {"message": "Ce formulaire n’est plus modifiable."})


@pytest.mark.parametrize("key", ["rib", "inconnue", "state"])
def test_what_is_not_a_field_has_no_address(client, application, key):
    assert send(client, application, key, **{key: "x"}).status_code == 404


def test_nobody_else_saves_an_answer(application, signed_in):
    for person, status in ((UserFactory(), 404), (UserFactory(ans=True), 403)):
        assert send(signed_in(person), application, HOLDER, **{HOLDER: "x"}).status_code == status
    assert not Answer.objects.exists()


def test_saving_one_answer_costs_the_same_whatever_the_checklist(client, application, django_assert_num_queries):
    send(client, application, HOLDER, **{HOLDER: "Zéro"})
    for entities in (1, 3):
        SiteFactory.create_batch(entities, legal_entity=application.establishment.legal_entity)
        with django_assert_num_queries(19):
            send(client, application, HOLDER, **{HOLDER: f"CH {entities}"})


# --- the whole page -----------------------------------------------------------------------------------------------
def marks_on(page) -> dict:
    found = re.findall(r'name="(_version:[a-z0-9-]+)" value="([^"]*)"', page.content.decode())
    return dict(found)


@pytest.fixture
def stale(client, complete):
    """What a page shown some time ago would post, and the other page that has changed two answers since."""
    shown = marks_on(client.get(address("detail", complete)))
    save(complete, {HOLDER: "CH de la Montagne", "bic": "BDFEFRPPCCT"})
    checklist = {f"entities:{entity.finess}": "on" for entity in complete.establishment.entities()}
    return page_of(complete) | shown | checklist


def test_every_field_carries_what_it_shows(client, complete):
    shown = marks_on(client.get(address("detail", complete)))
    asked = Question.objects.filter(section__form=complete.form).exclude(kind="evidence")
    assert set(shown) == {f"_version:{question.key}" for question in asked}


def test_a_page_sent_late_leaves_what_it_did_not_change(client, complete, stale):
    response = client.post(address("detail", complete), stale | {"signatory-job": "Directeur"})
    assert response.status_code == 302
    values = values_of(complete)
    assert (values[HOLDER], values["bic"], values["signatory-job"]) == ("CH de la Montagne", "BDFEFRPPCCT", "Directeur")


def test_a_page_sent_late_is_told_of_each_conflict_and_loses_nothing(client, complete, stale):
    typed = {HOLDER: "CH du Port", "signatory-job": "Directeur", "_next": "1"}
    response = client.post(address("detail", complete), stale | typed)
    assert response.status_code == 200
    page = text_of(response)
    assert "Cette réponse a été modifiée ailleurs" in page
    assert "« CH de la Montagne »" in page
    assert 'value="CH du Port"' in page
    assert 'value="BDFEFRPPCCT"' in page, "what the page had not touched is shown as it is now"
    assert "Une réponse est à corriger" in page
    assert value(complete) == "CH de la Montagne"
    assert value(complete, "signatory-job") == "Directeur"


def test_sending_the_same_page_again_does_not_settle_a_conflict(client, complete, stale):
    data = stale | {HOLDER: "CH du Port"}
    again = marks_on(client.post(address("detail", complete), data))
    assert client.post(address("detail", complete), data | again).status_code == 200
    assert value(complete) == "CH de la Montagne"


def button(page, name):
    return re.search(rf'name="{name}" value="([^"]*)"', page.content.decode())[1]


def test_garder_la_mienne_writes_over_the_value_that_was_read(client, complete, stale):
    data = stale | {HOLDER: "CH du Port"}
    page = client.post(address("detail", complete), data)
    response = client.post(address("detail", complete), data | marks_on(page) | {"_keep": button(page, "_keep")})
    assert response.url.endswith(f"#question-{HOLDER}")
    assert value(complete) == "CH du Port"


def test_garder_la_mienne_is_asked_again_if_the_other_changed_once_more(client, complete, stale):
    data = stale | {HOLDER: "CH du Port"}
    page = client.post(address("detail", complete), data)
    save(complete, {HOLDER: "CH de la Vallée"})
    page = client.post(address("detail", complete), data | marks_on(page) | {"_keep": button(page, "_keep")})
    assert "« CH de la Vallée »" in text_of(page)
    assert value(complete) == "CH de la Vallée"


def test_prendre_l_autre_shows_the_other(client, complete, stale):
    data = stale | {HOLDER: "CH du Port"}
    page = client.post(address("detail", complete), data)
    response = client.post(
        address("detail", complete), data | marks_on(page) | {"_take": HOLDER, "signatory-job": "Directeur"}
    )
    assert response.url.endswith(f"#question-{HOLDER}")
    assert value(complete) == "CH de la Montagne"
    assert value(complete, "signatory-job") == "Directeur"


def test_a_wrong_value_stays_compared_with_what_its_page_had_shown(client, complete, stale):
    data = stale | {"bic": "FAUX"}
    page = client.post(address("detail", complete), data)
    page = client.post(address("detail", complete), data | marks_on(page) | {"bic": "AGRIFRPPXXX"})
    assert "« BDFEFRPPCCT »" in text_of(page)
    assert value(complete, "bic") == "BDFEFRPPCCT"


def test_a_checklist_changed_elsewhere_is_read_out_by_entity(client, complete, stale):
    site = complete.establishment.entities().get()
    save(complete, {"entities": {site.finess: "Fermé"}})
    data = {key: said for key, said in stale.items() if key != f"entities:{site.finess}"}
    page = client.post(address("detail", complete), data | {f"entities:{site.finess}:reason": "Vendu"})
    assert f"« {site.name} : Fermé »" in text_of(page)
    assert 'value="Vendu"' in page.content.decode()


def test_every_kind_left_as_it_was_takes_nothing_away(client, referent):
    """What each field shows of a stored value is read back as that very value."""
    kinds = {
        "text": ("Un", "Deux"),
        "long_text": ("Un\nDeux", "Trois"),
        "number": (1250, 7),
        "amount": (700050, 700000),
        "date": ("2026-11-21", "2026-11-22"),
        "choices": (["a", "b"], ["c"]),
        "checkbox": (True, False),
        "phone": ("+33467336733", "+33467336734"),
        "iban": ("FR7630006000011234567890189", ""),
        "civility": ("madame", "monsieur"),
    }
    asked = [
        {"key": f"k-{kind.replace('_', '-')}", "kind": kind, "choices": [["a", "A"], ["b", "B"], ["c", "C"]]}
        for kind in kinds
    ]
    form = FormFactory(questions=asked)
    application = ApplicationFactory(referent=referent, domain=form.domain, candidature_form=form)
    keys = {f"k-{kind.replace('_', '-')}": both for kind, both in kinds.items()}
    save(application, {key: first for key, (first, _) in keys.items()})
    page = client.get(address("detail", application))
    posted = marks_on(page) | {"_page": "1"}
    bound = page.context["form"]
    for name, field in bound.fields.items():
        shown = bound[name].value()
        if shown is True:
            posted[name] = "on"
        elif shown not in (None, False):
            posted[name] = (
                field.widget.format_value(shown)
                if hasattr(field.widget, "format_value") and not isinstance(shown, list)
                else shown
            )
            if isinstance(posted[name], list) and not isinstance(shown, list):
                posted[name] = posted[name][0]
    save(application, {key: second for key, (_, second) in keys.items()})
    assert client.post(address("detail", application), posted).status_code == 302
    kept = answers_of(application)
    assert {key: kept[key].value for key in keys} == {key: second for key, (_, second) in keys.items()}
