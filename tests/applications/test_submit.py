"""From the recap to the receipt."""

import hashlib
import json

import pytest
from django.utils import timezone

from accounts.models import User
from applications.models import Application, ChangeRequest, Submission
from applications.states import State
from ecare.journal.models import Entry
from ecare.letters.models import Letter
from tests.applications.conftest import CANDIDATURE, answer_everything, put_evidence
from tests.applications.pages import address, text_of
from tests.factories import ApplicationFactory, UserFactory
from tests.racing import at_once


def transmit(client, application, version=1):
    return client.post(address("submit", application), {"version": version})


# --- the recap ----------------------------------------------------------------------------------------------------
def test_the_recap_shows_every_answer_and_the_button(client, complete):
    page = text_of(client.get(address("recap", complete)))
    for said in (
        "Récapitulatif de l’étape Formulaire de candidature",
        "Vérifier votre saisie",
        "22/22 questions obligatoires répondues",
        "100 %",
        "Claire",
        "claire.martin@exemple.fr",
        "FR76 3000 6000 0112 3456 7890 189",
        "+33 4 67 33 67 33",
        "RIB.pdf",
        "12 ko",
        "confirmée",
        "Je m’engage, au nom de l’établissement",
        "Transmettre votre candidature",
        f"adressée à l’{complete.establishment.region.ars}",
    ):
        assert said in page
    assert "Documents justifiant" not in page


def test_an_incomplete_recap_explains_what_is_missing_with_links(client, application):
    page = text_of(client.get(address("recap", application)))
    assert "Il reste 22 questions obligatoires sans réponse" in page
    assert f"{address('detail', application)}#question-iban" in page
    assert "Transmettre votre candidature" not in page


def test_the_recap_of_a_dossier_that_is_elsewhere_leads_to_the_dossier(client, referent):
    application = ApplicationFactory(referent=referent, state="submitted")
    assert client.get(address("recap", application)).url == address("detail", application)


def test_the_recap_of_a_correction_says_when_nothing_has_changed(client, complete):
    warning = "Rien n’a changé depuis votre dernier envoi"
    assert warning not in text_of(client.get(address("recap", complete))), "nothing was sent yet"
    transmit(client, complete)
    Application.objects.filter(pk=complete.pk).update(state=State.CHANGES_REQUESTED, version=3)
    ChangeRequest.objects.create(
        application=complete, step="candidature", desk="ars", by=UserFactory(ars=True), message="Le RIB."
    )
    page = text_of(client.get(address("recap", complete)))
    assert warning in page and "Transmettre votre candidature" in page
    client.post(address("detail", complete), {"bic": "BDFEFRPPCCT"})
    assert warning not in text_of(client.get(address("recap", complete)))


