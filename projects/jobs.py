"""Jobs: a kind names the function that does it. Rooms above register theirs."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from rest_framework.exceptions import APIException

from projects import work
from projects.errors import Conflict, LeaseLost, WorkCancelled, WorkFailed, WorkInterrupted
from projects.models import ENDED, Job, JobFile, Project, WorkState
from storage import services as storage

log = structlog.get_logger(__name__)

HANDLERS: dict[str, Callable[[JobContext], dict]] = {}


def handles(kind: str) -> Callable:
    """Register a function as what a kind of job does. It returns the job's result."""

    def register(function: Callable[[JobContext], dict]) -> Callable[[JobContext], dict]:
        HANDLERS[kind] = function
        return function

    return register


class JobContext:
    """What a handler gets: its job, and how to say how far it is."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self._started = time.monotonic()
        self._started_at_done: int | None = None

    def log(self, line: str) -> None:
        """Add a line to the job's log."""
        work.record_event(self.job, "log", {"line": line})

    def keep_file(self, name: str, path: Path, content_type: str) -> None:
        """Let the job's user have a file."""
        blob = storage.keep_path(path, content_type)
        JobFile.objects.update_or_create(job=self.job, name=name, defaults={"blob": blob})

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


def enqueue_job(*, project: Project, user, kind: str, parameters: dict, input_blob=None) -> Job:
    """Make a job and ring for a worker once the transaction is over."""
    from projects.tasks import run_job

    job = Job.objects.create(project=project, created_by=user, kind=kind, parameters=parameters, input_blob=input_blob)
    transaction.on_commit(lambda: ring(run_job, job))
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
        project=job.project, user=user, kind=job.kind, parameters=job.parameters, input_blob=job.input_blob
    )
    Job.objects.filter(pk=again.pk).update(retry_of=job)
    again.retry_of = job
    return again


def ring(task, item: work.Work) -> None:
    """Send the message for a piece of work. Without a broker it waits in the database and is rung for again."""
    from kombu.exceptions import OperationalError

    try:
        task.delay(str(item.pk))
    except (OperationalError, ConnectionError, OSError) as error:
        log.warning("broker_unreachable", work=str(item.pk), error=str(error))
        return
    work.mark_enqueued(item)


def run_job(pk: str) -> None:
    """Claim a job and do it to its end. Safe to call twice: the second call finds nothing to claim."""
    job = work.claim(Job, pk)
    if job is None:
        return
    if job.attempts > settings.MAX_ATTEMPTS:
        _end(job, WorkState.FAILED, "worker_lost", f"The worker died {settings.MAX_ATTEMPTS} times over this job.")
        return
    try:
        if job.cancel_requested:
            raise WorkCancelled()
        result = HANDLERS[job.kind](JobContext(job))
        _end(job, WorkState.SUCCEEDED, result=result)
    except LeaseLost:
        log.warning("lease_lost", work=pk)
    except WorkInterrupted:
        work.release(job)
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


def reap_jobs() -> int:
    """Ring again for jobs whose worker died or whose message was lost. Returns how many."""
    from projects.tasks import run_job

    waiting = list(work.needing_attention(Job, queue_is_empty("default"))[:50])
    for job in waiting:
        ring(run_job, job)
    return len(waiting)


def queue_is_empty(queue: str) -> bool:
    """Whether no message waits; unknown (broker away) counts as not empty."""
    import redis

    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=3, socket_connect_timeout=3) as broker:
            return broker.llen(queue) == 0
    except redis.RedisError:
        return False


def delete_old_jobs() -> int:
    """Forget jobs that ended long ago, with their events, reports and files."""
    before = timezone.now() - timedelta(days=settings.JOB_DAYS)
    old = list(Job.objects.filter(state__in=ENDED, finished_at__lt=before).values_list("pk", flat=True)[:1000])
    work.delete_events(old)
    return Job.objects.filter(pk__in=old).delete()[0]
