"""The web server of the studio inside the test's process, on a port of its own: sockets are real, settings are ours."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import uvicorn
from django.db import connections

from mlstudio.connections import BACKLOG, protocol_for
from tests.studio import wait_for


class Web:
    """uvicorn with the studio's handler and protocol, in a thread."""

    def __init__(self, file_limit: int = 4096) -> None:
        from mlstudio.handler import PooledHandler

        self.handler = PooledHandler()
        self.protocol = protocol_for(file_limit)
        config = uvicorn.Config(
            self.handler,
            http=self.protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            backlog=BACKLOG,
            loop="asyncio",
        )
        self.server = uvicorn.Server(config)
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.url = f"http://localhost:{self.port}"
        self._thread = threading.Thread(target=self.server.run, args=([self.listening],), daemon=True)

    def start(self) -> Web:
        self._thread.start()
        wait_for(lambda: self.server.started, 20)
        return self

    def stop(self) -> None:
        self.server.should_exit = self.server.force_exit = True
        self._thread.join(20)
        for pool in (self.handler._threads, self.handler._writers):
            _close_connections(pool)
            pool.shutdown()

    def client(self, token: str = "") -> httpx.Client:
        headers = {"Authorization": f"Token {token}"} if token else {}
        return httpx.Client(base_url=f"{self.url}/api/v1/", headers=headers, timeout=20)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)


def _close_connections(pool: ThreadPoolExecutor) -> None:
    """In each thread of the pool: a test database is deleted only when nobody holds it."""
    together = threading.Barrier(pool._max_workers)

    def close() -> None:
        together.wait(10)
        connections.close_all()

    list(pool.map(lambda _: close(), range(pool._max_workers)))


@contextlib.contextmanager
def running_web(**options) -> Iterator[Web]:
    web = Web(**options).start()
    try:
        yield web
    finally:
        web.stop()


def head(method: str, path: str, **headers: str) -> bytes:
    """The first part of a request, as bytes."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def answer_of(connection: socket.socket) -> tuple[int, bytes]:
    """The status of the answer, and all of it until the server closes."""
    content = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            content += piece
    return int(content.split(b" ", 2)[1]) if content else 0, content
