from celery import shared_task

from custom_vision.stored_predictions import forget_old_predictions


@shared_task
def forget_predictions() -> None:
    forget_old_predictions()
