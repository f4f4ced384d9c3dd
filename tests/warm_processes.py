"""Processes that have waited for their work, for tests of how they differ from others: in nothing."""

from __future__ import annotations

import tempfile
import uuid
from pathlib import Path

from vision.sandbox.limits import GIB, Limits
from vision.sandbox.process import SandboxedProcess
from vision.sandbox.warm import WarmProcess

LARGEST = Limits(memory_bytes=8 * GIB, reserved_bytes=1 << 46, cpu_seconds=10**9, file_bytes=1 << 40, open_files=65_536)


def waiting(imports: str = "json", folder: Path | None = None, **options) -> WarmProcess:
    """A process that has imported a light module."""
    folder = folder or Path(tempfile.gettempdir()) / f"waiting-{uuid.uuid4().hex}"
    process = WarmProcess(imports, folder=folder, limits=LARGEST, **options)
    process.wait_until_ready(60)
    return process


def enter(process: WarmProcess, module: str, *arguments, folder: Path, limits: Limits | None = None, **options):
    stderr = folder.parent / "stderr.log"
    stderr.touch()
    return process.enter(module, *arguments, folder=folder, stderr=stderr, limits=limits or Limits(), **options)


def start_in_waiting(module: str, *arguments, **options) -> SandboxedProcess:
    """As `start_python`, by a process that was there before."""
    return enter(waiting(), module, *arguments, **options)


def run_in_waiting(code: str, **options) -> SandboxedProcess:
    """As `start` with a program of Python, whose last line of output is not the code's."""
    return start_in_waiting("timeit", "-n", "1", "-r", "1", code, **options)
