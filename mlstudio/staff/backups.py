"""The backups that the studio keeps by itself: folders below the one of a setting, the newest few of which stay."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.utils import timezone

from mlstudio.backups import DATABASE, MANIFEST, BackupError, Manifest, Progress, back_up, read_manifest
from mlstudio.models import MaintenanceKind, MaintenanceRun
from projects.models import WorkState

# Nothing else below the folder is ever touched.
NAME = re.compile(r"^studio-\d{8}-\d{6}$")
ON_POSTGRESQL = (
    "The database is no SQLite: take a copy with pg_dump, and the files with your store's own tools. docs/storage.md "
    "says how."
)


@dataclass(frozen=True)
class Kept:
    """A finished backup."""

    path: Path
    manifest: Manifest

    @property
    def taken_at(self) -> datetime:
        return datetime.fromisoformat(self.manifest.taken_at)

    @property
    def size_bytes(self) -> int:
        """With files that it shares with an earlier one."""
        return self.manifest.bytes + (self.path / DATABASE).stat().st_size


def why_none() -> str:
    """Why the studio takes no backups, or "" where it does."""
    if settings.BACKUP_DIR is None:
        return "MLSTUDIO_BACKUP_DIR is not set."
    return "" if connection.vendor == "sqlite" else ON_POSTGRESQL


def kept_backups() -> list[Kept]:
    """Those that are finished, the newest first."""
    found = []
    for path in _folders():
        try:
            found.append(Kept(path, read_manifest(path)))
        except BackupError:  # it is being made, or was broken off
            continue
    return sorted(found, key=lambda kept: kept.taken_at, reverse=True)


def _folders() -> list[Path]:
    folder = settings.BACKUP_DIR
    if folder is None or not folder.is_dir():
        return []
    return [path for path in folder.iterdir() if NAME.match(path.name) and path.is_dir() and not path.is_symlink()]


def take(*, name_at: datetime, on_progress: Progress) -> Kept:
    """A new backup. Files that the one before has are shared with it where the file system can: each costs what is new.

    Args:
        name_at: gives it its name: the same for another attempt, which goes on with what is there.

    Raises:
        BackupError, OSError
    """
    if reason := why_none():
        raise BackupError(reason)
    root: Path = settings.BACKUP_DIR
    root.mkdir(parents=True, exist_ok=True)
    _require_room(root)
    earlier = next((kept.path for kept in kept_backups() if kept.manifest.has_files), None)
    # A restored studio goes on with what ran when it was copied: never over its origin, which is finished.
    while (root / _name(name_at) / MANIFEST).exists():
        name_at += timedelta(seconds=1)
    path = root / _name(name_at)
    manifest = back_up(path, with_files=True, on_progress=on_progress, earlier=earlier)
    remove_old(settings.BACKUPS_KEPT)
    return Kept(path, manifest)


def _name(at: datetime) -> str:
    return f"studio-{at:%Y%m%d-%H%M%S}"


def _require_room(root: Path) -> None:
    """Room for the database; how much the files take is seen while they are copied."""
    needed = Path(connection.settings_dict["NAME"]).stat().st_size + settings.MIN_FREE_BYTES
    free = shutil.disk_usage(root).free
    if free < needed:
        raise BackupError(
            f"{root} has {free >> 20:,} MiB free, and the backup needs more than {needed >> 20:,} MiB. Make room, or "
            "keep fewer backups (MLSTUDIO_BACKUPS_KEPT)."
        )


def remove_old(keep: int) -> int:
    """Remove all but the newest finished ones, and those that were broken off. Returns how many."""
    stay = {kept.path for kept in kept_backups()[:keep]}
    removed = 0
    for path in _folders():
        if path not in stay:
            (path / MANIFEST).unlink(missing_ok=True)  # first: half of a backup is none
            shutil.rmtree(path)
            removed += 1
    return removed


def is_due() -> bool:
    """Whether the schedule wants one now. After a failure it waits an hour, or as long as it always does."""
    if why_none() or not settings.BACKUP_HOURS:
        return False
    now, pause = timezone.now(), timedelta(hours=settings.BACKUP_HOURS)
    tried = MaintenanceRun.objects.filter(
        kind=MaintenanceKind.BACKUP, created_at__gt=now - min(pause, timedelta(hours=1))
    )
    if tried.exists():
        return False
    newest = next(iter(kept_backups()), None)
    return newest is None or newest.taken_at <= now - pause


def next_at() -> datetime | None:
    """When the schedule takes the next one."""
    if why_none() or not settings.BACKUP_HOURS:
        return None
    newest = next(iter(kept_backups()), None)
    return timezone.now() if newest is None else newest.taken_at + timedelta(hours=settings.BACKUP_HOURS)


def state() -> dict:
    """For the page of the whole system."""
    if why_none():
        return {"is_on": False, "newest_at": None, "is_late": False}
    newest = next(iter(kept_backups()), None)
    ended = MaintenanceRun.objects.filter(kind=MaintenanceKind.BACKUP, slot=None).order_by("-id")
    has_failed = ended.values_list("state", flat=True).first() == WorkState.FAILED
    late = timezone.now() - timedelta(hours=2 * settings.BACKUP_HOURS)
    is_old = bool(settings.BACKUP_HOURS) and newest is not None and newest.taken_at < late
    return {"is_on": True, "newest_at": newest and newest.taken_at, "is_late": has_failed or is_old}
