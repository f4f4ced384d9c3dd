"""Whether the newest backup could be restored: it is tried, into a folder that is removed again."""

from __future__ import annotations

import random
import shutil
import sqlite3
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import models

from datasets.models import Annotation, Dataset, Image
from inference.models import Model
from mlstudio.backups import BackupError, Progress, copy_file, files_of, restore_database
from mlstudio.staff.backups import Backup, finished_backups
from projects.models import Project
from storage.cache import blob_path
from storage.services import is_intact
from vision.sandbox.removal import remove_tree

SAMPLE_FILES, SAMPLE_BYTES = 200, 1 << 30
PREFIX = "restore-drill-"
COUNTED: dict[str, type[models.Model]] = {
    "users": get_user_model(),
    "projects": Project,
    "datasets": Dataset,
    "images": Image,
    "annotations": Annotation,
    "models": Model,
}


@dataclass
class Drill:
    """What was found in a backup.

    Attributes:
        database: "ok", or the first thing that SQLite finds wrong.
        counts: rows of what people know, as the restored database has them.
        missing: files that the database knows and the backup has not, or not in full length.
        damaged: of those that were looked at, files with another content.
    """

    backup: str
    taken_at: str
    database: str
    counts: dict[str, int]
    files: int
    missing: int
    looked_at: int
    damaged: int
    seconds: float

    @property
    def is_whole(self) -> bool:
        return self.database == "ok" and not self.missing and not self.damaged


def drill(*, on_progress: Progress) -> Drill:
    """Restore the database of the newest backup and a sample of its files into a temporary folder, and look at them.

    Raises:
        BackupError: there is none, or no room; OSError.
    """
    newest = next(iter(finished_backups()), None)
    if newest is None:
        raise BackupError("There is no finished backup yet: take one first.")
    settings.TEMPORARY_DIR.mkdir(parents=True, exist_ok=True)
    _remove_leftovers()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(dir=settings.TEMPORARY_DIR, prefix=PREFIX) as folder:
        return _restore_trial(newest, Path(folder), started, on_progress)


def _remove_leftovers() -> None:
    """Of a drill whose process was killed: there is one at a time."""
    for path in settings.TEMPORARY_DIR.glob(f"{PREFIX}*"):
        remove_tree(path)


def _restore_trial(backup: Backup, folder: Path, started: float, on_progress: Progress) -> Drill:
    restored = folder / "db.sqlite3"
    needed = backup.database_bytes + settings.MIN_FREE_BYTES
    if shutil.disk_usage(folder).free < needed:
        raise BackupError(f"The trial needs {needed / 1e6:,.0f} MB of free space in the data folder. Make room.")
    try:
        restore_database(backup.path, restored, manifest=backup.manifest, store_is_intact=not backup.manifest.has_files)
        known = dict(files_of(restored))
    except sqlite3.DatabaseError as error:
        return Drill(
            backup=backup.path.name,
            taken_at=backup.manifest.taken_at,
            database=str(error)[:300] or "unreadable",
            counts={},
            files=0,
            missing=0,
            looked_at=0,
            damaged=0,
            seconds=round(time.monotonic() - started, 1),
        )
    found = _files(backup, known, folder, on_progress) if backup.manifest.has_files else (0, 0, 0)
    return Drill(
        backup=backup.path.name,
        taken_at=backup.manifest.taken_at,
        database=_problem_of(restored),
        counts=_counts(restored),
        files=len(known),
        missing=found[0],
        looked_at=found[1],
        damaged=found[2],
        seconds=round(time.monotonic() - started, 1),
    )


def _problem_of(database: Path) -> str:
    try:
        with closing(sqlite3.connect(database)) as opened:
            (said,) = opened.execute("PRAGMA integrity_check(1)").fetchone()
            if said != "ok":
                return said[:300]
            lost = opened.execute("PRAGMA foreign_key_check").fetchone()
            return "ok" if lost is None else f"a row of {lost[0]} refers to one that is not there"
    except sqlite3.DatabaseError as error:
        return str(error)[:300] or "unreadable"


def _counts(database: Path) -> dict[str, int]:
    try:
        with closing(sqlite3.connect(database)) as opened:
            return {
                name: opened.execute(f'SELECT COUNT(*) FROM "{model._meta.db_table}"').fetchone()[0]
                for name, model in COUNTED.items()
            }
    except sqlite3.DatabaseError:
        return {}


def _files(backup: Backup, known: dict[str, int], folder: Path, on_progress: Progress) -> tuple[int, int, int]:
    """How many are missing, how many were looked at, and how many of these are damaged."""
    missing = sum(not _is_there(backup.path, sha256, size) for sha256, size in known.items())
    sample = random.sample(sorted(known), min(SAMPLE_FILES, len(known)))
    looked_at = damaged = copied = 0
    for done, sha256 in enumerate(sample, start=1):
        if _is_there(backup.path, sha256, known[sha256]) and copied + known[sha256] <= SAMPLE_BYTES:
            target = folder / "file"
            copy_file(blob_path(backup.path / "blobs", sha256), target)
            damaged += not is_intact(target, sha256)
            looked_at, copied = looked_at + 1, copied + known[sha256]
        on_progress(done, len(sample))
    return missing, looked_at, damaged


def _is_there(backup: Path, sha256: str, size: int) -> bool:
    path = blob_path(backup / "blobs", sha256)
    try:
        return path.stat().st_size == size
    except FileNotFoundError:
        return False
