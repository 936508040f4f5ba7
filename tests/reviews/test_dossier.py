"""The dossier as a reviewer reads it: what was sent, never a draft."""

import pytest
from django.urls import reverse
from django.utils import timezone

from applications import actions
from applications.models import Application, ChangeRequest, questions_of
from applications.states import Desk, State, Step
from ecare.letters.models import Letter
from establishments.models import Establishment
from evidence.models import Evidence, StoredFile
from tests.applications.life_cycle import dossier, people, perform
from tests.factories import (
    ApplicationFactory,
    DomainFactory,
    EstablishmentFactory,
    FormFactory,
    GhtFactory,
    LegalEntityFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

QUESTIONS = [
    {"key": "holder", "kind": "text", "label": "Titulaire du compte", "is_required": False},
    {"key": "amount", "kind": "amount", "label": "Montant demandé", "is_required": False},
    {"key": "iban", "kind": "iban", "label": "IBAN", "is_required": False},
    {"key": "met", "kind": "choice", "label": "Prérequis atteint", "choices": [["oui", "Oui"], ["non", "Non"]]},
    {"key": "why", "kind": "text", "label": "Pourquoi ce manque", "is_required": False, "shown_if": {"met": ["non"]}},
    {"key": "entities", "kind": "checklist", "label": "Entités rattachées", "is_required": False},
    {"key": "rib", "kind": "evidence", "label": "RIB", "is_required": False, "formats": ["pdf"]},
    {"key": "container", "kind": "evidence", "label": "Conteneur", "is_required": False, "formats": ["zed"]},
    {
        "key": "dsi-name",
        "kind": "text",
        "label": "Nom du DSI",
        "is_required": False,
        "contact_role": "dsi",
        "contact_field": "last_name",
    },
]


@pytest.fixture
def cast():
    return people(EstablishmentFactory())


@pytest.fixture
def draft(cast):
    """A candidature being filled by its référent, with every kind of answer that reads differently."""
    domain = DomainFactory()
    form = FormFactory(domain=domain, questions=QUESTIONS)
    application = ApplicationFactory(referent=cast["owner"], domain=domain, candidature_form=form)
    answer(application, holder="CHU DE MONTPELLIER", met="oui", amount=700050, **{"dsi-name": "Roux"})
    return application


def answer(application, **values):
    actions.save_answers(application, by=application.referent, values=values, at=timezone.now())


def put(application, key, name, scan):
    """A file in a space, as the vault registers it."""
    question = next(q for q in questions_of(application.form) if q.key == key)
    file = StoredFile.objects.create(
        name=name,
        size=1536 * 1024,
        sha256=name[0].lower() * 64,
        media_type="application/pdf",
        storage_name=f"aa/{name}",
        key_name="embedded",
        scan=scan,
        created_by=application.referent,
    )
    Evidence.objects.create(application=application, question=question, file=file, added_after=application.sendings)
    value = [{"id": str(file.pk), "name": file.name, "size": file.size, "sha256": file.sha256}]
    actions.write_answer(application, question, value)
    return file


def now(application):
    return Application.objects.get(pk=application.pk)


def send(application):
    perform("submit", now(application), by=application.referent)
    return now(application)


def address(application):
    return reverse("reviews:dossier", args=[application.reference])


def read(browser, application):
    answer = browser.get(address(application))
    assert answer.status_code == 200
    return answer.content.decode().replace("\u00a0", " ").replace("&nbsp;", " ")


# --- who sees it --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("owner", 403),
        ("colleague", 404),
        ("stranger", 404),
        ("ars", 200),
        ("ars_elsewhere", 404),
        ("ans", 200),
        ("administrator", 404),
    ],
)
@pytest.mark.parametrize("state", ["draft", "submitted", "under_control", "abandoned"])
def test_only_the_reviewers_of_the_region_and_the_ans_open_it(role, status, state, cast, signed_in):
    application = dossier(state, owner=cast["owner"])
    assert signed_in(cast[role]).get(address(application)).status_code == status


