"""The recap of a dossier, printed: what was answered, without what one clicks on."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from applications.models import Answer, Question
from tests.factories import ApplicationFactory, FormFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_on_paper_the_answers_stand_without_what_one_clicks_on(page, live_server, signed_in):
    form = FormFactory(questions=[{"key": "name", "label": "Titulaire du compte"}])
    dossier = ApplicationFactory(domain=form.domain, candidature_form=form)
    question = Question.objects.get(section__form=form)
    Answer.objects.create(application=dossier, question=question, value="CH de la Ville")
    session = signed_in(dossier.referent).cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page.goto(live_server.url + reverse("applications:recap", args=[dossier.reference]))
    clicked_on = [
        page.locator("header.fr-header"),
        page.locator("footer.fr-footer"),
        page.locator(".ecare-side"),
        page.get_by_role("button", name="Imprimer"),
        page.get_by_role("button", name="Transmettre votre candidature"),
        page.get_by_role("link", name="Modifier votre saisie"),
    ]
    for element in clicked_on:
        expect(element).to_be_visible()
    page.emulate_media(media="print")
    for element in clicked_on:
        expect(element).to_be_hidden()
    for said in (dossier.reference, "Titulaire du compte", "CH de la Ville", dossier.establishment.name):
        expect(page.get_by_role("main").get_by_text(said).first).to_be_visible()
