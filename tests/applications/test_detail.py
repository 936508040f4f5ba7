"""The form of a step: what it shows, what a draft keeps, what is refused without losing anything."""

import html
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from applications.models import Answer, Application, ChangeRequest, Contact, values_of
from applications.states import State
from tests.applications.conftest import CANDIDATURE, page_of, put_evidence
from tests.applications.pages import address, text_of
from tests.factories import ApplicationFactory, FormFactory, SiteFactory, UserFactory


def answers_of(application):
    return values_of(Application.objects.get(pk=application.pk))


def post(client, application, data):
    return client.post(address("detail", application), data)


# --- what it shows ------------------------------------------------------------------------------------------------
def test_it_shows_what_the_guide_shows(client, application, referent):
    page = text_of(client.get(address("detail", application)))
    for said in (
        "Domaine 1 Audits techniques",
        f"Candidature n° <strong>{application.reference}</strong>",
        "Formulaire de candidature",
        "Déclaration d’atteinte des objectifs",
        "Les champs obligatoires sont signalés par un astérisque",
        "En savoir plus sur le domaine",
        "Informations de votre établissement",
        "Entité Juridique Publique hors GHT",
        referent.establishment.name,
        referent.establishment.finess,
        "Rappel des prérequis",
        "0 %",
        "0/22 questions obligatoires répondues",
        "Questions restantes",
        "Contacts de l’établissement",
        "Retour au tableau de bord",
        "Enregistrer comme brouillon",
        "Suivant",
        "Non transmise",
    ):
        assert said in page


def test_the_enter_key_saves_and_never_puts_a_file_in(client, application):
    page = client.get(address("detail", application)).content.decode()
    form = page[page.index("data-step-form") :]
    first = re.search(r"<button[^>]*type=\"submit\"[^>]*>", form).group()
    assert "formaction" not in first


def test_every_question_that_remains_is_linked_to_its_place(client, application):
    page = client.get(address("detail", application)).content.decode()
    links = re.findall(r'href="[^"]*#(question-[a-z0-9-]+)"', page)
    assert len(links) == 22
    assert all(f'id="{link}"' in page for link in links)


def test_a_conditional_question_says_when_it_is_to_be_answered(client, application):
    page = text_of(client.get(address("detail", application)))
    assert page.count("À remplir si « Le prérequis PS1.") == 2
    assert """data-shown-if="{"ps1-1": ["non"]}\"""" in page


def test_a_change_request_stands_at_the_top(client, application):
    Application.objects.filter(pk=application.pk).update(
        state=State.CHANGES_REQUESTED, candidature_submitted_at=timezone.now(), sendings=1
    )
    ChangeRequest.objects.create(
        application=application,
        step="candidature",
        desk="ars",
        by=UserFactory(ars=True),
        message="Le RIB transmis ne correspond pas à l’IBAN.\n<b>Merci</b>",
    )
    page = client.get(address("detail", application)).content.decode()
    assert "Demande de modification du formulaire de candidature" in page
    assert page.index("Le RIB transmis ne correspond pas") < page.index("Informations générales")
    assert "<b>Merci</b>" not in page


def test_the_contacts_card_lists_the_contacts_of_the_form(client, complete):
    page = text_of(client.get(address("detail", complete)))
    assert "Madame Claire Martin" in page
    assert "Monsieur Karim Petit" in page
    assert "+33 4 67 33 67 33" in page


# --- a draft ------------------------------------------------------------------------------------------------------
def test_a_draft_keeps_what_was_typed_and_comes_back(client, application):
    response = post(client, application, page_of(application))
    assert response.url == address("detail", application)
    assert answers_of(application) == CANDIDATURE
    page = text_of(client.get(address("detail", application)))
    assert 'value="FR76 3000 6000 0112 3456 7890 189"' in page
    assert "Votre brouillon est enregistré" in page


def test_an_empty_draft_is_a_draft(client, application):
    assert post(client, application, {"_page": "1"}).status_code == 302
    assert answers_of(application) == {}


def test_an_answer_can_be_taken_back(client, application):
    post(client, application, page_of(application))
    post(client, application, page_of(application, iban="", commitment=False))
    kept = answers_of(application)
    assert (kept["iban"], kept["commitment"]) == ("", False)


def test_suivant_saves_and_goes_to_the_recap(client, application):
    response = post(client, application, page_of(application) | {"_next": "1"})
    assert response.url == address("recap", application)
    assert answers_of(application)["bic"] == "AGRIFRPP"


def test_answers_bound_to_a_contact_are_its_facts(client, application):
    post(client, application, page_of(application))
    dsi = Contact.objects.get(application=application, role="dsi")
    assert (dsi.civility, dsi.last_name, dsi.first_name) == ("madame", "Martin", "Claire")
    assert Contact.objects.get(application=application, role="signatory").phone == "+33467336733"


