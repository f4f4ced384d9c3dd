"""One GET to an address of a stranger: to the very address that was looked at, all of it within one time."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

from webhooks.posting import Guard, Target, TookTooLong, resolve, within

# Of servers that are asked too much, or are away for a moment.
PASSING = (429, 503)
LONGEST_WAIT, USUAL_WAIT = 60.0, 5.0


@contextmanager
def asking(url: str, deadline: float, guard: Guard, headers: Mapping[str, str]) -> Iterator[http.client.HTTPResponse]:
    """The answer of an address, to be read inside; redirects are answers.

    Args:
        deadline: as `time.monotonic()` has it.

    Raises:
        RefusedAddress, TookTooLong, OSError, http.client.HTTPException.
    """
    target = within(_left(deadline), resolve, url, guard)
    raw = socket.create_connection((target.address, target.port), timeout=_left(deadline))
    handle = raw.dup()  # the socket itself is given to TLS
    watch = threading.Timer(_left(deadline), _shut, [handle])
    watch.daemon = True
    watch.start()
    try:
        with _answer(raw, target, url, headers) as answer:
            yield answer
    finally:
        watch.cancel()
        handle.close()
        raw.close()


@contextmanager
def _answer(
    raw: socket.socket, target: Target, url: str, headers: Mapping[str, str]
) -> Iterator[http.client.HTTPResponse]:
    is_secure, parts = target.scheme == "https", urlsplit(url)
    talking = ssl.create_default_context().wrap_socket(raw, server_hostname=target.host) if is_secure else raw
    connection = http.client.HTTPConnection(target.host, target.port)
    connection.sock, connection.auto_open = talking, 0
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", path, headers={"Host": parts.netloc, **headers})
        yield connection.getresponse()
    finally:
        connection.close()
        talking.close()


def wait_of(answer: http.client.HTTPResponse) -> float | None:
    """The seconds that an answer asks to wait; None: it is none of those that pass by themselves."""
    if answer.status not in PASSING:
        return None
    text = answer.headers.get("Retry-After") or ""
    return min(float(text), LONGEST_WAIT) if text.isdigit() else USUAL_WAIT


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TookTooLong("The address did not answer in time.")
    return left