def test_an_anonymous_visitor_is_led_to_the_sign_in(cast, client):
    application = dossier("submitted", owner=cast["owner"])
    assert client.get(address(application)).url.startswith(reverse("account_login"))


def test_a_reference_that_does_not_exist_is_not_found(cast, signed_in):
    assert signed_in(cast["ans"]).get("/verification/AAAAAAAAAA/").status_code == 404


# --- what was sent, and only that ---------------------------------------------------------------------------------
def test_a_draft_shows_that_it_exists_and_nothing_of_its_content(draft, cast, signed_in):
    put(draft, "rib", "Rib secret.pdf", StoredFile.Scan.CLEAN)
    page = read(signed_in(cast["ars"]), draft)
    assert draft.reference in page
    assert "Candidature en préparation" in page
    for secret in ("CHU DE MONTPELLIER", "7 000,50", "Roux", "Rib secret"):
        assert secret not in page


def test_answers_read_as_a_person_would_say_them(draft, cast, signed_in):
    answer(draft, iban="FR7630001007941234567890185")
    page = read(signed_in(cast["ars"]), send(draft))
    for said in ("CHU DE MONTPELLIER", "7 000,50 €", "FR76 3000 1007 9412 3456 7890 185", "Prérequis atteint", "Roux"):
        assert said in page


def test_a_question_that_the_answers_hid_is_absent(draft, cast, signed_in):
    answer(draft, met="non", why="Aucun audit n’a été fait.")
    answer(draft, met="oui")
    page = read(signed_in(cast["ars"]), send(draft))
    assert "Pourquoi ce manque" not in page
    assert "Aucun audit" not in page


def test_while_it_is_being_corrected_the_former_sending_is_read(draft, cast, signed_in):
    put(draft, "rib", "Ancien.pdf", StoredFile.Scan.CLEAN)
    sent = send(draft)
    perform("request_changes", sent, by=cast["ars"])
    answer(now(draft), holder="AUTRE TITULAIRE", **{"dsi-name": "Delmas"})
    put(now(draft), "rib", "Nouveau.pdf", StoredFile.Scan.CLEAN)
    page = read(signed_in(cast["ars"]), draft)
    for said in (
        "Modification demandée",
        "Le RIB transmis ne correspond pas",
        "CHU DE MONTPELLIER",
        "Roux",
        "Ancien.pdf",
    ):
        assert said in page
    for unsent in ("AUTRE TITULAIRE", "Delmas", "Nouveau.pdf"):
        assert unsent not in page


def test_after_a_correction_the_reviewer_sees_what_changed_and_what_it_was(draft, cast, signed_in):
    first = send(draft)
    digest = first.submissions.get().digest
    perform("request_changes", first, by=cast["ars"])
    answer(now(draft), holder="AUTRE TITULAIRE")
    page = read(signed_in(cast["ars"]), send(draft))
    assert "1 réponse modifiée depuis l’envoi précédent" in page
    assert "AUTRE TITULAIRE" in page
    assert "Avant : CHU DE MONTPELLIER" in page
    assert "Envoi n° 2" in page
    assert "Envois précédents" in page
    assert digest in page


def test_a_declaration_being_filled_is_not_read_but_the_candidature_is(draft, cast, signed_in):
    FormFactory(domain=draft.domain, step=Step.DECLARATION, questions=[{"key": "note", "label": "Note"}])
    perform("accept", send(draft), by=cast["ars"])
    perform("sign_convention", now(draft), by=cast["ans"])
    answer(now(draft), note="Brouillon de la déclaration")
    page = read(signed_in(cast["ans"]), draft)
    assert "CHU DE MONTPELLIER" in page
    assert "Déclaration en préparation" in page
    assert "Brouillon de la déclaration" not in page


