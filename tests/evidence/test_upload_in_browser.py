"""Large files in a real browser: a break of the network, a page loaded anew, the place of another file."""

import re

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from applications.models import Application
from demo.specimens import pdf
from evidence.models import Evidence, StoredFile, Upload
from tests.browsing import faults, is_too_wide
from tests.evidence.arriving import LARGE, TWELVE, referred_to, sha256
from tests.evidence.conftest import dossier_with, put_in, stored_names, transmit
from tests.evidence.test_space_in_browser import SCREENS, file, opened, space

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SENT = "«\u00a0grand.pdf\u00a0» est déposé"


@pytest.fixture
def dossier():
    return dossier_with(LARGE | {"label": "Rapport d’audit"}, LARGE | {"label": "Annexes"})


@pytest.fixture
def page(context, live_server, signed_in, dossier):
    page = opened(context, live_server, signed_in(dossier.referent), dossier)
    page.on("dialog", lambda dialog: dialog.accept())  # « Quitter la page ? »
    return page


def choose(page, content=TWELVE, name="grand.pdf", rank=1):
    space(page, rank).locator("input").set_input_files([file(name, content)])


def messages(page, rank=1):
    return space(page, rank).locator("[data-messages]")


def ranks_sent(page) -> list[int]:
    """Of the parts sent from now on."""
    sent = []

    def note(request):
        if found := re.search(r"/parties/(\d+)/$", request.url):
            sent.append(int(found[1]))

    page.on("request", note)
    return sent


def no_violations(page):
    assert faults(page) == []
    assert not is_too_wide(page)


def test_a_large_file_goes_in_parts(page, dossier):
    sent = ranks_sent(page)
    choose(page)
    expect(messages(page)).to_contain_text(SENT)
    assert sent == [0, 1, 2]
    assert StoredFile.objects.get().sha256 == sha256(TWELVE)
    assert stored_names() == referred_to()
    assert page.complaints == []


def test_two_spaces_send_their_large_files_in_turn(page):
    sent = ranks_sent(page)
    choose(page)
    choose(page, pdf(11 * 1024 * 1024), "annexe.pdf", rank=2)
    expect(messages(page)).to_contain_text(SENT)
    expect(messages(page, 2)).to_contain_text("annexe.pdf")
    assert sent == [0, 1, 2, 0, 1, 2]
    assert Evidence.objects.count() == 2


@pytest.mark.parametrize("screen", SCREENS, ids=lambda s: str(s["width"]))
@pytest.mark.parametrize("status", [None, 503])
def test_a_break_of_the_network_resumes_by_itself(page, screen, status):
    page.set_viewport_size(screen)
    page.route("**/parties/1/", lambda route: route.abort() if status is None else route.fulfill(status=status))
    choose(page)
    expect(space(page, 1)).to_contain_text("Envoi interrompu, reprise…")
    expect(space(page, 1).get_by_role("status")).to_contain_text("«\u00a0grand.pdf\u00a0»\u00a0: envoi interrompu")
    no_violations(page)
    page.unroute("**/parties/1/")
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(messages(page)).to_contain_text(SENT)
    assert StoredFile.objects.get().sha256 == sha256(TWELVE)
    assert page.complaints == []


def test_a_lost_answer_puts_the_file_in_once(page):
    lost = []

    def lose(route):
        if lost:
            route.continue_()
        else:
            lost.append(route.fetch())
            route.abort()

    page.route("**/terminer/", lose)
    choose(page)
    expect(messages(page)).to_contain_text(SENT)
    assert lost[0].status == 200
    assert Evidence.objects.count() == 1


def test_after_a_reload_the_same_file_goes_on_where_it_stopped(page):
    page.route("**/parties/2/", lambda route: route.abort())
    choose(page)
    expect(space(page, 1)).to_contain_text("Envoi interrompu, reprise…")
    page.unroute("**/parties/2/")
    page.reload()
    unfinished = space(page, 1).locator("[data-unfinished]")
    expect(unfinished).to_contain_text("grand.pdf")
    expect(unfinished).to_contain_text("10\u00a0Mo sur 12\u00a0Mo")
    no_violations(page)
    sent = ranks_sent(page)
    choose(page)
    expect(messages(page)).to_contain_text(SENT)
    expect(unfinished).to_be_hidden()
    assert sent == [2]
    assert StoredFile.objects.get().sha256 == sha256(TWELVE)


