"""The names are those of before this app was one of its own: messages with them may wait in the broker."""

from celery import shared_task

from jobs import services


@shared_task(name="projects.tasks.work_on")
def work_on(queue: str) -> None:
    services.work_on(queue)


@shared_task(name="projects.tasks.reap_jobs")
def reap_jobs() -> int:
    return services.reap_jobs()
