from celery import shared_task

from inference.live_model import upkeep


@shared_task
def look_after_live_models(queue: str = upkeep.QUEUE) -> None:
    upkeep.look_after_live_models()
