"""The Celery app of workers, trainer and beat."""

import os
import warnings

from celery import Celery, signals
from celery.exceptions import SecurityWarning
from django_structlog.celery.steps import DjangoStructLogInitStep

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlstudio.settings")

# In a container everything runs as root, and our messages are JSON, never pickles.
warnings.filterwarnings("ignore", category=SecurityWarning)

app = Celery("mlstudio")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.steps["worker"].add(DjangoStructLogInitStep)
app.autodiscover_tasks()


@signals.setup_logging.connect
def keep_our_logging(**kwargs) -> None:
    """Celery would replace the handlers; Django's settings have configured them already."""


@signals.worker_shutting_down.connect
def let_go_of_work(**kwargs) -> None:
    """Long work sees this and releases its lease, so that it goes on at the next start."""
    from projects.work import shutting_down

    shutting_down.set()