def test_the_form_version_that_was_sent_gives_the_labels(draft, cast, signed_in):
    sent = send(draft)
    FormFactory(domain=draft.domain, number=2, questions=[{"key": "holder", "label": "Nouvel intitulé"}])
    page = read(signed_in(cast["ars"]), sent)
    assert "Titulaire du compte" in page
    assert "Nouvel intitulé" not in page


def test_what_a_referent_typed_stays_text(draft, cast, signed_in):
    answer(draft, holder="<script>alert(1)</script>")
    page = read(signed_in(cast["ars"]), send(draft))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


# --- files --------------------------------------------------------------------------------------------------------
def test_a_file_shows_name_size_digest_and_its_download(draft, cast, signed_in):
    file = put(draft, "rib", "Rib.pdf", StoredFile.Scan.CLEAN)
    page = read(signed_in(cast["ars"]), send(draft))
    assert reverse("evidence:download", args=[file.pk]) in page
    for said in ("Rib.pdf", "1,5 Mo", file.sha256):
        assert said in page


def test_only_the_ans_may_download_a_container_and_the_ars_reads_why(draft, cast, signed_in):
    file = put(draft, "container", "Preuves.zed", StoredFile.Scan.CONTAINER)
    sent = send(draft)
    link = reverse("evidence:download", args=[file.pk])
    page = read(signed_in(cast["ars"]), sent)
    assert link not in page
    for said in ("Preuves.zed", "1,5 Mo", file.sha256, "seule l’ANS peut le télécharger"):
        assert said in page
    assert link in read(signed_in(cast["ans"]), sent)


@pytest.mark.parametrize(
    ("scan", "said"),
    [
        (StoredFile.Scan.PENDING, "Analyse antivirus en cours"),
        (StoredFile.Scan.INFECTED, "Infecté, en quarantaine"),
        (StoredFile.Scan.FAILED, "L’antivirus n’a pas pu analyser ce fichier"),
    ],
)
def test_a_file_that_is_not_known_to_be_clean_has_no_link(scan, said, draft, cast, signed_in):
    file = put(draft, "rib", "Rib.pdf", StoredFile.Scan.PENDING)
    sent = send(draft)
    StoredFile.objects.update(scan=scan)
    page = read(signed_in(cast["ars"]), sent)
    assert reverse("evidence:download", args=[file.pk]) not in page
    assert said in page


# --- around it ----------------------------------------------------------------------------------------------------
def test_the_establishment_reads_from_the_directory_with_its_entities(cast, signed_in):
    member = LegalEntityFactory(name="CH DE SÈTE")
    establishment = EstablishmentFactory(as_ght=True, ght=GhtFactory(code="OCC-04", members=[member]))
    application = dossier("submitted", owner=UserFactory(establishment=establishment))
    page = read(signed_in(cast["ans"]), application)
    for said in ("OCC-04", establishment.finess, "CH DE SÈTE", member.finess, "2 entités rattachées", "ARS Occitanie"):
        assert said in page


def test_a_closed_establishment_is_said_and_an_open_one_is_not(cast, signed_in):
    application, said = (
        dossier("submitted", owner=cast["owner"]),
        "Cet établissement est fermé dans le répertoire FINESS.",
    )
    assert said not in read(signed_in(cast["ars"]), application)
    Establishment.objects.filter(pk=application.establishment_id).update(closed_on="2026-11-02")
    assert said in read(signed_in(cast["ars"]), application)


def test_a_checklist_names_each_entity_and_the_reason_given(cast, signed_in):
    member = LegalEntityFactory(name="CH DE SÈTE")
    establishment = EstablishmentFactory(as_ght=True, ght=GhtFactory(members=[member]))
    domain = DomainFactory()
    form = FormFactory(domain=domain, questions=QUESTIONS)
    application = ApplicationFactory(
        referent=UserFactory(establishment=establishment), domain=domain, candidature_form=form
    )
    answer(application, met="oui", entities={member.finess: "Quitte le groupement", establishment.finess: ""})
    page = read(signed_in(cast["ans"]), send(application))
    assert "Quitte le groupement" in page


