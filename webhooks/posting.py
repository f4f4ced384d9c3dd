"""One POST to an address of a stranger: to the very address that was looked at, all of it within one time.

Names, connecting, TLS, headers and body together have `seconds`, however little of each comes at a time: at the end the
socket is shut, which ends whatever waits for it. Redirects are not followed, for they could lead anywhere.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from django.conf import settings

ANSWER_BYTES = 2000
USUAL_PORTS = (80, 443)
FIRST_FREE_PORT = 1024
# What Python calls public and is an inside one by its meaning: site-local addresses (RFC 3879), 6to4 relays (RFC 7526).
INSIDE = (ipaddress.ip_network("fec0::/10"), ipaddress.ip_network("192.88.99.0/24"))
Result = TypeVar("Result")


class RefusedAddress(Exception):
    """An address that the studio must not talk to."""


class TookTooLong(OSError):
    """The receiver did not answer in time."""


@dataclass(frozen=True)
class Target:
    """Where to: `address` is what is connected to, so that a name that is looked up twice cannot lead elsewhere."""

    scheme: str
    host: str
    port: int
    address: str


@dataclass(frozen=True)
class Guard:
    """What may be talked to beside public addresses by https.

    Attributes:
        setting: the operator's list of hosts on the own network, by name or address, with the port where it is no
            usual one.
        is_plain_allowed: whether http is as good as https: where what is read is secret to nobody.
    """

    setting: str = "WEBHOOK_HOSTS"
    is_plain_allowed: bool = False

    def admits(self, host: str, port: int) -> bool:
        hosts = getattr(settings, self.setting)
        return host in hosts or f"{host}:{port}" in hosts


WEBHOOKS = Guard()


def resolve(url: str, guard: Guard = WEBHOOKS) -> Target:
    """Where a URL leads.

    Raises:
        RefusedAddress: it is no https URL, its name is unknown, or one of its addresses is an inside one. Which of the
            last two it is is not told: names of inside hosts are nobody's business.
    """
    parts = urlsplit(url)
    try:
        port = parts.port if parts.port is not None else (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise RefusedAddress("The address has no proper port.") from error
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme not in ("http", "https") or not host or parts.username or parts.password:
        raise RefusedAddress("Give an address as https://host/path, without a password in it.")
    is_allowed = guard.admits(host, port)
    if parts.scheme != "https" and not (is_allowed or guard.is_plain_allowed):
        raise RefusedAddress("Only https is accepted: a signature does not hide what is sent.")
    if port < FIRST_FREE_PORT and port not in USUAL_PORTS and not is_allowed:
        raise RefusedAddress("Use port 443, or one from 1024 on: the others are of other services.")
    addresses = _addresses(host, port)
    if not addresses or not (is_allowed or all(map(is_public, addresses))):
        raise RefusedAddress(
            f"{host} cannot be used: it is unknown, or leads to an inside address. The studio's operator can allow it "
            f"with MLSTUDIO_{guard.setting}."
        )
    return Target(parts.scheme, host, port, addresses[0])


def _addresses(host: str, port: int) -> list[str]:
    try:
        return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError):
        return []


def is_public(text: str) -> bool:
    address = ipaddress.ip_address(text.split("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is not None:
            address = inner
    if any(address in network for network in INSIDE if network.version == address.version):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def post(url: str, body: bytes, headers: dict[str, str], *, seconds: float) -> int:
    """The status of the answer.

    Raises:
        RefusedAddress, TookTooLong, OSError, http.client.HTTPException.
    """
    deadline = time.monotonic() + seconds
    target = within(seconds, resolve, url)
    raw = socket.create_connection((target.address, target.port), timeout=_left(deadline))
    handle = raw.dup()  # the socket itself is given to TLS
    watch = threading.Timer(_left(deadline), _shut, [handle])
    watch.daemon = True
    watch.start()
    try:
        status = _exchange(raw, target, url, body, headers)
        _left(deadline, "The receiver did not end its answer in time.")  # a shut socket looks like an end
        return status
    except TookTooLong:
        raise
    except (OSError, http.client.HTTPException, ValueError) as error:
        if time.monotonic() >= deadline:
            raise TookTooLong(f"The receiver took more than {seconds:g} s.") from error
        raise
    finally:
        watch.cancel()
        handle.close()
        raw.close()


def _exchange(raw: socket.socket, target: Target, url: str, body: bytes, headers: dict[str, str]) -> int:
    talking = raw
    if target.scheme == "https":
        talking = ssl.create_default_context().wrap_socket(raw, server_hostname=target.host)
    connection = http.client.HTTPConnection(target.host, target.port)
    connection.sock, connection.auto_open = talking, 0
    host = f"[{target.host}]" if ":" in target.host else target.host
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        named = host if target.port in USUAL_PORTS else f"{host}:{target.port}"
        connection.request("POST", path, body=body, headers={"Host": named, **headers})
        answer = connection.getresponse()
        answer.read(ANSWER_BYTES)
        return answer.status
    finally:
        connection.close()
        talking.close()


def _shut(connection: socket.socket) -> None:
    """End whatever waits for the connection."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _left(deadline: float, problem: str = "The receiver was not reached in time.") -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TookTooLong(problem)
    return left


def within(seconds: float, call: Callable[..., Result], *arguments: Any) -> Result:
    """The call's result. A name server cannot be given a time, so it is asked in a thread that is left behind.

    Raises:
        TookTooLong: and whatever the call raises.
    """
    outcome: list[Result] = []
    problem: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(call(*arguments))
        except BaseException as error:
            problem.append(error)

    thread = threading.Thread(target=run, daemon=True, name="look-up")
    thread.start()
    thread.join(seconds)
    if problem:
        raise problem[0]
    if not outcome:
        raise TookTooLong("The name of the receiver was not found in time.")
    return outcome[0]
