"""Temporary files: what killed processes left of theirs is removed when it is certainly nobody's any more."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from django.conf import settings

from vision.sandbox.removal import remove_tree

LEFTOVER_SECONDS = 2 * 86_400


def sweep_temporary_files() -> int:
    """Remove what has not been touched for two days. Returns how many files and folders."""
    before = time.time() - LEFTOVER_SECONDS
    removed = 0
    for path in settings.TEMPORARY_DIR.glob("*"):
        with contextlib.suppress(FileNotFoundError):
            if _last_touched(path) < before:
                remove_tree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)
                removed += 1
    return removed


def _last_touched(path: Path) -> float:
    """Of a folder also what lies directly in it: its own time says nothing of files that are written to."""
    times = [path.lstat().st_mtime]
    if path.is_dir() and not path.is_symlink():
        times += [inner.lstat().st_mtime for inner in path.iterdir()]
    return max(times)
