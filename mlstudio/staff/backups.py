"""The backups that the studio keeps by itself: folders below the one of a setting, the newest few of which stay."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from django.conf import settings
from django.db import connection
from django.utils import timezone

from mlstudio.backups import DATABASE, MANIFEST, BackupError, Manifest, Progress, back_up, read_manifest
from mlstudio.models import MaintenanceKind, MaintenanceRun
from projects.models import WorkState

log = structlog.get_logger(__name__)

# Nothing else below the folder is ever touched.
NAME = re.compile(r"^studio-\d{8}-\d{6}$")
ON_POSTGRESQL = (
    "The database is no SQLite: take a copy with pg_dump, and the files with your store's own tools. docs/storage.md "
    "says how."
)


@dataclass(frozen=True)
class Kept:
    """A finished backup.

    Attributes:
        database_bytes: `manifest.bytes` are those of its files.
    """

    path: Path
    manifest: Manifest
    taken_at: datetime
    database_bytes: int

    @property
    def size_bytes(self) -> int:
        """With files that it shares with an earlier one."""
        return self.manifest.bytes + self.database_bytes


def why_none() -> str:
    """Why the studio takes no backups, or "" where it does."""
    if settings.BACKUP_DIR is None:
        return "MLSTUDIO_BACKUP_DIR is not set."
    return "" if connection.vendor == "sqlite" else ON_POSTGRESQL


def kept_backups() -> list[Kept]:
    """Those that are finished, the newest first."""
    found = (_kept(path) for path in _folders())
    return sorted(filter(None, found), key=lambda kept: kept.taken_at, reverse=True)


def _kept(path: Path) -> Kept | None:
    """None of what is being made, was broken off, or has lost its database."""
    try:
        manifest = read_manifest(path)
        taken_at = datetime.fromisoformat(manifest.taken_at)
        return Kept(path, manifest, taken_at.astimezone(), (path / DATABASE).stat().st_size)
    except (BackupError, OSError, ValueError, TypeError):
        return None


def _folders() -> list[Path]:
    """Folders that are named as backups; none where the disk is away, which the next backup will say."""
    if settings.BACKUP_DIR is None:
        return []
    try:
        return [path for path in settings.BACKUP_DIR.iterdir() if NAME.match(path.name) and _is_folder(path)]
    except OSError:
        return []


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


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
    back_up(path, with_files=True, on_progress=on_progress, earlier=earlier)
    remove_old(settings.BACKUPS_KEPT)
    kept = _kept(path)
    if kept is None:
        raise BackupError(f"{path} was written and cannot be read. Look at its disk.")
    return kept


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
            try:
                (path / MANIFEST).unlink(missing_ok=True)  # first: half of a backup is none
                shutil.rmtree(path)
                removed += 1
            except OSError:  # the new backup is good all the same
                log.warning("old_backup_stays", backup=path.name, exc_info=True)
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
