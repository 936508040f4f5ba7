"""`python -m deploy.load COUNT [OPTIONS OF LOCUST]`: référents, then locust, against a running `make prod-local`."""

import os
import subprocess
import sys

from deploy.local import FOLDER, PORT, Production

DEFAULTS = ["--users", "60", "--spawn-rate", "2", "--run-time", "10m"]


def main(count: str, options: list[str]) -> int:
    production = Production(FOLDER, port=PORT)
    people = FOLDER / "people.json"
    people.touch(mode=0o600)
    people.write_text(production.inside("deploy.people", count))
    command = ["locust", "--headless", "--only-summary", "--locustfile", "deploy/locustfile.py", *DEFAULTS, *options]
    return subprocess.run(
        [sys.executable, "-m", *command], env=os.environ | {"ECARE_PEOPLE": str(people)}, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
