"""What leaves towards an address of somebody else's, and what does not: no private machine, no redirect, no proxy, no
certificate of another, no wait without end; what is kept of an answer."""

import socket
import ssl
import time
from datetime import UTC, datetime, timedelta
from http.server import ThreadingHTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from webhooks import posts
from webhooks.addresses import fault_of, may_be_reached
from webhooks.posts import post

NAME = "systeme.exemple.fr"
ask_for_real = socket.getaddrinfo

REFUSED = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.100.100.200",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "203.0.113.9",
    "168.63.129.16",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:a9fe:a9fe::1",
    "3fff::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]
REACHED = ["8.8.8.8", "185.24.184.1", "2001:41d0:1::1", "2a01:e0a::1"]


def _fail(*arguments, **more):
    pytest.fail("connected")


@pytest.fixture
def in_production(settings):
    settings.EMBEDDED = False


@pytest.fixture
def names(monkeypatch):
    """`names["systeme.exemple.fr"] = ["127.0.0.1"]`: where a name leads; each question is kept in `names.asked`."""

    class Names(dict):
        asked: list[str] = []

        def answer(self, host, port, *arguments, **more):
            self.asked = [*self.asked, host]
            if host not in self:
                return ask_for_real(host, port, *arguments, **more)
            family = {True: socket.AF_INET6, False: socket.AF_INET}
            return [(family[":" in one], socket.SOCK_STREAM, 6, "", (one, port)) for one in self[host]]

    found = Names()
    monkeypatch.setattr("socket.getaddrinfo", found.answer)
    return found


@pytest.mark.parametrize("address", REFUSED)
def test_private_addresses_are_refused_whatever_their_form(in_production, address, names, monkeypatch):
    """Typed as they are, and at the end of a name."""
    assert not may_be_reached(address)
    monkeypatch.setattr("socket.create_connection", _fail)
    names[NAME] = ["8.8.8.8", address]
    assert post(f"https://{NAME}/ecare", b"{}", {}).error == posts.PRIVATE
    host = f"[{address.partition('%')[0]}]" if ":" in address else address
    assert "réseau privé" in post(f"https://{host}/ecare", b"{}", {}).error


@pytest.mark.parametrize("written", ["localhost", "2130706433", "0x7f.1", "127.1", "0177.0.0.1", "localhost."])
def test_other_ways_to_write_this_very_machine(in_production, written, monkeypatch):
    monkeypatch.setattr("socket.create_connection", _fail)
    assert post(f"https://{written}/", b"{}", {}).error in (posts.PRIVATE, posts.UNKNOWN)


def test_public_addresses_are_reached(in_production, names, monkeypatch):
    tried = []

    def connect(place, timeout):
        tried.append(place[0])
        raise OSError

    assert all(map(may_be_reached, REACHED))
    monkeypatch.setattr("socket.create_connection", connect)
    names[NAME] = REACHED
    assert post(f"https://{NAME}/ecare", b"{}", {}).error == posts.CLOSED
    assert tried == REACHED[: posts.MOST_ADDRESSES]


def test_this_machine_is_reached_in_embedded_mode_and_no_other_private_one(settings):
    assert settings.EMBEDDED
    assert may_be_reached("127.0.0.1") and may_be_reached("::1")
    assert not any(map(may_be_reached, ["10.0.0.1", "169.254.169.254", "0.0.0.0", "::ffff:127.0.0.1"]))


def test_a_name_is_asked_for_once_and_what_was_looked_at_is_what_is_connected_to(receiver, names):
    """Whoever answers for a name cannot change their mind in between."""
    names[NAME] = ["127.0.0.1"]
    port = receiver.address.rpartition(":")[2]
    found = post(f"http://127.0.0.1:{port}", b"{}", {})
    assert found.is_received and names.asked.count("127.0.0.1") == 2, "looked at, then as it is"
    assert NAME not in names.asked


FAULTS = {
    "http://exemple.fr/": "https://",
    "ftp://exemple.fr/": "https://",
    "exemple.fr": "complète",
    "https://": "complète",
    "https:///ecare": "complète",
    "https://exemple.fr:99999/": "complète",
    "https://[::1/": "complète",
    "https://exemple.fr/a b": "complète",
    "https://exemple.fr\\@127.0.0.1/": "complète",
    "https://moi:secret@exemple.fr/": "mot de passe",
    "https://exemple.fr/?jeton=abc": "Retirez ce qui suit",
    "https://exemple.fr/#a": "Retirez ce qui suit",
    "https://10.0.0.1/": "réseau privé",
    "https://[::1]/": "réseau privé",
    "http://127.0.0.1/": "https://",
}


def test_an_address_that_cannot_do_is_told_with_what_to_do(in_production):
    assert {address: told in fault_of(address) for address, told in FAULTS.items()} == dict.fromkeys(FAULTS, True)
    assert fault_of("https://systeme.exemple.fr:8443/ecare/") == "" == fault_of("https://8.8.8.8/")
    assert post("http://exemple.fr/", b"{}", {}).error == fault_of("http://exemple.fr/")


def test_a_redirect_is_refused(receiver, start_receiver):
    elsewhere = start_receiver()
    for status in (301, 302, 303, 307, 308):
        receiver.status, receiver.headers = status, {"Location": elsewhere.address}
        outcome = post(receiver.address, b"{}", {})
        assert not outcome.is_received and outcome.status == status
        assert "redirection" in outcome.error and str(status) in outcome.error
    assert elsewhere.came == []


