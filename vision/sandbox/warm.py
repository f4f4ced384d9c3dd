"""A process that has imported its libraries and waits for work, which then runs in the sandbox as any other."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import subprocess
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from vision.sandbox import protections, surroundings
from vision.sandbox.limits import Limits
from vision.sandbox.process import SandboxedProcess, launch, python, task_of, watch
from vision.sandbox.removal import remove_tree
from vision.sandbox.waiting import ENTERED, READY, TASK

ENTER_SECONDS = 10.0
# Threads of numpy that wait from its import on could not be closed; the process makes them when it has entered.
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}


class NotEntered(RuntimeError):
    """The process has ended, or did not answer, before it read anything of its work."""


class WarmProcess:
    """`python -m vision.sandbox.waiting`. Linux ends it, and its work, with the thread that made it.

    Args:
        imports: the module that it imports ahead.
        folder: of its own, for as long as it waits.
        limits: nothing that it is given later may be allowed more, nor go first of it (`niceness`).

    Raises:
        SandboxMissing: `MLSTUDIO_SANDBOX=require`, and this system cannot do it.
    """

    def __init__(
        self, imports: str, *, folder: Path, limits: Limits, environment: dict[str, str] | None = None
    ) -> None:
        protections.check()
        self.folder, self._held = folder, _make_and_hold(folder)
        self._limits = limits
        self._ready, self._answered = threading.Event(), threading.Event()
        self._has_said_ready = self._has_entered = False
        task = task_of(folder=folder, limits=limits, environment=(environment or {}) | ONE_THREAD, closed=False)
        pipe = subprocess.PIPE
        try:
            self._process = launch(
                python("vision.sandbox.waiting", imports),
                task,
                stdin=pipe,
                stdout=pipe,
                stderr=subprocess.DEVNULL,
                text=True,
                encoding="utf-8",
                errors="replace",
            )
        except BaseException:
            self._remove_folder()
            raise
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    @property
    def is_ready(self) -> bool:
        return self._has_said_ready and self.is_alive

    def wait_until_ready(self, seconds: float) -> bool:
        """Whether it was within that time."""
        self._ready.wait(seconds)
        return self.is_ready

    def enter(
        self, module: str, *arguments: str | Path, folder: Path, stderr: Path, limits: Limits, **options: Any
    ) -> SandboxedProcess:
        """Let it run a module, as `start_python` does. Only once.

        Args:
            stderr: a file that is there; what it says of errors is added.
            options: `readable`, `environment`, `gpu` and `closed` of `vision.sandbox.process.start`.

        Raises:
            NotEntered: it is gone, and nothing has begun.
        """
        task = task_of(folder=folder, limits=limits, **options)
        task["limits"]["niceness"] -= self._limits.niceness
        work = {"module": module, "arguments": [str(argument) for argument in arguments], "stderr": str(stderr)}
        try:
            (self.folder / TASK).write_text(json.dumps(task | work))
            self._process.stdin.write("\n")  # type: ignore[union-attr]
            self._process.stdin.flush()  # type: ignore[union-attr]
        except (OSError, ValueError):
            self._has_entered = False
        else:
            self._answered.wait(ENTER_SECONDS)
        if not self._has_entered:
            self.end()
            raise NotEntered(f"a process that waited has ended with status {self._process.returncode}")
        self._process.starts_others = limits.processes > 0
        watch(self._process, folder, limits)
        self._remove_folder()
        return self._process

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._remove_folder()

    def _remove_folder(self) -> None:
        remove_tree(self.folder)
        with contextlib.suppress(OSError):
            os.close(self._held)
        self._held = -1

    def _listen(self) -> None:
        """Its two words; all that follows belongs to its work."""
        if self._process.stdout.readline().strip() == READY:  # type: ignore[union-attr]
            self._has_said_ready = True
            self._ready.set()
            self._has_entered = self._process.stdout.readline().strip() == ENTERED  # type: ignore[union-attr]
        self._ready.set()
        self._answered.set()


def _make_and_hold(folder: Path) -> int:
    """Make the folder of a process that waits. It is locked as long as the descriptor is open, which no child inherits,
    and appears with its lock: one without is of a worker that is gone."""
    made = folder.with_name(f".{folder.name}")
    made.mkdir(mode=0o700, parents=True)
    held = os.open(made, os.O_RDONLY | os.O_DIRECTORY)
    with contextlib.suppress(OSError):  # a file system without locks: nothing is removed there either
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    made.rename(folder)
    return held


def remove_left_behind(folders: Iterable[Path]) -> int:
    """Remove folders of processes that waited whose worker was killed. Returns how many."""
    removed = 0
    for folder in folders:
        with contextlib.suppress(OSError), _opened(folder) as descriptor:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove_tree(folder)
            removed += 1
    return removed


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def without_homes(environment: dict[str, str]) -> dict[str, str]:
    """What libraries may read of it while they are imported."""
    return {name: value for name, value in environment.items() if name not in surroundings.HOMES}
