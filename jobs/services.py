"""Jobs: the type of their parameters names the function that does them. Rooms above register theirs."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, TypeVar

import structlog
from django.conf import settings
from django.contrib.auth.models import User
from django.db import Error, transaction
from django.utils import timezone

from common.errors import Conflict, StudioError
from common.words import counted
from jobs import heartbeat, lanes, limits, messages, queues, work
from jobs.context import JobContext
from jobs.contracts import PARAMETERS, JobParameters, JobResult
from jobs.errors import LeaseLost, WorkCancelled, WorkFailed, WorkInterrupted, WorkMustWait
from jobs.models import ENDED, Job, Queue, WorkState
from jobs.signals import job_deleted
from storage.database import is_collision, is_unavailable
from storage.errors import BlobMissing, InsufficientStorage, is_disk_full
from storage.models import Blob
from vision.sandbox.removal import remove_tree

log = structlog.get_logger(__name__)

AnyParameters = TypeVar("AnyParameters", bound=JobParameters)
Handler = Callable[[JobContext[AnyParameters]], JobResult]
HANDLERS: dict[type[JobParameters], Handler[Any]] = {}
# Below the work folder: each of these holds files and folders named after a job.
WORK_FOLDERS = {"jobs", "preflight"}
LEFTOVER_SECONDS = 3600
# So long work waits that needs space or a store, that met a database that was away, and that met another transaction.
WAIT_SECONDS, DATABASE_SECONDS, COLLISION_SECONDS = 60.0, 10.0, 1.0
DISK_FULL = ("disk_full", "The server's disk is full. Nothing is lost: the work goes on by itself when there is space.")
STORE_AWAY = "store_unavailable"
DATABASE_BUSY = "The database did not answer. It goes on by itself from where it stopped."
JOB_QUEUES = (Queue.QUICK, Queue.HEAVY, Queue.PREFLIGHT)


def handles(parameters: type[AnyParameters]) -> Callable[[Handler[AnyParameters]], Handler[AnyParameters]]:
    """Register a function as what jobs with these parameters do. It returns the job's result."""

    def register(function: Handler[AnyParameters]) -> Handler[AnyParameters]:
        HANDLERS[parameters] = function
        return function

    return register


@transaction.atomic
def enqueue_job(
    *,
    project: Any,
    user: User,
    parameters: JobParameters,
    input_blob: Blob | None = None,
    queue: Queue | None = None,
) -> Job:
    """Make a job and tell the workers of its queue once the transaction is over.

    Args:
        parameters: whose type says what kind of job it is.
        queue: where it waits, if not where its kind does.

    Raises:
        LimitReached: its user, or the project, has as many jobs as are allowed.
    """
    return _enqueue(
        project=project,
        created_by=user,
        kind=parameters.kind,
        queue=queue or parameters.queue,
        parameters=parameters.to_dict(),
        input_blob=input_blob,
    )


def _enqueue(*, project: Any, created_by: User, queue: Queue, **fields: Any) -> Job:
    limits.require_place(Job, project=project, user=created_by)
    job = Job.objects.create(project=project, created_by=created_by, queue=queue, **fields)
    transaction.on_commit(lambda: dispatch(queue))
    return job


@transaction.atomic
def retry_job(*, job: Job, user: User) -> Job:
    """Do again what failed or was cancelled, as a new job.

    Raises:
        Conflict: it is still running, or it succeeded.
    """
    if job.state not in (WorkState.FAILED, WorkState.CANCELLED):
        raise Conflict("Only what failed or was cancelled can be tried again.", code="not_retryable")
    return _enqueue(
        project=job.project,
        created_by=user,
        kind=job.kind,
        queue=Queue(job.queue),
        parameters=job.parameters,
        input_blob=job.input_blob,
        retry_of=job,
    )


def dispatch(queue: Queue | str) -> None:
    """Tell the workers that a queue has work. Without a broker it waits in the database until they are told again."""
    messages.send(TASKS[Queue(queue)], str(queue))


# The task that takes the work of a queue; rooms above add theirs.
TASKS: dict[Queue, str] = dict.fromkeys(JOB_QUEUES, "projects.tasks.work_on")


def work_on(queue: str) -> None:
    """Do the queue's jobs, one after another in their fair order, until none is left for this thread."""
    lanes.lane(queue).run(lambda: run_next(queue))


def run_next(queue: str) -> bool:
    """Do the job whose turn it is. Whether there was one."""
    job = queues.claim_next(Job, queue)
    if job is None:
        return False
    if queues.has_work(Job, queue):
        dispatch(queue)  # for the other places: one message may stand for many jobs
    _do(job)
    return True


@transaction.atomic
def delete_job(*, job: Job) -> None:
    """Forget an ended job with its log, its report and its files, above all the archive that it read.

    Raises:
        Conflict: it has not ended.
    """
    if job.state not in ENDED:
        raise Conflict("Cancel the job first.", code="still_running")
    work.delete_events([job.pk])
    job_deleted.send(sender=Job, job=job)
    job.delete()


def run_job(pk: str) -> None:
    """Claim a job and do it to its end. Safe to call twice: the second call finds nothing to claim."""
    job = work.claim(Job, pk)
    if job is not None:
        _do(job)


def _do(job: Job) -> None:
    with heartbeat.keeping(job):
        _run_to_its_end(job)


