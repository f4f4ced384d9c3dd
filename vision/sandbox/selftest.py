"""A process in the sandbox that attempts what it must not do; told what came of it."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vision.sandbox.attempts import DONE, REFUSED
from vision.sandbox.limits import Limits
from vision.sandbox.process import SandboxedProcess, start_python

ALLOWED = ("read_own_input", "write_own_folder", "stream_pair")
QUICK = Limits(memory_bytes=512 << 20, cpu_seconds=30, file_bytes=16 << 20, folder_bytes=64 << 20)
SECRETS = ("SECRET", "DATABASE_URL", "PASSWORD", "AWS_", "REDIS_URL", "SMTP")
# As `start_python`: a module, its arguments and options.
Start = Callable[..., SandboxedProcess]


@dataclass(frozen=True)
class Result:
    attempt: str
    answer: str

    @property
    def as_meant(self) -> bool:
        return self.answer == DONE if self.attempt in ALLOWED else self.answer.startswith(REFUSED)


def attempt_everything(files: list[Path], start: Start = start_python) -> Iterator[Result]:
    """Start one process and give what came of each of its attempts; `files` are attempted to read as well."""
    with tempfile.TemporaryDirectory() as base:
        own, other, inputs = (Path(base) / name for name in ("own", "other", "inputs"))
        for folder in (own, other, inputs):
            folder.mkdir()
            (folder / "file").write_text("content")
        yield from attempt(_attempts(other, inputs), folder=own, readable=(inputs,), start=start)
        for file in files:
            for result in attempt({"read": [str(file.resolve())]}, folder=own, start=start):
                yield Result(f"read {file}", result.answer)


def attempt(
    attempts: dict[str, list[str]],
    *,
    folder: Path,
    limits: Limits = QUICK,
    readable: Sequence[Path] = (),
    start: Start = start_python,
) -> list[Result]:
    """What came of the attempts; a process that was ended answers for all of them."""
    process = start("vision.sandbox.attempts", json.dumps(attempts), folder=folder, limits=limits, readable=readable)
    try:
        answer = process.stdout.read()  # type: ignore[union-attr]
    finally:
        process.kill()
    try:
        return [Result(name, answer) for name, answer in json.loads(answer).items()]
    except ValueError:
        reason = f"{REFUSED}: ended ({process.exceeded or f'status {process.returncode}'})"
        return [Result(name, reason) for name in attempts]


def _attempts(other: Path, inputs: Path) -> dict[str, list[str]]:
    parent, victim, given = str(os.getpid()), str(other / "file"), str(inputs / "file")
    code = str(Path(__file__).resolve())
    return {
        "read_own_input": [given], "write_own_folder": ["mine"], "stream_pair": [],
        "read_passwords": ["/etc/passwd"], "read_environment_of_parent": [f"/proc/{parent}/environ"],
        "find_secrets": list(SECRETS), "read_another_job": [victim], "list_another_job": [str(other)],
        "write_input": [given], "write_code": [code], "empty_by_opening": [given], "hard_link": [given],
        "symbolic_link": [victim], "named_pipe": ["pipe"], "change_mode": [victim], "change_times": [victim],
        "tcp": ["AF_INET", "SOCK_STREAM"], "tcp6": ["AF_INET6", "SOCK_STREAM"], "udp": ["AF_INET", "SOCK_DGRAM"],
        "unix": ["AF_UNIX", "SOCK_STREAM"], "raw": ["AF_INET", "SOCK_RAW"], "datagram_pair": [],
        "run_a_program": [], "fork": [], "signal_parent": [parent], "limit_parent": [parent],
        "trace_parent": [parent], "outlive_the_parent": [], "anonymous_file": [],
        "hide_from_the_watch": [], "lease": [given], "set_id_file": ["runs-as-its-owner"], "send_a_file": [],
    }  # fmt: skip
