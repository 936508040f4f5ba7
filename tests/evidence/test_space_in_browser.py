"""The space in a real browser: chosen, dropped, refused, by keyboard, and without script."""

import re

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from applications.models import values_of
from demo.ole import zed_bytes
from demo.specimens import docx, pdf
from evidence.models import Evidence
from tests.browsing import choosing, faults, is_too_wide
from tests.evidence.conftest import dossier_with, put_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SCREENS = [{"width": 1280, "height": 900}, {"width": 390, "height": 844}]


@pytest.fixture
def dossier():
    return dossier_with(
        {"label": "RIB de l’établissement", "max_files": 1, "is_required": True},
        {
            "label": "Liste des domaines Active Directory",
            "formats": ["doc", "docx", "zip"],
            "max_megabytes": 10,
            "max_files": 10,
        },
        {"label": "Conteneur ZED", "formats": ["zed"], "max_megabytes": 49, "max_files": 10},
        {"key": "precision", "kind": "text", "label": "Précision"},
    )


def opened(context, live_server, client, application):
    """The form in a page of that browser; fails on what the content policy or a script complains of."""
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    page = context.new_page()
    page.complaints = []
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("console", lambda said: page.complaints.append(said.text) if "Content Security" in said.text else None)
    page.goto(live_server.url + reverse("applications:detail", args=[application.reference]))
    return page


def space(page, rank: int):
    return page.locator(f"#espace-espace-{rank}")


def file(name: str, content: bytes) -> dict:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


@pytest.mark.parametrize("screen", SCREENS, ids=lambda s: str(s["width"]))
def test_chosen_files_are_sent_and_listed_at_once(context, live_server, signed_in, dossier, screen):
    page = opened(context, live_server, signed_in(dossier.referent), dossier)
    page.set_viewport_size(screen)
    page.get_by_label("Précision").fill("Deux forêts")
    expect(space(page, 1).get_by_role("button", name="Déposer")).to_be_hidden()
    expect(space(page, 2)).to_contain_text(re.compile("Glissez-déposez votre fichier ici.*Parcourir", re.DOTALL))

    space(page, 2).locator("input").set_input_files([file(f"AD {n}.docx", docx(line=str(n))) for n in range(3)])
    expect(space(page, 2).locator("[data-files] > li")).to_have_count(3)
    expect(space(page, 2).locator("[data-messages]")).to_contain_text("«\u00a0AD 2.docx\u00a0» est déposé.")
    space(page, 3).locator("input").set_input_files([file("conteneur.zed", zed_bytes(2_097_152))])
    expect(space(page, 3)).to_contain_text("conteneur.zed")
    expect(page.locator(".ecare-side")).to_contain_text("0/1")
    space(page, 1).locator("input").set_input_files([file("RIB.pdf", pdf())])
    expect(space(page, 1)).to_contain_text("Le nombre maximum de fichiers est atteint")
    expect(space(page, 1).locator("[data-zone]")).to_be_hidden()
    expect(page.locator(".ecare-side")).to_contain_text("1/1")

    assert values_of(dossier)["precision"] == "Deux forêts"
    assert not is_too_wide(page)
    assert faults(page) == []
    assert page.complaints == []


def test_refused_files_say_why_in_their_space(context, live_server, signed_in, dossier):
    page = opened(context, live_server, signed_in(dossier.referent), dossier)
    control, messages = space(page, 2).locator("input"), space(page, 2).locator("[data-messages]")
    control.set_input_files([file("liste.exe", b"MZ")])
    expect(messages).to_contain_text("ce format n’est pas autorisé ici")
    control.set_input_files([file("liste.docx", b"")])
    expect(messages).to_contain_text("ce fichier est vide")
    control.set_input_files([file("liste.docx", bytes(10 * 1024 * 1024 + 1))])
    expect(messages).to_contain_text("dépasse 10\u00a0Mo")
    control.set_input_files([file("faux.docx", pdf()), file("vrai.docx", docx())])
    expect(messages).to_contain_text("son contenu est un PDF")
    expect(messages).to_contain_text("«\u00a0vrai.docx\u00a0» est déposé")
    assert Evidence.objects.count() == 1
    assert page.complaints == []


