from celery import shared_task

from edge import alarms, rollouts


@shared_task(name="edge.tasks.look_after_rollouts")
def look_after_rollouts() -> int:
    return rollouts.look_after_all()


@shared_task(name="edge.tasks.look_after_alarms")
def look_after_alarms() -> int:
    return alarms.look_after_alarms()
