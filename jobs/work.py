"""The life cycle shared by jobs and trainings: claim, lease, progress, end. Every step is one conditional UPDATE."""

from __future__ import annotations

import threading
import uuid
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from jobs.errors import LeaseLost, WorkCancelled, WorkHasEnded, WorkInterrupted
from jobs.models import Work, WorkEvent, WorkState
from jobs.signals import work_ended
from storage.database import again
from storage.deleting import delete_in_chunks

log = structlog.get_logger(__name__)
AnyWork = TypeVar("AnyWork", bound=Work)

# How far the clocks of the machines of one studio may be apart.
CLOCKS_APART = timedelta(minutes=5)
# So many lost events are deleted at a time.
EVENTS_AT_ONCE = 20_000
# Set when this process is asked to end; long work looks at it and lets go.
shutting_down = threading.Event()


def claim(model: type[AnyWork], pk: uuid.UUID | str) -> AnyWork | None:
    """Take a queued piece of work, or a running one whose lease ran out. None when there is nothing to take."""
    now = timezone.now()
    lease = uuid.uuid4()
    taken = model._default_manager.filter(free_at(now), pk=pk).update(
        state=WorkState.RUNNING,
        lease=lease,
        lease_expires_at=now + timedelta(seconds=settings.LEASE_SECONDS),
        attempts=F("attempts") + 1,
        started_at=Coalesce("started_at", now),
        claimed_at=now,
        retry_at=None,
        error_code="",
        error_detail="",
    )
    if not taken:
        return None
    work = model._default_manager.get(pk=pk)
    record_event(work, "state", {"state": work.state, "attempt": work.attempts})
    return work


def free_at(now: datetime) -> Q:
    """What can be claimed: queued work that need not wait, and running work whose holder has lost its lease."""
    return waits_at(now) | lapsed_at(now)


def lapsed_at(now: datetime) -> Q:
    """Running work whose lease ran out, or was given before the clock was put back: no holder has one so far ahead."""
    far = now + timedelta(seconds=settings.LEASE_SECONDS) + CLOCKS_APART
    return Q(state=WorkState.RUNNING) & (Q(lease_expires_at__lt=now) | Q(lease_expires_at__gt=far))


def waits_at(now: datetime) -> Q:
    """Queued work whose turn may come now."""
    return Q(state=WorkState.QUEUED) & (Q(retry_at=None) | Q(retry_at__lte=now))


@again
def renew(work: Work, **changes: Any) -> None:
    """Keep the lease and write `changes` (progress, position…) with it.

    Raises:
        LeaseLost: another process owns the work, or it has ended; nothing was written.
        WorkCancelled: its user asked for the end (the changes are written).
    """
    until = timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)
    if not _held(work).update(lease_expires_at=until, **changes):
        raise LeaseLost(str(work.pk))
    for name, value in changes.items():
        setattr(work, name, value)
    if type(work)._default_manager.filter(pk=work.pk, cancel_requested=True).exists():
        raise WorkCancelled()


def check_shutdown() -> None:
    """Raises `WorkInterrupted` when this process is to end."""
    if shutting_down.is_set():
        raise WorkInterrupted()


@again
def finish(work: Work, state: WorkState, *, error_code: str = "", error_detail: str = "", **changes: Any) -> None:
    """End the work, once. Raises `LeaseLost` when it is not ours any more."""
    if state == WorkState.SUCCEEDED:
        changes = {"progress": _completed(work.progress), **changes}
    changes |= {"error_code": error_code, "error_detail": error_detail, "finished_at": timezone.now()}
    with transaction.atomic():
        if not _held(work).update(state=state, lease=None, lease_expires_at=None, **changes):
            raise LeaseLost(str(work.pk))
        for name, value in ({"state": state} | changes).items():
            setattr(work, name, value)
        if state == WorkState.SUCCEEDED:
            record_event(work, "progress", work.progress)
        record_event(work, "state", {"state": state, "error": error_of(work)})
        work_ended.send(sender=type(work), work=work)
    log.info("work_ended", work=str(work.pk), kind=type(work).__name__, state=state, error_code=error_code)


def _completed(progress: dict | None) -> dict:
    """The progress of what has succeeded: all of it, whatever was expected before."""
    total = (progress or {}).get("total") or 1
    return {**(progress or {}), "done": total, "total": total, "eta_seconds": 0}


@again
def release(work: Work) -> None:
    """Give the work back to the queue, for another process to go on with it."""
    if _held(work).update(state=WorkState.QUEUED, lease=None, lease_expires_at=None, attempts=F("attempts") - 1):
        record_event(work, "state", {"state": WorkState.QUEUED})


def postpone(work: Work, *, code: str, detail: str, seconds: float, counts: bool = False) -> None:
    """Give the work back to the queue until what it needs may be there again; its user reads what it waits for.

    Args:
        counts: as an attempt, of which there are not endlessly many.
    """
    at = timezone.now() + timedelta(seconds=seconds)
    reason = {"error_code": code, "error_detail": detail, "retry_at": at}
    with transaction.atomic():
        attempts = F("attempts") - (0 if counts else 1)
        if not _held(work).update(
            state=WorkState.QUEUED, lease=None, lease_expires_at=None, attempts=attempts, **reason
        ):
            return
        record_event(work, "log", {"line": f"It waits: {detail}"})
        record_event(work, "state", {"state": WorkState.QUEUED})
    log.warning("work_waits", work=str(work.pk), kind=type(work).__name__, code=code, seconds=seconds)


def request_cancel(work: Work) -> None:
    """Cancel: at once when it waits, within seconds when it runs.

    Raises:
        WorkHasEnded
    """
    rows = type(work)._default_manager.filter(pk=work.pk)
    now = timezone.now()
    with transaction.atomic():
        if rows.filter(state=WorkState.QUEUED).update(
            state=WorkState.CANCELLED, cancel_requested=True, finished_at=now, error_code="", error_detail=""
        ):
            record_event(work, "state", {"state": WorkState.CANCELLED, "error": None})
            work.state, work.finished_at = WorkState.CANCELLED, now
            work_ended.send(sender=type(work), work=work)
        elif not rows.filter(state=WorkState.RUNNING).update(cancel_requested=True):
            raise WorkHasEnded()
    work.refresh_from_db()


@again
def record_event(work: Work, kind: str, content: dict) -> None:
    WorkEvent.objects.create(work=work.pk, kind=kind, content=content)


def error_of(work: Work) -> dict | None:
    return {"code": work.error_code, "detail": work.error_detail} if work.error_code else None


def log_of(work: Work) -> str:
    """The work's log as text, a line an event."""
    lines = WorkEvent.objects.filter(work=work.pk, kind="log").order_by("id").values_list("created_at", "content")
    return "".join(f"{at.isoformat(timespec='seconds')} {content['line']}\n" for at, content in lines)


def delete_events(pks: list) -> None:
    WorkEvent.objects.filter(work__in=pks).delete()


def delete_lost_events() -> int:
    """Delete events whose work is gone. Returns how many; what is left waits for the next time."""
    lost = WorkEvent.objects.all()
    for model in Work.__subclasses__():
        lost = lost.filter(~Exists(model._default_manager.filter(pk=OuterRef("work"))))
    pks = list(lost.order_by("pk").values_list("pk", flat=True)[:EVENTS_AT_ONCE])
    return delete_in_chunks(WorkEvent.objects.filter(pk__in=pks)) if pks else 0


def _held(work: Work) -> QuerySet:
    return type(work)._default_manager.filter(pk=work.pk, lease=work.lease, state=WorkState.RUNNING)