def _run_to_its_end(job: Job) -> None:
    pk = str(job.pk)
    if job.attempts > settings.MAX_ATTEMPTS:
        _end(
            job,
            WorkState.FAILED,
            "worker_lost",
            f"The worker died {counted(settings.MAX_ATTEMPTS, 'time')} over this job.",
        )
        return
    try:
        if job.cancel_requested:
            raise WorkCancelled()
        result = HANDLERS[PARAMETERS[job.kind]](JobContext(job))
        _end(job, WorkState.SUCCEEDED, result=result.to_dict())
    except LeaseLost:
        log.warning("lease_lost", work=pk)
    except WorkInterrupted:
        work.release(job)
        dispatch(job.queue)
    except WorkCancelled:
        _end(job, WorkState.CANCELLED)
    except Exception as error:
        if (waits := _what_it_waits_for(error)) is not None:
            _wait(job, waits)
        else:
            _end_with(job, error)


def _what_it_waits_for(error: Exception) -> WorkMustWait | None:
    """Trouble of the machine that passes, and costs the job nothing but time: a full disk, a store that is away."""
    if isinstance(error, WorkMustWait):
        return error
    if isinstance(error, InsufficientStorage) or is_disk_full(error):
        return WorkMustWait(*DISK_FULL)
    if isinstance(error, WorkFailed) and error.code == DISK_FULL[0]:  # a process of its own has met it
        return WorkMustWait(*DISK_FULL)
    if isinstance(error, BlobMissing) and error.code == STORE_AWAY:
        return WorkMustWait(STORE_AWAY, error.detail)
    return None


def _wait(job: Job, waits: WorkMustWait) -> None:
    try:
        work.postpone(job, code=waits.code, detail=waits.detail, seconds=WAIT_SECONDS)
    except Error as error:
        log.warning("work_left_to_the_reaper", work=str(job.pk), error=str(error)[:200])


def _end_with(job: Job, error: Exception) -> None:
    """End a job by what its function raised, or leave it for later when the database was the trouble."""
    if isinstance(error, StudioError):
        _end(job, WorkState.FAILED, error.code, error.detail)
    elif is_unavailable(error):
        log.warning("job_met_database_trouble", work=str(job.pk), exc_info=error)
        leave_for_later(job, is_collision=is_collision(error))
    elif isinstance(error, OSError):
        log.error("job_failed", work=str(job.pk), exc_info=error)
        detail = f"A file could not be read or written ({error.strerror or error}). See the server's log."
        _end(job, WorkState.FAILED, "io_error", detail)
    else:
        log.error("job_failed", work=str(job.pk), exc_info=error)
        _fail(job)


def _fail(job: Job) -> None:
    _end(job, WorkState.FAILED, "internal_error", "An unexpected error ended this job; the server's log has it.")


def leave_for_later(item: work.Work, *, is_collision: bool = False) -> None:
    """The database was away: let somebody go on soon. When even that cannot be written, the lease runs out.

    Args:
        is_collision: it met another transaction, which can happen to every batch and says nothing of the work.
    """
    seconds = COLLISION_SECONDS if is_collision else DATABASE_SECONDS
    try:
        work.postpone(item, code="database_busy", detail=DATABASE_BUSY, seconds=seconds, counts=not is_collision)
    except Error as error:
        log.warning("work_left_to_the_reaper", work=str(item.pk), error=str(error)[:200])


def _end(job: Job, state: WorkState, code: str = "", detail: str = "", **changes: Any) -> None:
    try:
        work.finish(job, state, error_code=code, error_detail=detail, **changes)
    except LeaseLost:
        log.warning("lease_lost", work=str(job.pk))
    except Error as error:
        log.warning("work_left_to_the_reaper", work=str(job.pk), error=str(error)[:200])


def redispatch(model: type[work.Work], names: Sequence[Queue]) -> int:
    """Tell the workers again of queues that have work: its worker died, or the message was lost. Returns how many."""
    waiting = [queue for queue in names if queues.has_work(model, queue)]
    for queue in waiting:
        dispatch(queue)
    return len(waiting)


def reap_jobs() -> int:
    """Tell the workers again of jobs that nobody does. Returns how many queues have some."""
    return redispatch(Job, JOB_QUEUES)


def sweep_job_files() -> int:
    """Remove what jobs that have ended, or are gone, left in the work folders. Returns how much."""
    before = time.time() - LEFTOVER_SECONDS
    removed = 0
    for path in sorted(settings.WORK_DIR.glob("*/*")):
        try:
            job = uuid.UUID(path.name[:36])
            modified = path.stat().st_mtime
        except (ValueError, FileNotFoundError):
            continue
        is_ours = path.parent.name in WORK_FOLDERS and modified < before
        if is_ours and not Job.objects.filter(pk=job).exclude(state__in=ENDED).exists():
            remove_tree(path) if path.is_dir() else path.unlink(missing_ok=True)
            removed += 1
    return removed


def delete_old_jobs() -> int:
    """Forget jobs that ended long ago, with their events, reports and files."""
    before = timezone.now() - timedelta(days=settings.JOB_DAYS)
    old = list(Job.objects.filter(state__in=ENDED, finished_at__lt=before).values_list("pk", flat=True)[:1000])
    work.delete_events(old)
    return Job.objects.filter(pk__in=old).delete()[0]
