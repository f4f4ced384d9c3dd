"""One engine process that waits with Keras imported, in a worker that has had work for one."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import structlog
from django.conf import settings

from jobs.engine.inputs import largest_limits
from jobs.engine.memory import available_memory
from jobs.work import shutting_down
from vision.sandbox import surroundings
from vision.sandbox.limits import GIB
from vision.sandbox.process import SandboxedProcess
from vision.sandbox.protections import SandboxMissing
from vision.sandbox.warm import NotEntered, WarmProcess, remove_left_behind, without_homes

log = structlog.get_logger(__name__)

IMPORTS = "vision.engine_imports"
FOLDER = "warm-engine-"
# It takes 0.6 GB. With less left than this none is started, and with less than half of it none stays.
FREE_BYTES = 3 * GIB
LOOK_SECONDS = 30.0
# Where processes that wait cannot be closed, as with a driver that starts threads, this worker stops making them.
MOST_REFUSALS = 3


class WarmEngine:
    """The process that waits, of this worker: taken by one piece of work, and replaced when that has ended.

    Args:
        imports: the module that it imports ahead.
        clock: seconds that only grow.
    """

    def __init__(self, imports: str = IMPORTS, clock: Callable[[], float] = time.monotonic) -> None:
        self._imports, self._clock = imports, clock
        self._changed = threading.Condition()
        self._is_open = False
        self._keeper: threading.Thread | None = None
        self._wanted: dict[str, str] | None = None
        self._waiting: WarmProcess | None = None
        self._like: tuple = ()
        self._until = 0.0
        self._refusals = 0

    def open(self) -> None:
        """From now on a process is kept after each work: this is a worker. What a killed one left is removed."""
        self._is_open = True
        remove_left_behind(settings.TEMPORARY_DIR.glob(f"{FOLDER}*"))

    def close(self) -> None:
        """End what waits. What was taken goes on."""
        with self._changed:
            self._is_open = False
            self._end()

    @property
    def waiting(self) -> WarmProcess | None:
        return self._waiting

    def take(
        self, module: str, *arguments: str | Path, environment: dict[str, str], **options: Any
    ) -> SandboxedProcess | None:
        """Let the process that waits run a module, if it is ready and like one that would be started now.

        Args:
            environment: variables of the work; those that libraries read at their import must be the process's own.
            options: as of `WarmProcess.enter`.
        """
        with self._changed:
            waiting = self._waiting
            if waiting is None or not waiting.is_ready or self._like != _like(environment):
                return None
            self._waiting = None
        try:
            process = waiting.enter(module, *arguments, environment=environment, **options)
        except NotEntered as error:
            self._refusals += 1
            log.warning("warm_engine_refused", reason=str(error))
            return None
        self._refusals = 0
        return process

    def prepare(self, environment: dict[str, str]) -> None:
        """Work has ended: keep a process for the next one, with these variables. Returns at once."""
        if not self._is_open or not settings.WARM_ENGINE_MINUTES or self._refusals >= MOST_REFUSALS:
            return
        with self._changed:
            self._wanted = environment
            if self._keeper is None:
                self._keeper = threading.Thread(target=self._keep, name="warm-engine", daemon=True)
                self._keeper.start()
            self._changed.notify_all()

    def look(self) -> None:
        """End the process when its time is over, or memory is short."""
        with self._changed:
            waiting = self._waiting
            if waiting is None:
                return
            if not waiting.is_alive or self._clock() >= self._until or available_memory() < FREE_BYTES // 2:
                self._end()

    def _keep(self) -> None:
        """Without an end: Linux ends a process with the thread that has started it."""
        while True:
            with self._changed:
                if self._wanted is None:
                    self._changed.wait(self._pause())
                wanted, self._wanted = self._wanted, None
            try:
                if wanted is None:
                    self.look()
                else:
                    self._replace(wanted)
            except (OSError, SandboxMissing, psutil.Error):
                continue
            except Exception:  # whatever it is: the thread that keeps the process must not end
                log.exception("warm_engine_failed")

    def _pause(self) -> float | None:
        if self._waiting is None:
            return None
        return min(LOOK_SECONDS, max(0.0, self._until - self._clock()))

    def _replace(self, environment: dict[str, str]) -> None:
        like = _like(environment)
        with self._changed:
            self._until = self._clock() + settings.WARM_ENGINE_MINUTES * 60
            if self._waiting is not None and self._waiting.is_alive and self._like == like:
                return
            self._end()
        if shutting_down.is_set() or available_memory() < FREE_BYTES:
            return
        folder = settings.TEMPORARY_DIR / f"{FOLDER}{uuid.uuid4()}"
        process = WarmProcess(self._imports, folder=folder, limits=largest_limits(), environment=environment)
        with self._changed:
            self._waiting, self._like = process, like
            if not self._is_open:
                self._end()

    def _end(self) -> None:
        if self._waiting is not None:
            self._waiting.end()
            self._waiting = None


def _like(environment: dict[str, str]) -> tuple:
    """What a process has from its start on: two that are equal in it are interchangeable."""
    variables = without_homes(surroundings.environment(Path(), environment))
    if not surroundings.has_gpu_devices():
        variables.pop("CUDA_VISIBLE_DEVICES", None)  # it says nothing here, and is set with the work
    return variables, surroundings.code_version()


ENGINE = WarmEngine()
