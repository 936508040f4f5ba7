"""`python -m benchmarks steering [NUMBER]` (or `queue`, `exports`, `restore`): one benchmark, on a throw-away SQLite,
or on a throw-away PostgreSQL with `python -m tests.postgres python -m benchmarks steering [NUMBER]`."""

import os
import sys
from importlib import import_module

import django
from django.core.management import call_command

import tests.environment  # noqa: F401 # a folder of its own, before Django reads its settings


def main(name: str, *arguments: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "ecare.settings"
    django.setup()
    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    import_module(f"benchmarks.{name}").main(*map(int, arguments))


if __name__ == "__main__":
    main(*sys.argv[1:])
