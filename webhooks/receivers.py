from django.dispatch import receiver

from jobs.signals import work_ended
from webhooks.services import announce_work


@receiver(work_ended)
def announce_end(sender, work, **kwargs) -> None:
    announce_work(work)
