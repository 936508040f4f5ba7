"""What tests ask of a page that is open in a real browser."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

axe = Axe()


def faults(page: Page) -> list[str]:
    """What axe finds, as sentences, once the dialogs that open have come in."""
    for dialog in page.locator("dialog.fr-modal--opened").all():
        expect(dialog).to_have_css("opacity", "1")
    violations = axe.run(page).response["violations"]
    return [f"{v['id']}: {[node['target'] for node in v['nodes']]}" for v in violations]


def is_too_wide(page: Page) -> bool:
    """One would have to scroll sideways."""
    return page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