def test_no_proxy_no_password_file_and_no_header_of_the_library(receiver, start_receiver, monkeypatch, tmp_path):
    proxy = start_receiver()
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login moi password secret\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.address)
    assert post(receiver.address, b"{}", {"user-agent": "eCaRE-webhooks/1"}).is_received
    assert proxy.came == []
    [(headers, _body)] = receiver.came
    assert set(headers) == {"host", "user-agent", "accept", "accept-encoding", "connection", "content-length"}
    assert headers["accept-encoding"] == "identity" and headers["user-agent"] == "eCaRE-webhooks/1"


@pytest.fixture
def hurried(monkeypatch):
    monkeypatch.setattr(posts, "READ_SECONDS", 0.3)
    monkeypatch.setattr(posts, "WHOLE_SECONDS", 0.8)


@pytest.mark.parametrize("slowness", [{"wait": 30}, {"drip": 0.05}])
def test_whoever_is_slow_is_left_in_time(start_receiver, hurried, slowness):
    """Silent for long, or talking without end."""
    slow, started = start_receiver(**slowness), time.monotonic()
    outcome = post(slow.address, b"{}", {})
    assert outcome.error == posts.SLOW and outcome.status is None
    assert time.monotonic() - started < 3


def test_of_a_long_answer_only_the_beginning_is_read(start_receiver, hurried):
    endless = start_receiver(status=500, headers={"Content-Type": "text/plain"}, body=b"erreur " * 2_000_000)
    outcome = post(endless.address, b"{}", {})
    assert outcome.status == 500 and len(outcome.answer) == posts.LONGEST_TEXT


def test_nobody_there_and_a_name_that_is_none(monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert post(f"http://127.0.0.1:{port}/", b"{}", {}).error == posts.CLOSED

    def fail(*arguments, **more):
        raise socket.gaierror

    monkeypatch.setattr("socket.getaddrinfo", fail)
    assert post(f"https://{NAME}/", b"{}", {}).error == posts.UNKNOWN


def test_what_is_kept_of_an_answer_names_nobody_and_opens_nothing(receiver):
    receiver.status, receiver.headers = 400, {"Content-Type": "text/html; charset=utf-8"}
    receiver.body = (
        "<h1>Refusé</h1>\n de camille.martin@exemple.fr au +33 4 67 33 67 33, "
        "clé whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw, v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=\x00\x1b[31m fin"
    ).encode()
    outcome = post(receiver.address, b"{}", {})
    assert outcome.answer == "Refusé de … au …, clé …, v1,… [31m fin" or outcome.answer.startswith("Refusé de … au …")
    for word in ("camille", "67 33", "whsec", "g0hM9", "\x00", "\x1b", "<h1>"):
        assert word not in outcome.answer
    assert "secret" in outcome.error
    receiver.headers = {"Content-Type": "image/png"}
    assert post(receiver.address, b"{}", {}).answer == ""
    receiver.status, receiver.headers = 200, {"Content-Type": "text/plain"}
    assert post(receiver.address, b"{}", {}).answer == "", "nothing of an answer that needs no explanation"


@pytest.mark.parametrize(
    ("status", "told"),
    [(404, "n’existe pas"), (410, "n’existe pas"), (401, "signature"), (500, "erreur"), (418, "200 à 299")],
)
def test_each_refusal_is_a_sentence(receiver, status, told):
    receiver.status = status
    outcome = post(receiver.address, b"{}", {})
    assert told in outcome.error and str(status) in outcome.error


# --- TLS ----------------------------------------------------------------------------------------------------------
def certificate(folder, name: str):
    """Of an authority of its own, for that name; the files of the authority and of the server."""
    now = datetime.now(UTC)
    authority, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Autorité d’essai")])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])

    def made(whose, holder):
        built = x509.CertificateBuilder().subject_name(whose).issuer_name(issuer).public_key(holder.public_key())
        built = built.serial_number(x509.random_serial_number())
        return built.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))

    root = made(issuer, authority).add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    names = x509.SubjectAlternativeName([x509.DNSName(name)])
    leaf = made(subject, key).add_extension(names, critical=False).sign(authority, hashes.SHA256())
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "authority.pem").write_bytes(root.sign(authority, hashes.SHA256()).public_bytes(pem))
    (folder / "server.pem").write_bytes(private + leaf.public_bytes(pem))
    return folder / "authority.pem", folder / "server.pem"


def over_tls(server_file):
    class Server(ThreadingHTTPServer):
        def get_request(self):
            connected, place = super().get_request()
            return context.wrap_socket(connected, server_side=True, do_handshake_on_connect=False), place

        def handle_error(self, *arguments):
            return

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server_file)
    return Server


def test_a_certificate_is_that_of_the_name_although_an_address_is_connected_to(
    start_receiver, names, settings, tmp_path
):
    authority, server_file = certificate(tmp_path, NAME)
    receiver = start_receiver(over_tls(server_file))
    names[NAME] = names["autre.exemple.fr"] = ["127.0.0.1"]
    port = receiver.address.split(":")[2].split("/")[0]
    settings.WEBHOOK_CA = str(authority)
    assert post(f"https://{NAME}:{port}/ecare", b"{}", {}).is_received
    [(headers, _body)] = receiver.came
    assert headers["host"] == f"{NAME}:{port}"
    assert names.asked.count(NAME) == 1
    assert post(f"https://autre.exemple.fr:{port}/ecare", b"{}", {}).error == posts.CERTIFICATE
    settings.WEBHOOK_CA = ""
    assert post(f"https://{NAME}:{port}/ecare", b"{}", {}).error == posts.CERTIFICATE
    assert len(receiver.came) == 1
