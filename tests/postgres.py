"""`python -m tests.postgres COMMAND…`: run the command on a real PostgreSQL.

The server is DATABASE_URL's, or one that lives as long as the command (`deploy/postgres.py`).
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from deploy.postgres import Postgres
from deploy.processes import NotStarted


def main(command: list[str]) -> int:
    if os.environ.get("DATABASE_URL"):
        return subprocess.run(command, check=False).returncode
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = Path(tempfile.mkdtemp(prefix="ecare-tests-"))
    server = Postgres(folder, durable=False)  # durability is not what these tests are about
    try:
        server.start()
        return subprocess.run(command, env=os.environ | {"DATABASE_URL": server.url()}, check=False).returncode
    except NotStarted as fault:
        sys.exit(str(fault))
    finally:
        server.forget()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
