"""How production serves the pages; gunicorn reads this file by itself, the command line has the last word. A process
per core and threads in each: most of a request waits for the database. In front stands a proxy that keeps bodies until
they are whole (deploy/nginx.conf.template).
"""

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

wsgi_app = "ecare.wsgi:application"
_listen = os.environ.get("ECARE_LISTEN") or "0.0.0.0"  # noqa: S104 (a container's)
bind = f"{_listen}:{os.environ.get('PORT') or '8000'}"
workers = int(os.environ.get("ECARE_WEB_PROCESSES") or 3)
threads = int(os.environ.get("ECARE_WEB_THREADS") or 8)
worker_class = "gthread"
preload_app = False  # each process opens its own connections
timeout = 90
graceful_timeout = 30
keepalive = 75  # longer than the proxy's, so that no request meets a closing connection
max_requests, max_requests_jitter = 10_000, 1_000
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 (a heartbeat, not a secret)
control_socket_disable = True
forwarded_allow_ips = "*"  # nobody else reaches this port
accesslog = None  # ours holds no address (ADR 36)
logconfig_dict = logs.configuration(is_readable=False, level=os.environ.get("ECARE_LOG_LEVEL") or "WARNING")


def child_exit(server, worker):
    """Its gauges go; what it counted stays counted."""
    multiprocess.mark_process_dead(worker.pid)
