"""The name is that of before this app was one of its own: messages with it may wait in the broker."""

from celery import shared_task

from webhooks import deliveries, services


@shared_task(name="projects.tasks.deliver_webhooks")
def deliver_webhooks(queue: str = services.QUEUE) -> None:
    deliveries.work_on_deliveries()
