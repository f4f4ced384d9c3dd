from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from jobs.models import Work
from jobs.signals import work_ended
from webhooks.services import announce_work


@receiver(work_ended)
def announce_end(sender: type, work: Work, **kwargs: Any) -> None:
    announce_work(work)
