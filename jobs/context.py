"""What the function of a job gets: its job, and how to say how far it is."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from django.conf import settings
from django.db import transaction

from jobs import queues, work
from jobs.contracts import PARAMETERS, JobParameters
from jobs.errors import WorkInterrupted
from jobs.models import Job, JobFile, Queue
from storage import services as storage

MOVE_CHECK_SECONDS = 5.0
AnyParameters = TypeVar("AnyParameters", bound=JobParameters)


class JobContext(Generic[AnyParameters]):
    """What a handler gets: its job with its parameters, and how to say how far it is."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self._started = time.monotonic()
        self._started_at_done: int | None = None
        self._turn_ends = self._started + settings.QUICK_JOB_SECONDS

    @property
    def parameters(self) -> AnyParameters:
        """What the job was given, as the dataclass of its kind."""
        return cast(AnyParameters, PARAMETERS[self.job.kind].from_dict(self.job.parameters))

    def log(self, line: str) -> None:
        """Add a line to the job's log."""
        work.record_event(self.job, "log", {"line": line})

    def work_path(self, kind: str, suffix: str = "") -> Path:
        """Where this attempt may work: a file or folder that no other has.

        A holder that lost its lease without noticing tidies up later, and must not remove what the next one made.
        """
        path = settings.WORK_DIR / kind / f"{self.job.pk}-{self.job.lease or self.job.attempts}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def keep_file(self, name: str, path: Path, content_type: str) -> None:
        """Let the job's user have a file.

        Raises:
            LeaseLost: another attempt makes it now; WorkCancelled.
        """
        blob = storage.keep_path(path, content_type)
        with transaction.atomic():
            work.renew(self.job)
            JobFile.objects.update_or_create(job=self.job, name=name, defaults={"blob": blob})

    def keep(self, **changes: Any) -> None:
        """Keep the lease, and write `changes` with it, where there is no progress to tell.

        Raises:
            LeaseLost, WorkCancelled, WorkInterrupted: end now; nothing was written in the first case.
        """
        work.renew(self.job, **changes)
        work.check_shutdown()
        self._check_turn()

    def report(self, done: int, total: int, **changes: Any) -> None:
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
