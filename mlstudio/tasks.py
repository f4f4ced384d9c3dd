"""Housekeeping across all floors."""

from collections.abc import Callable

import structlog
from celery import shared_task

from accounts.emails import delete_old_changes
from accounts.logins import delete_ended_logins
from accounts.services import delete_expired_tokens
from datasets.renditions import delete_old_renditions
from inference.embeddings.stores import tidy as tidy_features
from jobs.loops import each
from jobs.services import delete_old_jobs, sweep_job_files
from jobs.work import delete_lost_events
from mlstudio.counts import correct_counts
from mlstudio.idempotency import delete_old_records
from mlstudio.staff import running
from mlstudio.temporary import sweep_temporary_files
from projects.changes.undoing import delete_old_changes as forget_changes
from projects.invitation_links import delete_old_links
from projects.invitations import delete_old_invitations
from projects.live import delete_old_events
from projects.trash.services import remove_expired
from storage.resumable import delete_expired_uploads
from training.sweeping import sweep_work_folders
from webhooks.services import delete_old_deliveries

PARTS: dict[str, Callable[[], int]] = {
    "tokens": delete_expired_tokens,
    "logins": delete_ended_logins,
    "email_changes": delete_old_changes,
    "jobs": delete_old_jobs,
    "invitations": delete_old_invitations,
    "invitation_links": delete_old_links,
    "deliveries": delete_old_deliveries,
    "uploads": delete_expired_uploads,
    "folders": sweep_work_folders,
    "job_files": sweep_job_files,
    "temporary_files": sweep_temporary_files,
    "counts": correct_counts,
    "trash": remove_expired,
    "changes": forget_changes,
    "renditions": delete_old_renditions,
    "events": delete_lost_events,
    "project_events": delete_old_events,
    "idempotency_records": delete_old_records,
    "features": tidy_features,
    "maintenance": running.delete_old_runs,
}

log = structlog.get_logger(__name__)


@shared_task(name="mlstudio.tasks.housekeeping")
def housekeeping() -> None:
    """Every part of it on its own: one that fails is logged, and keeps no other from its turn."""
    done = each(PARTS.items(), lambda part: (part[0], part[1]()), loop="housekeeping")
    log.info("housekeeping", **dict(done))


@shared_task(name="mlstudio.tasks.look_after_backups")
def look_after_backups(queue: str = running.QUEUE) -> int:
    return running.look_after()
