"""Housekeeping across all floors."""

import structlog
from celery import shared_task

from accounts.emails import delete_old_changes
from accounts.services import delete_expired_tokens
from mlstudio.counts import correct_counts
from mlstudio.idempotency import delete_old_records
from projects.invitations import delete_old_invitations
from projects.jobs import delete_old_jobs, sweep_job_files
from projects.webhooks import delete_old_deliveries
from storage.resumable import delete_expired_uploads
from training.sweeping import sweep_work_folders

log = structlog.get_logger(__name__)


@shared_task(name="mlstudio.tasks.housekeeping")
def housekeeping() -> None:
    log.info(
        "housekeeping",
        tokens=delete_expired_tokens(),
        email_changes=delete_old_changes(),
        jobs=delete_old_jobs(),
        invitations=delete_old_invitations(),
        deliveries=delete_old_deliveries(),
        uploads=delete_expired_uploads(),
        folders=sweep_work_folders(),
        job_files=sweep_job_files(),
        counts=correct_counts(),
        idempotency_records=delete_old_records(),
    )
