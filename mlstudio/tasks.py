"""Housekeeping across all floors."""

import structlog
from celery import shared_task

from accounts.services import delete_expired_tokens
from mlstudio.counts import correct_counts
from mlstudio.idempotency import delete_old_records
from projects.jobs import delete_old_jobs, sweep_job_files
from projects.webhooks import delete_old_deliveries
from storage.resumable import delete_expired_uploads
from training.services import sweep_work_folders

log = structlog.get_logger(__name__)


@shared_task(name="mlstudio.tasks.housekeeping")
def housekeeping() -> None:
    log.info(
        "housekeeping",
        tokens=delete_expired_tokens(),
        jobs=delete_old_jobs(),
        deliveries=delete_old_deliveries(),
        uploads=delete_expired_uploads(),
        folders=sweep_work_folders(),
        job_files=sweep_job_files(),
        counts=correct_counts(),
        idempotency_records=delete_old_records(),
    )
