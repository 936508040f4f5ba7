import os

from celery import Celery
from celery.signals import setup_logging, task_prerun
from structlog.contextvars import bind_contextvars, clear_contextvars

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecare.settings")

app = Celery("ecare")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_our_lines(**said):
    """Celery configures no log of its own: Django did, for all (`ecare/logs.py`)."""


@task_prerun.connect
def name_task(task=None, **said):
    """What is logged from here on is of this task; nothing is left of the one before in the same thread."""
    clear_contextvars()
    bind_contextvars(task=task.name)
