"""Addresses that are secrets are in no line of the log, and refused hosts fill it with no traces."""

from __future__ import annotations

import asyncio
import io
import logging

import pytest
import structlog
from django.http import StreamingHttpResponse
from django.test import Client, RequestFactory
from django_structlog.middlewares import RequestMiddleware

pytestmark = [pytest.mark.django_db, pytest.mark.any_database("what is logged")]
SECRET = "hT3-very_secret"


@pytest.fixture
def lines():
    """What the studio's handler would write."""
    console = next(
        handler
        for handler in logging.getLogger().handlers
        if isinstance(handler.formatter, structlog.stdlib.ProcessorFormatter)
    )
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(console.formatter)
    for one in console.filters:
        handler.addFilter(one)
    logging.getLogger().addHandler(handler)
    yield lambda: written.getvalue()
    logging.getLogger().removeHandler(handler)


@pytest.mark.parametrize(
    "request_line",
    [
        ("GET", f"/join/{SECRET}", "evil.example"),
        ("GET", f"/reset/MQ/{SECRET}", "evil.example"),
        ("GET", f"/login?next=%2Fjoin%2F{SECRET}", "evil.example"),
        ("GET", f"/login?next=/join/{SECRET}&x=1", "evil.example"),
        ("POST", f"/reset/MQ/{SECRET}/", "testserver"),
        ("POST", f"/join/{SECRET}", "testserver"),
        ("POST", f"/reset/MQ/{SECRET}", "testserver"),
        ("GET", f"/email-confirm/?token={SECRET}", "evil.example"),
        (
            "GET",
            f"/api/v1/images/01a2190a-cdbe-7648-a58d-ba40c4cd0702/file/?expires=1&signature={SECRET}",
            "testserver",
        ),
    ],
)
def test_no_line_has_the_secret(lines, request_line):
    method, path, host = request_line
    client = Client(enforce_csrf_checks=True, headers={"host": host})
    assert client.generic(method, path).status_code >= 200
    assert SECRET not in lines()


def test_the_rest_of_the_line_stays(lines):
    Client(headers={"host": "evil.example"}).get(f"/join/{SECRET}?from=mail")
    assert "/join/***?from=mail" in lines() and "code=400" in lines()
    Client().get("/api/v1/projects/?page_size=7")
    assert "GET /api/v1/projects/?page_size=7" in lines()


def test_a_host_that_is_not_ours_is_one_line_and_says_what_to_do(lines):
    answer = Client(headers={"host": "evil.example"}).get("/")
    error = answer.json()["errors"][0]
    assert (answer.status_code, error["code"]) == (400, "unknown_host")
    assert "MLSTUDIO_ALLOWED_HOSTS" in error["detail"] and "evil.example" not in error["detail"]
    assert "Traceback" not in lines() and "evil.example" in lines()


def test_a_stream_that_its_reader_leaves_is_no_line(lines):
    """A tab that is closed is no fault of anybody."""

    async def endless():
        while True:
            yield b":\n"
            await asyncio.sleep(0)

    async def leave() -> None:
        middleware = RequestMiddleware(lambda request: StreamingHttpResponse(endless()))
        response = middleware(RequestFactory().get("/api/v1/events/"))
        is_read = asyncio.Event()

        async def read() -> None:
            async for _ in response:
                is_read.set()

        reading = asyncio.create_task(read())
        await is_read.wait()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading

    asyncio.run(leave())
    assert lines() == ""
