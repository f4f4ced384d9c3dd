"""Jobs: a kind names the function that does it. Rooms above register theirs."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from rest_framework.exceptions import APIException

from projects import lanes, limits, messages, queues, work
from projects.errors import Conflict, LeaseLost, WorkCancelled, WorkFailed, WorkInterrupted
from projects.models import ENDED, Job, JobFile, Project, Queue, WorkState
from storage import services as storage
from vision.sandbox.removal import remove_tree

log = structlog.get_logger(__name__)

HANDLERS: dict[str, Callable[[JobContext], dict]] = {}
QUEUES: dict[str, Queue] = {}
# Below the work folder: each of these holds files and folders named after a job.
WORK_FOLDERS = {"jobs", "preflight"}
LEFTOVER_SECONDS = 3600
MOVE_CHECK_SECONDS = 5.0
JOB_QUEUES = (Queue.QUICK, Queue.HEAVY, Queue.PREFLIGHT)


def handles(kind: str, queue: Queue = Queue.QUICK) -> Callable:
    """Register a function as what a kind of job does. It returns the job's result.

    Args:
        queue: where such jobs wait, unless `enqueue_job` names another one.
    """

    def register(function: Callable[[JobContext], dict]) -> Callable[[JobContext], dict]:
        HANDLERS[kind] = function
        QUEUES[kind] = queue
        return function

    return register


class JobContext:
    """What a handler gets: its job, and how to say how far it is."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self._started = time.monotonic()
        self._started_at_done: int | None = None
        self._turn_ends = self._started + settings.QUICK_JOB_SECONDS

    def log(self, line: str) -> None:
        """Add a line to the job's log."""
        work.record_event(self.job, "log", {"line": line})

    def keep_file(self, name: str, path: Path, content_type: str) -> None:
        """Let the job's user have a file."""
        blob = storage.keep_path(path, content_type)
        JobFile.objects.update_or_create(job=self.job, name=name, defaults={"blob": blob})

    def keep(self) -> None:
        """Keep the lease where there is no progress to tell.

        Raises:
            LeaseLost, WorkCancelled, WorkInterrupted: end now.
        """
        work.renew(self.job)
        work.check_shutdown()
        self._check_turn()

    def report(self, done: int, total: int, **changes) -> None:
        """Write progress (and `changes`) and keep the lease.

        Raises:
            LeaseLost, WorkCancelled, WorkInterrupted: end now; the progress is written in the latter two.
        """
        if self._started_at_done is None:
            self._started_at_done = done
        elapsed = time.monotonic() - self._started
        rate = (done - self._started_at_done) / elapsed if elapsed > 0 else 0
        eta = round((total - done) / rate, 1) if rate > 0 else None
        progress = {"done": done, "total": total, "eta_seconds": eta}
        work.renew(self.job, progress=progress, **changes)
        work.record_event(self.job, "progress", progress)
        work.check_shutdown()
        self._check_turn()

    def _check_turn(self) -> None:
        """A quick job that turns out to be a long one goes on among those when quick ones wait.

        Raises:
            WorkInterrupted: it was moved.
        """
        if self.job.queue != Queue.QUICK or not settings.QUICK_JOB_SECONDS or time.monotonic() < self._turn_ends:
            return
        self._turn_ends = time.monotonic() + MOVE_CHECK_SECONDS
        if queues.others_wait(self.job):
            work.renew(self.job, queue=Queue.HEAVY)
            self.log("This takes longer than quick jobs may while others wait: it goes on among the long jobs.")
            raise WorkInterrupted()


def enqueue_job(
    *, project: Project, user, kind: str, parameters: dict, input_blob=None, queue: Queue | None = None
) -> Job:
    """Make a job and tell the workers of its queue once the transaction is over.

    Args:
        queue: where it waits, if not where its kind does.

    Raises:
        LimitReached: its user, or the project, has as many jobs as are allowed.
    """
    limits.require_place(Job, project=project, user=user)
    queue = queue or QUEUES.get(kind, Queue.QUICK)
    job = Job.objects.create(
        project=project, created_by=user, kind=kind, queue=queue, parameters=parameters, input_blob=input_blob
    )
    transaction.on_commit(lambda: dispatch(queue))
    return job


@transaction.atomic
def retry_job(*, job: Job, user) -> Job:
    """Do again what failed or was cancelled, as a new job.

    Raises:
        Conflict: it is still at work, or it succeeded.
    """
    if job.state not in (WorkState.FAILED, WorkState.CANCELLED):
        raise Conflict("Only what failed or was cancelled can be tried again.", code="not_retryable")
    again = enqueue_job(
        project=job.project, user=user, kind=job.kind, parameters=job.parameters, input_blob=job.input_blob,
        queue=Queue(job.queue),
    )  # fmt: skip
    Job.objects.filter(pk=again.pk).update(retry_of=job)
    again.retry_of = job
    return again


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
    job.delete()


def run_job(pk: str) -> None:
    """Claim a job and do it to its end. Safe to call twice: the second call finds nothing to claim."""
    job = work.claim(Job, pk)
    if job is not None:
        _do(job)


def _do(job: Job) -> None:
    pk = str(job.pk)
    if job.attempts > settings.MAX_ATTEMPTS:
        _end(job, WorkState.FAILED, "worker_lost", f"The worker died {settings.MAX_ATTEMPTS} times over this job.")
        return
    try:
        if job.cancel_requested:
            raise WorkCancelled()
        result = HANDLERS[job.kind](JobContext(job))
        _end(job, WorkState.SUCCEEDED, result=result, progress=_completed(job.progress))
    except LeaseLost:
        log.warning("lease_lost", work=pk)
    except WorkInterrupted:
        work.release(job)
        dispatch(job.queue)
    except WorkCancelled:
        _end(job, WorkState.CANCELLED)
    except WorkFailed as error:
        _end(job, WorkState.FAILED, error.code, error.detail)
    except APIException as error:
        code = error.get_codes()
        _end(job, WorkState.FAILED, code if isinstance(code, str) else error.default_code, str(error.detail))
    except OSError as error:
        log.exception("job_failed", work=pk)
        _end(job, WorkState.FAILED, *explain_os_error(error))
    except Exception:
        log.exception("job_failed", work=pk)
        _end(job, WorkState.FAILED, "internal_error", "An unexpected error ended this job; the server's log has it.")


def _completed(progress: dict | None) -> dict:
    """The progress of what has succeeded: all of it, whatever was expected before."""
    total = (progress or {}).get("total") or 1
    return {**(progress or {}), "done": total, "total": total, "eta_seconds": 0}


def explain_os_error(error: OSError) -> tuple[str, str]:
    """`(code, detail)` of a failure of the file system."""
    import errno

    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "disk_full", "The server's disk is full. Free some space and start again; nothing was lost."
    return "io_error", f"A file could not be read or written ({error.strerror or error}). See the server's log."


def _end(job: Job, state: WorkState, code: str = "", detail: str = "", **changes) -> None:
    try:
        work.finish(job, state, error_code=code, error_detail=detail, **changes)
    except LeaseLost:
        log.warning("lease_lost", work=str(job.pk))


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
    for path in settings.WORK_DIR.glob("*/*"):
        try:
            job = uuid.UUID(path.name[:36])
        except ValueError:
            continue
        is_ours = path.parent.name in WORK_FOLDERS and path.stat().st_mtime < before
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
