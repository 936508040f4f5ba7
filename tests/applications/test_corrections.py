"""A change request that names questions and files: only these, and what depends on them, are open."""

from datetime import date, timedelta
from html import unescape

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from applications.actions import NOT_ASKED, NotNow, request_changes, save_answers, submit
from applications.corrections import ALL, Named, opening_of
from applications.forms import StepForm
from applications.models import Application, ChangeRequest, RequestedChange, values_of
from applications.states import State
from demo.specimens import pdf
from ecare.journal.models import Entry
from ecare.letters.models import Letter
from evidence.actions import remove, replace
from evidence.models import Evidence
from tests.applications.pages import text_of
from tests.evidence.conftest import put_in, space_of, transmit, upload
from tests.factories import ApplicationFactory, FormFactory, RegionFactory, UserFactory

pytestmark = pytest.mark.django_db

QUESTIONS = [
    {"key": "titulaire"},
    {"key": "iban", "kind": "text"},
    {"key": "pssi", "kind": "choice", "choices": [["oui", "Oui"], ["non", "Non"]]},
    {"key": "raison", "shown_if": {"pssi": ["non"]}},
    {"key": "suite", "shown_if": {"raison": ["autre"]}, "is_required": False},
    {"key": "rib", "kind": "evidence", "formats": ["pdf"], "max_files": 3},
    {"key": "statuts", "kind": "evidence", "formats": ["pdf"], "max_files": 3, "is_required": False},
]
ANSWERS = {"titulaire": "CH", "iban": "FR76", "pssi": "oui"}


@pytest.fixture
def dossier():
    """Sent with every answer, and two files as RIB."""
    form = FormFactory(questions=QUESTIONS)
    application = ApplicationFactory(domain=form.domain, candidature_form=form)
    save_answers(application, by=application.referent, values=ANSWERS, at=timezone.now())
    put_in(application, name="RIB 1.pdf", key="rib")
    put_in(application, pdf(line="deux"), name="RIB 2.pdf", key="rib")
    put_in(application, pdf(line="trois"), name="Statuts.pdf", key="statuts")
    transmit(application)
    return fresh(application)


@pytest.fixture
def ars(dossier):
    return UserFactory(ars=True, regions=[dossier.establishment.region])


def fresh(application):
    return Application.objects.get(pk=application.pk)


def ask(application, agent, *named, due_on=None, message="Voir les remarques."):
    request_changes(application, by=agent, version=application.version, message=message, due_on=due_on, named=named)
    return fresh(application)


def keys(application):
    return opening_of(application).keys


def file_of(application, name):
    return Evidence.objects.get(application=application, file__name=name)


def save(application, **values):
    return save_answers(application, by=application.referent, values=values, at=timezone.now())


# --- what is done ----------------------------------------------------------------------------------------------
def test_what_was_asked_for_and_is_not_done_is_said_before_sending(dossier, ars, signed_in):
    files = {name: str(file_of(dossier, name).file_id) for name in ("RIB 1.pdf", "RIB 2.pdf")}
    named = (Named("iban"), Named("titulaire"), Named("rib", files["RIB 1.pdf"]))
    dossier = ask(dossier, ars, *named)
    client = signed_in(dossier.referent)
    recap = reverse("applications:recap", args=[dossier.reference])
    assert "ne sont pas faites" not in client.get(recap).text, "nothing has changed: another alert says so"
    save(dossier, iban="FR77")
    page = text_of(client.get(recap))
    assert "2 modifications demandées ne sont pas faites" in page and "1 faite sur 3" in page
    assert (
        "fichier « RIB 1.pdf »" in page
        and f"{reverse('applications:detail', args=[dossier.reference])}#question-rib" in page
    )
    assert "100 %" not in page
    save(dossier, titulaire="Centre hospitalier")
    page = text_of(client.get(recap))
    assert "1 modification demandée n’est pas faite" in page and "2 faites sur 3" in page
    assert "Vous pouvez la faire maintenant, ou transmettre tel quel." in page
    remove(file_of(dossier, "RIB 1.pdf"), by=dossier.referent, at=timezone.now())
    page = text_of(client.get(recap))
    assert "pas faite" not in page and "3 faites sur 3" in page


# --- what is open -------------------------------------------------------------------------------------------------
def test_a_draft_is_open_as_a_whole():
    assert opening_of(ApplicationFactory()) is ALL


def test_a_request_that_names_nothing_opens_the_whole_form(dossier, ars):
    assert keys(ask(dossier, ars)) is None


