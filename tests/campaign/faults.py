"""What goes wrong in a round. Each fault is over when its function returns; who was killed starts again by itself."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from tests.fastdfs_server.server import FakeFastDFS
from tests.studio import Studio

WORDS = {
    "web": ("mlstudio.web",),
    "worker": ("worker@",),
    "trainer": ("trainer@",),
    "beat": ("celery", "beat"),
    "broker": ("valkey",),
    "engine": ("vision.engine",),
}
ENGINE_SECONDS = 25
DISK_BYTES = 1 << 30
# PostgreSQL: all its connections are cut, or the tables in which most is written are held by somebody.
TERMINATE = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""
LOCK = "LOCK TABLE projects_job, datasets_image, training_trainingrun IN EXCLUSIVE MODE"
# Half a minute is what a connection waits for SQLite's lock before it gives up.
LOCKED_SECONDS = 35
DEATH_SECONDS = 120


class Faults:
    """What may happen to this studio, by name."""

    def __init__(self, studio: Studio, store: FakeFastDFS | None, disk: Path | None) -> None:
        self._studio, self._store, self._disk = studio, store, disk
        self.by_name: dict[str, Callable[[random.Random], None]] = {"none": lambda generator: None}
        for name in WORDS:
            self.by_name[f"kill {name}"] = lambda generator, name=name: self._kill(name)
        self.by_name["kill launcher"] = lambda generator: self._kill_launcher()
        self.by_name["kill everything"] = lambda generator: self._kill_everything()
        self.by_name["hanging broker"] = self._hang_broker
        self.by_name["locked database"] = self._lock_database
        if store is not None:
            self.by_name["cut store"] = self._cut_store
        if disk is not None:
            self.by_name["full disk"] = self._fill_disk

    def choose(self, generator: random.Random, operation: str) -> str:
        names = [name for name in self.by_name if name != "kill engine" or operation == "training"]
        if operation == "training":
            names += ["kill engine", "kill trainer"]
        return generator.choice(names)

    def _kill(self, name: str) -> None:
        victims = self._studio.processes_of(*WORDS[name])
        if name == "engine":
            deadline = time.monotonic() + ENGINE_SECONDS
            while not victims and time.monotonic() < deadline:
                time.sleep(0.1)
                victims = self._studio.processes_of(*WORDS[name])
        for victim in victims:
            with contextlib.suppress(psutil.Error):
                victim.kill()

    def _kill_launcher(self) -> None:
        self._studio.process.kill()
        # On a busy machine a killed process may take seconds to be gone.
        self._studio.process.wait(DEATH_SECONDS)

    def _kill_everything(self) -> None:
        launcher = psutil.Process(self._studio.process.pid)
        family = launcher.children(recursive=True)
        launcher.kill()
        for one in family:
            with contextlib.suppress(psutil.Error):
                one.kill()
        self._studio.process.wait(DEATH_SECONDS)

    def _hang_broker(self, generator: random.Random) -> None:
        brokers = self._studio.processes_of(*WORDS["broker"])
        try:
            for broker in brokers:
                broker.send_signal(signal.SIGSTOP)
            time.sleep(generator.uniform(3, 15))
        finally:
            for broker in brokers:
                with contextlib.suppress(psutil.Error):
                    broker.send_signal(signal.SIGCONT)

    def _lock_database(self, generator: random.Random) -> None:
        url = os.environ.get("DATABASE_URL")
        if url:
            import psycopg

            with psycopg.connect(url, autocommit=True) as connection:
                if generator.random() < 0.5:
                    connection.execute(TERMINATE)
                    return
                with connection.transaction():
                    connection.execute(LOCK)
                    time.sleep(generator.uniform(3, 25))
            return
        connection = sqlite3.connect(self._studio.folder / "db.sqlite3", timeout=30, isolation_level=None)
        with contextlib.closing(connection):
            connection.execute("BEGIN IMMEDIATE")
            time.sleep(generator.uniform(3, LOCKED_SECONDS))
            connection.execute("ROLLBACK")

    def _cut_store(self, generator: random.Random) -> None:
        assert self._store is not None
        self._store.stop_storage()
        time.sleep(generator.uniform(3, 15))
        self._store.start_storage()
        self._store.restart_tracker()

    def _fill_disk(self, generator: random.Random) -> None:
        assert self._disk is not None
        filler = self._disk / "filler"
        try:
            with open(filler, "wb", buffering=0) as file, contextlib.suppress(OSError):
                os.posix_fallocate(file.fileno(), 0, max(1, shutil.disk_usage(self._disk).free))
                file.seek(0, os.SEEK_END)
                while True:  # what somebody gave back meanwhile
                    file.write(bytes(4096))
            time.sleep(generator.uniform(2, 15))
        finally:
            filler.unlink(missing_ok=True)


def mounted_disk(folder: Path) -> Path | None:
    """A small disk of its own at the folder, where this user may mount one."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = shutil.which("mount")
    if os.geteuid() != 0 or mount is None:
        return None
    command = [mount, "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    return folder if subprocess.run(command, capture_output=True).returncode == 0 else None


def unmount(folder: Path) -> None:
    subprocess.run(["umount", "--lazy", str(folder)], capture_output=True)
