"""What the sandbox is there to stop, attempted from inside it: for its tests, `doctor`, and everybody's own eyes."""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

DONE, REFUSED = "done", "refused"


def main() -> int:
    """`python -m vision.sandbox.attempts '{"attempt": ["argument", …], …}'`: a line of JSON with what came of each."""
    answers = {}
    for name, arguments in json.loads(sys.argv[1]).items():
        try:
            ATTEMPTS[name](*arguments)
            answers[name] = DONE
        except OSError as error:
            answers[name] = f"{REFUSED}: {error.strerror}"
        except MemoryError:
            answers[name] = f"{REFUSED}: no memory"
    sys.stdout.write(json.dumps(answers) + "\n")
    return 0


def _read(path: str) -> None:
    Path(path).read_bytes()


def _list(path: str) -> None:
    list(Path(path).iterdir())


def _write(path: str) -> None:
    with open(path, "ab"):
        pass


def _empty_by_opening(path: str) -> None:
    os.close(os.open(path, os.O_RDONLY | os.O_TRUNC))


def _hard_link(path: str) -> None:
    os.link(path, "linked")


def _symbolic_link(path: str) -> None:
    Path("link").symlink_to(path)


def _named_pipe(name: str) -> None:
    os.mkfifo(name)


def _change_mode(path: str) -> None:
    Path(path).chmod(0o777)


def _change_times(path: str) -> None:
    os.utime(path)


def _socket(family: str, kind: str) -> None:
    socket.socket(getattr(socket, family), getattr(socket, kind)).close()


def _datagram_pair() -> None:
    for end in socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM):
        end.close()


def _stream_pair() -> None:
    for end in socket.socketpair():
        end.close()


def _run_a_program() -> None:
    subprocess.run(["/bin/true"], check=True)


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def _signal(pid: str) -> None:
    os.kill(int(pid), 0)


def _limit_another(pid: str) -> None:
    resource.prlimit(int(pid), resource.RLIMIT_NOFILE)


def _outlive_the_parent() -> None:
    _call("prctl", 1, 0)


def _trace(pid: str) -> None:
    _call("ptrace", 16, int(pid), 0, 0)


def _hide_from_the_watch() -> None:
    _call("prctl", 4, 0)


def _lease(path: str) -> None:
    with open(path, "rb") as file:
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)


def _set_id_file(name: str) -> None:
    os.close(os.open(name, os.O_CREAT | os.O_WRONLY, 0o4755))


def _send_a_file() -> None:
    with open("sent", "wb") as file:
        for end in (pair := socket.socketpair()):
            socket.send_fds(end, [b"x"], [file.fileno()])
        for end in pair:
            end.close()


def _anonymous_file() -> None:
    os.close(os.memfd_create("hidden"))


def _call(name: str, *arguments: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, name)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _find_secrets(*secrets: str) -> None:
    """Refused when none of the words is in the environment, its own or that of `/proc`."""
    seen = json.dumps(dict(os.environ)) + Path("/proc/self/environ").read_bytes().decode("utf-8", "replace")
    if not any(secret in seen for secret in secrets):
        raise OSError(0, "not there")


def _eat_memory(step: str) -> None:
    held = []
    while True:
        held.append(b"x" * int(step))


def _fill_a_file(size: str) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with open("large", "wb", buffering=0) as file:
        for _ in range(int(size) >> 20):
            if file.write(b"x" * (1 << 20)) < 1 << 20:
                raise OSError(27, "File too large")


def _burn() -> None:
    while True:
        pass


ATTEMPTS: dict[str, Callable[..., None]] = {
    "read": _read, "read_passwords": _read, "read_environment_of_parent": _read, "read_another_job": _read,
    "list_another_job": _list, "read_own_input": _read, "write_input": _write, "write_code": _write,
    "write_own_folder": _write, "empty_by_opening": _empty_by_opening, "hard_link": _hard_link,
    "symbolic_link": _symbolic_link, "named_pipe": _named_pipe, "change_mode": _change_mode,
    "change_times": _change_times, "tcp": _socket, "tcp6": _socket, "udp": _socket, "unix": _socket, "raw": _socket,
    "datagram_pair": _datagram_pair, "stream_pair": _stream_pair, "run_a_program": _run_a_program, "fork": _fork,
    "signal_parent": _signal, "limit_parent": _limit_another, "trace_parent": _trace,
    "outlive_the_parent": _outlive_the_parent, "anonymous_file": _anonymous_file,
    "hide_from_the_watch": _hide_from_the_watch, "lease": _lease, "set_id_file": _set_id_file,
    "send_a_file": _send_a_file, "find_secrets": _find_secrets,
    "eat_memory": _eat_memory, "fill_a_file": _fill_a_file, "burn": _burn,
}  # fmt: skip

if __name__ == "__main__":
    sys.exit(main())
