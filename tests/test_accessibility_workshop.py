"""The pages of the administration that are ours: no fault that axe finds on a large and on a narrow screen, nothing
wider than the screen, nothing that the browser complains of; the editor of a question works with its script."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Terms
from applications import versions
from applications.models import Bracket, Question
from applications.states import State
from ecare.journal.actions import record
from ecare.letters import wording
from ecare.letters.emails import compose
from ecare.letters.specimens import CASES
from establishments.models import DirectoryImport, ImportRequest
from systems.actions import issue_token
from systems.models import System, Token, Usage
from systems.rules import Reach
from tests.browsing import LARGE, NARROW, faults, is_too_wide
from tests.factories import ApplicationFactory, EstablishmentFactory, FormFactory
from tests.webhooks.conftest import subscribe
from webhooks import couriers, deliveries

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
BY = ("user:1", "Alix (Administrateur)")


@pytest.fixture
def workshop(administrator):
    """One of everything that a page of the workshop is about."""
    EstablishmentFactory(as_ght=True)
    form = FormFactory(
        questions=[
            {"key": "met", "kind": "choice", "label": "Prérequis", "choices": [["oui", "Oui"], ["non", "Non"]]},
            {"key": "rib", "kind": "evidence", "label": "RIB", "formats": ["pdf"], "shown_if": {"met": ["non"]}},
            {"key": "entities", "kind": "checklist", "label": "Entités"},
            {"key": "costs", "kind": "expenses", "label": "Dépenses"},
        ]
    )
    ApplicationFactory(domain=form.domain, candidature_form=form, state=State.DRAFT)
    Bracket.objects.create(domain=form.domain, kind="ght", days_from=0, ceiling=700_000)
    draft = versions.duplicate(form, by=administrator)
    Question.objects.filter(section__form=draft, key="rib").update(label="Fichier RIB", formats=[])
    return {
        "form": form,
        "draft": draft,
        "import": _an_import(),
        "letter": _a_letter(),
        "token": _a_token(administrator),
        "terms": _some_terms(),
    } | _a_trial()


def _a_token(administrator) -> Token:
    system = System.objects.create(name="Entrepôt", contact="responsable@exemple.fr", purpose="Suivre le programme")
    reach = Reach(scopes=["dossiers"], all_domains=True, all_regions=True)
    said = {"label": "Chargement de nuit", "expires_on": timezone.localdate() + timedelta(days=90)}
    token, _ = issue_token(system, reach, by=administrator, at=timezone.now(), **said)
    Usage.objects.create(token=token, day=timezone.localdate(), requests=12, dossiers=340, refusals=1)
    return token


def _some_terms() -> Terms:
    return Terms.objects.create(version="2.0", text="# Objet\n\nLes conditions.")


def _an_import() -> ImportRequest:
    counts = {kind: dict.fromkeys(DirectoryImport.MEASURES, 9) for kind in DirectoryImport.KINDS}
    remark = {"file": "a.csv", "line": 2, "severity": "refused", "reason": "clé FINESS fausse : 123456789"}
    trial = {"files": [{"name": "a.csv", "stamp": "", "lines": 9}], "counts": counts, "remarks": [remark] * 60}
    return ImportRequest.objects.create(asked_at=timezone.now(), by="Alix", files=[], state="tried", trial=trial)


def _a_letter():
    text = wording.save_text("paid", title="Versé", body="Bonjour.", by=BY, at=timezone.now(), shown=0)
    wording.put_in_force(text, by=BY, at=timezone.now())
    record("domain:domaine-1", "publish")
    letter = compose("paid", to="camille@exemple.fr", context=CASES[0])
    letter.save()
    return letter


def _a_trial() -> dict:
    """Of a subscription whose receiver is not there."""
    subscription = subscribe("http://127.0.0.1:9/ecare")
    trial = deliveries.begin_test(subscription, by=BY, at=timezone.now())
    couriers.send(trial)
    return {"subscription": subscription, "delivery": trial}


def pages(world) -> list[str]:
    form, draft = world["form"], world["draft"]
    met, section = (
        Question.objects.get(section__form=draft, key="met"), draft.sections.get()
    )  # fmt: skip
    return [
        reverse("admin:index"),
        reverse("admin:applications_domain_changelist"),
        reverse("admin:applications_domain_change", args=[form.domain_id]),
        reverse("admin:applications_domain_scale", args=[form.domain_id]),
        reverse("admin:applications_formversion_changelist"),
        reverse("admin:applications_formversion_add"),
        *(
            reverse(f"admin:applications_formversion_{page}", args=[draft.pk])
            for page in ("change", "preview", "publish", "compare")
        ),
        reverse("admin:applications_formversion_change", args=[form.pk]),
        reverse("admin:applications_section_change", args=[section.pk]),
        reverse("admin:applications_question_change", args=[met.pk]),
        f"{reverse('admin:applications_question_add')}?section={section.pk}",
        reverse("admin:applications_question_change", args=[Question.objects.get(section__form=form, key="rib").pk]),
        reverse("admin:establishments_importrequest_changelist"),
        reverse("admin:establishments_importrequest_add"),
        reverse("admin:establishments_importrequest_change", args=[world["import"].pk]),
        reverse("admin:letters_letter_changelist"),
        reverse("admin:letters_letter_change", args=[world["letter"].pk]),
        reverse("admin:letters_lettertext_changelist"),
        reverse("admin:letters_lettertext_write", args=["paid"]),
        reverse("admin:letters_lettertext_preview", args=["paid"]),
        reverse("admin:systems_system_changelist"),
        reverse("admin:systems_system_add"),
        reverse("admin:systems_system_change", args=[world["token"].system_id]),
        reverse("admin:systems_token_changelist"),
        reverse("admin:systems_token_add"),
        reverse("admin:systems_token_change", args=[world["token"].pk]),
        reverse("admin:systems_usage_changelist"),
        *(
            reverse(f"admin:accounts_terms_{page}", args=[world["terms"].pk])
            for page in ("change", "preview", "publish")
        ),
        reverse("admin:accounts_terms_changelist"),
        reverse("admin:journal_entry_changelist"),
        f"{reverse('admin:journal_entry_verify')}?objet=domain:domaine-1",
        reverse("admin:webhooks_subscription_changelist"),
        reverse("admin:webhooks_subscription_add"),
        *(
            reverse(f"admin:webhooks_subscription_{page}", args=[world["subscription"].pk])
            for page in ("change", "rotate", "suspend", "end", "replay")
        ),
        f"{reverse('admin:webhooks_subscription_replay', args=[world['subscription'].pk])}?since=demain",
        reverse("admin:webhooks_delivery_changelist"),
        reverse("admin:webhooks_delivery_change", args=[world["delivery"].pk]),
    ]


@pytest.fixture
def browser_page(page, live_server, signed_in, administrator):
    """The administrator's browser; `complaints`: what it says of the policy, and of scripts that fail."""
    page.complaints = []
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("console", lambda said: page.complaints.append(said.text) if "Content Security" in said.text else None)
    value = signed_in(administrator).cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": value, "url": live_server.url}])
    return page