def test_only_the_named_question_is_open(dossier, ars):
    assert keys(ask(dossier, ars, Named("iban"))) == {"iban"}


def test_a_named_question_opens_what_depends_on_it_however_far(dossier, ars):
    assert keys(ask(dossier, ars, Named("pssi"))) == {"pssi", "raison", "suite"}


def test_a_required_question_that_the_sending_left_empty_is_open_too(dossier, ars):
    """The directory gave the establishment an entity, or the form could never be sent again."""
    content = dossier.submissions.get().content
    del content["answers"]["titulaire"]
    dossier.submissions.update(content=content)
    asked = ask(dossier, ars, Named("iban"))
    assert keys(asked) == {"iban", "titulaire"}
    save(asked, titulaire="CHU")
    assert keys(fresh(asked)) == {"iban", "titulaire"}  # and stays so: a slip may be mended


# --- answers ------------------------------------------------------------------------------------------------------
def test_what_is_named_is_saved_and_all_else_is_refused_whole(dossier, ars):
    asked = ask(dossier, ars, Named("iban"))
    save(asked, iban="FR14")
    with pytest.raises(NotNow, match="n’est pas à modifier"):
        save(asked, iban="FR99", titulaire="Pirate")
    assert values_of(asked)["iban"] == "FR14"
    assert values_of(asked)["titulaire"] == "CH"


def test_the_form_has_fields_for_what_is_open_alone(dossier, ars):
    form = StepForm(ask(dossier, ars, Named("pssi")), {"titulaire": "Pirate", "pssi": "non", "_page": "1"})
    assert set(form.fields) == {"pssi", "raison", "suite"}
    assert form.good_values() == {"pssi": "non"}


def test_the_page_shows_the_remark_the_field_and_what_was_sent(dossier, ars, signed_in):
    asked = ask(dossier, ars, Named("iban", remark="Ce n’est pas celui du RIB."), due_on=date(2030, 1, 31))
    page = signed_in(asked.referent).get(reverse("applications:detail", args=[asked.reference])).content.decode()
    assert page.count("Ce n’est pas celui du RIB.") == 2  # at the top, and at the field
    assert 'name="iban"' in page
    assert 'name="titulaire"' not in page
    assert 'name="rib"' not in page
    assert "RIB 1.pdf" in page
    assert "31 janvier 2030" in page
    assert page.count("À modifier</p>") == 1


def test_a_forged_post_of_the_page_changes_nothing_else(dossier, ars, signed_in):
    asked = ask(dossier, ars, Named("iban"))
    address = reverse("applications:detail", args=[asked.reference])
    signed_in(asked.referent).post(address, {"_page": address, "iban": "FR14", "titulaire": "Pirate", "pssi": "non"})
    assert values_of(asked) | {"rib": 0, "statuts": 0} == ANSWERS | {"iban": "FR14", "rib": 0, "statuts": 0}


def test_autosave_of_another_answer_says_why_it_is_not_kept(dossier, ars, signed_in):
    asked = ask(dossier, ars, Named("iban"))
    browser = signed_in(asked.referent)

    def send(key):
        return browser.post(reverse("applications:answer", args=[asked.reference, key]), {key: "Pirate"})

    assert (send("titulaire").status_code, send("titulaire").json()) == (409, {"message": NOT_ASKED})
    assert send("inconnue").status_code == 404


# --- files --------------------------------------------------------------------------------------------------------
def test_a_space_that_is_not_named_keeps_its_files(dossier, ars):
    asked = ask(dossier, ars, Named("rib"))
    for act in (
        lambda: remove(file_of(asked, "Statuts.pdf"), by=asked.referent, at=timezone.now()),
        lambda: put_in(asked, pdf(line="autre"), key="statuts"),
        lambda: replace(file_of(asked, "Statuts.pdf"), upload=upload(), by=asked.referent, at=timezone.now()),
    ):
        with pytest.raises(NotNow, match="n’est pas à modifier"):
            act()
    assert space_of(asked, "statuts")
    assert [file["name"] for file in values_of(asked)["statuts"]] == ["Statuts.pdf"]


