"""Backups, trial restores and downloads of weights in the background: asked for by staff or schedule, one at a time."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from common.errors import Conflict, StudioError
from jobs import heartbeat, messages, work
from jobs.errors import LeaseLost, WorkCancelled, WorkInterrupted
from jobs.models import WorkState
from mlstudio.backups import BackupError, Progress
from mlstudio.models import MaintenanceKind, MaintenanceRun
from mlstudio.staff import backups, drills
from mlstudio.staff.errors import BackupsOff, WeightsOff
from training.weights import download
from vision.training.architectures import find_weights
from vision.training.pretrained import PRETRAINED

log = structlog.get_logger(__name__)

TASK, QUEUE = "mlstudio.tasks.look_after_backups", "periodic"
REPORT_SECONDS = 2.0
RUNS_KEPT = 100


@transaction.atomic
def ask_for(*, kind: MaintenanceKind, user: User | None) -> MaintenanceRun:
    """Queue a backup, or a trial restore.

    Raises:
        BackupsOff: the studio keeps none.
        Conflict: one waits or runs already.
    """
    if reason := backups.why_none():
        raise BackupsOff(None if settings.BACKUP_DIR is None else reason)
    return _queue(kind, user)


@transaction.atomic
def ask_for_weights(*, name: str, user: User) -> MaintenanceRun:
    """Queue the download of pretrained weights.

    Raises:
        WeightsOff: the studio downloads none.
        Conflict: they are here already; something waits or runs already.
    """
    if settings.WEIGHTS == "off":
        raise WeightsOff()
    weights = PRETRAINED[name]
    if find_weights(weights.architecture, weights.kind) is not None:
        raise Conflict(f"{weights.title}: these weights are here already.", code="weights_here")
    return _queue(MaintenanceKind.WEIGHTS, user, name)


def _queue(kind: MaintenanceKind, user: User | None, subject: str = "") -> MaintenanceRun:
    try:
        with transaction.atomic():
            run = MaintenanceRun.objects.create(kind=kind, created_by=user, subject=subject)
    except IntegrityError as error:
        raise Conflict(
            "A backup, a trial restore or a download waits or runs already. Ask again when it has ended.",
            code="still_running",
        ) from error
    transaction.on_commit(lambda: messages.send(TASK, QUEUE))
    return run


def look_after() -> int:
    """Do what waits, and what the schedule wants now. Returns how many runs were done."""
    _follow_schedule()
    done = 0
    for pk in list(MaintenanceRun.objects.filter(slot__isnull=False).values_list("pk", flat=True)):
        run = work.claim(MaintenanceRun, pk)
        if run is not None:
            with heartbeat.keeping(run):
                _do(run)
            done += 1
    return done


def _follow_schedule() -> None:
    if not MaintenanceRun.objects.filter(slot__isnull=False).exists() and backups.is_due():
        try:
            ask_for(kind=MaintenanceKind.BACKUP, user=None)
        except Conflict:  # another worker was first
            log.info("backup_asked_for_twice")


def _do(run: MaintenanceRun) -> None:
    try:
        if run.attempts > settings.MAX_ATTEMPTS:
            raise BackupError("The worker died over it again and again; the server's log may say why.")
        if run.kind == MaintenanceKind.BACKUP:
            _back_up(run)
        elif run.kind == MaintenanceKind.WEIGHTS:
            _download_weights(run)
        else:
            _drill(run)
    except LeaseLost:
        log.warning("lease_lost", work=str(run.pk))
    except WorkInterrupted:
        work.release(run)
    except WorkCancelled:
        _end(run, WorkState.CANCELLED)
    except StudioError as error:
        log.warning("download_failed", weights=run.subject, error=str(error))
        _end(run, WorkState.FAILED, error_code=error.code, error_detail=str(error)[:1000])
    except (BackupError, OSError) as error:
        log.warning("maintenance_failed", kind=run.kind, error=str(error))
        _end(run, WorkState.FAILED, error_code="backup_failed", error_detail=str(error)[:1000])
    except Exception:
        log.exception("maintenance_failed", kind=run.kind)
        detail = "An unexpected error ended this; the server's log has it."
        _end(run, WorkState.FAILED, error_code="internal_error", error_detail=detail)


def _back_up(run: MaintenanceRun) -> None:
    backup = backups.take(name_at=run.created_at, on_progress=_reporter(run))
    result = {"backup": backup.path.name, "files": backup.manifest.files, "bytes": backup.size_bytes}
    _end(run, WorkState.SUCCEEDED, result=result)


def _download_weights(run: MaintenanceRun) -> None:
    report = _reporter(run)
    path = download(PRETRAINED[run.subject], lambda file, done, total: report(done, total or done))
    _end(run, WorkState.SUCCEEDED, result={"path": str(path)})


def _drill(run: MaintenanceRun) -> None:
    found = drills.drill(on_progress=_reporter(run))
    result = asdict(found)
    if found.is_whole:
        _end(run, WorkState.SUCCEEDED, result=result)
        return
    detail = "The newest backup is damaged. Take another one now, and look at the disk that it is on."
    _end(run, WorkState.FAILED, error_code="backup_damaged", error_detail=detail, result=result)


def _end(run: MaintenanceRun, state: WorkState, **changes: Any) -> None:
    try:
        work.finish(run, state, slot=None, **changes)
    except LeaseLost:
        log.warning("lease_lost", work=str(run.pk))


def _reporter(run: MaintenanceRun) -> Progress:
    """Writes how far it is, every few seconds, and ends it with this process."""
    reported = 0.0

    def report(done: int, total: int) -> None:
        nonlocal reported
        work.check_shutdown()
        if time.monotonic() - reported > REPORT_SECONDS:
            reported = time.monotonic()
            work.renew(run, progress={"done": done, "total": total})

    return report


def delete_old_runs() -> int:
    """Forget all but the last hundred."""
    last = MaintenanceRun.objects.filter(slot=None).order_by("-id").values_list("pk", flat=True)
    old = list(last[RUNS_KEPT : RUNS_KEPT + 1000])
    work.delete_events(old)
    return MaintenanceRun.objects.filter(pk__in=old).delete()[0]