def test_every_page_of_the_workshop(browser_page, live_server, workshop):
    found = {}
    for address in pages(workshop):
        browser_page.complaints.clear()  # axe itself styles the page that it examines
        browser_page.set_viewport_size(LARGE)
        assert browser_page.goto(live_server.url + address).status == 200, address
        assert browser_page.complaints == [], address
        for screen in (LARGE, NARROW):
            browser_page.set_viewport_size(screen)
            told = faults(browser_page) + (["too wide"] if is_too_wide(browser_page) else [])
            if told:
                found[address, screen["width"]] = told
    assert found == {}


def test_a_question_shows_what_its_kind_needs_and_a_fault_stays_in_sight(browser_page, live_server, workshop):
    section = workshop["draft"].sections.get()
    browser_page.goto(f"{live_server.url}{reverse('admin:applications_question_add')}?section={section.pk}")
    spaces, box = browser_page.locator("#id_max_files"), browser_page.locator("#id_checkbox_label")
    browser_page.select_option("#id_kind", "evidence")
    expect(spaces).to_be_visible()
    expect(box).to_be_hidden()
    browser_page.fill("#id_max_files", "3")
    browser_page.select_option("#id_kind", "checkbox")
    expect(spaces).to_be_hidden()
    expect(box).to_be_visible()
    browser_page.fill("#id_label", "Engagement")
    browser_page.fill("#id_checkbox_label", "Je m’engage")
    browser_page.click("input[name=_save]")
    expect(spaces).to_be_visible()
    expect(browser_page.locator(".errorlist").first).to_contain_text(re.compile("Seul un espace de dépôt"))
    assert browser_page.complaints == []
    assert faults(browser_page) == []
