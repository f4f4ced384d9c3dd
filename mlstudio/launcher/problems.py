"""What can keep the studio from starting, each in one sentence that says how to fix it."""

from __future__ import annotations

import fcntl
import importlib
import os
import socket
import sqlite3
import sys
from pathlib import Path
from typing import IO

from django.core.exceptions import ImproperlyConfigured

from mlstudio.environment import misspelled
from mlstudio.private import make_private_folder

# What `manage.py prepare` ends with where the database belongs to another data folder.
OTHER_FOLDER = 3
MINIMUM_PYTHON = (3, 11)
MINIMUM_SQLITE = (3, 37, 0)


class CannotStart(Exception):
    """The studio does not start; the message is for its user. Exit code 2."""


def check_versions() -> None:
    if sys.version_info < MINIMUM_PYTHON:
        raise CannotStart(f"ML Studio needs Python 3.11 or newer; this is {'.'.join(map(str, sys.version_info[:3]))}.")
    if sqlite3.sqlite_version_info < MINIMUM_SQLITE:
        raise CannotStart(
            f"ML Studio needs SQLite {'.'.join(map(str, MINIMUM_SQLITE))} or newer; this Python has "
            f"{sqlite3.sqlite_version}. Use a newer Python, or set DATABASE_URL to a PostgreSQL database."
        )


def check_settings() -> list[str]:
    """Read the settings once in this process, so that a wrong one is said in a sentence.

    Returns:
        Sentences about variables that are no settings.
    """
    try:
        importlib.import_module("mlstudio.settings")
    except ImproperlyConfigured as error:
        raise CannotStart(str(error)) from error
    return misspelled()


def prepare_folder(folder: Path) -> None:
    """Make the data directory and verify that it can be written."""
    probe = folder / f".write-test-{os.getpid()}"
    try:
        make_private_folder(folder)
        probe.write_bytes(b"ok")
        probe.unlink()
        for name in ("tmp", "static"):
            (folder / name).mkdir(exist_ok=True)
    except OSError as error:
        raise CannotStart(
            f"The data directory {folder} cannot be written ({error.strerror}). Name another one with --data-dir."
        ) from error


def lock_folder(folder: Path, role: str | None = None) -> IO:
    """Hold the data directory for this studio or part; the lock ends with the process, however it ends."""
    file = open(folder / (f"studio-{role}.lock" if role else "studio.lock"), "a+")  # noqa: SIM115 - held open as long as the studio runs
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        owner = file.read().strip() or "unknown"
        raise CannotStart(
            f"A studio runs on {folder} already (process {owner}). Stop it first, or use another --data-dir."
        ) from error
    file.seek(0)
    file.truncate()
    file.write(str(os.getpid()))
    file.flush()
    return file


def open_port(host: str, port: int) -> socket.socket:
    """The listening socket. Opened once by the launcher, so that web processes come and go behind it."""
    if not 0 <= port <= 65535:
        raise CannotStart(f"The port must be from 0 to 65535, received {port}.")
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(2048)
    except socket.gaierror as error:
        raise CannotStart(f"The host {host!r} is not an address of this machine ({error.strerror}).") from error
    except OSError as error:
        raise CannotStart(
            f"Port {port} on {host} cannot be used ({error.strerror}): another program may have it. "
            "Choose another one with --port."
        ) from error
    listening.set_inheritable(True)
    return listening