def test_a_partial_post_touches_only_what_it_names(client, complete):
    post(client, complete, {"bic": "BDFEFRPPCCT"})
    assert answers_of(complete)["bic"] == "BDFEFRPPCCT"
    assert answers_of(complete)["commitment"] is True


def test_an_unknown_name_is_ignored(client, application):
    post(client, application, {"_page": "1", "state": "paid", "referent": "1"})
    assert not Answer.objects.exists()


# --- wrong inputs -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("key", "typed", "message"),
    [
        ("iban", "FR77 3000 6000 0112 3456 7890 189", "La clé de contrôle de cet IBAN est fausse"),
        ("iban", "FR49 3000 6000 0112 3456 7890 190", "La clé RIB de cet IBAN est fausse"),
        ("bic", "AGRI", "Un BIC compte 8 ou 11 caractères"),
        ("dsi-email", "claire.martin(at)exemple.fr", "Cette adresse e-mail n’est pas valable"),
        ("signatory-phone", "04 67", "Ce numéro de téléphone n’est pas reconnu"),
        ("account-holder", "x" * 201, "Ce texte est trop long"),
        ("dsi-last-name", "x" * 151, "Ce texte est trop long"),
        ("dsi-civility", "docteur", "Choisissez une réponse de la liste"),
        ("ps1-1", "peut-être", "Choisissez une réponse de la liste"),
    ],
)
def test_a_wrong_value_is_explained_and_nothing_is_lost(client, application, key, typed, message):
    data = page_of(application) | {key: typed, "_next": "1"}
    response = post(client, application, data)
    page = text_of(response)
    assert response.status_code == 200
    assert message in page
    assert "Une réponse est à corriger" in page
    if key not in ("dsi-civility", "ps1-1"):
        assert html.escape(typed) in response.content.decode()
    assert answers_of(application) == {name: value for name, value in CANDIDATURE.items() if name != key}
    assert f"{len(CANDIDATURE) - 1}/2" in page


def test_several_wrong_values_are_all_listed(client, application):
    page = text_of(post(client, application, page_of(application, iban="FR", bic="X")))
    assert "Des réponses sont à corriger" in page
    assert "n’a pas la bonne longueur" in page or "n’est pas reconnu" in page
    assert "Un BIC compte" in page


def test_a_wrong_value_does_not_erase_the_good_one_that_was_kept(client, complete):
    post(client, complete, page_of(complete, iban="FR77"))
    assert answers_of(complete)["iban"] == CANDIDATURE["iban"]


def test_hostile_text_is_shown_as_text(client, application):
    post(client, application, page_of(application, account_holder="<script>alert(1)</script>"))
    for page in ("detail", "recap"):
        assert b"<script>alert(1)" not in client.get(address(page, application)).content


# --- the checklist of attached entities ---------------------------------------------------------------------------
def test_tout_confirmer_works_without_script(client, application, referent):
    sites = [
        referent.establishment.legal_entity.sites.get(),
        *SiteFactory.create_batch(2, legal_entity=referent.establishment.legal_entity),
    ]
    post(client, application, {"_page": "1", "entities:all": "1", f"entities:{sites[1].finess}:reason": "Fermé"})
    assert answers_of(application)["entities"] == {sites[0].finess: "", sites[1].finess: "Fermé", sites[2].finess: ""}


def test_an_entity_both_confirmed_and_refused_is_explained(client, application, referent):
    site = referent.establishment.legal_entity.sites.get()
    data = {"_page": "1", f"entities:{site.finess}": "on", f"entities:{site.finess}:reason": "Fermé"}
    response = post(client, application, data)
    assert f"{site.name} : décochez « Confirmée » ou effacez le motif." in text_of(response)
    assert 'value="Fermé"' in response.content.decode()


def test_an_entity_that_joins_later_is_to_be_confirmed_too(client, complete, referent):
    assert "22/22 questions" in text_of(client.get(address("detail", complete)))
    SiteFactory(legal_entity=referent.establishment.legal_entity)
    assert "21/22 questions" in text_of(client.get(address("detail", complete)))


def test_an_establishment_without_entities_has_nothing_to_confirm(client, complete, referent):
    referent.establishment.legal_entity.sites.all().delete()
    page = text_of(client.get(address("detail", complete)))
    assert "il n’y a rien à confirmer" in page
    assert "22/22 questions" in page


def test_the_largest_private_entity_fits_in_one_post(client, application, referent):
    entity = referent.establishment.legal_entity
    SiteFactory.create_batch(527, legal_entity=entity)
    data = page_of(application)
    for site in entity.sites.all():
        data |= {f"entities:{site.finess}": "on", f"entities:{site.finess}:reason": ""}
    assert post(client, application, data).status_code == 302
    assert len(answers_of(application)["entities"]) == 528


