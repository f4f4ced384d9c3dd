"""The engine in a process of its own: started, listened to, told to stop, and never left behind."""

from __future__ import annotations

import contextlib
import json
import queue
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

from common.words import counted
from jobs import work
from jobs.context import JobContext
from jobs.engine import warm
from jobs.engine.inputs import environment_of, is_closed, limits_of, needs_other_keras, readable_of, uses_gpu
from jobs.errors import WorkFailed
from vision.engine_requests import EngineRequest, read_request
from vision.sandbox.process import SandboxedProcess, start_python
from vision.sandbox.protections import SandboxMissing
from vision.training import layout

ENGINE = "vision.engine"
STDERR_BYTES = 20_000
# What the process says is not to be believed: neither that a line ends, nor that lines do.
LINE_CHARACTERS = 64 << 20
WAITING_MESSAGES = 1000
LOG_LINES = 20_000
# What TensorFlow says on every start, whatever its log level.
NOISE = ("I0000 ", "WARNING: All log messages before")


class EngineProcess:
    """`python -m vision.engine <folder>` in the sandbox, its reports as a queue of dictionaries; None ends them.

    A process that waits for such work does it, if there is one (`jobs.engine.warm`).

    It reads the folder, with `request.json`, and what the request names; it writes into `work` in it.

    Raises:
        WorkFailed: `sandbox_missing`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        request = read_request(folder)
        layout.writable(folder).mkdir(exist_ok=True)
        self._limits = limits_of(request)
        self._killed = False
        # What its successor would have to be; None: what is like this one takes no process that waits.
        self._environment = None if needs_other_keras(request) else environment_of(request)
        self._process = self._started(request)
        self._messages: queue.Queue[dict | None] = queue.Queue(WAITING_MESSAGES)
        threading.Thread(target=self._read, daemon=True).start()

    def _started(self, request: EngineRequest) -> SandboxedProcess:
        pipe = subprocess.PIPE
        errors = self.folder / "stderr.log"
        options: dict[str, Any] = {
            "folder": layout.writable(self.folder),
            "readable": readable_of(request, self.folder),
            "limits": self._limits,
            "environment": environment_of(request),
            "gpu": uses_gpu(request),
            "closed": is_closed(request),
        }
        try:
            with open(errors, "ab") as stderr:
                if self._environment is not None:
                    waiting = warm.ENGINE.take(ENGINE, self.folder, stderr=errors, **options)
                    if waiting is not None:
                        return waiting
                return start_python(
                    ENGINE,
                    self.folder,
                    **options,
                    stdin=pipe,
                    stdout=pipe,
                    stderr=stderr,
                    text=True,
                    encoding="utf-8",
                    errors="replace",
                )
        except SandboxMissing as error:
            raise WorkFailed("sandbox_missing", str(error)) from error

    @property
    def pid(self) -> int:
        return self._process.pid

    def next_message(self, timeout: float) -> dict | None:
        """The next report; None at the end. Raises `queue.Empty` after `timeout` seconds."""
        return self._messages.get(timeout=timeout)

    def ask(self, command: str) -> None:
        """Say "cancel" or "interrupt"."""
        with contextlib.suppress(BrokenPipeError, ValueError):
            self._process.stdin.write(f"{command}\n")  # type: ignore[union-attr]
            self._process.stdin.flush()  # type: ignore[union-attr]

    @property
    def exceeded(self) -> str:
        """The limit that it was ended for: `memory`, `disk`, `folder`, `threads`, or ""."""
        return self._process.exceeded

    def memory_bytes(self) -> int:
        """What the process has of the machine's memory; 0 when it has ended."""
        return self._process.memory_bytes()

    def wait(self) -> int:
        return self._process.wait()

    def kill(self) -> None:
        """End it at once and wait until it is gone; then another may be made ready for what comes next."""
        self._killed = True
        self._process.kill()
        self._process.wait()
        if self._environment is not None:
            warm.ENGINE.prepare(self._environment)

    def how_it_died(self) -> str:
        code = self._process.returncode
        if self.exceeded == "memory":
            return f"it took more than {self._limits.memory_bytes / 1e9:.1f} GB of memory and was ended"
        if self.exceeded:
            return f"it was ended, because it took too much ({self.exceeded})"
        if code is not None and code < 0:
            name = signal.Signals(-code).name
            hint = ", which the system does when memory runs out" if name == "SIGKILL" else ""
            return f"it was ended by {name}{hint}"
        return f"it ended with status {code}"

    def stderr_tail(self) -> list[str]:
        path = self.folder / "stderr.log"
        with open(path, "rb") as file:
            file.seek(max(0, path.stat().st_size - STDERR_BYTES))
            lines = file.read().decode("utf-8", "replace").splitlines()
        return [line for line in lines if not line.startswith(NOISE)][-20:]

    def _read(self) -> None:
        logged = 0
        while line := self._process.stdout.readline(LINE_CHARACTERS):  # type: ignore[union-attr]
            message = _message_of(line)
            if message is None:
                continue
            logged += message["event"] == "log"
            if (message["event"] != "log" or logged <= LOG_LINES) and not self._hand_over(message):
                return
        self._process.wait()
        self._hand_over(None)

    def _hand_over(self, message: dict | None) -> bool:
        """Wait for somebody to take it; False when the process was killed: what it said last counts no more."""
        while not self._killed:
            with contextlib.suppress(queue.Full):
                self._messages.put(message, timeout=0.5)
                return True
        with contextlib.suppress(queue.Empty):
            while True:
                self._messages.get_nowait()
        self._messages.put(None)
        return False


def _message_of(line: str) -> dict | None:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) and isinstance(message.get("event"), str) else None


def result_of(
    process: EngineProcess,
    context: JobContext,
    died: str,
    seconds: float = float("inf"),
) -> dict:
    """What a process that was started for a job answers; its log goes to the job's events.

    Args:
        died: code of the failure when it ends without an answer.
        seconds: how long it may take.

    Raises:
        WorkFailed: its own error, its death, or that it takes too long or too much; and what `JobContext.report`
            raises.
    """
    deadline = time.monotonic() + seconds
    progress, reported = (0, 1), time.monotonic()
    while time.monotonic() < deadline:
        if time.monotonic() - reported > 1.0:
            context.report(*progress)
            reported = time.monotonic()
        try:
            message = process.next_message(timeout=0.2)
        except queue.Empty:
            continue
        if message is None:
            raise WorkFailed(_code_of(process, died), f"It could not be done: {process.how_it_died()}.")
        event = message.pop("event")
        if event == "result":
            return message["result"]
        if event == "error":
            raise WorkFailed(message["code"], message["detail"])
        if event == "log":
            work.record_event(context.job, "log", message)
        if event == "progress":
            progress = (message["done"], message["total"])
    raise WorkFailed(f"{died}_slowly", f"It took more than {counted(round(seconds / 60), 'minute')} and was ended.")


def _code_of(process: EngineProcess, died: str) -> str:
    codes = {"memory": f"{died}_of_memory", "disk": "disk_full"}
    return codes.get(process.exceeded, died)
