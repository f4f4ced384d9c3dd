"""What this system has of the sandbox, and what it lacks."""

from __future__ import annotations

import os
import sys
from functools import cache

from vision.sandbox import landlock, seccomp


class SandboxMissing(RuntimeError):
    """`MLSTUDIO_SANDBOX=require`, and this system cannot do it. The text is for the user."""


@cache
def missing() -> tuple[str, ...]:
    """The protections that this system lacks, each as a sentence; empty where all hold."""
    found = []
    if not landlock.abi():
        found.append("no Landlock: files are not closed to such processes (Linux 5.13 or newer has it)")
    if not seccomp.is_supported():
        found.append("no filter of system calls: the network and other processes are not closed to them")
    if sys.platform != "linux":
        found.append("not Linux: they do not end with the process that started them")
    return tuple(found)


def is_required() -> bool:
    """`MLSTUDIO_SANDBOX=require`: without its protections nothing of strangers is worked on."""
    return os.environ.get("MLSTUDIO_SANDBOX", "auto") == "require"


def check() -> None:
    """Raises `SandboxMissing` where it is required and not whole."""
    if is_required() and missing():
        raise SandboxMissing(
            "This server may not do such work, because it lacks protections that MLSTUDIO_SANDBOX=require asks for: "
            f"{'; '.join(missing())}. Ask its administrator."
        )
