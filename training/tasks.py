from celery import shared_task

from training import searches, services


@shared_task(name="training.tasks.work_on_trainings")
def work_on_trainings(queue: str) -> None:
    services.work_on_trainings()


@shared_task(name="training.tasks.reap_trainings")
def reap_trainings() -> int:
    return services.reap_trainings()


@shared_task(name="training.tasks.look_after_searches")
def look_after_searches() -> int:
    return searches.look_after_searches()
