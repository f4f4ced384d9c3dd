from celery import shared_task

from storage import services


@shared_task
def replicate_pending() -> int:
    return services.replicate_pending()


@shared_task
def sweep_orphans() -> int:
    return services.sweep_orphans()
