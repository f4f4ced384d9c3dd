from celery import shared_task

from projects import jobs, removal, webhooks


@shared_task(name="projects.tasks.work_on")
def work_on(queue: str) -> None:
    jobs.work_on(queue)


@shared_task(name="projects.tasks.reap_jobs")
def reap_jobs() -> int:
    return jobs.reap_jobs()


@shared_task(name="projects.tasks.deliver_webhooks")
def deliver_webhooks(queue: str = webhooks.QUEUE) -> None:
    webhooks.work_on_deliveries()


@shared_task(name="projects.tasks.remove_projects")
def remove_projects(queue: str = removal.QUEUE) -> int:
    return removal.remove_projects()
