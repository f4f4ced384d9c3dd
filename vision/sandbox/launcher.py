"""What runs between the fork and the program: it gives up everything, then becomes the program.

Started as a small interpreter of its own (`process.py`), since code between fork and exec of a process with threads
may meet locks that are held for ever. It reads what to do from a file descriptor, and either all of it is done or the
program does not run.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import sys
from pathlib import Path

from vision.sandbox import landlock, seccomp

FAILED = 70
OUT_OF_MEMORY_FIRST = "500"
SET_PDEATHSIG, DROP_FROM_BOUNDING_SET, SET_SECUREBITS = 1, 24, 28
LAST_CAPABILITY = 63
NO_ROOT_AND_LOCKED = 0b1111  # SECBIT_NOROOT, SECBIT_NO_SETUID_FIXUP and their locks
CAPABILITY_VERSION = 0x20080522


def main(descriptor: int) -> None:
    with open(descriptor, "rb") as file:
        task = json.load(file)
    try:
        os.chdir(task["folder"])
        limit(task["limits"])
        if sys.platform == "linux":
            _give_up(task)
        os.execve(task["command"][0], task["command"], task["environment"])
    except Exception as error:
        sys.stderr.write(f"The sandbox could not be set up: {type(error).__name__}: {error}\n")
        sys.stderr.flush()
        os._exit(FAILED)


def _give_up(task: dict) -> None:
    _drop_capabilities()
    _hold_open([f"/proc/{os.getpid()}", *(path for path in task["readable"] if path.startswith("/proc/"))])
    # The signal comes when the thread ends that started this process: the one who starts it waits for it.
    ctypes.CDLL(None).prctl(SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != task["parent"]:
        os._exit(FAILED)
    if task["closed"]:
        close(task)


def _hold_open(paths: list[str]) -> None:
    """Landlock's rules for what lies in /proc hold as long as its entries are in memory, and Linux drops those that
    nobody holds when memory is short: hours into a training /proc/meminfo would be refused."""
    for path in paths:
        with contextlib.suppress(OSError):  # not on this machine
            os.set_inheritable(os.open(path, os.O_PATH), True)


def close(task: dict) -> None:
    """From here on this thread, and those that it starts, reach only what the task names."""
    rules = dict.fromkeys((*task["readable"], f"/proc/{os.getpid()}"), landlock.READ)
    rules |= dict.fromkeys(task["devices"], landlock.DEVICE)
    rules |= dict.fromkeys(task["writable"], landlock.WRITE)
    landlock.restrict(rules)
    may_start = task["limits"]["processes"] > 0
    seccomp.restrict(
        may_start_processes=may_start,
        may_signal_children=may_start and landlock.abi() >= 6,
        may_make_anonymous_files=task["gpu"],
    )


def limit(limits: dict) -> None:
    import resource

    values = {
        "RLIMIT_CORE": 0,
        "RLIMIT_DATA": limits["data_bytes"],
        "RLIMIT_FSIZE": limits["file_bytes"],
        "RLIMIT_NOFILE": limits["open_files"],
    }
    if limits["tasks"]:
        values["RLIMIT_NPROC"] = limits["tasks"]
    for name, value in values.items():
        if hasattr(resource, name):
            _set(getattr(resource, name), value, value)
    os.nice(limits["niceness"])
    with contextlib.suppress(OSError):
        # Where Linux shares cores between sessions, niceness counts within one only: this one has its own number.
        Path("/proc/self/autogroup").write_text(str(limits["niceness"]))
    with contextlib.suppress(OSError):  # not Linux
        Path("/proc/self/oom_score_adj").write_text(OUT_OF_MEMORY_FIRST)
    _set(resource.RLIMIT_CPU, limits["cpu_seconds"], limits["cpu_seconds"] + 5)


def _set(which: int, soft: int, hard: int) -> None:
    import resource

    most = resource.getrlimit(which)[1]
    if most != resource.RLIM_INFINITY:
        soft, hard = min(soft, most), min(hard, most)
    resource.setrlimit(which, (soft, hard))


def _drop_capabilities() -> None:
    """Root without its powers; a user who has none is asked for nothing."""
    if os.geteuid() != 0:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in range(LAST_CAPABILITY + 1):
        libc.prctl(DROP_FROM_BOUNDING_SET, capability, 0, 0, 0)
    libc.prctl(SET_SECUREBITS, NO_ROOT_AND_LOCKED, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    if libc.capset(header, (ctypes.c_uint32 * 6)()):
        raise OSError(ctypes.get_errno(), "capabilities could not be dropped")
