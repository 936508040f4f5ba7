"""docker-compose.yml says what the tests of this folder run: the same commands, settings that exist, nobody is root."""

import re

import pytest
import yaml

from deploy.portal import BEAT, ROOT, WEB, WORKER

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
PORTAL = ("web", "worker", "beat", "release")
SETTINGS = set(re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE))


@pytest.mark.parametrize(("name", "command"), [("web", WEB), ("worker", WORKER), ("beat", BEAT)])
def test_it_starts_what_the_tests_start(name, command):
    assert SERVICES[name]["command"][: len(command)] == command


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"release"}))
def test_each_server_says_whether_it_is_well(name):
    assert SERVICES[name]["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
    assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", PORTAL)
def test_the_portal_is_nobody_and_writes_nowhere_but_in_memory(name):
    service = SERVICES[name]
    assert service["read_only"] and service["cap_drop"] == ["ALL"] and service["tmpfs"]
    assert "volumes" not in service and "ports" not in service
    assert re.search(r"^USER ecare$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("name", PORTAL)
def test_each_setting_exists(name):
    assert set(SERVICES[name]["environment"]) - SETTINGS == set()


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_an_image_has_a_version(name):
    image = SERVICES[name]["image"]
    assert ":" in image and not image.endswith(":latest")


def test_only_the_proxy_is_open_to_the_world():
    open_ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert set(open_ports) == {"proxy", "mail"}
    assert all(port.startswith("127.0.0.1:") for port in open_ports["mail"])


def test_what_the_portal_does_not_need_is_not_reached_from_outside():
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    for name in ("db", "broker", "store"):
        assert SERVICES[name]["networks"] == ["inside"]


def test_the_image_is_built_from_the_lock_file():
    text = (ROOT / "Dockerfile").read_text()
    assert "--require-hashes -r requirements.lock" in text and "bin/static" in text
    assert text.count("FROM python:3.11") == 2


def test_the_image_carries_every_room_and_nothing_else():
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    rooms = {path.parent.name for path in ROOT.glob("*/apps.py")}
    assert rooms | {"templates", "static", "fixtures", "docs/guides", "manage.py", "gunicorn.conf.py"} <= kept
    assert not kept & {"tests", "deploy", "benchmarks", ".git", ".venv", "var", "docs"}


def test_the_two_proxies_have_the_same_variables():
    template = (ROOT / "deploy" / "nginx.conf.template").read_text()
    assert set(re.findall(r"\$\{(\w+)\}", template)) == {
        name for name in SERVICES["proxy"]["environment"] if name.startswith("PROXY_")
    }
