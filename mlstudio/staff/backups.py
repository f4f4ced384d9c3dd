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
from django.utils.crypto import salted_hmac

from jobs.models import WorkState
from mlstudio.backups import DATABASE, MANIFEST, BackupError, Earlier, Manifest, Progress, back_up, read_manifest
from mlstudio.models import MaintenanceKind, MaintenanceRun
from mlstudio.private import make_private_folder

log = structlog.get_logger(__name__)

# Nothing else below the folder is ever touched.
NAME = re.compile(r"^studio-\d{8}-\d{6}$")
OWNER = "owner"
CLOCK_SLACK = timedelta(minutes=5)
ON_POSTGRESQL = (
    "The database is no SQLite: take a copy with pg_dump, and the files with your store's own tools. docs/storage.md "
    "says how."
)


@dataclass(frozen=True)
class Backup:
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


def finished_backups() -> list[Backup]:
    """Those that are finished, the newest first."""
    found = (_read_backup(path) for path in _folders())
    # What a clock that was wrong has dated ahead is older than it says: it comes last, and is removed first.
    latest = timezone.now() + CLOCK_SLACK
    return sorted(filter(None, found), key=lambda backup: (backup.taken_at <= latest, backup.taken_at), reverse=True)


def _read_backup(path: Path) -> Backup | None:
    """None of what is being made, was broken off, or has lost its database."""
    try:
        manifest = read_manifest(path)
        taken_at = datetime.fromisoformat(manifest.taken_at)
        return Backup(path, manifest, taken_at.astimezone(), (path / DATABASE).stat().st_size)
    except (BackupError, OSError, ValueError, OverflowError):  # also of a date that is none
        return None


def _folders() -> list[Path]:
    """This studio's folders that are named as backups; none where the disk is away, which the next backup will say."""
    if settings.BACKUP_DIR is None:
        return []
    try:
        named = [path for path in settings.BACKUP_DIR.iterdir() if NAME.match(path.name)]
        return [path for path in named if _is_folder(path) and _is_own(path)]
    except OSError:
        return []


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _is_own(path: Path) -> bool:
    """Two studios may have one folder: neither removes what is the other's. A restored studio has the key of its
    origin, and goes on with its backups."""
    try:
        return (path / OWNER).read_text() == _owner()
    except FileNotFoundError:  # it was broken off before it had one
        return True
    except ValueError:
        return False


def _owner() -> str:
    return salted_hmac("mlstudio.staff.backups", "owner", algorithm="sha256").hexdigest()[:32]


def take(*, name_at: datetime, on_progress: Progress) -> Backup:
    """A new backup. Files that the one before has are shared with it where the file system can: each costs what is new.

    Args:
        name_at: gives it its name: the same for another attempt, which goes on with what is there.

    Raises:
        BackupError, OSError
    """
    if reason := why_none():
        raise BackupError(reason)
    root = settings.BACKUP_DIR
    assert root is not None
    make_private_folder(root)
    remove_broken_off(root / _name(name_at))
    _require_room(root)
    # A restored studio goes on with what ran when it was copied: never over its origin, which is finished.
    while (root / _name(name_at) / MANIFEST).exists() or not _is_own(root / _name(name_at)):
        name_at += timedelta(seconds=1)
    path = root / _name(name_at)
    make_private_folder(path)
    (path / OWNER).write_text(_owner())
    back_up(path, with_files=True, on_progress=on_progress, earlier=_earlier(), least_free=settings.MIN_FREE_BYTES)
    remove_old(settings.BACKUPS_KEPT)
    backup = _read_backup(path)
    if backup is None:
        raise BackupError(f"{path} was written and cannot be read. Look at its disk.")
    return backup


def _earlier() -> Earlier | None:
    """The one before, from which files are shared. After a trial restore that found damage each is compared first,
    until one finds none: else the new backup would have the same damage."""
    path = next((backup.path for backup in finished_backups() if backup.manifest.has_files), None)
    drills = MaintenanceRun.objects.filter(kind=MaintenanceKind.RESTORE_DRILL, slot=None).order_by("-id")
    last = drills.filter(result__isnull=False).values_list("state", flat=True).first()
    return None if path is None else Earlier(path, is_doubtful=last == WorkState.FAILED)


def _name(at: datetime) -> str:
    return f"studio-{at:%Y%m%d-%H%M%S}"


def _require_room(root: Path) -> None:
    """Room for the database; how much the files take is seen while they are copied."""
    needed = Path(connection.settings_dict["NAME"]).stat().st_size + settings.MIN_FREE_BYTES
    free = shutil.disk_usage(root).free
    if free < needed:
        raise BackupError(
            f"{root} has {free / 1e6:,.0f} MB free, and the backup needs more than {needed / 1e6:,.0f} MB. Make room, "
            "or keep fewer backups (MLSTUDIO_BACKUPS_KEPT)."
        )


def remove_old(keep: int) -> int:
    """Remove all but the newest finished ones, and those that were broken off. Returns how many."""
    stay = {backup.path for backup in finished_backups()[:keep]}
    return _remove([path for path in _folders() if path not in stay])


def remove_broken_off(but: Path) -> int:
    """Remove those that never were finished, but for one that goes on. Before a new one: on a disk that is full no
    other would come to its end, after which old ones are removed."""
    finished = {backup.path for backup in finished_backups()}
    broken = [path for path in _folders() if path not in finished and path != but]
    return _remove([path for path in broken if not (path / MANIFEST).exists()])


def _remove(paths: list[Path]) -> int:
    removed = 0
    for path in paths:
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
    newest = _newest_until(now)
    return newest is None or newest.taken_at <= now - pause


def _newest_until(now: datetime) -> Backup | None:
    """Nothing that is dated ahead: the schedule would wait for that day."""
    return next((backup for backup in finished_backups() if backup.taken_at <= now + CLOCK_SLACK), None)


def next_at() -> datetime | None:
    """When the schedule takes the next one."""
    if why_none() or not settings.BACKUP_HOURS:
        return None
    newest = _newest_until(timezone.now())
    return timezone.now() if newest is None else newest.taken_at + timedelta(hours=settings.BACKUP_HOURS)


def state() -> dict:
    """For the page of the whole system."""
    if why_none():
        return {"is_on": False, "newest_at": None, "is_late": False}
    newest = _newest_until(timezone.now())
    ended = MaintenanceRun.objects.filter(kind=MaintenanceKind.BACKUP, slot=None).order_by("-id")
    has_failed = ended.values_list("state", flat=True).first() == WorkState.FAILED
    late = timezone.now() - timedelta(hours=2 * settings.BACKUP_HOURS)
    is_old = bool(settings.BACKUP_HOURS) and newest is not None and newest.taken_at < late
    return {"is_on": True, "newest_at": newest and newest.taken_at, "is_late": has_failed or is_old}
