"""A receiver on this machine, as another team would write one; subscriptions to it."""

import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event as Signal
from threading import Thread

import pytest
from django.utils import timezone

from systems.models import System
from webhooks import actions, couriers
from webhooks.models import Delivery, Subscription

BY = ("user:1", "Alix (Administrateur)")


@dataclass
class Receiver:
    """Answers what it is told to, and keeps what came."""

    status: int = 204
    headers: dict = field(default_factory=dict)
    body: bytes = b""
    wait: float = 0
    drip: float = 0
    came: list = field(default_factory=list)
    address: str = ""
    closing: Signal = field(default_factory=Signal)

    @property
    def bodies(self) -> list[dict]:
        return [json.loads(body) for _headers, body in self.came]

    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _body in self.came]


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        receiver = self.server.receiver
        body = self.rfile.read(int(self.headers["content-length"]))
        receiver.came.append(({name.lower(): value for name, value in self.headers.items()}, body))
        receiver.closing.wait(receiver.wait)
        try:
            self.answer(receiver)
        except OSError:
            return

    def answer(self, receiver):
        if receiver.drip:  # headers without end, a byte at a time
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not receiver.closing.wait(receiver.drip):
                self.wfile.write(b"a")
                self.wfile.flush()
            return
        self.send_response(receiver.status)
        for name, value in receiver.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(receiver.body)

    def log_message(self, *arguments):
        return


@pytest.fixture
def start_receiver():
    """`start_receiver(status=500)`: one more."""
    servers = []

    def start(server_class=ThreadingHTTPServer, **answers) -> Receiver:
        server = server_class(("127.0.0.1", 0), _Handler)
        server.daemon_threads = True
        server.receiver = Receiver(**answers)
        server.receiver.address = f"http://127.0.0.1:{server.server_port}/ecare"
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return server.receiver

    yield start
    for server in servers:
        server.receiver.closing.set()
        server.shutdown()
        server.server_close()


@pytest.fixture
def receiver(start_receiver) -> Receiver:
    return start_receiver()


def system(name="SI Ségur", **more) -> System:
    return System.objects.get_or_create(
        name=name, defaults={"contact": "responsable@sante.example", "purpose": "Suivi", **more}
    )[0]


def subscribe(address: str, *, of: System | None = None, domains=(), regions=(), **wants) -> Subscription:
    """To everything, unless something is named; `.plain` is its secret."""
    everything = {
        "all_states": "states" not in wants, "all_domains": not domains, "all_regions": not regions
    } | wants  # fmt: skip
    made = Subscription(system=of or system(), address=address, **everything)
    made.plain = actions.create(made, by=BY, at=timezone.now())
    made.domains.set(domains)
    made.regions.set(regions)
    return made


def again(row):
    return type(row).objects.get(pk=row.pk)


def states(subscription: Subscription) -> list[str]:
    return list(subscription.deliveries.order_by("pk").values_list("state", flat=True))


def send_due() -> int:
    return couriers.deliver()


def waiting() -> Delivery:
    return Delivery.objects.waiting().get()


def verifies(secret: str, headers: dict, body: bytes) -> bool:
    """As the specification of Standard Webhooks says, and not as our own code does."""
    if abs(time.time() - int(headers["webhook-timestamp"])) > 300:
        return False
    key = base64.b64decode(secret.split("_", 1)[1])
    content = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
    mine = base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    return f"v1,{mine}" in headers["webhook-signature"].split(" ")
