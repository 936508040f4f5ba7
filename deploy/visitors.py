"""A référent as a program, without scripts: reads pages, fills their forms, presses their buttons. For trials of the
whole (`make chaos`, locust); what a person sees is tested in a browser."""

import re
from collections.abc import Callable
from datetime import date
from io import BytesIO
from urllib.parse import urljoin

import mechanicalsoup
import requests
from bs4 import BeautifulSoup, Tag

IBAN, BIC = "FR7630006000011234567890189", "AGRIFRPP"
ANSWERS = {"email": "contact@exemple.fr", "tel": "+33123456789", "date": date.today().isoformat()}


class Refused(Exception):
    """The portal answered, and not what was hoped for: the status and the beginning of what the page says."""

    def __init__(self, step: str, page: requests.Response):
        said = BeautifulSoup(page.text, "lxml")
        words = " ".join((said.find("main") or said).get_text(" ").split())
        super().__init__(f"{step}: {page.status_code} {page.url} {words[:300]}")
        self.status = page.status_code


class NamedBytes(BytesIO):
    """A file as a form sends it."""

    def __init__(self, name: str, content: bytes):
        super().__init__(content)
        self.name = name


NUMBERS = "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize".split()
RANKS = ("première", "deuxième", "troisième", "quatrième")


def answer_to(question: str) -> str:
    """Of the written question that stands in for the image of the captcha."""
    if found := re.search(r"(\w+) lettre du mot «.(\w+).»", " ".join(question.split())):
        return found[2][RANKS.index(found[1])]
    first, sign, second = re.search(r"(\w+) (plus|moins) (\w+)", question).groups()
    return str(NUMBERS.index(first) + (NUMBERS.index(second) if sign == "plus" else -NUMBERS.index(second)))


