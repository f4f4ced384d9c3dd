"""What is where in the folder of an engine process: what it is given lies in it, what it writes in a part of it."""

from __future__ import annotations

from pathlib import Path

REQUEST = "request.json"


def writable(folder: Path) -> Path:
    """The only part that the process writes to; the rest it can only read, its own request included."""
    return folder / "work"
