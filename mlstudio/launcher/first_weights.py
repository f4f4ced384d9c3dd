"""The question at the first start whether to download pretrained weights: once, and only of a person at a terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from mlstudio.environment import BASE_DIR, OWN_WEIGHTS, WEIGHTS_ASKED
from vision.training.architectures import ARCHITECTURES, OWN_FOLDERS, weights_here

FIRST_PROCESS = 1


def has_weights(folder: Path) -> bool:
    """Whether any are where trainings look, with those of the data folder."""
    if folder / OWN_WEIGHTS not in OWN_FOLDERS:
        OWN_FOLDERS.append(folder / OWN_WEIGHTS)
    return any(any(weights_here(architecture)) for architecture in ARCHITECTURES.values())


def offer_weights(folder: Path, environment: dict[str, str]) -> None:
    """Ask, and download with a yes. Whatever comes of it, the start goes on."""
    was_asked = (folder / OWN_WEIGHTS / WEIGHTS_ASKED).exists()
    if not was_asked and _is_somebody_here() and _may_ask() and not has_weights(folder):
        subprocess.run([sys.executable, str(BASE_DIR / "manage.py"), "weights", "offer"], env=environment)


def _may_ask() -> bool:
    from mlstudio import settings  # which the launcher reads when it checks them, not before

    return settings.WEIGHTS == "ask"


def _is_somebody_here() -> bool:
    """Whether this process is in front at a terminal: one behind would be stopped when it reads."""
    if FIRST_PROCESS in (os.getpid(), os.getppid()):  # a container: its terminal may be one that nobody looks at
        return False
    if not (sys.stdin and sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except OSError:  # a terminal of somebody else
        return False
