"""One poller a process for all event streams: a tick without news costs one query, however many streams there are.

A stream costs a place in a table, not a thread and not a connection, so six hundred of them do not slow anybody.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import structlog
from django.contrib.auth.models import User
from django.db import close_old_connections, connection
from django.db.models import Max, QuerySet

from jobs.models import Work, WorkEvent
from projects.live_streams import UserStreams, UserSubscription

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.5
BEHIND_SECONDS = 0.05
CHECK_SECONDS = 5.0
BATCH = 200
CHUNK = 500  # ids a query: SQLite takes no more than some thousand
# What a client that reads slowly may have waiting; its events stay in the database meanwhile.
MOST_WAITING = 4
# PostgreSQL may show an event later than ones with higher ids: so many are looked through again.
OUT_OF_ORDER = 1000


@dataclass(frozen=True)
class News:
    """What a stream is told: events as they were written, then perhaps that the work has ended or may not be seen."""

    events: list[WorkEvent] = field(default_factory=list)
    has_ended: bool = False
    is_refused: bool = False


@dataclass(eq=False)
class Subscription:
    """One stream.

    Attributes:
        visible: a user → the work that the user may see.
        login: the token or session that opened the stream; `is_valid` says whether it still holds.
        after: the last event that it was told.
    """

    user: object
    model: type[Work]
    work: uuid.UUID
    after: int
    visible: Callable[[User], QuerySet]
    login: Hashable
    is_valid: Callable[[], bool]
    is_behind: bool = True
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    news: asyncio.Queue[News] = field(default_factory=asyncio.Queue)

    @property
    def is_slow(self) -> bool:
        return self.news.qsize() >= MOST_WAITING

    def tell(self, news: News) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
            self.loop.call_soon_threadsafe(self.news.put_nowait, news)


class EventHub:
    """The streams of this process, and the thread that reads for them while there are any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._subscriptions: set[Subscription | UserSubscription] = set()
        self._users = UserStreams()
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()
        self._top = 0
        self._checked = 0.0

    def count(self, user: User) -> int:
        """How many streams a user has in this process."""
        with self._lock:
            return sum(subscription.user == user for subscription in self._subscriptions)

    def add(self, subscription: Subscription | UserSubscription) -> None:
        with self._lock:
            self._subscriptions.add(subscription)
            if self._thread is None:
                self._checked = 0.0
                self._thread = threading.Thread(target=self._run, name="event-hub", daemon=True)
                self._thread.start()
        self._wake.set()

    def remove(self, subscription: Subscription | UserSubscription) -> None:
        with self._lock:
            self._subscriptions.discard(subscription)

    def _run(self) -> None:
        try:
            while (subscriptions := self._present()) is not None:
                self._wake.clear()
                is_behind = False
                try:
                    self._tick(subscriptions)
                    close_old_connections()
                    is_behind = any(
                        subscription.is_behind and not subscription.is_slow for subscription in subscriptions
                    )
                except Exception:  # a lost or locked database passes; the streams wait for it
                    log.exception("event_poll_failed")
                    connection.close()
                if is_behind:
                    time.sleep(BEHIND_SECONDS)
                else:
                    self._wake.wait(POLL_SECONDS)
        finally:
            connection.close()

    def _present(self) -> list[Subscription | UserSubscription] | None:
        """The streams; None, and the end of the thread, when there are none."""
        with self._lock:
            if not self._subscriptions:
                self._thread = None
                return None
            return list(self._subscriptions)

    def _tick(self, subscriptions: Sequence[Subscription | UserSubscription]) -> None:
        check = time.monotonic() - self._checked > CHECK_SECONDS
        if check:
            self._checked = time.monotonic()
        top = WorkEvent.objects.aggregate(top=Max("pk"))["top"] or 0
        users = [subscription for subscription in subscriptions if isinstance(subscription, UserSubscription)]
        if users:
            self._users.tick(users, top, check=check)
        else:
            self._users.rest()
        self._tell_of_work(
            [subscription for subscription in subscriptions if isinstance(subscription, Subscription)], top, check=check
        )

    def _tell_of_work(self, subscriptions: list[Subscription], top: int, *, check: bool) -> None:
        if check:
            _refuse(subscriptions)
        changed = self._changed(top)
        groups: dict[type[Work], dict[uuid.UUID, list[Subscription]]] = defaultdict(lambda: defaultdict(list))
        for subscription in subscriptions:
            if (subscription.is_behind or subscription.work in changed) and not subscription.is_slow:
                groups[subscription.model][subscription.work].append(subscription)
            elif subscription.work in changed:
                subscription.is_behind = True
        for model, by_work in groups.items():
            # States are read before events: an end between the two is seen at the next tick.
            ended = _ended(model, by_work)
            for work, group in by_work.items():
                _tell(work, group, ended.get(work))

    def _changed(self, top: int) -> set[uuid.UUID]:
        """Work with events since the last tick."""
        since, self._top = min(self._top, top), top
        if top == since:
            return set()
        recent = WorkEvent.objects.filter(pk__gt=since - OUT_OF_ORDER)
        return set(recent.order_by().values_list("work", flat=True).distinct())


def _refuse(subscriptions: list[Subscription]) -> None:
    """Tell the streams of those who may not see the work any more, or whose login has ended."""
    groups: dict[tuple, list[Subscription]] = defaultdict(list)
    valid: dict[Hashable, bool] = {}
    for subscription in subscriptions:
        if subscription.login not in valid:
            valid[subscription.login] = subscription.is_valid()
        if valid[subscription.login]:
            groups[subscription.user, subscription.visible].append(subscription)
        else:
            subscription.tell(News(is_refused=True))
    for (user, visible), group in groups.items():
        seen = set()
        for chunk in _chunks({subscription.work for subscription in group}):
            seen |= set(visible(user).filter(pk__in=chunk).values_list("pk", flat=True))
        for subscription in group:
            if subscription.work not in seen:
                subscription.tell(News(is_refused=True))


def _tell(work: uuid.UUID, group: list[Subscription], has_ended: bool | None) -> None:
    """Send each stream what it has not been told; None: the work was deleted."""
    for after, readers in _by_position(group).items():
        events = list(WorkEvent.objects.filter(work=work, pk__gt=after).order_by("pk")[:BATCH])
        is_behind = len(events) == BATCH
        news = News(events, has_ended=bool(has_ended) and not is_behind, is_refused=has_ended is None)
        for subscription in readers:
            subscription.after = events[-1].pk if events else after
            subscription.is_behind = is_behind
            if news.events or news.has_ended or news.is_refused:
                subscription.tell(news)


def _by_position(group: list[Subscription]) -> dict[int, list[Subscription]]:
    positions: dict[int, list[Subscription]] = defaultdict(list)
    for subscription in group:
        positions[subscription.after].append(subscription)
    return positions


def _ended(model: type[Work], works: Iterable[uuid.UUID]) -> dict[uuid.UUID, bool]:
    """Work → whether it has ended; work that was deleted is left out."""
    states = {}
    for chunk in _chunks(works):
        for row in model._default_manager.filter(pk__in=chunk).only("state"):
            states[row.pk] = row.has_ended
    return states


def _chunks(rows: Iterable) -> Iterator[list]:
    rows = list(rows)
    for start in range(0, len(rows), CHUNK):
        yield rows[start : start + CHUNK]


hub = EventHub()