def test_a_named_file_may_leave_and_its_neighbour_may_not(dossier, ars):
    named = file_of(dossier, "RIB 1.pdf")
    asked = ask(dossier, ars, Named("rib", file=str(named.file_id), remark="Illisible."))
    with pytest.raises(NotNow, match="n’est pas à modifier"):
        remove(file_of(asked, "RIB 2.pdf"), by=asked.referent, at=timezone.now())
    with pytest.raises(NotNow, match="n’est pas à modifier"):
        replace(file_of(asked, "RIB 2.pdf"), upload=upload(), by=asked.referent, at=timezone.now())
    replace(named, upload=upload(pdf(line="lisible"), "RIB lisible.pdf"), by=asked.referent, at=timezone.now())
    put_in(asked, pdf(line="un de plus"), name="RIB 3.pdf", key="rib")
    remove(file_of(asked, "RIB 3.pdf"), by=asked.referent, at=timezone.now())  # came in since: it may go
    assert [f["name"] for f in values_of(asked)["rib"]] == ["RIB 2.pdf", "RIB lisible.pdf"]


def test_the_page_offers_to_take_back_only_what_may_go(dossier, ars, signed_in):
    named = file_of(dossier, "RIB 1.pdf")
    asked = ask(dossier, ars, Named("rib", file=str(named.file_id), remark="Illisible."))
    page = signed_in(asked.referent).get(reverse("applications:detail", args=[asked.reference])).content.decode()
    assert reverse("evidence:remove", args=[named.file_id]) in page
    assert reverse("evidence:remove", args=[file_of(asked, "RIB 2.pdf").file_id]) not in page
    assert reverse("evidence:remove", args=[file_of(asked, "Statuts.pdf").file_id]) not in page
    assert "Fichier «\u00a0RIB 1.pdf\u00a0»\u00a0: Illisible." in unescape(page)


# --- the request --------------------------------------------------------------------------------------------------
def test_what_is_named_is_kept_told_in_the_letter_and_written_in_the_journal(dossier, ars):
    file = file_of(dossier, "RIB 1.pdf")
    named = (Named("iban", remark="Deux chiffres\nsont inversés."), Named("rib", file=str(file.file_id)))
    ask(dossier, ars, *named, due_on=date(2030, 1, 31), message="")
    request = ChangeRequest.objects.get()
    assert (request.due_on, request.message) == (date(2030, 1, 31), "")
    assert list(request.items.values_list("question__key", "file", "file_name", "remark")) == [
        ("iban", None, "", "Deux chiffres\nsont inversés."),
        ("rib", file.file_id, "RIB 1.pdf", ""),
    ]
    letter = Letter.objects.get(name="changes_requested")
    assert "- Question 2\u00a0: Deux chiffres sont inversés." in letter.text
    assert "- Question 6, fichier «\u00a0RIB 1.pdf\u00a0»" in letter.text
    assert "31 janvier 2030" in letter.text
    entry = Entry.objects.get(verb="request_changes")
    assert entry.data["due_on"] == "2030-01-31"
    assert [one["question"] for one in entry.data["named"]] == ["iban", "rib"]


@pytest.mark.parametrize(
    "named", [Named("inconnue"), Named("raison"), Named("rib", file="0" * 32), Named("iban", file="x")]
)
def test_what_was_not_asked_or_not_sent_cannot_be_named(named, dossier, ars):
    """A question of another form, one that was hidden, a file of another space."""
    with pytest.raises(NotNow, match="rechargez la page"):
        ask(dossier, ars, named)
    assert fresh(dossier).state == State.SUBMITTED
    assert not RequestedChange.objects.exists()
    assert not Letter.objects.filter(name="changes_requested").exists()


def test_sending_again_closes_the_request_and_the_next_one_opens_something_else(dossier, ars):
    asked = ask(dossier, ars, Named("iban"))
    save(asked, iban="FR14")
    submit(fresh(asked), by=asked.referent, version=fresh(asked).version, at=timezone.now())
    again = ask(fresh(asked), ars, Named("titulaire"))
    assert keys(again) == {"titulaire"}


def test_an_agent_of_another_region_asks_for_nothing(dossier):
    far = UserFactory(ars=True, regions=[RegionFactory(code="75")])
    with pytest.raises(PermissionDenied):
        ask(dossier, far, Named("iban"))


def test_nothing_closes_once_the_due_date_is_over(dossier, ars):
    asked = ask(dossier, ars, Named("iban"), due_on=timezone.localdate() + timedelta(days=1))
    late = timezone.now() + timedelta(days=3)
    save_answers(asked, by=asked.referent, values={"iban": "FR14"}, at=late)
    submit(fresh(asked), by=asked.referent, version=fresh(asked).version, at=late)
    assert fresh(asked).state == State.SUBMITTED
