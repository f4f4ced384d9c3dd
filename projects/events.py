"""Server-sent events of a piece of work (WHATWG HTML, section 9.2), from the database, so that none is missed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable

from asgiref.sync import sync_to_async
from django.db import close_old_connections, connection
from django.http import StreamingHttpResponse
from drf_spectacular.utils import OpenApiResponse
from rest_framework.renderers import BaseRenderer, JSONRenderer

from projects.models import Work, WorkEvent

POLL_SECONDS = 0.5
KEEP_ALIVE_POLLS = 30
RECHECK_POLLS = 20
BATCH = 200
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


def event_stream(request, work: Work, may_still_see: Callable[[], bool]) -> StreamingHttpResponse:
    """The work's events from the beginning, or after `Last-Event-ID`, until it ends.

    `may_still_see` is asked now and then: who loses his membership loses the stream.
    """
    last = request.headers.get("Last-Event-ID", "")
    after = int(last) if last.isascii() and last.isdigit() and len(last) < 19 else 0
    response = StreamingHttpResponse(_events(work, after, may_still_see), content_type="text/event-stream")
    response["Cache-Control"] = "no-cache"
    response["X-Accel-Buffering"] = "no"
    return response


async def _events(work: Work, after: int, may_still_see: Callable[[], bool]) -> AsyncIterator[bytes]:
    read = sync_to_async(_read, thread_sensitive=False)
    yield b"retry: 2000\n\n"
    polls = 0
    while True:
        events, ended, allowed = await read(work, after, may_still_see if polls % RECHECK_POLLS == 0 else None)
        if not allowed:
            return
        for event in events:
            after = event.pk
            content = json.dumps(event.content, ensure_ascii=False)
            yield f"id: {event.pk}\nevent: {event.kind}\ndata: {content}\n\n".encode()
        if len(events) == BATCH:
            continue
        if ended:
            yield b"event: end\ndata: {}\n\n"
            return
        polls += 1
        if polls % KEEP_ALIVE_POLLS == 0:
            yield b": keep-alive\n\n"
        await asyncio.sleep(POLL_SECONDS)


def _read(work: Work, after: int, may_still_see: Callable[[], bool] | None) -> tuple[list[WorkEvent], bool, bool]:
    # The state is read before the events: an ending between the two is seen at the next poll.
    try:
        current = type(work)._default_manager.filter(pk=work.pk).only("state").first()
        allowed = current is not None and (may_still_see is None or may_still_see())
        events = list(WorkEvent.objects.filter(work=work.pk, pk__gt=after).order_by("pk")[:BATCH])
        return events, current is None or current.has_ended, allowed
    finally:
        if not connection.in_atomic_block:
            close_old_connections()
            connection.close()
