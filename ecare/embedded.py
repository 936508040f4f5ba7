"""`python -m ecare.embedded`: the whole portal from one command, with nothing else installed or running.

Gunicorn keeps one process that serves the pages and runs Celery's worker and beat as threads over an in-memory
broker; the database is a SQLite file. It listens on 127.0.0.1 alone, and is a demonstration, not a production.
"""

import os
import socket
import sys
import time
from pathlib import Path
from threading import Thread

import django
import yaml
from celery.beat import Service
from celery.worker import WorkController
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.db import connections
from gunicorn.app.base import BaseApplication

from ecare.celery import app as celery_app
from ecare.health import forget_pulse, report

HOST = "127.0.0.1"
WEB_THREADS, WORKER_THREADS = 8, 6  # three exports and two slow addresses at once leave a thread to the letters


def main() -> None:
    os.environ["ECARE_EMBEDDED"] = "true"
    os.umask(0o077)  # letters, keys and evidence are for the person who started it
    port = given_port()
    django.setup()
    prepare()
    Portal(port).run()


def given_port() -> int:
    """PORT, if it is a port and nobody listens there; else one sentence and the end."""
    text = os.environ.get("PORT") or "8000"
    if not text.isdecimal() or not 0 < int(text) < 65536:
        sys.exit(f"PORT={text} : ce n’est pas un numéro de port (1 à 65535).")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, int(text)))
        except OSError as error:
            sys.exit(f"Le port {text} ne peut pas être ouvert ({error.strerror}). Essayez : PORT=8001 make run")
    return int(text)


def prepare() -> None:
    """The tables and, in an empty database, the demo; a demo cut short is loaded anew at the next start."""
    call_command("migrate", verbosity=0, interactive=False)
    call_command("createcachetable", verbosity=0)
    if not get_user_model().objects.exists():
        print("Première mise en route : chargement de la démonstration…", flush=True)
        call_command("load_demo")
    forget_pulse()
    connections.close_all()  # the web process is forked from this one


class Background:
    """Celery's worker and beat as threads of this process."""

    def __init__(self):
        celery_app.loader.import_default_modules()
        self.worker = WorkController(
            app=celery_app,
            pool_cls="threads",
            concurrency=WORKER_THREADS,
            hostname="embedded@localhost",
            without_heartbeat=True,
            without_mingle=True,
            without_gossip=True,
        )
        self.beat = Service(celery_app, scheduler_cls="celery.beat:Scheduler")  # its schedule stays in memory

    def start(self) -> None:
        Thread(target=self.worker.start, name="worker", daemon=True).start()
        Thread(target=self.beat.start, name="beat", daemon=True).start()

    def stop(self) -> None:
        """Let the task in hand finish; what is not begun is in the database."""
        self.beat.stop()
        self.worker.stop()


class Portal(BaseApplication):
    """Gunicorn with one threaded process, and the background with it."""

    def __init__(self, port: int):
        self.port = port
        self.background: Background | None = None
        super().__init__()

    def load_config(self) -> None:
        chosen = {
            "bind": f"{HOST}:{self.port}",
            "workers": 1,
            "worker_class": "gthread",
            "threads": WEB_THREADS,
            "preload_app": True,
            "graceful_timeout": 5,
            "loglevel": "warning",
            "logconfig_dict": settings.LOGGING,
            "control_socket_disable": True,
            "post_worker_init": self.start_background,
            "worker_exit": self.stop_background,
        }
        for name, value in chosen.items():
            self.cfg.set(name, value)

    def load(self):
        return get_wsgi_application()

    def start_background(self, web_process) -> None:
        self.background = Background()
        self.background.start()
        Thread(target=announce, args=[self.port], name="announcement", daemon=True).start()

    def stop_background(self, arbiter, web_process) -> None:
        if self.background:
            self.background.stop()


AWAITED = {"database": "la base de données", "migrations": "ses tables", "background": "les tâches de fond"}


def announce(port: int, *, patience: float = 120) -> None:
    """Once all is ready, say where the portal is and who may enter; after so many seconds, what is still missing."""
    end = time.monotonic() + patience
    while missing := [words for state in [report()] for name, words in AWAITED.items() if not state[name]]:
        connections.close_all()
        if time.monotonic() > end:
            print(f"eCaRE n’est pas prêt. Il manque\u00a0: {', '.join(missing)}.", flush=True)
            print("Arrêtez-le (Ctrl-C), puis relancez make run.", flush=True)
            return
        time.sleep(0.1)
    connections.close_all()
    address = f"http://{HOST}:{port}"
    demo = yaml.safe_load((Path(settings.BASE_DIR) / "fixtures/demo/demo.yaml").read_bytes())
    width = max(len(account["username"]) for account in demo["accounts"])
    print(f"\neCaRE est prêt : {address}/")
    print(f"Boîte aux lettres : {address}/boite-aux-lettres/")
    print(f"\nComptes de démonstration, mot de passe {demo['password']} :")
    for account in demo["accounts"]:
        print(f"  {account['username']:<{width}}  {account['says']}")
    print("\nLe code de connexion arrive dans la boîte aux lettres. Ctrl-C arrête tout.", flush=True)


if __name__ == "__main__":
    main()
