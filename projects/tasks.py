from celery import shared_task

from projects import jobs, webhooks


@shared_task(name="projects.tasks.run_job")
def run_job(pk: str) -> None:
    jobs.run_job(pk)


@shared_task(name="projects.tasks.reap_jobs")
def reap_jobs() -> int:
    return jobs.reap_jobs()


@shared_task(name="projects.tasks.deliver_webhooks")
def deliver_webhooks() -> int:
    return webhooks.deliver_due()
