"""`python -m vision.sandbox.waiting MODULE`: imports it, says so, and waits to be given work, in a folder of its own.

It is closed before it reads anything of that work, by the same functions as a process that is started for it. Landlock
and filters of system calls hold for the thread that asks for them and for those that it starts later: where another
thread is there already, this process ends instead.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import runpy
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path

from vision.sandbox.launcher import close, limit

READY, ENTERED = "ready", "entered"
TASK = "task.json"
LOWEST_PRIORITY = 19
# How long a thread that has ended may be seen.
ENDING_SECONDS = 2.0
SET_BLAS_THREADS = (
    "scipy_openblas_set_num_threads64_",
    "scipy_openblas_set_num_threads",
    "openblas_set_num_threads64_",
    "openblas_set_num_threads",
)
BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS")


def main(imports: str) -> int:
    _leave_the_links()
    if not _imported_at_low_priority(imports):
        return 1
    _say(READY)
    if not sys.stdin.readline():  # who started it has no work for it, or is gone
        return 0
    task = json.loads(Path(TASK).read_text())
    enter(task)
    _say(ENTERED)
    sys.argv = [task["module"], *task["arguments"]]
    warnings.filterwarnings("ignore", module="runpy")  # of modules that were imported before
    runpy.run_module(task["module"], run_name="__main__", alter_sys=True)
    return 0


def enter(task: dict) -> None:
    """Give up what the task does not name.

    Raises:
        OSError: the kernel refuses, or another thread would keep what this one gives up.
    """
    blas = _blas_setters()
    os.chdir(task["folder"])
    _write_errors_to(task["stderr"])
    os.environ.clear()
    os.environ.update(task["environment"])
    tempfile.tempdir = None  # a library has asked for it
    limit(task["limits"])
    if sys.platform == "linux":
        _require_one_thread()
        if task["closed"]:
            close(task)
    for setter in blas:
        setter(_blas_threads())


def _leave_the_links() -> None:
    """The code is in this folder by links, which are removed when the work begins."""
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] == "vision" and hasattr(module, "__path__"):
            module.__path__ = [os.path.realpath(path) for path in module.__path__]


def _imported_at_low_priority(name: str) -> bool:
    """Whether the import has worked. Linux gives each thread a priority of its own, which it cannot raise again."""
    done = []

    def load() -> None:
        if sys.platform == "linux":
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOWEST_PRIORITY)
        importlib.import_module(name)
        done.append(name)

    thread = threading.Thread(target=load)
    thread.start()
    thread.join()
    return bool(done)


def _require_one_thread() -> None:
    deadline = time.monotonic() + ENDING_SECONDS
    while (count := len(list(Path("/proc/self/task").iterdir()))) != 1:
        if time.monotonic() > deadline:
            raise OSError(f"There are {count} threads, and only one of them could be closed.")
        time.sleep(0.001)


def _write_errors_to(path: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)
    os.dup2(descriptor, 2)
    os.close(descriptor)


def _blas_setters() -> list:
    """Of each OpenBLAS here, which was loaded with one thread (`warm.ONE_THREAD`)."""
    if sys.platform != "linux":
        return []
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as lines:
        paths = {line.split(maxsplit=5)[5].strip() for line in lines if "openblas" in line.lower()}
    libraries = [ctypes.CDLL(path) for path in paths]
    named = [next((name for name in SET_BLAS_THREADS if hasattr(library, name)), "") for library in libraries]
    return [getattr(library, name) for library, name in zip(libraries, named, strict=True) if name]


def _blas_threads() -> int:
    """As many as OpenBLAS takes by itself."""
    for name in BLAS_THREADS:
        if (value := os.environ.get(name, "")).isdigit() and int(value) > 0:
            return int(value)
    return len(os.sched_getaffinity(0))


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
