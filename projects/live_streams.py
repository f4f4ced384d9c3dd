"""The streams of users, each of which hears of everything in their projects; read for by the poller of `event_hub`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import uuid
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple

from django.db import connection
from django.db.models import Min, Q, QuerySet
from django.utils import timezone

from jobs.models import WorkEvent
from projects.live import WORK, WorkUpdates, standing_of, top_of_events
from projects.models import Membership, ProjectEvent
from projects.selectors import is_live

CHUNK = 500
CHECK_SECONDS = 5.0
# What a client that reads slowly may have waiting; then it is read for again when it has caught up.
MOST_WAITING = 20
# Who has missed more than this loads everything again, which is cheaper.
MOST_MISSED = 2000
# PostgreSQL may show an event later than ones with higher numbers: so many are looked through again.
OUT_OF_ORDER = 500
LATE = timedelta(seconds=30)
TOLD_OF_WORK = ("state", "progress", "epoch", "estimate", "model")


class Position(NamedTuple):
    """How far a stream was told: the last events of work, and of projects. Its text is the id of a message."""

    work: int
    project: int

    def __str__(self) -> str:
        return f"{self.work}-{self.project}"

    @classmethod
    def read(cls, text: str) -> Position | None:
        match = re.fullmatch(r"([0-9]{1,18})-([0-9]{1,18})", text, re.ASCII)
        return None if match is None else cls(int(match[1]), int(match[2]))


@dataclass(frozen=True)
class Message:
    """One event, written once for all who are told of it."""

    project: uuid.UUID
    data: bytes

    @classmethod
    def of(cls, content: dict) -> Message:
        return cls(uuid.UUID(content["project"]), _data(content))


@dataclass(frozen=True)
class UserNews:
    text: bytes = b""
    is_refused: bool = False


@dataclass(eq=False)
class UserSubscription:
    """One stream.

    Attributes:
        project: the only one it is about; None: all of the user's.
        position: how far it was told; None: it has just begun.
        access: project → the user's role; None: not read yet.
    """

    user: object
    project: uuid.UUID | None
    position: Position | None
    login: Hashable
    is_valid: Callable[[], bool]
    access: dict[uuid.UUID, str] | None = None
    is_behind: bool = False
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    news: asyncio.Queue[UserNews] = field(default_factory=asyncio.Queue)

    @property
    def is_slow(self) -> bool:
        return self.news.qsize() >= MOST_WAITING

    def tell(self, datas: list[bytes], position: Position) -> None:
        """All at once, the last with the position: who is cut off in between hears all of it again."""
        if datas:
            self._put(UserNews(b"".join([*datas[:-1], b"id: %s\n" % str(position).encode(), datas[-1]])))
        self.position = position  # after the news is on its way: see `projects.events`

    def refuse(self) -> None:
        self._put(UserNews(is_refused=True))

    def hears(self, messages: Iterable[Message]) -> list[bytes]:
        access = self.access or {}
        return [message.data for message in messages if message.project in access]

    def _put(self, news: UserNews) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
            self.loop.call_soon_threadsafe(self.news.put_nowait, news)


class UserStreams:
    """What the poller does for them. All of it is in the poller's thread."""

    def __init__(self) -> None:
        self._position: Position | None = None
        self._seen: tuple[set[int], set[int]] = (set(), set())

    def rest(self) -> None:
        """Nobody listens: what happens meanwhile is read when somebody does."""
        self._position = None
        for seen in self._seen:
            seen.clear()

    def tick(self, streams: list[UserSubscription], top_of_work: int, *, check: bool) -> None:
        """Tell each stream what is new. What cannot be read now is read for each from where it is, the next time."""
        try:
            self._tell(streams, top_of_work, check=check)
        except Exception:
            for stream in streams:
                stream.is_behind = stream.position is not None
            raise

    def _tell(self, streams: list[UserSubscription], top_of_work: int, *, check: bool) -> None:
        position = Position(top_of_work, top_of_events())
        if self._position is None:  # the first: what is there already counts as told
            self._position = position
            self._new_events(position)
        messages = [] if position == self._position else self._messages_until(position)
        check = check or any(message.data.startswith(MEMBERSHIP) for message in messages)
        self._position = position
        _read_access(streams if check else [stream for stream in streams if stream.access is None], position)
        missed: dict[Position, list[Message] | None] = {}
        for stream in streams:
            if stream.position is None:
                stream.tell([READY], position)
            elif stream.is_slow:
                stream.is_behind = True
            elif stream.is_behind:
                _catch_up(stream, position, missed)
            elif stream.position != position:
                stream.tell(stream.hears(messages), position)

    def _messages_until(self, position: Position) -> list[Message]:
        works, projects = self._new_events(position)
        return compose(
            WorkEvent.objects.filter(pk__in=works, kind__in=TOLD_OF_WORK), ProjectEvent.objects.filter(pk__in=projects)
        )

    def _new_events(self, position: Position) -> tuple[list[int], list[int]]:
        """Numbers that were not seen before. Those of transactions that ended late are among them."""
        new = []
        tables = ((WorkEvent, position.work), (ProjectEvent, position.project))
        for (model, top), seen in zip(tables, self._seen, strict=True):
            low = min(max(seen, default=top), top) - OUT_OF_ORDER
            there = set(model._default_manager.filter(pk__gt=low, pk__lte=top).values_list("pk", flat=True))
            new.append(sorted(there - seen))
            seen.clear()
            seen.update(pk for pk in there if pk > top - 2 * OUT_OF_ORDER)
        return new[0], new[1]


