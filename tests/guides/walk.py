"""Somebody who walks through a guide: takes its pictures, or compares what the pages say with what was said then.

`docs/guides/pictures/<guide>.json` keeps the size of each picture and the words of what it shows.
"""

import base64
import difflib
import json
import math
import re
from collections.abc import Iterable

from playwright.sync_api import Locator, Page

from ecare.guides import FOLDER
from tests.browsing import Visitor

LARGE, NARROW, HEIGHT = 1280, 390, 900
QUALITY = 66
MARGIN = 12
"""Pixels around what is shown."""
MOST_TOLD = 12
"""Lines of a difference."""
RED = "#e1000f"
HIDDEN = "••••••••"
FRAME = ".fr-header, .fr-footer, .fr-skiplinks, .ecare-demo, #header, #nav-sidebar, #toggle-nav-sidebar, .main > nav"
# What is seen of an element: its words, its controls, its pictures, and the boxes that are drawn around them.
BOXES = """all => all.flatMap(top => {
  const found = [];
  const add = (one) => { if (one.width > 1 && one.height > 1) found.push(one); };
  for (const one of [top, ...top.querySelectorAll("*")]) {
    if (!one.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    const style = getComputedStyle(one);
    if (style.clip === "rect(0px, 0px, 0px, 0px)" || one.closest(".fr-sr-only, .visually-hidden")) continue;
    const drawn = !/^(rgba\\(0, 0, 0, 0\\)|transparent)$/.test(style.backgroundColor) || style.borderLeftWidth !== "0px"
      || style.borderRightWidth !== "0px" || style.backgroundImage !== "none" || style.boxShadow !== "none"
      || /^(img|svg|iframe|input|select|textarea|button|progress)$/i.test(one.tagName);
    if (drawn && one.tagName !== "MAIN") add(one.getBoundingClientRect());
    for (const node of one.childNodes) {
      if (node.nodeType !== Node.TEXT_NODE || !node.data.trim()) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      for (const rect of range.getClientRects()) add(rect);
    }
  }
  const whole = top.getBoundingClientRect();
  return found.map((one) => {
    const x = Math.max(one.x, whole.x), width = Math.min(one.right, whole.right) - x;
    return { x, y: one.y, width, height: one.height };
  }).filter((one) => one.width > 0);
})"""
# A browser in French writes these itself; one that speaks another language would put its own words in a French picture.
DRESS = """() => {
  for (const one of document.querySelectorAll("input[type=date], input[type=file]")) {
    if (!one.checkVisibility({ opacityProperty: true }) || one.offsetWidth < 2) continue;
    const shown = document.createElement(one.type === "date" ? "input" : "span");
    shown.className = `${one.className} guide-shown`;
    if (one.type === "date") {
      shown.value = one.value ? one.value.split("-").reverse().join("/") : "jj/mm/aaaa";
    } else {
      const button = document.createElement("span");
      const look = { border: "1px solid #666", borderRadius: "3px", background: "#eee", padding: "1px 8px" };
      Object.assign(button.style, look);
      button.textContent = one.multiple ? "Choisir des fichiers" : "Choisir un fichier";
      shown.append(button, " Aucun fichier choisi");
      shown.style.display = "block";
    }
    shown.style.width = `${one.offsetWidth}px`;
    one.style.display = "none";
    one.after(shown);
  }
}"""
# What a change of width sets in motion has come to rest: the path of a page folds.
SETTLED = """async () => {
  for (let frame = 0; frame < 2; frame++) await new Promise((drawn) => requestAnimationFrame(drawn));
  const ends = document.getAnimations().filter((one) => one.effect.getComputedTiming().endTime !== Infinity);
  await Promise.allSettled(ends.map((one) => one.finished));
}"""
# A digest is another one each time: of a file that is sealed anew, of what names it.
SAME_DIGEST = """() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (/[0-9a-f]{64}/.test(node.data)) node.data = node.data.replace(/[0-9a-f]{64}/g, "0123456789abcdef".repeat(4));
  }
}"""
UNDRESS = """() => {
  for (const one of document.querySelectorAll(".guide-shown")) {
    one.previousElementSibling.style.display = "";
    one.remove();
  }
}"""


