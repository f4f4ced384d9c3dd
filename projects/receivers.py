from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.dispatch import receiver

from accounts.signals import account_deleting
from jobs.models import Job
from jobs.signals import job_deleted
from projects import limits
from projects.live import announce
from projects.services import leave_all_projects
from projects.trash.projects import remove_projects_in_trash_of
from storage.signals import upload_starting


@receiver(account_deleting)
def leave_projects(sender: type, user: User, **kwargs: Any) -> None:
    leave_all_projects(user=user)
    remove_projects_in_trash_of(user)


@receiver(job_deleted)
def announce_deleted_job(sender: type, job: Job, **kwargs: Any) -> None:
    announce(project=job.project_id, kind="job", id=job.pk, action="deleted")


@receiver(upload_starting)
def count_bytes(sender: type, user: User, length: int, **kwargs: Any) -> None:
    limits.require_user_bytes(user, length)
