"""How much a live model takes."""

from __future__ import annotations

# It learns from so many labelled images at most, the newest; a training takes all.
MOST_LABELLED = 20_000
# Features that are read from the disk at a time.
CHUNK = 4096
