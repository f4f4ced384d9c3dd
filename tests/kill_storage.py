"""Processes that keep, replicate, drop and migrate files and are killed at random; then everything is read again.

Run by a test: `python -m tests.kill_storage DATA_DIR TRACKER ROUNDS SEED`. Prints what was seen as JSON.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import sys
import time
from pathlib import Path

folder, tracker, rounds, seed = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
os.environ.update(
    MLSTUDIO_DATA_DIR=str(folder),
    MLSTUDIO_LOCAL_STORE=str(folder / "other-disk"),
    MLSTUDIO_LOG_LEVEL="CRITICAL",
    MLSTUDIO_MIN_FREE_BYTES="1000000",
    MLSTUDIO_STORAGE="fastdfs",
    MLSTUDIO_CACHE_BYTES="300000",
    MLSTUDIO_CACHE_REST_SECONDS="0",
    FASTDFS_TRACKERS=tracker,
    DJANGO_SETTINGS_MODULE="mlstudio.settings",
)

import django  # noqa: E402
import psutil  # noqa: E402

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402

from storage import maintenance, replication, services  # noqa: E402
from storage.models import Blob, BlobState  # noqa: E402

MOST_SECONDS = 2.0
JOURNAL = folder / "acknowledged"


def work(number: int) -> None:
    """Everything at once, until killed."""
    generator = random.Random(number)
    settings.STORAGE_BACKEND = generator.choice(["fastdfs", "fastdfs", "local"])
    replication.CLAIM = replication.timedelta(seconds=0.05)
    with open(JOURNAL, "a") as journal:
        while True:
            match generator.randrange(5):
                case 0 | 1:
                    blob = services.keep_bytes(generator.randbytes(generator.randrange(1, 60_000)), "text/plain")
                    journal.write(f"{blob.sha256}\n")
                    journal.flush()
                case 2:
                    replication.replicate_pending(5)
                case 3:
                    replication.evict()
                case 4:
                    maintenance.migrate(keep_source=False, on_progress=lambda done, total: None)


def has_done_enough() -> bool:
    count = len(JOURNAL.read_text().splitlines()) if JOURNAL.exists() else 0
    return count > rounds // 2 and all(Blob.objects.filter(backend=name).exists() for name in ("local", "fastdfs"))


def _let_work(child: int, seconds: float) -> None:
    """Wait until the child has worked so long: on a busy machine others work meanwhile."""
    process, end = psutil.Process(child), time.monotonic() + MOST_SECONDS
    before = sum(process.cpu_times()[:2])  # what a fork has is its own
    time.sleep(min(seconds, 0.01))
    while sum(process.cpu_times()[:2]) - before < seconds and time.monotonic() < end:
        time.sleep(0.005)


def main() -> None:
    call_command("migrate", verbosity=0)
    generator = random.Random(seed)
    for number in range(rounds * 10):
        # A child may be killed before it has done anything.
        if number >= rounds and has_done_enough():
            break
        connections.close_all()
        child = os.fork()
        if child == 0:
            try:
                work(seed * 100_000 + number)
            finally:
                os._exit(1)
        _let_work(child, generator.uniform(0.005, 0.12))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    acknowledged = [line for line in JOURNAL.read_text().splitlines() if len(line) == 64]
    wrong = []
    for sha256 in acknowledged:
        content = services.path_of(Blob.objects.get(sha256=sha256)).read_bytes()
        if hashlib.sha256(content).hexdigest() != sha256:
            wrong.append(sha256)
    states = {state: Blob.objects.filter(state=state).count() for state in BlobState.values}
    backends = {name: Blob.objects.filter(backend=name).count() for name in ("", "local", "fastdfs")}
    sys.stdout.write(json.dumps({"acknowledged": len(acknowledged), "wrong": wrong, **states, "backends": backends}))


if __name__ == "__main__":
    main()
