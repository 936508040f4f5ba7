"""The environment of the tests, set before Django reads its settings (`-p tests.environment` in pyproject.toml).

Nothing of the caller's environment decides what the tests see, but DATABASE_URL (the engine), CHROMIUM and ECARE_FULL
(tests/counts.py).
"""

import atexit
import os
import shutil
import tempfile

for name in ("ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "EMAIL_URL", "PORT", "REDIS_URL", "SECRET_KEY"):
    os.environ.pop(name, None)
for name in [name for name in os.environ if name.startswith("ECARE_") and name not in ("ECARE_DATA", "ECARE_FULL")]:
    del os.environ[name]
os.environ["ECARE_EMBEDDED"] = "true"
os.environ["ECARE_TESTING"] = "true"
# Playwright's loop runs in the test's own thread, where Django would refuse the ORM.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

if "PYTEST_XDIST_WORKER" not in os.environ:
    # Never the data folder of a running portal; the workers of one run inherit theirs from here.
    os.environ["ECARE_DATA"] = tempfile.mkdtemp(prefix="ecare-tests-")
    atexit.register(shutil.rmtree, os.environ["ECARE_DATA"], ignore_errors=True)
