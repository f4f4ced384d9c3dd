"""What can go wrong, each with the server that said it and the command it was asked."""

from __future__ import annotations

import errno
import os

Address = tuple[str, int]


class FastDFSError(Exception):
    """Base of all errors. `server` and `command` are None where no server was involved."""

    def __init__(self, message: str, *, server: Address | None = None, command: int | None = None) -> None:
        if server is not None:
            message = f"{message} (server {server[0]}:{server[1]}, command {command})"
        super().__init__(message)
        self.server = server
        self.command = command


class InvalidFileId(FastDFSError, ValueError):
    """A text that is no file id."""


class ConnectionFailed(FastDFSError):
    """No connection, or it broke or went silent. Trying again later may help."""


class ProtocolError(FastDFSError):
    """The server answered something that the protocol does not know."""


class DataDamaged(FastDFSError):
    """Content differs from the checksum in its file id."""


class RequestRefused(FastDFSError):
    """The server answered with a status other than 0; `status` is an errno."""

    def __init__(self, message: str, *, status: int, server: Address, command: int) -> None:
        super().__init__(message, server=server, command=command)
        self.status = status


class FileNotInStore(RequestRefused):
    """The storage has no such file."""


class NoActiveStorage(RequestRefused):
    """The tracker knows no active storage, or not the group."""


class NoSpace(RequestRefused):
    """The store is full."""


class Busy(RequestRefused):
    """The server is busy with this file; trying again helps."""


_BY_STATUS: dict[int, tuple[type[RequestRefused], str]] = {
    errno.ENOENT: (FileNotInStore, "the store has no such file"),
    errno.ENOSPC: (NoSpace, "the store has no space left"),
    errno.EBUSY: (Busy, "the server is busy"),
    errno.EINVAL: (RequestRefused, "the server refused the request as invalid"),
}


def refusal(status: int, *, server: Address, command: int, is_tracker: bool) -> RequestRefused:
    """The error for a status; 2 means something else from a tracker than from a storage."""
    if is_tracker and status == errno.ENOENT:
        text = "the tracker knows no active storage for this, or not the group"
        return NoActiveStorage(text, status=status, server=server, command=command)
    kind, text = _BY_STATUS.get(status, (RequestRefused, f"the server answered {status}: {os.strerror(status)}"))
    return kind(text, status=status, server=server, command=command)
