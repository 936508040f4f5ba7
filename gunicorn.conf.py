"""How production serves the pages; gunicorn reads this file by itself. A process per core and threads in each: most of
a request waits for the database. In front stands a proxy that keeps bodies until they are whole
(deploy/nginx.conf.template).
"""

import os
from pathlib import Path

wsgi_app = "ecare.wsgi:application"
bind = f"{os.environ.get('ECARE_LISTEN') or '0.0.0.0'}:{os.environ.get('PORT') or '8000'}"  # noqa: S104 (a container's)
workers = int(os.environ.get("ECARE_WEB_PROCESSES") or 3)
threads = int(os.environ.get("ECARE_WEB_THREADS") or 8)
worker_class = "gthread"
preload_app = True  # what they share is in memory once
timeout = 90
graceful_timeout = 30
keepalive = 75  # longer than the proxy's, so that no request meets a closing connection
max_requests, max_requests_jitter = 5000, 500
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 (a heartbeat, not a secret)
control_socket_disable = True
forwarded_allow_ips = "*"  # nobody else reaches this port
loglevel = "warning"
