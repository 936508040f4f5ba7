"""What production is when its processes are all there: TLS, the proxy before the portal, workers behind it."""

import re
import socket
import ssl
import time

import pytest

from deploy.mail import code_in, link_in
from deploy.processes import HOST, wait_for

PASSWORD = "Un-mot-de-passe-de-production-26"


def test_pages_come_over_tls_with_their_headers(production, visit):
    page = visit("/")
    assert page.status_code == 200 and "Convergence" in page.text
    assert page.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert "nginx/" not in page.headers["Server"], "no version is told"


def test_plain_http_leads_to_tls(production, visit):
    answer = visit(f"http://{HOST}:{production.proxy.plain_port}/connexion/?suite=1")
    assert (answer.status_code, answer.headers["Location"]) == (301, f"{production.address}/connexion/?suite=1")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_former_versions_of_tls_are_refused(production):
    """`ssl_protocols` of the proxy."""
    context = production.proxy.trusting()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with (
        socket.create_connection((HOST, production.proxy.port), timeout=10) as plain,
        pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"),
    ):
        context.wrap_socket(plain, server_hostname="localhost")


def test_nothing_of_the_demo_is_there(visit):
    assert visit("/boite-aux-lettres/").status_code == 404
    assert "Démonstration" not in visit("/").text


def test_static_files_are_compressed_and_kept_for_good(visit):
    page = visit("/")
    style = re.search(r'href="(/static/ecare/ecare\.[0-9a-f]+\.css)"', page.text)[1]
    answer = visit(style, headers={"Accept-Encoding": "gzip"})
    assert answer.status_code == 200 and answer.headers["Content-Encoding"] == "gzip"
    assert "immutable" in answer.headers["Cache-Control"]


def test_all_is_ready(visit):
    wait_for(lambda: visit("/sante/").status_code == 200, what="not ready", seconds=30)


def test_the_check_of_a_deployment_finds_nothing(production):
    assert "no issues" in production.web.manage("check", "--deploy", "--fail-level", "INFO")


def connected(production):
    """A connection to the proxy, its certificate verified."""
    plain = socket.create_connection((HOST, production.proxy.port), timeout=10)
    return production.proxy.trusting().wrap_socket(plain, server_hostname="localhost")


# --- who sends ----------------------------------------------------------------------------------------------------
def test_what_a_sender_says_of_their_address_is_not_believed(production, visit):
    """The proxy writes X-Forwarded-For anew: else somebody would have as many addresses as they wish, and no limit."""
    statuses = []
    for rank in range(70):
        headers = {"X-Forwarded-For": f"198.51.100.{rank}", "Authorization": f"Bearer ecare_{'x' * 40}"}
        statuses.append(visit("/api/v1/domains", headers=headers).status_code)
    assert statuses[:60] == [401] * 60 and statuses[-1] == 429


def test_what_is_too_heavy_is_said_in_french_and_reaches_nobody(production, visit):
    with connected(production) as wire:
        length = 1100 * 1024 * 1024
        wire.sendall(f"POST /connexion/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n".encode())
        answer = wire.recv(65536).decode()
    assert answer.startswith("HTTP/1.1 413") and "Votre envoi est trop lourd" in answer


def test_slow_senders_keep_no_thread_of_the_portal(production, visit):
    """The proxy keeps a body until it is whole (`proxy_request_buffering`): without it, as many slow posts as the
    portal has threads stop everybody."""
    slow = []
    # The CSRF check reads the body of whoever shows a cookie and comes from the portal.
    headers = {
        "Host": f"localhost:{production.proxy.port}",
        "Referer": f"{production.address}/connexion/",
        "Cookie": f"__Host-csrf={'a' * 32}",
        "Content-Type": "application/x-www-form-urlencoded",
        "Content-Length": "1000",
    }
    lines = ["POST /connexion/ HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    head = "\r\n".join(lines) + "\r\n\r\nlogin="
    try:
        for _ in range(40):
            slow.append(connected(production))
            slow[-1].sendall(head.encode())
        time.sleep(1)  # what would reach the portal has reached it
        assert all(visit("/", timeout=5).status_code == 200 for _ in range(5))
    finally:
        for wire in slow:
            wire.close()


# --- when a process is not there ----------------------------------------------------------------------------------
def test_without_web_the_proxy_says_what_to_do(production, visit):
    production.web.stop()
    try:
        answer = visit("/tableau-de-bord/")
    finally:
        production.web.start()
    assert answer.status_code == 502 and "Le service ne répond pas pour le moment" in answer.text
    assert answer.headers["Retry-After"] == "60" and "no-store" in answer.headers["Cache-Control"]
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert visit("/").status_code == 200


def test_a_web_that_is_stopped_finishes_what_it_began(production, visit):
    """An upgrade loses no request: on SIGTERM gunicorn answers those that have begun (`graceful_timeout`)."""
    with socket.create_connection((HOST, production.web.port), timeout=30) as wire:
        wire.sendall(b"POST /connexion/ HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Proto: https\r\n")
        wire.sendall(b"Content-Length: 10\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\nlogin")
        time.sleep(1)  # it is in the hands of a thread
        production.web.process.terminate()
        try:
            time.sleep(1)
            wire.sendall(b"=abcd")
            assert wire.recv(100).startswith(b"HTTP/1.1 403"), "refused by the CSRF check, not cut off"
        finally:
            production.web.stop()
            production.web.start()
    assert visit("/").status_code == 200


# --- people -------------------------------------------------------------------------------------------------------
def send(visit, path, **typed):
    """Fill the form of a page, as a browser without scripts sends it."""
    page = visit(path)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)[1]
    return visit(path, "POST", data={"csrfmiddlewaretoken": token} | typed, headers={"Referer": page.url})


def test_the_first_administrator_comes_by_mail_and_reaches_nothing_before_they_enrol(production, visit):
    """Beat, broker, worker and mail server carry the letters; cookies hold over TLS; TOTP is not optional here."""
    email = "premiere@exemple.fr"
    production.web.manage("invite_agent", email)
    wait_for(lambda: production.mail.letters(to=email), what="no invitation came", seconds=60)
    link = link_in(production.mail.letters(to=email)[-1], "invitation")
    person = {"civility": "madame", "last_name": "Lovelace", "first_name": "Ada", "username": "ada.lovelace"}
    accepted = send(visit, link, **person, phone="", password1=PASSWORD, password2=PASSWORD)
    assert accepted.status_code == 302, accepted.text
    known = len(production.mail.letters(to=email))
    assert send(visit, "/connexion/", login="ada.lovelace", password=PASSWORD).status_code == 302
    wait_for(lambda: len(production.mail.letters(to=email)) > known, what="no code came", seconds=60)
    code = code_in(production.mail.letters(to=email)[-1])
    assert send(visit, "/connexion/code/", code=code).status_code == 302
    assert all(cookie.name.startswith("__Host-") and cookie.secure for cookie in visit.session.cookies)
    page = visit("/cgu/accepter/")
    version = re.search(r'name="version" value="([^"]+)"', page.text)[1]
    assert send(visit, "/cgu/accepter/", version=version, is_accepted="on").status_code == 302
    for path in ("/administration/", "/tableau-de-bord/", "/verification/"):
        assert visit(path).headers["Location"] == "/compte/double-authentification/activer/"
    assert visit("/compte/double-authentification/activer/").status_code == 200
