from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from custom_vision.copying import KEY_DAYS, forget_old_keys
from custom_vision.stored_predictions import forget_old_predictions


@shared_task
def forget_predictions() -> None:
    forget_old_predictions()
    forget_old_keys(before=timezone.now() - timedelta(days=KEY_DAYS))