# --- transmitting -------------------------------------------------------------------------------------------------
def test_transmitting_gives_a_receipt_with_instant_and_digest(client, complete, referent):
    reader = UserFactory(ars=True, regions=[complete.establishment.region])
    response = transmit(client, complete)
    assert response.url == address("submitted", complete)
    submission = Submission.objects.get()
    content = json.dumps(submission.content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert submission.digest == hashlib.sha256(content.encode()).hexdigest()
    assert {key: submission.content["answers"][key] for key in CANDIDATURE} == CANDIDATURE
    page = text_of(client.get(response.url))
    local = timezone.localtime(submission.at)
    for said in (complete.reference, submission.digest, f"{local.hour} h {local.minute:02d} min {local.second:02d} s"):
        assert said in page
    assert Letter.objects.get(name="submitted").recipient == referent.email
    assert submission.digest in Letter.objects.get(name="submitted").text
    assert Letter.objects.get(name="to_review").recipient == reader.email
    assert "Candidature en cours de vérification" in text_of(client.get(address("detail", complete)))


def test_an_answer_of_a_hidden_question_is_not_sent(client, complete):
    put_evidence(complete, "ps1-1-documents")
    transmit(client, complete)
    assert "ps1-1-documents" not in Submission.objects.get().content["answers"]


@pytest.mark.parametrize("missing", [*CANDIDATURE, "rib", "entities"])
def test_with_any_required_answer_missing_nothing_is_sent(client, complete, missing):
    complete.answers.filter(question__key=missing).delete()
    response = transmit(client, complete)
    assert response.url == address("recap", complete)
    assert f"#question-{missing}" in client.get(response.url).content.decode()
    assert not Submission.objects.exists()
    assert Application.objects.get(pk=complete.pk).state == State.DRAFT


@pytest.mark.parametrize("prerequisite", ["ps1-1", "ps1-2"])
def test_a_prerequisite_not_met_needs_its_documents(client, complete, prerequisite):
    client.post(address("detail", complete), {prerequisite: "non"})
    assert transmit(client, complete).url == address("recap", complete)
    put_evidence(complete, f"{prerequisite}-documents")
    assert transmit(client, complete).url == address("submitted", complete)
    assert f"{prerequisite}-documents" in Submission.objects.get().content["answers"]


@pytest.mark.parametrize("version", ["", "x", "-1", "0", "2", "9" * 30])
def test_another_version_than_the_page_showed_is_refused(client, complete, version):
    response = transmit(client, complete, version=version)
    assert response.status_code == 409
    assert "Le dossier a changé depuis l’affichage" in text_of(response)
    assert not Submission.objects.exists()


def test_a_second_click_shows_the_same_receipt(client, complete):
    first, second = transmit(client, complete), transmit(client, complete)
    assert second.url == first.url == address("submitted", complete)
    assert Submission.objects.count() == 1
    assert Letter.objects.filter(name="submitted").count() == 1


def test_a_dossier_already_sent_is_refused_with_its_own_version(client, complete):
    transmit(client, complete)
    assert transmit(client, complete, version=2).status_code == 409


def test_transmitting_is_a_post(client, complete):
    assert client.get(address("submit", complete)).status_code == 405


def test_a_corrected_candidature_is_sent_again(client, complete):
    transmit(client, complete)
    Application.objects.filter(pk=complete.pk).update(state=State.CHANGES_REQUESTED, version=3)
    ChangeRequest.objects.create(
        application=complete, step="candidature", desk="ars", by=UserFactory(ars=True), message="Le RIB."
    )
    client.post(address("detail", complete), {"bic": "BDFEFRPPCCT"})
    transmit(client, complete, version=3)
    page = text_of(client.get(address("submitted", complete)))
    assert "envoi n° 2" in page
    assert Submission.objects.last().content["answers"]["bic"] == "BDFEFRPPCCT"
    assert Submission.objects.first().content["answers"]["bic"] == "AGRIFRPP"
    assert "Demande de modification" not in text_of(client.get(address("detail", complete)))


def test_there_is_no_receipt_before_a_sending(client, application):
    assert client.get(address("submitted", application)).url == address("detail", application)


def test_a_corrected_declaration_says_that_it_goes_back_to_the_ans(client, referent):
    application = ApplicationFactory(referent=referent, state="declaration_changes_requested")
    ChangeRequest.objects.create(
        application=application,
        step="declaration",
        desk="ans",
        by=UserFactory(ans=True),
        message="Il manque la preuve A.",
    )
    assert "adressée à l’ANS" in text_of(client.get(address("recap", application)))
    detail = text_of(client.get(address("detail", application)))
    assert "Demande de modification du formulaire de déclaration d’atteinte des objectifs" in detail
    transmit(client, application)
    assert "Agence du Numérique en Santé (ANS)" in text_of(client.get(address("submitted", application)))


@pytest.mark.django_db(transaction=True)
def test_ten_simultaneous_clicks_send_once(signed_in, domain, referent):
    application = ApplicationFactory(
        referent=referent, domain=domain, candidature_form=domain.forms.get(step="candidature")
    )
    answer_everything(application)
    client = signed_in(referent)
    cookie = client.cookies

    def click():
        browser = type(client)()
        browser.cookies = cookie
        return transmit(browser, application)

    answers = at_once(*[click] * 10)
    assert {answer.url for answer in answers} == {address("submitted", application)}
    assert Submission.objects.count() == 1
    assert Entry.objects.filter(subject=application.subject, verb="submit").count() == 1
    assert Letter.objects.filter(name="submitted").count() == 1
    assert User.objects.count() == 1
