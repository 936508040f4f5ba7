"""What tests ask of a page that is open in a real browser, and who opens it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.urls import resolve
from playwright.sync_api import FilePayload, Locator, Page, expect

from accounts.models import User

axe = Axe()
MOST_STEPS = 80  # tabs from one end of a page to the other, and more

# 640 px is also a screen of 1,280 px enlarged twice, and 320 px one enlarged four times.
LARGE, MIDDLE, NARROW = ({"width": width, "height": 800} for width in (1280, 640, 320))


def faults(page: Page) -> list[str]:
    """What axe finds, as sentences, once the dialogs that open have come in."""
    for dialog in page.locator("dialog.fr-modal--opened").all():
        expect(dialog).to_have_css("opacity", "1")
    violations = axe.run(page).response["violations"]
    return [f"{v['id']}: {[node['target'] for node in v['nodes']]}" for v in violations]


def is_too_wide(page: Page) -> bool:
    """One would have to scroll sideways; on a large screen also inside a list; or a card of a list is cut."""
    return page.evaluate(
        """() => document.documentElement.scrollWidth > document.documentElement.clientWidth
        || (innerWidth >= 1280 && [...document.querySelectorAll(".fr-table__content, #changelist .results")].some(
             (one) => one.scrollWidth > one.clientWidth + 1))
        || (innerWidth < 576 && [...document.querySelectorAll(".ecare-cards td, .ecare-people td")].some(
             (one) => one.scrollWidth > one.clientWidth + 1))"""
    )


def openers(page: Page) -> list[Locator]:
    """Links that open a dialog of this page, and are seen."""
    return [one for one in page.locator("main a[data-fr-opened][aria-controls]").all() if one.is_visible()]


def is_inside(page: Page, dialog: str) -> bool:
    """The keyboard is in that dialog."""
    return page.evaluate("name => document.getElementById(name).contains(document.activeElement)", dialog)


def tab_to(page: Page, target: Locator, *, key: str = "Tab", most: int = MOST_STEPS) -> None:
    """Press a key until the target has the focus."""
    for _ in range(most):
        if target.evaluate("one => one === document.activeElement"):
            return
        page.keyboard.press(key)
    on = page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
    raise AssertionError(f"the keyboard does not reach {target}: it is on {on}")


@contextmanager
def choosing(page: Page, file: FilePayload | Path) -> Iterator[None]:
    """What is pressed or clicked inside opens the chooser of files, and `file` is chosen in it."""
    with page.expect_file_chooser() as chooser:
        # A key may overtake the word that tells the browser to hand its chooser over, but not an answer to a question.
        page.evaluate("1")
        yield
    chooser.value.set_files([file])


class Visitor:
    """Somebody at a browser of the test's own; what the browser complains of fails the test."""

    def __init__(self, page: Page, server, signed_in):
        self.page, self.address, self.signed_in = page, server.url, signed_in
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        page.on("console", lambda said: self.complaints.append(said.text) if "Content Security" in said.text else None)
        self.client, self.opened = Client(), set()
        self.seen: set[str] = set()
        """The names of the pages that were looked at."""

    def become(self, username: str) -> "Visitor":
        self.use(Client() if username == "anonymous" else self.signed_in(User.objects.get(username=username)))
        return self

    def use(self, client: Client) -> None:
        """The browser goes on with the session of this client."""
        self.client = client
        self.page.context.clear_cookies()
        if "sessionid" in client.cookies:
            value = client.cookies["sessionid"].value
            self.page.context.add_cookies([{"name": "sessionid", "value": value, "url": self.address}])

    def go(self, address: str):
        """Open the page on a large screen."""
        self.page.set_viewport_size(LARGE)
        answer = self.page.goto(self.address + address)
        self.wait_for_scripts()
        return answer

    def wait_for_scripts(self) -> None:
        expect(self.page.locator("html")).to_have_attribute("data-fr-theme", re.compile("light|dark"))

    @property
    def here(self) -> str:
        """The name of the page that is open."""
        return resolve(re.split("[?#]", self.page.url.removeprefix(self.address))[0]).view_name

    def look(self, address: str, *, status: int | None = None, says: str = "") -> None:
        """Open the page on both screens; it is the one that was asked for, and has no fault."""
        answer = self.go(address)
        assert answer.status in ((200, 409, 410) if status is None else (status,)), f"{address}: {answer.status}"
        assert self.here == resolve(address.partition("?")[0]).view_name, self.page.url
        expect(self.page.locator("main")).to_contain_text(says)
        self.seen.add(self.here)
        self.examine(address)
        self.knock_behind_dialogs()

    def examine(self, where: str, screens=(LARGE, MIDDLE, NARROW)) -> None:
        self.wait_for_scripts()
        for screen in screens:
            self.page.set_viewport_size(screen)
            assert not is_too_wide(self.page), (where, screen)
            assert screen is MIDDLE or faults(self.page) == [], (where, screen)
        assert self.complaints == []

    def knock_behind_dialogs(self) -> None:
        """What opens a dialog is a link, and leads to a page that does the same without script."""
        found = self.page.locator("[data-fr-opened]")
        for opener in found.evaluate_all("all => all.map(one => [one.tagName, one.getAttribute('href')])"):
            tag, address = opener
            if tag == "BUTTON" and address is None and self.page.locator("#affichage").count():
                continue  # the display settings of the design system exist with script only
            assert tag == "A" and address, opener
            if address not in self.opened:
                self.opened.add(address)
                assert self.client.get(address).status_code == 200, address


class Keyboard:
    """Somebody who only presses keys: what is not reached with Tab does not exist."""

    def __init__(self, page: Page):
        self.page = page

    def reach(self, what) -> None:
        """Tab until `what` has the focus, which is seen."""
        expect(what).to_be_attached()
        for _ in range(MOST_STEPS):
            if what.evaluate("one => one === document.activeElement"):
                break
            self.page.keyboard.press("Tab")
        expect(what).to_be_focused()
        assert what.evaluate("one => one.matches(':focus-visible')")

    def type(self, label: str, text: str) -> None:
        self.reach(self.page.get_by_label(label, exact=False).first)
        self.page.keyboard.type(text)

    def fill(self, field: str, text: str) -> None:
        self.reach(self.page.locator(field))
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

    def choose(self, field: str, option: str) -> None:
        """Of a list that drops down: its first letters choose."""
        self.fill(field, option)

    def attach(self, field: str, file) -> None:
        self.reach(self.page.locator(field))
        with choosing(self.page, file):
            self.page.keyboard.press("Space")

    def unfold(self, text: str) -> None:
        self.pick(f"summary:has-text('{text}')")

    def press(self, name: str, *, role="button", key="Enter") -> None:
        self.reach(self.page.get_by_role(role, name=name, exact=True).first)
        self.page.keyboard.press(key)

    def pick(self, field: str, key: str = "Space") -> None:
        self.reach(self.page.locator(field))
        self.page.keyboard.press(key)


class Plain:
    """Somebody whose browser runs no script: links, fields and buttons."""

    def __init__(self, page: Page):
        self.page = page

    def press(self, name: str, *, role="button") -> None:
        self.page.get_by_role(role, name=name, exact=True).first.click()

    def fill(self, field: str, text: str) -> None:
        self.page.locator(field).fill(text)

    def choose(self, field: str, option: str) -> None:
        self.page.locator(field).select_option(label=option)

    def pick(self, field: str) -> None:
        self.page.locator(field).check(force=True)

    def attach(self, field: str, file) -> None:
        self.page.locator(field).set_input_files([file])

    def unfold(self, text: str) -> None:
        self.page.locator("summary").filter(has_text=text).click()