# --- files --------------------------------------------------------------------------------------------------------
def test_a_file_posted_with_the_page_is_handed_to_the_vault_with_all_the_rest(client, application):
    data = page_of(application) | {"rib": SimpleUploadedFile("RIB.pdf", b"%PDF-1.4")}
    response = post(client, application, data)
    assert response.status_code == 307
    assert response.url == reverse("evidence:add", args=[application.reference])


# --- who and when -------------------------------------------------------------------------------------------------
def test_nobody_but_its_referent_opens_it(application, signed_in):
    establishment = application.establishment
    for person, status in (
        (UserFactory(establishment=establishment), 404),
        (UserFactory(), 404),
        (UserFactory(administrator=True), 404),
        (UserFactory(ars=True), 404),
        (UserFactory(ars=True, regions=[establishment.region]), 403),
        (UserFactory(ans=True), 403),
    ):
        for name in ("detail", "step", "recap", "submitted", "withdraw"):
            assert signed_in(person).get(address(name, application)).status_code == status
        assert signed_in(person).post(address("detail", application), {"bic": "X"}).status_code == status
        assert signed_in(person).post(address("submit", application), {"version": 1}).status_code == status
    assert not Answer.objects.exists()


@pytest.mark.parametrize("state", [state for state in State.values if state not in ("draft", "withdrawn", "abandoned")])
def test_every_state_has_its_page(client, referent, state):
    application = ApplicationFactory(referent=referent, state=state)
    page = text_of(client.get(address("detail", application)))
    assert ("data-step-form" in page) == application.is_editable
    assert application.get_state_display() in page


@pytest.mark.parametrize("state", ["submitted", "accepted", "under_control", "paid", "withdrawn"])
def test_a_dossier_that_is_elsewhere_is_read_and_cannot_be_typed_in(client, referent, state):
    application = ApplicationFactory(referent=referent, state=state)
    response = post(client, application, {"_page": "1", "precision": "Trop tard"})
    assert response.status_code == 409
    assert not Answer.objects.filter(value="Trop tard").exists()


def test_the_candidature_stays_visible_from_the_declaration(client, complete, domain):
    Application.objects.filter(pk=complete.pk).update(
        state=State.DECLARATION_OPEN,
        candidature_submitted_at=timezone.now(),
        convention_signed_on=timezone.localdate(),
        declaration_form=domain.forms.get(step="declaration"),
    )
    page = text_of(client.get(address("detail", complete)))
    assert "0/13 questions obligatoires répondues" in page
    assert address("step", complete) in page
    past = text_of(client.get(address("step", complete)))
    assert "Madame" in past
    assert "FR76 3000 6000 0112 3456 7890 189" in past
    assert "data-step-form" not in past
    assert "Documents justifiant" not in past


def test_the_page_of_the_first_step_leads_to_the_form_while_it_is_the_present_one(client, application):
    assert client.get(address("step", application)).url == address("detail", application)


def test_two_steps_may_share_a_key(client, referent):
    application = ApplicationFactory(referent=referent, state="declaration_open")
    post(client, application, {"_page": "1", "precision": "Déclaration"})
    assert answers_of(application) == {"precision": "Déclaration"}
    assert values_of(application, application.candidature_form) == {}


@pytest.mark.parametrize("spaces", [["rib"], ["rib", "ps1-1-documents", "ps1-2-documents"]])
def test_the_number_of_queries_does_not_grow_with_the_answers(client, application, spaces, django_assert_num_queries):
    if len(spaces) > 1:
        post(client, application, page_of(application))
    for space in spaces:
        put_evidence(application, space)
    client.get(address("detail", application))
    with django_assert_num_queries(13):
        client.get(address("detail", application))


def test_a_form_of_every_kind_shows_and_keeps(client, referent):
    kinds = {
        "long_text": "Un\nDeux",
        "number": "12",
        "amount": "7 000,50",
        "date": "2026-11-21",
        "choices": ["a", "b"],
        "siret": "",
    }
    questions = [
        {"key": f"k-{kind.replace('_', '-')}", "kind": kind, "choices": [["a", "A"], ["b", "B"], ["c", "C"]]}
        for kind in kinds
    ]
    form = FormFactory(questions=questions)
    application = ApplicationFactory(referent=referent, domain=form.domain, candidature_form=form)
    data = {f"k-{kind.replace('_', '-')}": typed for kind, typed in kinds.items()}
    assert post(client, application, data | {"_page": "1"}).status_code == 302
    assert answers_of(application) == {
        "k-long-text": "Un\nDeux",
        "k-number": 12,
        "k-amount": 700050,
        "k-date": "2026-11-21",
        "k-choices": ["a", "b"],
    }
    page = text_of(client.get(address("recap", application)))
    for said in ("7 000,50 €", "21 novembre 2026", "A, B"):
        assert said in page
