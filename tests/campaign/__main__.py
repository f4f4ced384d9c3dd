"""`python -m tests.campaign --rounds N --seed S [--folder F] [--summary FILE]`: prints what was seen as JSON.

With `MLSTUDIO_TEST_DATABASE_URL` the studio has a database of its own on that PostgreSQL server.
"""

from __future__ import annotations

import argparse
import math
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

import tests.environment  # noqa: F401 - settles the environment before Django reads it
from tests.fastdfs_server.server import FakeFastDFS

# So small that files leave it all the time, and come back from the store when somebody wants them.
SMALL_CACHE = {"MLSTUDIO_CACHE_BYTES": "200000", "MLSTUDIO_CACHE_REST_SECONDS": "1"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where the studio's data goes (default: a temporary folder)")
    parser.add_argument("--summary", type=Path, help="write the summary here too, after each round")
    parser.add_argument("--operations", default="", help="only these, with commas between them")
    parser.add_argument("--faults", default="", help="only these, with commas between them")
    parser.add_argument("--verify-every", type=int, default=25, help="rounds between two looks at every file")
    parser.add_argument("--settle-every", type=int, default=5, help="rounds between two waits for all work to end")
    parser.add_argument("--minutes", type=float, default=0, help="begin no round after so many minutes; 0: no limit")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))  # the studio is stopped on the way out
    folder = options.folder or Path(tempfile.mkdtemp(prefix="mlstudio-campaign-"))
    _prepare_environment(folder, options.seed)
    store = FakeFastDFS(folder / "store").start()
    os.environ.update(SMALL_CACHE, MLSTUDIO_STORAGE="fastdfs", FASTDFS_TRACKERS=store.trackers[0])
    # From here on this process reads what the studio wrote, with the studio's own settings.
    import django

    django.setup()
    from tests.campaign.campaign import Campaign

    with Campaign(folder, store, options) as campaign:
        end = time.monotonic() + 60 * options.minutes if options.minutes else math.inf
        for number in range(1, options.rounds + 1):
            is_last = number == options.rounds or time.monotonic() > end
            campaign.play(number, is_last=is_last)
            if is_last:
                break
        summary = campaign.summary()
    sys.stdout.write(f"{summary}\n")
    return 0


def _prepare_environment(folder: Path, seed: int) -> None:
    os.environ.update(
        MLSTUDIO_DATA_DIR=str(folder / "disk" / "data"),
        MLSTUDIO_LEASE_SECONDS="5",
        MLSTUDIO_MIN_FREE_BYTES=str(64 << 20),
        DJANGO_SETTINGS_MODULE="mlstudio.settings",
    )
    server = os.environ.get("DATABASE_URL")
    if server:
        import psycopg

        name = f"campaign_{seed}"
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        os.environ["DATABASE_URL"] = f"{server.rpartition('/')[0]}/{name}"


if __name__ == "__main__":
    sys.exit(main())
