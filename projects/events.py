"""Server-sent events of a piece of work (WHATWG HTML, section 9.2), from the database, so that none is missed."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable, Hashable, Mapping
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiResponse
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import is_still_valid
from accounts.limits import Limit, register
from common.requests import AuthenticatedRequest
from common.words import counted
from jobs.models import Work, WorkEvent
from projects.event_hub import Subscription, hub
from projects.live_streams import Position, UserSubscription

KEEP_ALIVE_SECONDS = 15.0
STREAMS = register(
    Limit(
        "event_streams",
        "MAX_EVENT_STREAMS",
        hub.count,
        "You watch {limit} already, which is all that this server allows. Close one of the streams.",
        lambda count: counted(count, "piece of work", "pieces of work"),
        retry_after_seconds=30,
    )
)
EVENT_STREAM = OpenApiResponse(
    {
        "type": "object",
        "description": "One event; `data` is JSON: of `state` {state, attempt, error}, of `log` {line}, of `progress` "
        "{done, total, eta_seconds, phase}, of `epoch` an Epoch, of `estimate` an Estimate, of `model` {id, version}, "
        "of `end` {}. Send `Last-Event-ID` to go on after an event. `events/` has all work in one stream.",
        "required": ["event", "data"],
        "properties": {
            "id": {"type": "string"},
            "event": {"type": "string", "enum": ["state", "log", "progress", "epoch", "estimate", "model", "end"]},
            "data": {"type": "string", "contentMediaType": "application/json"},
        },
    },
    description="Server-sent events",
)

NOTHING_LEFT = OpenApiResponse(description="`Last-Event-ID` is the last of work that has ended: there is nothing more.")


class EventStreamRenderer(BaseRenderer):
    """Lets DRF accept `Accept: text/event-stream`; the view answers with the stream itself."""

    media_type = "text/event-stream"
    format = "events"
    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        return json.dumps(data, default=str).encode()


class StreamsEvents(APIView):
    """For views with an `events` action: its errors are JSON, as all others are."""

    def handle_exception(self, exc: Exception) -> Response:
        if getattr(self, "action", "events") == "events":
            self.request.accepted_renderer = JSONRenderer()
            self.request.accepted_media_type = JSONRenderer.media_type
        return super().handle_exception(exc)


def event_stream(request: AuthenticatedRequest, work: Work, visible: Callable[[User], QuerySet]) -> HttpResponseBase:
    """The work's events from the beginning, or after `Last-Event-ID`, until it ends. Who was told the end already is
    answered 204, which keeps an EventSource from asking again (WHATWG HTML, section 9.2.3).

    Args:
        visible: a user → the work that the user may see. It is asked again now and then: a stream ends with the
            membership, or the login, that it was opened with.

    Raises:
        LimitReached: the user has as many streams as are allowed.
    """
    STREAMS.require(request.user)
    last = request.headers.get("Last-Event-ID", "")
    after = int(last) if last.isascii() and last.isdigit() and len(last) < 19 else 0
    if after and work.has_ended and not WorkEvent.objects.filter(work=work.pk, pk__gt=after).exists():
        return HttpResponse(status=204)
    return _streaming(_events(request, work, after, visible))


def user_event_stream(
    request: AuthenticatedRequest, *, project: uuid.UUID | None, after: str, seconds: int | None
) -> StreamingHttpResponse:
    """Everything in the user's projects from now on, or after a message that was received.

    Args:
        project: the only one it is about.
        after: the id of the last message that the client has, "" for none.
        seconds: how long it lasts; None: until the client goes.

    Raises:
        LimitReached: the user has as many streams as are allowed.
    """
    STREAMS.require(request.user)
    position = Position.read(request.headers.get("Last-Event-ID", "") or after)
    return _streaming(_user_events(request, project, position, seconds))


def _streaming(events: AsyncIterator[bytes]) -> StreamingHttpResponse:
    response = StreamingHttpResponse(events, content_type="text/event-stream")
    response["Cache-Control"] = "no-cache"
    response["X-Accel-Buffering"] = "no"
    return response


async def _user_events(
    request: AuthenticatedRequest, project: uuid.UUID | None, position: Position | None, seconds: int | None
) -> AsyncIterator[bytes]:
    subscription = UserSubscription(
        request.user,
        project,
        position,
        _login_of(request),
        partial(is_still_valid, request),
        is_behind=position is not None,
    )
    ends = float("inf") if seconds is None else time.monotonic() + seconds
    hub.add(subscription)
    try:
        yield b"retry: 2000\n\n"
        while True:
            told = subscription.position
            try:
                left = ends - time.monotonic()
                news = await asyncio.wait_for(subscription.news.get(), min(KEEP_ALIVE_SECONDS, max(left, 0)))
            except TimeoutError:
                if time.monotonic() >= ends:
                    return
                # Nothing came since then, so all up to there was received: it need not be looked through again.
                yield b": keep-alive\n\n" if told is None else b"id: %s\n: keep-alive\n\n" % str(told).encode()
                continue
            if news.is_refused:
                return
            yield news.text
    finally:
        hub.remove(subscription)


async def _events(
    request: AuthenticatedRequest, work: Work, after: int, visible: Callable[[User], QuerySet]
) -> AsyncIterator[bytes]:
    subscription = Subscription(
        request.user, type(work), work.pk, after, visible, _login_of(request), partial(is_still_valid, request)
    )
    hub.add(subscription)
    try:
        yield b"retry: 2000\n\n"
        while True:
            try:
                news = await asyncio.wait_for(subscription.news.get(), KEEP_ALIVE_SECONDS)
            except TimeoutError:
                yield b": keep-alive\n\n"
                continue
            if news.is_refused:
                return
            for event in news.events:
                yield _as_text(event)
            if news.has_ended:
                yield b"event: end\ndata: {}\n\n"
                return
    finally:
        hub.remove(subscription)


def _login_of(request: Request) -> Hashable:
    """What the request came in with: streams of the same token or session are asked about once."""
    session = getattr(request, "session", None)
    return getattr(request.auth, "pk", None) or getattr(session, "session_key", None)


def _as_text(event: WorkEvent) -> bytes:
    """The event as the protocol has it; written once for all streams that are told of it."""
    text = getattr(event, "text", None)
    if text is None:
        content = json.dumps(event.content, ensure_ascii=False)
        text = event.text = f"id: {event.pk}\nevent: {event.kind}\ndata: {content}\n\n".encode()  # type: ignore[attr-defined]
    return text
