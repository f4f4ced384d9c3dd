"""Starting a process in the sandbox, and watching what it takes."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Any

import psutil

from vision.sandbox import protections, surroundings
from vision.sandbox.limits import Limits
from vision.sandbox.taken import Hidden, bytes_of_folder, bytes_without_name, can_look_into

WATCH_SECONDS = 0.1
FOLDER_SECONDS = 2.0
# How long the other threads of a process may take to end when its first one has.
ENDING_SECONDS = 0.5
LAUNCH = "import sys; sys.path.insert(0, sys.argv[1]); from vision.sandbox.launcher import main; main(int(sys.argv[2]))"

File = int | IO[Any] | None


class SandboxedProcess(subprocess.Popen):
    """A process in the sandbox. `exceeded` says which limit it was killed for.

    One of `memory`, `folder`, `disk`, `threads`, or "".
    """

    exceeded = ""
    starts_others = False

    def memory_bytes(self) -> int:
        """What it has of the machine's memory; 0 when it has ended."""
        try:
            return psutil.Process(self.pid).memory_info().rss
        except psutil.Error:
            return 0

    def raise_if_disk_full(self) -> None:
        """Of one that has died. Raises the `OSError` of a full disk when it was killed for that."""
        if self.exceeded == "disk":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def kill(self) -> None:
        """End it and whatever it has started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if self.poll() is None or self.starts_others:
                os.killpg(self.pid, signal.SIGKILL)
        super().kill()


def start(
    command: Sequence[str | Path],
    *,
    folder: Path,
    readable: Iterable[str | Path] = (),
    limits: Limits | None = None,
    environment: dict[str, str] | None = None,
    gpu: bool = False,
    closed: bool = True,
    stdin: File = subprocess.DEVNULL,
    stdout: File = subprocess.PIPE,
    stderr: File = subprocess.DEVNULL,
    **pipes: Any,
) -> SandboxedProcess:
    """Start a program for work on strangers' bytes. Kill it or wait for it in the thread that started it.

    Args:
        command: the program by its absolute path, and its arguments.
        folder: the only place that it can write to, and its working directory; `.sandbox` in it holds its homes.
        readable: files and folders it may read, besides code, libraries and `folder`. Not the same file by a hard link
            in `folder`: what is there can be written.
        environment: variables besides what libraries need.
        gpu: whether it may use the graphics cards.
        closed: False: nothing of the system is closed to it; its environment and its limits hold.
        pipes: how `subprocess.Popen` opens its pipes: `text`, `encoding`, `bufsize`.

    Raises:
        SandboxMissing: `MLSTUDIO_SANDBOX=require`, and this system cannot do it.
    """
    protections.check()
    limits = limits or Limits()
    task = task_of(folder=folder, readable=readable, limits=limits, environment=environment, gpu=gpu, closed=closed)
    process = launch(command, task, stdin=stdin, stdout=stdout, stderr=stderr, **pipes)
    watch(process, folder, limits)
    return process


def task_of(
    *,
    folder: Path,
    limits: Limits,
    readable: Iterable[str | Path] = (),
    environment: dict[str, str] | None = None,
    gpu: bool = False,
    closed: bool = True,
) -> dict[str, Any]:
    """What a process is told to give up, with its homes made; the arguments are those of `start`."""
    folder = folder.resolve()
    surroundings.make_homes(folder)
    return {
        "folder": str(folder),
        "writable": [str(folder), *surroundings.writable_of_gpus(gpu)],
        "readable": [*surroundings.readable_code(), *surroundings.readable_of_gpus(gpu), *map(str, readable)],
        "devices": surroundings.devices(gpu),
        "environment": surroundings.environment(folder, environment),
        "limits": _limits(limits),
        "gpu": gpu,
        "closed": closed,
        "parent": os.getpid(),
    }


def launch(command: Sequence[str | Path], task: dict[str, Any], **pipes: Any) -> SandboxedProcess:
    """Start a program that does its task first. Nobody watches it yet."""
    with tempfile.TemporaryFile() as spec:
        spec.write(json.dumps(task | {"command": [str(part) for part in command]}).encode())
        spec.seek(0)
        process = SandboxedProcess(
            [sys.executable, "-I", "-S", "-c", LAUNCH, str(surroundings.ROOT), str(spec.fileno())],
            cwd=task["folder"],
            env={"PATH": task["environment"].get("PATH", "")},
            pass_fds=(spec.fileno(),),
            start_new_session=True,
            **pipes,
        )
    process.starts_others = task["limits"]["processes"] > 0
    return process


def watch(process: SandboxedProcess, folder: Path, limits: Limits) -> None:
    """Have it killed above its limits, from now on."""
    threading.Thread(target=_watch, args=(process, folder.resolve(), limits), daemon=True).start()


def start_python(module: str, *arguments: str | Path, **options: Any) -> SandboxedProcess:
    """`python -m module` in the sandbox, which finds no module in its work folder; `options` are those of `start`."""
    return start(python(module, *arguments), **options)


def python(module: str, *arguments: str | Path) -> list[str]:
    return [sys.executable, "-P", "-m", module, *map(str, arguments)]


def _limits(limits: Limits) -> dict[str, int]:
    tasks = _tasks_of_this_user() + limits.processes if limits.processes else 0
    return {
        "data_bytes": limits.data_bytes,
        "file_bytes": limits.file_bytes,
        "open_files": limits.open_files,
        "cpu_seconds": limits.cpu_seconds,
        "processes": limits.processes,
        "tasks": tasks,
        "niceness": limits.niceness,
    }


def _tasks_of_this_user() -> int:
    """Threads of all processes of this user, as RLIMIT_NPROC counts them."""
    count, user = 0, os.geteuid()
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.uids().real == user:
                count += process.num_threads()
    return count


def _watch(process: SandboxedProcess, folder: Path, limits: Limits) -> None:
    """Kill it above its limits. What the kernel counts by itself (CPU, file size) is not looked at here."""
    rounds = 0
    try:
        seen = psutil.Process(process.pid)
        can_look = limits.file_bytes > 0 and can_look_into(seen)
        while process.returncode is None:
            rounds += 1
            reason = _exceeded(seen, folder, limits)
            if not reason and _has_left_its_threads(seen) and _goes_on(process):
                reason = "threads"
            if not reason and rounds % round(FOLDER_SECONDS / WATCH_SECONDS) == 0:
                reason = _exceeded_by_files(seen, folder, limits, can_look)
            if reason:
                process.exceeded = reason
                process.kill()
                return
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(WATCH_SECONDS)
    except psutil.NoSuchProcess:
        return
    except (psutil.Error, OSError):  # its folder was removed: nothing runs on that is not watched
        process.kill()


def _has_left_its_threads(seen: psutil.Process) -> bool:
    """Whether its first thread has ended. Linux then tells nothing of the memory and the files that the others have."""
    return seen.status() == psutil.STATUS_ZOMBIE


def _goes_on(process: SandboxedProcess) -> bool:
    """Whether it is there after a while: the first thread of a process that ends may end before the others."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(ENDING_SECONDS)
    return process.returncode is None


def _exceeded(seen: psutil.Process, folder: Path, limits: Limits) -> str:
    if seen.memory_info().rss > limits.memory_bytes:
        return "memory"
    if seen.num_threads() > limits.threads:
        return "threads"
    if shutil.disk_usage(folder).free < limits.free_bytes:
        return "disk"
    return ""


def _exceeded_by_files(seen: psutil.Process, folder: Path, limits: Limits, can_look: bool) -> str:
    try:
        total = bytes_of_folder(folder, limits.folder_bytes)
        if can_look and total <= limits.folder_bytes:
            total += bytes_without_name(seen, folder, limits.file_bytes)
    except Hidden:
        return "folder"
    return "folder" if total > limits.folder_bytes else ""