class Visitor:
    """One person at one browser, who has an account."""

    def __init__(self, address: str, session: requests.Session, *, username: str, email: str, password: str):
        self.address = address
        self.username, self.email, self.password = username, email, password
        self.browser = mechanicalsoup.StatefulBrowser(session, soup_config={"features": "lxml"})

    @property
    def page(self) -> BeautifulSoup:
        return self.browser.page

    @property
    def here(self) -> str:
        return (self.browser.url or "").removeprefix(self.address)

    def open(self, path: str) -> BeautifulSoup:
        """Raises Refused unless it is a page."""
        return self._read(path, self.browser.open(urljoin(self.address, path), timeout=60))

    def press(self, form: Tag, name: str = "", **typed: str) -> BeautifulSoup:
        """Send a form by its button that says `name`; `typed` by the names of its fields. Raises Refused."""
        selected = self.browser.select_form(form)
        for field, value in typed.items():
            selected.set(field, value)
        buttons = [one for one in form.find_all("button") if " ".join(one.get_text().split()) == name]
        named = buttons[0] if buttons and buttons[0].get("name") else False
        return self._read(name or form.get("action", ""), self.browser.submit_selected(named, timeout=120))

    def _read(self, step: str, page: requests.Response) -> BeautifulSoup:
        if page.status_code >= 400:
            raise Refused(step, page)
        return self.page

    # --- an account ---
    def register(self, *, kind: str, link_to: Callable[[str], str]) -> None:
        """The three steps, the letter, its link. `link_to`: the activation link that a mailbox has got; `kind`: of the
        establishment, the first that is offered in a region drawn by the person's name."""
        page = self.open("/inscription/")
        page = self.press(page.select_one("main form[method=post]"), "Je ne peux pas lire l’image")
        typed = {
            "username": self.username,
            "civility": "madame",
            "last_name": "Essai",
            "first_name": "Charge",
            "email": self.email,
            "password1": self.password,
            "password2": self.password,
            "phone": "+33 1 23 45 67 89",
            "captcha": answer_to(page.select_one("[data-challenge-question]").get_text()),
        }
        page = self.press(page.select_one("main form[method=post]"), "Suivant", **typed)
        regions = [one["value"] for one in page.select("select[name=region] option") if one.get("value")]
        region = regions[sum(self.username.encode()) % len(regions)]
        page = self.press(page.select_one("main form[method=post]"), "Suivant", kind=kind, region=region)
        self._choose(page.select("main [name=establishment]")[0])
        page = self.open("/inscription/recapitulatif/")
        self.press(page.select_one("main form[method=post]"), "Créer le compte")
        page = self.open(link_to(self.email))
        self.press(page.select_one("main form[method=post]"))

    def _choose(self, button: Tag) -> None:
        """One of many buttons of a list, each with its value; its form may stand elsewhere in the page."""
        form = button.find_parent("form") or self.page.find(id=button["form"])
        data = [(one["name"], one.get("value", "")) for one in form.find_all("input", attrs={"name": True})]
        data.append((button["name"], button["value"]))
        page = self.browser.post(self.browser.url, data=data, headers={"Referer": self.browser.url}, timeout=60)
        if page.status_code >= 400:
            raise Refused("choose", page)

    # --- signing in ---
    def sign_in(self, code_after: Callable[[str, int], str], letters_of: Callable[[str], int]) -> None:
        """`letters_of`: how many letters a mailbox holds; `code_after`: the code of one that comes after so many."""
        page = self.open("/connexion/")
        if not self.here.startswith("/connexion"):
            return  # the session is open
        known = letters_of(self.email)
        page = self.press(page.select_one("main form[method=post]"), login=self.username, password=self.password)
        self.press(page.select_one("main form[method=post]"), code=code_after(self.email, known))
        if self.here.startswith("/connexion"):
            raise Refused("code", self.browser.get(self.browser.url))

    # --- applying ---
    def apply(self, domain: str) -> str:
        """Start a candidature to a domain by its name; the one that is there is taken up. Returns its reference."""
        board = self.open("/tableau-de-bord/")
        if found := re.search(r"/candidatures/([A-Z]{10})/", str(board.find("main"))):
            return found[1]
        page = self.open("/candidatures/nouvelle/")
        label = next(one for one in page.select("main label") if domain in one.get_text())
        choice = page.find(id=label["for"])
        self.press(choice.find_parent("form"), **{choice["name"]: choice["value"]})
        return re.search(r"/candidatures/([A-Z]{10})/", self.here)[1]

    def fill(self, reference: str, *, choices: dict[str, str], files: dict[str, NamedBytes], rounds: int = 5) -> None:
        """Answer what the form asks until it can be sent; what one answer asks for more is answered in the next round.
        `choices`: by the key of a question; `files`: by the key of a space, put there once."""
        for _ in range(rounds):
            page = self.open(f"/candidatures/{reference}/")
            form = next((one for one in page.select("main form[method=post]") if one.get("enctype")), None)
            if form is None:
                return  # it was sent
            self._answer(form, choices, {key: file for key, file in files.items() if file.name not in page.get_text()})
            self.press(form, "Suivant")
            if self.sending_form() is not None:
                return
        raise Refused("fill", self.browser.get(self.browser.url))

    def sending_form(self) -> Tag | None:
        """On the recap of what is complete."""
        return self.page.find("form", action=re.compile("/transmettre/$"))

    def send(self, reference: str) -> str:
        """Transmit it; pressed once more, the receipt is the same. Returns the digest of the receipt."""
        self.open(f"/candidatures/{reference}/recapitulatif/")
        form = self.sending_form()
        if form is not None:
            self.press(form)
        page = self.open(f"/candidatures/{reference}/transmise/")
        found = re.search(r"\b[0-9a-f]{64}\b", page.find("main").get_text(" "))
        if found is None:
            raise Refused("send", self.browser.get(self.browser.url))
        return found[0]

    @staticmethod
    def _answer(form: Tag, choices: dict[str, str], files: dict[str, NamedBytes]) -> None:
        for field in form.find_all(["input", "textarea"], attrs={"name": True}):
            name, kind = field["name"], field.get("type", field.name)
            if kind == "file" and name in files:
                files[name].seek(0)
                field["value"] = files[name]
            elif kind == "checkbox":
                field["checked"] = ""
            elif kind == "radio":
                same = form.find_all("input", attrs={"name": name})
                wanted = choices.get(name, same[0]["value"])
                if field["value"] == wanted:
                    field["checked"] = ""
                else:
                    del field["checked"]
            elif name.endswith(":reason"):
                continue  # of an entity that is not confirmed: all are
            elif kind in ("text", "email", "tel", "date") and not field.get("value"):
                field["value"] = IBAN if "iban" in name else BIC if "bic" in name else ANSWERS.get(kind, "Réponse")
            elif kind == "textarea" and not field.get_text().strip():
                field.string = "Réponse de l’établissement"
