"""One request to an address of somebody else's: to a public machine that was looked at just before, without a redirect,
a proxy or a wait without end; and what to tell of the answer."""

import re
import socket
import time
from dataclasses import dataclass
from threading import Timer

import requests
import urllib3
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from webhooks.addresses import fault_of, may_be_reached

CONNECT_SECONDS, READ_SECONDS, WHOLE_SECONDS = 5, 10, 15
MOST_ADDRESSES = 2  # of one name that are tried
MOST_BYTES = 2048
LONGEST_TEXT = 200
_HEADERS = {"accept-encoding": "identity", "accept": "*/*", "connection": "close"}
_SECRETS = [re.compile(r"[^\s@\"'<>]+@[^\s@\"'<>]+"), re.compile(r"[\w+/=.-]{24,}"), re.compile(r"\+?\d[\d .-]{7,}\d")]
"""Addresses of people, what could be a key or a signature, telephone numbers."""

PRIVATE = "L’adresse mène à un réseau privé : l’envoi est refusé. Le système doit répondre à une adresse publique."
UNKNOWN = "Le nom de cette adresse n’existe pas, ou ne peut pas être trouvé. Vérifiez-le."
CLOSED = "Aucun service n’accepte la connexion à cette adresse. Le système est peut-être arrêté, ou filtré."
SLOW = f"Le système n’a pas répondu dans le temps prévu ({READ_SECONDS} secondes, {WHOLE_SECONDS} en tout)."
CERTIFICATE = "Le certificat TLS de cette adresse n’est pas reconnu : expiré, ou fait pour un autre nom."
CUT = "La connexion a été coupée avant la fin de la réponse."
REDIRECTED = "Le système répond par une redirection ({status}), qui n’est pas suivie. Indiquez l’adresse finale."
GONE = "Le système répond que cette adresse n’existe pas ({status}). Vérifiez-la."
DENIED = "Le système refuse cet envoi ({status}). Vérifiez qu’il contrôle la signature avec le bon secret."
BROKEN = "Le système répond par une erreur de sa part ({status})."
OTHER = "Le système répond {status} : seule une réponse de 200 à 299 dit que la notification est reçue."


class Refused(Exception):
    """No connection is made; the message says why."""


@dataclass(frozen=True)
class Outcome:
    """What an attempt gave, as it is kept: the sentence is for an administrator."""

    status: int | None
    duration: int
    error: str = ""
    answer: str = ""

    @property
    def is_received(self) -> bool:
        return self.status is not None and 200 <= self.status < 300 and not self.error


class _Watch:
    """Ends a conversation after so many seconds, however slowly the other side goes on talking."""

    def __init__(self, seconds: float):
        self.is_over = False
        self._handle: socket.socket | None = None
        self._timer = Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self):
        self._timer.start()
        return self

    def __exit__(self, *exception):
        self._timer.cancel()
        self._timer.join()
        if self._handle is not None:
            self._handle.close()

    def look_at(self, connected: socket.socket) -> None:
        self._handle = connected.dup()  # TLS takes the socket itself over
        if self.is_over:
            self._end()

    def _end(self) -> None:
        self.is_over = True
        if self._handle is not None:
            try:
                self._handle.shutdown(socket.SHUT_RDWR)
            except OSError:  # the other side was faster
                return


class _Looked:
    """Connects to the very addresses that were looked at: the name is asked for once, and not again in between."""

    watch: _Watch

    def _new_conn(self) -> socket.socket:
        connected = _connect(self.host, self.port)
        self.watch.look_at(connected)
        return connected


def _connect(host: str, port: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Refused(UNKNOWN) from None
    addresses = list(dict.fromkeys(str(place[4][0]) for place in found))
    if not addresses or not all(map(may_be_reached, addresses)):
        raise Refused(PRIVATE)
    for address in addresses[:MOST_ADDRESSES]:
        try:
            return socket.create_connection((address, port), timeout=CONNECT_SECONDS)
        except OSError:
            continue
    raise Refused(CLOSED)


class _Adapter(HTTPAdapter):
    def __init__(self, watch: _Watch):
        self._watch = watch
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args, **kwargs):
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {
            "http": self._pool(HTTPConnectionPool, HTTPConnection),
            "https": self._pool(HTTPSConnectionPool, HTTPSConnection),
        }

    def _pool(self, pool: type, connection: type) -> type:
        looked = type("Looked", (_Looked, connection), {"watch": self._watch})
        return type("LookedPool", (pool,), {"ConnectionCls": looked})


def post(address: str, body: bytes, headers: dict[str, str]) -> Outcome:
    """One attempt."""
    if fault := fault_of(address):
        return Outcome(None, 0, error=fault)
    started = time.monotonic()
    status, error, answer = None, "", ""
    with _Watch(WHOLE_SECONDS) as watch, requests.Session() as session:
        session.trust_env = False  # no proxy, no password file, no other certificates
        session.headers.clear()
        session.mount("https://", _Adapter(watch))
        session.mount("http://", _Adapter(watch))
        try:
            with session.post(
                address,
                data=body,
                headers=_HEADERS | headers,
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                allow_redirects=False,
                stream=True,
                verify=settings.WEBHOOK_CA or True,
            ) as response:
                first = response.raw.read(MOST_BYTES, decode_content=False)
                status, answer = response.status_code, _text(response.headers.get("content-type", ""), first)
                error = _sentence(status)
        except Refused as refused:
            error = str(refused)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as broken:
            error = _reason(broken)
        if watch.is_over:  # what was cut off reads like an answer that ended
            status, error, answer = None, SLOW, ""
    return Outcome(status, round((time.monotonic() - started) * 1000), error=error, answer=answer if error else "")


def _reason(fault: Exception) -> str:
    if isinstance(fault, requests.exceptions.SSLError):
        return CERTIFICATE
    is_late = isinstance(fault, requests.Timeout | TimeoutError | urllib3.exceptions.TimeoutError)
    return SLOW if is_late else CUT


def _sentence(status: int) -> str:
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        told = REDIRECTED
    elif status in (404, 410):
        told = GONE
    elif status in (400, 401, 403):
        told = DENIED
    else:
        told = BROKEN if status >= 500 else OTHER
    return told.format(status=status)


def _text(kind: str, first: bytes) -> str:
    """The beginning of an answer, for whoever looks for the fault: words alone, without what could be a person's
    address or number, or a key."""
    if not kind.lower().startswith(("text/", "application/json", "application/problem+json")):
        return ""
    text = " ".join(re.sub(r"<[^>]*>", " ", first.decode(errors="replace")).split())
    for secret in _SECRETS:
        text = secret.sub("…", text)
    return "".join(sign for sign in text if sign.isprintable())[:LONGEST_TEXT]
