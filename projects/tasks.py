from celery import shared_task

from projects import removal


@shared_task(name="projects.tasks.remove_projects")
def remove_projects(queue: str = removal.QUEUE) -> int:
    return removal.remove_projects()