class Walk(Visitor):
    def __init__(self, page: Page, server, signed_in, guide: str, *, takes: bool):
        super().__init__(page, server, signed_in)
        self.guide, self.takes = guide, takes
        self.said: dict[str, dict] = {}
        self.browser = page.context.new_cdp_session(page)

    def go(self, address: str):
        self.page.set_viewport_size({"width": LARGE, "height": HEIGHT})
        answer = self.page.goto(self.address + address)
        assert answer is None or answer.ok, f"{address}: {answer.status}"
        if not address.startswith("/administration/"):
            self.wait_for_scripts()
        return answer

    # --- one picture ----------------------------------------------------------------------------------------------
    def shot(
        self,
        name: str,
        *shown: str | Locator,
        mark: Iterable[str | Locator] = (),
        hide: Iterable[str | Locator] = (),
        grey: Iterable[str | Locator] = (),
        narrow: bool = False,
        below: int | None = None,
    ) -> None:
        """What `shown` holds (all of it), with an outline around what is to be pressed; `hide`: words nobody else may
        read, `grey`: pictures likewise; `below`: no more than so many pixels of height."""
        assert name not in self.said, name
        self.page.wait_for_load_state("load")  # every module has run, on a page that a click led to as well
        width = NARROW if narrow else LARGE
        places = [self._find(one) for one in shown or ("main > .fr-container",)]
        in_dialog = places[0].evaluate("one => one.closest('dialog') !== null")
        self.page.set_viewport_size({"width": width, "height": HEIGHT})
        self.page.evaluate(SETTLED)
        self.page.locator(FRAME).evaluate_all("all => all.forEach(one => { one.style.display = 'none'; })")
        for one in hide:
            self._find(one).evaluate_all("(all, words) => all.forEach(one => { one.textContent = words; })", HIDDEN)
        self._style(grey, "filter", "contrast(0)")
        self._style(grey, "background", "#808080")
        self.page.evaluate(SAME_DIGEST)
        words = "\n".join(place.evaluate("one => one.innerText") for place in places)
        picture = {"words": plain(words)}
        if self.takes:
            self._style(mark, "outline", f"3px solid {RED}")
            self._style(mark, "outlineOffset", "3px")
            picture |= self._take(name, places, below, in_dialog)
            self._style(mark, "outline", "")
            self.page.set_viewport_size({"width": LARGE, "height": HEIGHT})
        self.said[name] = picture

    def _find(self, one: str | Locator) -> Locator:
        return self.page.locator(one) if isinstance(one, str) else one

    def _style(self, which, name: str, value: str) -> None:
        for one in which:
            found = self._find(one)
            assert found.count(), one
            found.evaluate_all(
                "(all, [name, value]) => all.forEach(one => { one.style[name] = value; })", [name, value]
            )

    def _take(self, name: str, places: list[Locator], below: int | None, in_dialog: bool) -> dict:
        self.page.mouse.move(0, 0)
        self.page.evaluate(DRESS)
        self.page.evaluate("document.activeElement && document.activeElement.blur()")
        width = self.page.viewport_size["width"]
        if not in_dialog:
            height = self.page.evaluate("document.documentElement.scrollHeight")
            self.page.set_viewport_size({"width": width, "height": max(HEIGHT, height)})
            self.page.evaluate("scrollTo(0, 0)")
        self.page.evaluate("document.fonts.ready")
        self.page.wait_for_function(
            "() => [...document.images].every(one => one.complete) && document.getAnimations().every("
            "one => one.playState !== 'running')"
        )
        boxes = [box for place in places for box in place.evaluate_all(BOXES)]
        left = max(0, math.floor(min(box["x"] for box in boxes)) - MARGIN)
        top = max(0, math.floor(min(box["y"] for box in boxes)) - MARGIN)
        right = min(width, math.ceil(max(box["x"] + box["width"] for box in boxes)) + MARGIN)
        bottom = math.ceil(max(box["y"] + box["height"] for box in boxes)) + MARGIN
        size = {"width": right - left, "height": min(bottom - top, below or bottom)}
        clip = {"x": left, "y": top, **size, "scale": 1}
        taken = self.browser.send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY, "clip": clip})
        self.page.evaluate(UNDRESS)
        path = FOLDER / "images" / self.guide / f"{name}.webp"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(taken["data"]))
        return size

    # --- all of them ----------------------------------------------------------------------------------------------
    def end(self) -> None:
        """Keep the words beside the pictures, or fail where a page says something else than its picture."""
        kept = FOLDER / "pictures" / f"{self.guide}.json"
        if self.takes:
            kept.parent.mkdir(exist_ok=True)
            kept.write_text(json.dumps(self.said, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
            for path in (FOLDER / "images" / self.guide).glob("*.webp"):
                if path.stem not in self.said:
                    path.unlink()
            return
        then = json.loads(kept.read_text(encoding="utf-8"))
        assert list(then) == list(self.said), "run make guides: other pictures are taken now"
        changed = [name for name, now in self.said.items() if then[name]["words"] != now["words"]]
        told = "\n".join(_difference(name, then[name]["words"], self.said[name]["words"]) for name in changed)
        assert changed == [], f"run make guides: these pages say something else than their pictures\n{told}"


def _difference(name: str, then: list[str], now: list[str]) -> str:
    lines = list(difflib.unified_diff(then, now, lineterm="", n=0))[2:]
    return "\n".join([f"{name}:", *lines[:MOST_TOLD]])


def plain(text: str) -> list[str]:
    """The words of a page, line by line; what is drawn or computed for one dossier alone left out."""
    text = text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")
    text = re.sub(r"\b[0-9a-f]{40,}\b", "#", re.sub(r"\b[A-Z]{10}\b", "RÉFÉRENCE", text))
    lines = (" ".join(line.split()) for line in text.splitlines())
    return [line for line in lines if line]