def test_a_dropped_file_goes_in(context, live_server, signed_in, dossier):
    page = opened(context, live_server, signed_in(dossier.referent), dossier)
    dropped = page.evaluate_handle(
        """(bytes) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], "RIB.pdf", { type: "application/pdf" }));
            return transfer;
        }""",
        list(pdf()),
    )
    control = space(page, 1).locator("input")
    control.dispatch_event("dragenter", {"dataTransfer": dropped})
    expect(space(page, 1).locator(".ecare-space__zone--over")).to_be_visible()
    control.evaluate("(input, transfer) => { input.files = transfer.files; }", dropped)
    control.dispatch_event("drop", {"dataTransfer": dropped})
    control.dispatch_event("change")
    expect(space(page, 1)).to_contain_text("«\u00a0RIB.pdf\u00a0» est déposé")
    assert Evidence.objects.count() == 1


def test_the_keyboard_alone_reaches_the_control(context, live_server, signed_in, dossier):
    page = opened(context, live_server, signed_in(dossier.referent), dossier)
    expect(page.locator("html")).to_have_attribute("data-fr-theme", re.compile("light|dark"))  # every module has run
    with choosing(page, file("RIB.pdf", pdf())):
        space(page, 1).locator("input").press("Space")
    expect(space(page, 1)).to_contain_text("«\u00a0RIB.pdf\u00a0» est déposé")


def test_a_file_is_taken_back_after_a_question(context, live_server, signed_in, dossier):
    put_in(dossier)
    page = opened(context, live_server, signed_in(dossier.referent), dossier)
    page.get_by_label("Précision").fill("Rien n’est perdu")
    space(page, 1).get_by_role("button", name="Retirer").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Retirer ce fichier")
    assert faults(page) == []
    page.get_by_role("button", name="Retirer le fichier").click()
    expect(space(page, 1)).not_to_contain_text("RIB.pdf")
    expect(page.get_by_label("Précision")).to_have_value("Rien n’est perdu")
    assert not Evidence.objects.exists()


def test_without_script_the_form_deposits_too(browser, live_server, signed_in, dossier):
    with browser.new_context(java_script_enabled=False) as context:
        page = opened(context, live_server, signed_in(dossier.referent), dossier)
        page.get_by_label("Précision").fill("Sans script")
        space(page, 2).locator("input").set_input_files([file("liste.docx", docx()), file("faux.docx", pdf())])
        space(page, 2).get_by_role("button", name="Déposer").click()
        expect(space(page, 2).locator("[data-files] > li")).to_have_count(1)
        expect(space(page, 2).locator("[data-messages]")).to_contain_text("faux.docx")
        expect(page.get_by_label("Précision")).to_have_value("Sans script")
        assert page.url.endswith("#espace-espace-2")


@pytest.fixture
def held_back(context, live_server, signed_in, dossier):
    """A page whose file is on its way when « Suivant » is pressed, and the request that carries it."""
    page = opened(context, live_server, signed_in(dossier.referent), dossier)
    requests = []

    def hold(route):
        requests.append(route)

    page.route("**/preuves/", hold)

    def press_next(chosen):
        with page.expect_request("**/preuves/"):
            space(page, 1).locator("input").set_input_files([chosen])
        page.get_by_role("button", name="Suivant").click()
        expect(page.get_by_text("La page continuera dès qu’ils seront arrivés.")).to_be_visible()
        requests[0].continue_()
        return page

    return press_next


def test_going_on_waits_for_the_files_on_their_way(held_back, dossier):
    page = held_back(file("RIB.pdf", pdf()))
    expect(page).to_have_url(re.compile("/recapitulatif/$"))
    expect(page.get_by_role("main")).to_contain_text("RIB.pdf")
    assert [e.file.name for e in Evidence.objects.filter(application=dossier)] == ["RIB.pdf"]


def test_a_refused_file_keeps_the_page_where_it_is(held_back, dossier):
    page = held_back(file("RIB.pdf", b"MZ not a PDF at all"))
    expect(space(page, 1).locator("[data-messages]")).to_contain_text("RIB.pdf")
    expect(page.get_by_text("La page continuera")).to_have_count(0)
    assert not page.url.endswith("/recapitulatif/")
    assert page.complaints == []