def compose(work_events: QuerySet[WorkEvent], project_events: QuerySet[ProjectEvent]) -> list[Message]:
    """Messages about what these events are about: of each piece of work one, how it stands now."""
    works: dict[uuid.UUID, WorkUpdates] = defaultdict(WorkUpdates)
    for work, kind, content in work_events.order_by("pk").values_list("work", "kind", "content"):
        updates = works[work]
        if kind == "epoch":
            updates.epochs.append(content)
        elif kind in ("estimate", "model"):
            setattr(updates, kind, content)
    contents = []
    kinds = {live.kind for live in WORK.values()}
    for event in project_events.order_by("pk"):
        if event.kind in kinds and event.content.get("action") != "deleted":
            works[uuid.UUID(event.content["id"])]  # it has just been made
        else:
            contents.append({"kind": event.kind, "project": str(event.project), **event.content})
    keys = list(works)
    for start in range(0, len(keys), CHUNK):
        contents += standing_of({key: works[key] for key in keys[start : start + CHUNK]})
    return [Message.of(content) for content in contents]


def _catch_up(stream: UserSubscription, position: Position, missed: dict[Position, list[Message] | None]) -> None:
    """Tell what happened since the stream's position; or to load everything again, where that is too much."""
    since = stream.position
    assert since is not None
    if since not in missed:
        missed[since] = _messages_between(since, position)
    messages = missed[since]
    stream.is_behind = False
    stream.tell([RESET] if messages is None else stream.hears(messages), position)


def _messages_between(since: Position, position: Position) -> list[Message] | None:
    """None: they are too many, or are not kept any more."""
    oldest = ProjectEvent.objects.aggregate(oldest=Min("pk"))["oldest"] or 0
    ahead = since.work > position.work or since.project > position.project  # of another database
    if ahead or since.project < oldest - 1:
        return None
    works = WorkEvent.objects.filter(_after(since.work), pk__lte=position.work, kind__in=TOLD_OF_WORK)
    projects = ProjectEvent.objects.filter(_after(since.project), pk__lte=position.project)
    if works[: MOST_MISSED + 1].count() > MOST_MISSED or projects[: MOST_MISSED + 1].count() > MOST_MISSED:
        return None
    return compose(works, projects)


def _after(pk: int) -> Q:
    """What has a higher number, and what has a lower one and may have been seen by nobody when that was told."""
    if not may_come_late():
        return Q(pk__gt=pk)
    lately = timezone.now() - LATE
    return Q(pk__gt=pk) | Q(pk__gt=pk - OUT_OF_ORDER, created_at__gt=lately)


def may_come_late() -> bool:
    """SQLite's transactions come one after another."""
    return connection.vendor == "postgresql"


def _read_access(streams: list[UserSubscription], position: Position) -> None:
    """Read again what each user may see, tell them what has changed of it, and end what may not go on."""
    valid: dict[Hashable, bool] = {}
    for stream in streams:
        if stream.login not in valid:
            valid[stream.login] = stream.is_valid()
    roles: dict[object, dict[uuid.UUID, str]] = defaultdict(dict)
    users = list({stream.user.pk for stream in streams})  # type: ignore[attr-defined]
    for start in range(0, len(users), CHUNK):
        rows = Membership.objects.filter(is_live("project__"), user__in=users[start : start + CHUNK])
        for user, project, role in rows.values_list("user", "project", "role"):
            roles[user][project] = role
    for stream in streams:
        now = dict(roles[stream.user.pk])  # type: ignore[attr-defined]
        if stream.project is not None:
            now = {project: role for project, role in now.items() if project == stream.project}
        before, stream.access = stream.access, now
        if not valid[stream.login] or (stream.project is not None and stream.project not in now):
            stream.refuse()
        elif before is not None and before != now:
            changed = [project for project in before.keys() | now.keys() if before.get(project) != now.get(project)]
            stream.tell([_access(project, now.get(project)) for project in changed], stream.position or position)


def _access(project: uuid.UUID, role: str | None) -> bytes:
    return _data({"kind": "access", "project": str(project), "role": role})


def _data(content: dict) -> bytes:
    return f"data: {json.dumps(content, ensure_ascii=False)}\n\n".encode()


READY, RESET = _data({"kind": "ready"}), _data({"kind": "reset"})
MEMBERSHIP = b'data: {"kind": "member"'
