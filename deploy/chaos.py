"""`make chaos`: people transmit their dossiers while servers are killed and frozen at random; then what was
acknowledged is looked for. Nothing of it may be lost, altered or doubled (docs/chaos.md)."""

import argparse
import json
import random
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import requests

from demo.specimens import pdf
from deploy.local import Production
from deploy.mail import code_in
from deploy.processes import Server
from deploy.visitors import NamedBytes, Refused, Visitor

SPACES = ("rib", "ps1-1-documents")
CHOICES = {"ps1-1": "non"}  # its documents are asked for then
AT_ONCE = 6  # people
LETTERS = 90  # seconds that somebody waits for a code before they ask for another


@dataclass
class Dossier:
    """What one person was told: the reference, the digest of the receipt, the digests of the files they put in."""

    username: str
    email: str
    reference: str = ""
    receipt: str = ""
    files: dict[str, str] = field(default_factory=dict)
    tries: int = 0


class Gremlin(threading.Thread):
    """Kills or freezes one server after another, and starts it again, until it is told to stop or has done enough."""

    def __init__(self, production: Production, *, most: int, seed: int, pause: float):
        super().__init__(name="gremlin", daemon=True)
        self.production, self.most, self.pause = production, most, pause
        self.drawn = random.Random(seed)
        self.done: Counter[str] = Counter()
        self.enough = threading.Event()
        self.fault: Exception | None = None

    def run(self) -> None:
        try:
            while not self.enough.is_set() and sum(self.done.values()) < self.most:
                self._strike(self.drawn.choice(self.production.servers))
                self.enough.wait(self.drawn.uniform(0, self.pause))
        except Exception as fault:  # noqa: BLE001 (told by whoever waits)
            self.fault = fault

    def _strike(self, server: Server) -> None:
        if self.drawn.random() < 0.75 and server in self.production.mortal:
            server.kill()
            self.done[f"{server.name} killed"] += 1
            self.enough.wait(self.drawn.uniform(0, 2))
            server.start()
        else:
            server.freeze()
            self.done[f"{server.name} frozen"] += 1
            self.enough.wait(self.drawn.uniform(0.5, 4))
            server.thaw()


class Day:
    """One day of people and faults on one production."""

    def __init__(self, production: Production, *, people: int, faults: int, seed: int, pause: float):
        self.production, self.count = production, people
        self.gremlin = Gremlin(production, most=faults, seed=seed, pause=pause)
        self.dossiers: list[Dossier] = []
        self.refused: Counter[str] = Counter()

    def run(self, *, until: float) -> None:
        """Everybody goes on until their receipt is there. Raises what the gremlin could not mend."""
        told = json.loads(self.production.inside("deploy.people", str(self.count)))
        self.dossiers = [Dossier(one["username"], one["email"]) for one in told["people"]]
        self.gremlin.start()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda rank: self._person(told, rank, until=until), range(self.count)))
        self.gremlin.enough.set()
        self.gremlin.join(120)
        if self.gremlin.fault:
            raise self.gremlin.fault

    def _person(self, told: dict, rank: int, *, until: float) -> None:
        person, dossier = told["people"][rank], self.dossiers[rank]
        while not dossier.receipt and time.monotonic() < until:
            dossier.tries += 1
            with requests.Session() as session:
                session.verify, session.trust_env = str(self.production.proxy.authority), False
                try:
                    self._try(Visitor(self.production.address, session, **person), told["domain"], dossier)
                except (Refused, requests.RequestException, TimeoutError) as fault:
                    status = getattr(fault, "status", None)
                    self.refused[str(status or type(fault).__name__)] += 1
                    time.sleep(1)

    def _try(self, visitor: Visitor, domain: str, dossier: Dossier) -> None:
        """From the sign-in to the receipt; whatever breaks off is begun anew, as a person would."""
        visitor.sign_in(self._code_after, self._letters_of)
        again = persistent(8)
        dossier.reference = again(lambda: visitor.apply(domain))
        files = {}
        for key in SPACES:
            name = f"{key}-{dossier.reference}.pdf".lower()
            content = pdf(line=f"{key} {dossier.reference}")
            files[key] = NamedBytes(name, content)
            dossier.files[name] = sha256(content).hexdigest()
        again(lambda: visitor.fill(dossier.reference, choices=CHOICES, files=files))
        dossier.receipt = again(lambda: visitor.send(dossier.reference))

    def _letters_of(self, email: str) -> int:
        return len(self.production.mail.letters(to=email))

    def _code_after(self, email: str, known: int) -> str:
        end = time.monotonic() + LETTERS
        while time.monotonic() < end:
            letters = self.production.mail.letters(to=email)[known:]
            codes = [code for letter in letters if (code := code_in(letter))]
            if codes:
                return codes[-1]
            time.sleep(0.2)
        raise TimeoutError("no code came")

    # --- afterwards ---
    def faults(self) -> list[str]:
        """What was acknowledged and is not so: each in one sentence."""
        expected = [one.__dict__ for one in self.dossiers]
        found = json.loads(self.production.inside("deploy.inquest", stdin=json.dumps(expected)))
        return [
            *found,
            *self._letters_lost(),
            *(f"{one.username} never got a receipt" for one in self.dossiers if not one.receipt),
        ]

    def _letters_lost(self) -> list[str]:
        """The receipt of each acknowledged dossier came, and if it came twice under one Message-ID."""
        found = []
        for one in self.dossiers:
            if not one.receipt:
                continue
            letters = [
                letter
                for letter in self.production.mail.letters(to=one.email)
                if letter["X-eCaRE-Letter"] == "submitted"
            ]
            numbers = {letter["Message-ID"] for letter in letters}
            if len(numbers) != 1:
                found.append(f"{one.reference}: {len(numbers)} different receipts by mail")
        return found

    def doubled(self) -> int:
        """Letters that came more than once, under the same Message-ID."""
        numbers = Counter(letter["Message-ID"] for letter in self.production.mail.letters())
        return sum(count - 1 for count in numbers.values())