def test_history_says_who_did_what_and_why_but_not_what_a_draft_holds(draft, cast, signed_in):
    perform("request_changes", send(draft), by=cast["ars"])
    page = read(signed_in(cast["ans"]), draft)
    assert "a transmis la candidature" in page
    assert "a demandé une modification" in page
    assert cast["ars"].actor[1] in page
    assert "Le RIB transmis ne correspond pas à l’IBAN." in page
    assert "evidence" not in page.partition("Historique")[2].partition("Courriers")[0]


def test_letters_show_to_whom_and_whether_they_left(draft, cast, signed_in):
    sent = send(draft)
    Letter.objects.filter(name="to_review").update(state=Letter.State.FAILED, error="550 unknown user")
    page = read(signed_in(cast["ars"]), sent)
    for said in (cast["owner"].email, "En attente d’envoi", "Échec", "550 unknown user"):
        assert said in page


def test_other_dossiers_of_the_establishment_are_at_hand(cast, signed_in):
    one, other = (dossier("submitted", owner=cast["owner"]) for _rank in range(2))
    assert address(other) in read(signed_in(cast["ars"]), one)


@pytest.mark.parametrize("role", ["ars", "ans"])
@pytest.mark.parametrize("state", list(State))
def test_only_decisions_that_may_be_taken_now_have_a_button(role, state, cast, signed_in):
    application = dossier(state, owner=cast["owner"])
    answer = signed_in(cast[role]).get(address(application))
    offered = {decision["url"] for decision in answer.context["decisions"]}
    browser = signed_in(cast[role])
    for verb in (
        "accept",
        "request_changes",
        "reject",
        "reopen",
        "send_back",
        "sign_convention",
        "record_payment",
        "cancel_changes",
    ):
        url = reverse(f"reviews:{verb}", args=[application.reference])
        assert (url in offered) is (browser.get(url).status_code == 200), verb


def test_why_the_ans_sent_it_back_stands_on_top_until_it_moves_on(cast, signed_in):
    application, browser = dossier("under_control", owner=cast["owner"]), signed_in(cast["ars"])
    perform("send_back", application, by=cast["ans"])
    page = read(browser, application)
    top = page.partition('id="renvoi"')[2].partition("</section>")[0]
    assert "Renvoyé par l’ANS le" in top and "Le RIB transmis ne correspond pas à l’IBAN." in top
    perform("accept", now(application), by=cast["ars"])
    assert 'id="renvoi"' not in read(browser, application)


def test_the_next_dossier_is_that_of_the_list_one_came_from(cast, signed_in):
    listed = [dossier("submitted", owner=cast["owner"]) for _rank in range(3)]
    browser = signed_in(cast["ars"])
    assert "Dossier suivant" not in read(browser, listed[0])
    browser.get(reverse("reviews:queue"), {"sort": "reference"})
    first, second, last = sorted(listed, key=str)
    perform("reject", first, by=cast["ars"])
    assert f'href="{address(second)}">Dossier suivant' in read(browser, first), "also once it has left the list"
    assert "Dossier suivant" not in read(browser, last)


@pytest.mark.parametrize("count", [1, 3])
def test_a_dossier_asks_the_database_as_much_for_three_of_everything_as_for_one(
    count, draft, cast, signed_in, django_assert_num_queries
):
    for rank in range(count):
        put(draft, "rib", f"{rank}.pdf", StoredFile.Scan.CLEAN)
        dossier("submitted", owner=cast["owner"])
        if rank:
            ChangeRequest.objects.filter(application=draft).update(answered_at=timezone.now())
            perform("request_changes", now(draft), by=cast["ars"])
        send(draft)
    assert now(draft).change_requests.filter(desk=Desk.ARS).count() == count - 1
    browser = signed_in(cast["ans"])
    with django_assert_num_queries(28):
        browser.get(address(draft))
