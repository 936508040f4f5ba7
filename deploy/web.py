"""Gunicorn in production: `gunicorn -c deploy/web.py ecare.wsgi`. Everything else is in the environment
(`docs/settings.md`), or on the command line, which has the last word."""

import os
import shutil
import tempfile
from pathlib import Path

# Request counters are added up over the processes of this node; a start begins them anew.
_folder = Path(os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(Path(tempfile.gettempdir()) / "ecare-metrics")))
shutil.rmtree(_folder, ignore_errors=True)
_folder.mkdir(mode=0o700, parents=True)

from prometheus_client import multiprocess  # it looks for the folder as it is imported

from ecare import logs

workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
worker_class = "gthread"
threads = 8
timeout = 60
graceful_timeout = 30
max_requests, max_requests_jitter = 10_000, 1_000
preload_app = False  # each process opens its own connections
accesslog = None  # ours holds no address (ADR 36)
logconfig_dict = logs.configuration(is_readable=False, level=os.environ.get("ECARE_LOG_LEVEL", "WARNING"))
control_socket_disable = True


def child_exit(server, worker):
    """Its gauges go; what it counted stays counted."""
    multiprocess.mark_process_dead(worker.pid)
