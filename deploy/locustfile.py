"""The last day of a domain, for `make load` (docs/load.md): establishments register, sign in, fill, deposit, transmit;
agents of the ARS read their queue and accept. Against `make prod-local`, whose letters are read in its folder.

Each person comes from an address of their own (127.x.y.z), as hospitals do: throttles are per address.
"""

import itertools
import json
import os
import random
import time
from pathlib import Path

import requests
from locust import HttpUser, between, constant, events, task

from demo.specimens import pdf
from deploy.local import FOLDER
from deploy.mail import Letters, code_in, link_in
from deploy.visitors import NamedBytes, Refused, Visitor

LETTERS = Letters(Path(os.environ.get("ECARE_LETTERS") or FOLDER / "mail" / "letters"))
AUTHORITY = Path(os.environ.get("ECARE_AUTHORITY") or FOLDER / "proxy" / "authority.pem")
PEOPLE = json.loads(Path(os.environ["ECARE_PEOPLE"]).read_text())  # what `python -m deploy.people COUNT` prints
FILE = int(os.environ.get("ECARE_FILE_BYTES") or 200_000)
PATIENCE = 120  # seconds for a letter
numbers = itertools.count()


class OwnAddress(requests.adapters.HTTPAdapter):
    def __init__(self, address: str):
        self.address = address
        super().__init__()

    def init_poolmanager(self, *arguments, **more):
        super().init_poolmanager(*arguments, **more, source_address=(self.address, 0))


class Person(HttpUser):
    """What each sends is counted under the name of its step, not of its dossier."""

    abstract = True
    host = "https://localhost:8443"

    def on_start(self):
        self.number = next(numbers)
        self.client.verify, self.client.trust_env = str(AUTHORITY), False
        rank = self.number + 1
        self.client.mount("https://", OwnAddress(f"127.{1 + rank // 62500}.{rank // 250 % 250}.{1 + rank % 250}"))

    def visitor(self, who: dict) -> Visitor:
        return Visitor(self.host, self.client, **who)

    def step(self, name: str, act):
        """One step of a journey, in which the requests it makes are counted together; what is refused is told."""
        began = time.perf_counter()
        fault = None
        try:
            with self.client.rename_request(name):
                return act()
        except (Refused, requests.RequestException, TimeoutError) as met:
            fault = met
            raise
        finally:
            spent = (time.perf_counter() - began) * 1000
            events.request.fire(
                request_type="STEP", name=name, response_time=spent, response_length=0, exception=fault, context={}
            )

    def letter_after(self, email: str, known: int, read):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            found = [said for letter in LETTERS.all(to=email)[known:] if (said := read(letter))]
            if found:
                return found[-1]
            time.sleep(0.5)
        raise TimeoutError("no letter came")

    def enter(self, visitor: Visitor) -> None:
        self.step(
            "se connecter",
            lambda: visitor.sign_in(
                lambda email, known: self.letter_after(email, known, code_in), lambda email: len(LETTERS.all(to=email))
            ),
        )


class Referent(Person):
    """Comes once, transmits, reads the receipt, leaves."""

    weight = 20
    wait_time = constant(0)

    @task
    def transmit(self):
        if self.number >= len(PEOPLE["people"]):
            self.stop()
            return
        visitor = self.visitor(PEOPLE["people"][self.number])
        try:
            self.enter(visitor)
            reference = self.step("candidater", lambda: visitor.apply(PEOPLE["domain"]))
            files = {
                key: NamedBytes(f"{key}-{reference}.pdf".lower(), pdf(FILE, line=f"{key} {reference}"))
                for key in ("rib", "ps1-1-documents")
            }
            self.step("remplir et déposer", lambda: visitor.fill(reference, choices={"ps1-1": "non"}, files=files))
            self.step("transmettre", lambda: visitor.send(reference))
        except (Refused, requests.RequestException, TimeoutError):
            return  # counted; they come again
        self.stop()


class Newcomer(Person):
    """Registers, follows the link of the letter, signs in."""

    weight = 3
    wait_time = between(5, 20)

    @task
    def register(self):
        name = f"charge.{os.getpid()}.{self.number}.{random.randrange(10**6)}"
        who = {"username": name, "email": f"{name}@exemple.fr", "password": "Montagne-Bleue-77-neige"}
        visitor = self.visitor(who)
        visitor.browser.session.cookies.clear()
        try:
            self.step(
                "s’inscrire",
                lambda: visitor.register(
                    kind="private",
                    link_to=lambda email: self.letter_after(email, 0, lambda one: link_in(one, "activation")),
                ),
            )
            self.enter(visitor)
        except (Refused, requests.RequestException, TimeoutError):
            return


class Reviewer(Person):
    """An agent of an ARS at their queue: opens a dossier, accepts it."""

    weight = 2
    wait_time = between(1, 5)

    def on_start(self):
        super().on_start()
        agents = PEOPLE["agents"]
        self.desk = self.visitor(agents[self.number % len(agents)])
        self.enter(self.desk)

    @task(3)
    def read_queue(self):
        self.step("ouvrir la file", lambda: self.desk.open("/verification/"))

    @task(1)
    def accept(self):
        page = self.step("ouvrir la file", lambda: self.desk.open("/verification/?etat=submitted"))
        dossiers = [one["href"] for one in page.select("main table a[href^='/verification/']")]
        if not dossiers:
            return
        address = random.choice(dossiers)
        try:
            self.step("ouvrir un dossier", lambda: self.desk.open(address))
            page = self.step("demander à accepter", lambda: self.desk.open(f"{address}accepter/"))
            form = next(
                one for one in page.select("main form[method=post]") if one.find("input", attrs={"name": "version"})
            )
            self.step("accepter", lambda: self.desk.press(form))
        except (Refused, StopIteration):
            return  # a colleague was first
