"""Who is next: work waits in queues that go round between users, and between the projects of one user.

A message in the broker says only that a queue has work. The worker that hears it takes what is next in the fair order,
so that nobody's forty trainings stand before somebody else's first one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.db.models import Max, QuerySet
from django.utils import timezone

from jobs import work
from jobs.models import Queue, Work, WorkState

AnyWork = TypeVar("AnyWork", bound=Work)

# Who was served longer ago than this counts as not served at all.
MEMORY = timedelta(days=1)
NO_WORKER_SECONDS = 60
# So many images are looked at within a minute or two; more are work of another kind.
QUICK_IMAGES = 2000
QUICK_BYTES = 256 << 20
NAMES = {
    Queue.QUICK: ("job", "jobs"),
    Queue.HEAVY: ("long job", "long jobs"),
    Queue.PREFLIGHT: ("estimate", "estimates"),
    Queue.TRAINING: ("training", "trainings"),
}


@dataclass(frozen=True)
class Waiting:
    """A queued row, as far as its turn depends on it."""

    pk: Any
    owner: Any
    project: Any
    since: datetime


@dataclass(frozen=True)
class Line:
    """A queue at one moment: what waits, in the order of its turns, and how many pieces run for whom."""

    queue: Queue
    order: list[Waiting]
    running: Counter

    @property
    def free(self) -> list[Waiting]:
        """What may start now: its user does not have all the places that one user may have."""
        return [waiting for waiting in self.order if self.running[waiting.owner] < most_running(self.queue)]


def queue_for(*, images: int = 0, size_bytes: int = 0) -> Queue:
    """Where work on so many images, or on a file of this size, waits."""
    return Queue.QUICK if images <= QUICK_IMAGES and size_bytes <= QUICK_BYTES else Queue.HEAVY


def most_running(queue: Queue | str) -> int:
    """How many pieces of one user run at the same time, so that a place stays free for others.

    A training takes turns instead (`must_give_way`): a user alone may have all trainers.
    """
    slots = settings.QUEUE_SLOTS[queue]
    return slots if queue == Queue.TRAINING else max(1, slots - 1)


def line(model: type[Work], queue: Queue | str) -> Line:
    """The queue now. Three queries, whatever its length."""
    rows = model._default_manager.filter(queue=queue)
    waiting = [
        Waiting(*row)
        for row in rows.filter(work.waits_at(timezone.now()))
        .order_by("id")
        .values_list("pk", "created_by_id", "project_id", "enqueued_at")  # type: ignore[misc] # each kind of work has a project
    ]
    running = Counter(rows.filter(state=WorkState.RUNNING).values_list("created_by_id", flat=True))
    return Line(Queue(queue), fair_order(waiting, running, *_last_served(rows)), running)


def fair_order(waiting: list[Waiting], running: Counter, by_owner: dict, by_project: dict) -> list[Waiting]:
    """The order of turns: rounds in which every user has one, and within them who was served longest ago.

    Args:
        waiting: oldest first.
        running: how many pieces of each user run: they count as turns taken.
        by_owner, by_project: when each was served last.
    """
    projects: dict[Any, dict[Any, list[Waiting]]] = defaultdict(lambda: defaultdict(list))
    for row in waiting:
        projects[row.owner][row.project].append(row)
    never = datetime.min.replace(tzinfo=timezone.now().tzinfo)
    turns = []
    for owner, theirs in projects.items():
        inner = [
            (number, by_project.get(project, never), row.pk, row)
            for project, rows in theirs.items()
            for number, row in enumerate(rows)
        ]
        for number, (*_, row) in enumerate(sorted(inner, key=lambda turn: turn[:3])):
            turns.append((number + running[owner], by_owner.get(owner, never), row.pk, row))
    return [row for *_, row in sorted(turns, key=lambda turn: turn[:3])]


def _last_served(rows: QuerySet) -> tuple[dict, dict]:
    lately = rows.filter(claimed_at__gt=timezone.now() - MEMORY)
    found = list(lately.values_list("created_by_id", "project_id").annotate(Max("claimed_at")))
    by_owner: dict = {}
    for owner, _, at in found:
        by_owner[owner] = max(at, by_owner.get(owner, at))
    return by_owner, {project: at for _, project, at in found}


def claim_next(model: type[AnyWork], queue: Queue | str) -> AnyWork | None:
    """Take what is next: work whose holder died first, then the fair order. None when nothing is free."""
    rows = model._default_manager.filter(queue=queue)
    lapsed = rows.filter(work.lapsed_at(timezone.now()))
    for pk in list(lapsed.order_by("lease_expires_at").values_list("pk", flat=True)[:20]):
        if (taken := work.claim(model, pk)) is not None:
            return taken
    for waiting in line(model, queue).free:
        if (taken := work.claim(model, waiting.pk)) is not None:
            return taken
    return None


def has_work(model: type[Work], queue: Queue | str) -> bool:
    """Whether anything in the queue could be claimed now."""
    rows = model._default_manager.filter(queue=queue)
    return rows.filter(work.free_at(timezone.now())).exists()


def others_wait(item: Work) -> bool:
    """Whether work of other users waits in this queue."""
    waiting = type(item)._default_manager.filter(work.waits_at(timezone.now()), queue=item.queue)
    return waiting.exclude(created_by=item.created_by_id).exists()


def must_give_way(item: Work) -> bool:
    """Whether somebody else waits who has nothing running in this queue: long work lets go after its turn."""
    others = type(item)._default_manager.filter(queue=item.queue).exclude(created_by=item.created_by_id)
    served = others.filter(state=WorkState.RUNNING, created_by__isnull=False).values("created_by")
    return others.filter(work.waits_at(timezone.now())).exclude(created_by__in=served).exists()


def place_of(item: Work, lines: dict[str, Line] | None = None) -> dict | None:
    """Where a queued piece of work stands and what it waits for; None for what does not wait.

    Args:
        lines: lines that were read for this answer already; the new one is added.
    """
    if item.state != WorkState.QUEUED:
        return None
    lines = {} if lines is None else lines
    if item.queue not in lines:
        lines[item.queue] = line(type(item), item.queue)
    current = lines[item.queue]
    if item.retry_at is not None and item.retry_at > timezone.now():
        return _held_up(item, current)
    ahead = next((n for n, row in enumerate(current.order) if row.pk == item.pk), None)
    if ahead is None:  # it has just been taken
        return None
    code, detail = _reason(item, current, ahead)
    return {
        "queue": item.queue,
        "position": ahead + 1,
        "ahead": ahead,
        "running": current.running.total(),
        "code": code,
        "detail": detail,
    }


def _held_up(item: Work, current: Line) -> dict:
    """Of work that waits for something else than its turn."""
    ahead = len(current.order)
    return {
        "queue": item.queue,
        "position": ahead + 1,
        "ahead": ahead,
        "running": current.running.total(),
        "code": item.error_code,
        "detail": item.error_detail,
    }


def _reason(item: Work, current: Line, ahead: int) -> tuple[str, str]:
    single, plural = NAMES[Queue(item.queue)]
    busy = current.running.total()
    waited = (timezone.now() - item.enqueued_at).total_seconds()
    if busy == 0 and waited > NO_WORKER_SECONDS:
        return "no_worker", (
            f"No process takes {plural} at the moment. If this goes on, ask the operator whether the worker runs."
        )
    if current.running[item.created_by_id] >= most_running(item.queue) and busy:
        return "own_work", f"It starts when one of your own {plural} has ended; others may go first meanwhile."
    if ahead:
        before = f"{ahead} {single if ahead == 1 else plural}"
        return "queue", f"{before} come{'s' if ahead == 1 else ''} first. Users take turns, so this may go faster."
    if busy:
        return "queue", f"It is next: it starts when a running {single} has ended."
    return "starting", "It is next and starts within seconds."
