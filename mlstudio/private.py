"""What only the studio's user may read: password hashes, tokens, and people's images are in it."""

from __future__ import annotations

import os
from pathlib import Path

OTHERS = 0o077


def make_private_file(path: Path) -> None:
    """An empty file, before anything is in it. One that is there stays as it is."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))


def make_private_folder(path: Path) -> None:
    """One that is there keeps the modes that its owner gave it."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


def is_private(path: Path) -> bool:
    """Whether nobody else can read a file, by its own mode or that of its folder."""
    return not path.stat().st_mode & OTHERS or not path.parent.stat().st_mode & OTHERS
