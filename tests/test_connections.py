"""Connections that are held for nothing do not keep others out."""

from __future__ import annotations

import contextlib
import resource
import subprocess
import sys

import pytest
from django.conf import settings

from mlstudio.connections import OWN_DESCRIPTORS, Connections, most_connections
from tests.studio import ROOT
from tests.web import answer_of, head, running_web

pytestmark = [
    pytest.mark.django_db(transaction=True, available_apps=settings.INSTALLED_APPS),
    pytest.mark.any_database("sockets"),
]
FEW_FILES = OWN_DESCRIPTORS + 64 + 40


@pytest.fixture(scope="module")
def web(django_db_setup):
    with running_web(file_limit=FEW_FILES) as running:
        yield running


def test_there_are_as_many_as_have_a_descriptor_and_a_file_each(settings):
    settings.MAX_CONNECTIONS = 2000
    assert most_connections(1024) == (1024 - 264) // 2
    assert most_connections(1 << 20) == 2000
    assert most_connections(FEW_FILES) == 20


@pytest.mark.parametrize("start", [b"", b"GET / HTTP/1.1\r\nHost: local"], ids=["silent", "half a header"])
def test_idle_connections_make_room_for_others(web, start):
    with contextlib.ExitStack() as open_ones:
        for _ in range(100):
            connection = open_ones.enter_context(web.connect())
            with contextlib.suppress(OSError):
                connection.sendall(start)
        with web.client() as client:
            assert client.get("").status_code == 200
        assert web.protocol.house.count <= 25


def test_a_connection_without_a_request_is_closed_in_time(web, settings):
    settings.HEADER_SECONDS = 0.2
    for start in (b"", b"GET /healthz/ HTTP/1.1\r\nHost: localhost\r\nX-Slow: "):
        with web.connect() as connection:
            connection.sendall(start)
            assert answer_of(connection) == (0, b"")


def test_the_second_request_has_a_time_for_its_headers_too(web, settings):
    settings.HEADER_SECONDS = 0.2
    with web.connect() as connection:
        connection.sendall(head("GET", "/healthz/"))
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        connection.sendall(b"GET /healthz/ HTTP/1.1\r\nHost: ")
        with contextlib.suppress(ConnectionResetError):
            while connection.recv(4096):
                pass


def test_headers_without_end_are_not_kept(web):
    with web.connect() as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(b"GET /healthz/ HTTP/1.1\r\nHost: localhost\r\n")
            for number in range(400):
                connection.sendall(b"X-%d: " % number + b"x" * 10_000 + b"\r\n")
        with contextlib.suppress(ConnectionError):
            assert connection.recv(4096)[:12] in (b"HTTP/1.1 431", b"")


class FakeTransport:
    def __init__(self) -> None:
        self.is_closed = False

    def abort(self) -> None:
        self.is_closed = True


class FakeConnection:
    def __init__(self) -> None:
        self.transport = FakeTransport()


def entered(house: Connections, address: str) -> FakeConnection | None:
    connection = FakeConnection()
    return connection if house.enter(connection, address) else None


class TestWhoMakesRoom:
    def test_the_one_that_was_idle_longest(self):
        house = Connections(most=2, most_of_an_address=0)
        first, second = entered(house, "a"), entered(house, "b")
        house.begin(first)
        house.end(first, "a")
        assert entered(house, "c") and second.transport.is_closed and not first.transport.is_closed

    def test_none_that_is_being_answered(self):
        house = Connections(most=2, most_of_an_address=0)
        busy = [entered(house, "a"), entered(house, "a")]
        for connection in busy:
            house.begin(connection)
        assert entered(house, "b") is None and not any(one.transport.is_closed for one in busy)

    def test_an_address_has_a_limit_of_its_own(self):
        house = Connections(most=100, most_of_an_address=2)
        mine = [entered(house, "a") for _ in range(2)]
        others = entered(house, "b")
        assert entered(house, "a") and mine[0].transport.is_closed and not others.transport.is_closed


def test_a_web_process_uses_the_files_that_the_system_allows():
    code = "from mlstudio.limits import raise_file_limit; print(raise_file_limit())"
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    hard = 4096 if hard == resource.RLIM_INFINITY else min(hard, 4096)
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard)),
    )
    assert int(done.stdout) == hard