def persistent(times: int) -> Callable:
    """Try a step so often: a page of the proxy, a connection that breaks, are met by trying again."""

    def go_on(step: Callable):
        for rank in range(times):
            try:
                return step()
            except (Refused, requests.RequestException) as fault:
                if rank == times - 1 or getattr(fault, "status", 500) < 500:
                    raise
                time.sleep(1)
        return None

    return go_on


def main() -> None:
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--people", type=int, default=1000)
    reader.add_argument("--faults", type=int, default=400)
    reader.add_argument("--pause", type=float, default=6, help="seconds between two faults, at the most")
    reader.add_argument("--minutes", type=float, default=120)
    reader.add_argument("--seed", type=int, default=2026)
    given = reader.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="ecare-chaos-"))
    production = Production(folder)
    began = time.monotonic()
    try:
        production.start()
        day = Day(production, people=given.people, faults=given.faults, seed=given.seed, pause=given.pause)
        day.run(until=began + given.minutes * 60)
        faults = day.faults()
        print(report(day, faults, seconds=time.monotonic() - began, seed=given.seed))
    finally:
        production.forget()
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(bool(faults))


def report(day: Day, faults: list[str], *, seconds: float, seed: int) -> str:
    acknowledged = sum(bool(one.receipt) for one in day.dossiers)
    rows = {
        "people": len(day.dossiers),
        "acknowledged": acknowledged,
        "faults made": sum(day.gremlin.done.values()),
        "tries that broke off": sum(one.tries - 1 for one in day.dossiers),
        "letters doubled (same Message-ID)": day.doubled(),
        "lost, altered, wrong": len(faults),
        "minutes": round(seconds / 60, 1),
        "seed": seed,
    }
    lines = [f"| {name} | {value} |" for name, value in rows.items()]
    made = ", ".join(f"{name} {count}" for name, count in sorted(day.gremlin.done.items()))
    told = ", ".join(f"{name} {count}" for name, count in day.refused.most_common())
    return "\n".join(
        ["| | |", "|---|---|", *lines, "", f"Faults: {made}.", f"Told to people: {told or 'nothing'}.", *faults]
    )


if __name__ == "__main__":
    main()