def test_a_file_changed_since_is_sent_anew_where_it_differs(page):
    page.route("**/parties/2/", lambda route: route.abort())
    choose(page)
    expect(space(page, 1)).to_contain_text("Envoi interrompu, reprise…")
    page.unroute("**/parties/2/")
    page.reload()
    changed = TWELVE[: 6 * 1024 * 1024] + b"y" + TWELVE[6 * 1024 * 1024 + 1 :]
    sent = ranks_sent(page)
    choose(page, changed)
    expect(messages(page)).to_contain_text(SENT)
    assert sent == [1, 2]
    assert StoredFile.objects.get().sha256 == sha256(changed)


def test_what_was_forgotten_meanwhile_begins_anew(page):
    page.route("**/parties/2/", lambda route: route.abort())
    choose(page)
    expect(space(page, 1)).to_contain_text("Envoi interrompu, reprise…")
    Upload.objects.all().delete()
    page.unroute("**/parties/2/")
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(messages(page)).to_contain_text(SENT)
    assert Evidence.objects.count() == 1


def test_an_upload_is_given_up_from_the_form(page):
    page.route("**/parties/1/", lambda route: route.abort())
    choose(page)
    expect(space(page, 1)).to_contain_text("Envoi interrompu, reprise…")
    page.reload()
    page.get_by_role("button", name="Abandonner cet envoi").click()
    expect(page.get_by_role("main")).to_contain_text("est abandonné")
    assert not Upload.objects.exists()
    assert not stored_names()


def test_a_refused_large_file_says_why_and_leaves_nothing(page):
    choose(page, b"MZ" + bytes(6 * 1024 * 1024))
    expect(messages(page)).to_contain_text("«\u00a0grand.pdf\u00a0»\u00a0: ce fichier porte l’extension pdf")
    assert not stored_names()


def test_an_ended_session_is_told(page, context):
    page.route("**/parties/1/", lambda route: (context.clear_cookies(), route.continue_()))
    choose(page)
    expect(messages(page)).to_contain_text("l’envoi reprendra où il s’est arrêté")
    assert Upload.objects.get().parts.count() == 1


# --- in the place of another --------------------------------------------------------------------------------------
@pytest.fixture
def sent(dossier):
    evidence = put_in(dossier, name="ancien.pdf")
    transmit(dossier)
    Application.objects.filter(pk=dossier.pk).update(state="changes_requested")
    return evidence


@pytest.mark.parametrize("screen", SCREENS, ids=lambda s: str(s["width"]))
@pytest.mark.parametrize("content", [pdf(line="petit"), TWELVE], ids=["small", "large"])
def test_a_sent_file_is_replaced(sent, page, screen, content):
    page.set_viewport_size(screen)
    space(page, 1).get_by_role("button", name="Remplacer").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Remplacer ce fichier")
    expect(page.get_by_role("button", name="Remplacer le fichier")).to_be_hidden()
    no_violations(page)
    page.locator("#id_replacement").set_input_files([file("nouveau.pdf", content)])
    expect(space(page, 1)).to_contain_text("nouveau.pdf")
    expect(page.get_by_role("main")).to_contain_text("est remplacé")
    page.get_by_text("1 fichier transmis auparavant").click()
    expect(space(page, 1)).to_contain_text("Remplacé par «\u00a0nouveau.pdf\u00a0»")
    expect(space(page, 1)).to_contain_text(sha256(content))
    no_violations(page)
    assert Evidence.objects.get(replaces=sent).file.size == len(content)
    assert page.complaints == []


def test_a_refused_replacement_says_why_on_its_page(sent, page):
    space(page, 1).get_by_role("button", name="Remplacer").click()
    page.locator("#id_replacement").set_input_files([file("faux.pdf", b"bonjour")])
    expect(page.locator("[data-messages]")).to_contain_text("son contenu est du texte")
    assert Evidence.objects.get().withdrawn_after is None


def test_without_script_it_is_replaced_too(browser, live_server, signed_in, dossier, sent):
    with browser.new_context(java_script_enabled=False) as context:
        page = opened(context, live_server, signed_in(dossier.referent), dossier)
        page.goto(live_server.url + reverse("evidence:replace", args=[sent.file_id]))
        page.get_by_role("button", name="Remplacer le fichier").click()
        expect(page.get_by_role("alert")).to_contain_text("Choisissez d’abord un fichier.")
        page.locator("#id_replacement").set_input_files([file("nouveau.pdf", pdf(line="n"))])
        page.get_by_role("button", name="Remplacer le fichier").click()
        expect(space(page, 1)).to_contain_text("nouveau.pdf")
