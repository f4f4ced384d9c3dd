"""Server-sent events of a piece of work (WHATWG HTML, section 9.2), from the database, so that none is missed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Hashable
from functools import partial

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from drf_spectacular.utils import OpenApiResponse
from rest_framework.renderers import BaseRenderer, JSONRenderer

from accounts.authentication import is_still_valid
from accounts.limits import Limit, register
from projects.event_hub import Subscription, hub
from projects.models import Work, WorkEvent

KEEP_ALIVE_SECONDS = 15.0
STREAMS = register(
    Limit(
        "event_streams", "MAX_EVENT_STREAMS", hub.count,
        "You watch {limit} pieces of work already, which is all that this server allows. Close some of the streams.",
        retry_after_seconds=30,
    )
)  # fmt: skip
EVENT_STREAM = OpenApiResponse(
    {
        "type": "object",
        "description": "One event; `data` is JSON. Send `Last-Event-ID` to go on after an event.",
        "properties": {name: {"type": "string"} for name in ("id", "event", "data", "retry")},
    },
    description="Server-sent events",
)


class EventStreamRenderer(BaseRenderer):
    """Lets DRF accept `Accept: text/event-stream`; the view answers with the stream itself."""

    media_type = "text/event-stream"
    format = "events"
    charset = None

    def render(self, data, accepted_media_type=None, renderer_context=None) -> bytes:
        return json.dumps(data, default=str).encode()


class StreamsEvents:
    """For views with an `events` action: its errors are JSON, as all others are."""

    def handle_exception(self, exc):
        if self.action == "events":
            self.request.accepted_renderer = JSONRenderer()
            self.request.accepted_media_type = JSONRenderer.media_type
        return super().handle_exception(exc)


def event_stream(request, work: Work, visible: Callable[[object], QuerySet]) -> StreamingHttpResponse:
    """The work's events from the beginning, or after `Last-Event-ID`, until it ends.

    Args:
        visible: a user → the work that the user may see. It is asked again now and then: a stream ends with the
            membership, or the login, that it was opened with.

    Raises:
        LimitReached: the user has as many streams as are allowed.
    """
    STREAMS.require(request.user)
    last = request.headers.get("Last-Event-ID", "")
    after = int(last) if last.isascii() and last.isdigit() and len(last) < 19 else 0
    response = StreamingHttpResponse(_events(request, work, after, visible), content_type="text/event-stream")
    response["Cache-Control"] = "no-cache"
    response["X-Accel-Buffering"] = "no"
    return response


async def _events(request, work: Work, after: int, visible: Callable[[object], QuerySet]) -> AsyncIterator[bytes]:
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


def _login_of(request) -> Hashable:
    """What the request came in with: streams of the same token or session are asked about once."""
    session = getattr(request, "session", None)
    return getattr(request.auth, "pk", None) or getattr(session, "session_key", None)


def _as_text(event: WorkEvent) -> bytes:
    """The event as the protocol has it; written once for all streams that are told of it."""
    text = getattr(event, "text", None)
    if text is None:
        content = json.dumps(event.content, ensure_ascii=False)
        text = event.text = f"id: {event.pk}\nevent: {event.kind}\ndata: {content}\n\n".encode()
    return text
