"""The portal as production runs it: web, worker, beat, by the commands of docker-compose.yml."""

import subprocess
import sys
from pathlib import Path

import redis

from deploy.processes import HOST, NotStarted, Server, answers, free_port

ROOT = Path(__file__).parents[1]
PROGRAMS = Path(sys.executable).parent

WEB = ["gunicorn"]
WORKER = ["celery", "--app=ecare", "--quiet", "worker", "--loglevel=WARNING", "--without-gossip", "--without-mingle"]
BEAT = ["celery", "--app=ecare", "--quiet", "beat", "--loglevel=WARNING"]


class PortalProcess(Server):
    """`variables`: the settings of docs/settings.md, and nothing else of the environment."""

    work: list[str]

    def __init__(self, folder: Path, variables: dict[str, str]):
        super().__init__(folder)
        self.variables = variables

    def command(self) -> list[str]:
        return [str(PROGRAMS / self.work[0]), *self.work[1:], *self.more()]

    def more(self) -> list[str]:
        return []

    def environment(self) -> dict[str, str]:
        return super().environment() | {"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"} | self.variables

    @property
    def workplace(self) -> Path:
        return ROOT

    def manage(self, *arguments: str) -> str:
        """What a command of manage.py says. Raises NotStarted when it fails."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise NotStarted(f"manage.py {arguments[0]} failed:\n{done.stdout[-4000:]}")
        return done.stdout


class Web(PortalProcess):
    name, work = "web", WEB

    def __init__(self, folder: Path, variables: dict[str, str]):
        self.port = free_port()
        super().__init__(folder, variables | {"ECARE_LISTEN": HOST, "PORT": str(self.port)})

    def is_ready(self) -> bool:
        return answers(self.port)


class Worker(PortalProcess):
    work = WORKER

    def __init__(self, folder: Path, variables: dict[str, str], *, name: str = "worker", concurrency: int = 2):
        super().__init__(folder, variables)
        self.name, self.concurrency = name, concurrency

    def more(self) -> list[str]:
        return [f"--concurrency={self.concurrency}", f"--hostname={self.name}@localhost"]

    def is_ready(self) -> bool:
        """It listens to the broker: at least its pool and one connection are there."""
        with redis.Redis.from_url(self.variables["REDIS_URL"]) as broker:
            return broker.pubsub_numpat() > 0 or bool(broker.pubsub_channels("*pidbox*"))


class Beat(PortalProcess):
    name, work = "beat", BEAT

    def more(self) -> list[str]:
        return [f"--schedule={self.folder / 'schedule'}", "--pidfile="]

    def is_ready(self) -> bool:
        return (self.folder / "schedule").exists() or any(self.folder.glob("schedule.*"))
