"""A copy of everything, taken while the studio runs, and the way back.

The database is copied first, by its own means, as of one moment. Then every file that this copy knows is copied. What
is deleted meanwhile is still there, for files without a reference are kept for a day.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.utils import timezone

from common.words import counted
from mlstudio.private import make_private_file, make_private_folder
from storage.cache import blob_path
from storage.durability import sync_folder
from storage.models import Blob, BlobState
from storage.services import is_intact, local_cache, pinned

MANIFEST, DATABASE, SECRET = "backup.json", "db.sqlite3", "secret_key"
Progress = Callable[[int, int], None]
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


class BackupError(Exception):
    """It cannot be done; the text says what to do."""


@dataclass
class Manifest:
    """What a backup holds. Written last: a folder without it is an unfinished backup."""

    taken_at: str
    files: int
    bytes: int
    has_files: bool
    version: int = 1


@dataclass(frozen=True)
class Earlier:
    """Another backup, on the same disk: files that it has are shared with it, as hard links.

    Attributes:
        is_doubtful: damage was found in it, so only files are shared whose content is compared first.
    """

    path: Path
    is_doubtful: bool = False


def back_up(
    folder: Path, *, with_files: bool, on_progress: Progress, earlier: Earlier | None = None, least_free: int = 0
) -> Manifest:
    """Copy database, secret key and files to a folder; one that holds an earlier backup gets only what is new.

    Args:
        least_free: bytes that stay free on the disk of the folder.

    Raises:
        BackupError: not SQLite, no room, or files that are in neither cache nor store.
    """
    _require_database()
    make_private_folder(folder)
    (folder / MANIFEST).unlink(missing_ok=True)
    _copy_database(folder / DATABASE)
    secret = settings.DATA_DIR / SECRET
    if secret.exists():
        _copy_privately(secret, folder / SECRET)
    known = dict(files_of(folder / DATABASE))
    if with_files:
        make_private_folder(folder / "blobs")
        _copy_files(folder, known, on_progress, earlier, least_free)
    manifest = Manifest(timezone.now().isoformat(), len(known), sum(known.values()), with_files)
    unfinished = folder / f".{MANIFEST}"
    unfinished.write_text(json.dumps(asdict(manifest), indent=2))
    _sync(unfinished)
    os.replace(unfinished, folder / MANIFEST)
    sync_folder(folder)
    if with_files:
        _remove_others(folder / "blobs", known)
    return manifest


def _require_database() -> None:
    if connection.vendor != "sqlite":
        raise BackupError(
            "The database is no SQLite: take a copy with pg_dump at the same time, and the files with your store's "
            "own tools. docs/storage.md says how."
        )
    database = Path(connection.settings_dict["NAME"])
    if not database.is_file() or not database.stat().st_size:
        raise BackupError(
            f"The data folder {settings.DATA_DIR} holds no database: there is nothing to back up. Name the studio's "
            "folder with --data-dir or MLSTUDIO_DATA_DIR."
        )


def _copy_database(target: Path) -> None:
    unfinished = target.with_suffix(".partial")
    unfinished.unlink(missing_ok=True)
    make_private_file(unfinished)
    # sqlite3's own online backup: consistent, and writers go on meanwhile.
    with closing(sqlite3.connect(connection.settings_dict["NAME"], timeout=60)) as source:
        with closing(sqlite3.connect(unfinished)) as copy:
            source.backup(copy)  # in one step, as of one moment
    _sync(unfinished)
    os.replace(unfinished, target)


def _copy_privately(source: Path, target: Path) -> None:
    """Also over a file that others can read, as earlier versions wrote it."""
    target.unlink(missing_ok=True)
    make_private_file(target)
    shutil.copyfile(source, target)


def files_of(database: Path) -> Iterator[tuple[str, int]]:
    """Hash and size of every file that a database knows."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as copy:
        yield from copy.execute("SELECT sha256, size FROM storage_blob")


def _copy_files(
    folder: Path, known: dict[str, int], on_progress: Progress, earlier: Earlier | None, least_free: int
) -> None:
    missing = []
    for done, (sha256, size) in enumerate(known.items(), start=1):
        target = blob_path(folder / "blobs", sha256)
        if not _has(target, size) and not _share(earlier, target, sha256, size):
            blob = Blob.objects.filter(sha256=sha256).first()
            try:
                if blob is None:
                    raise FileNotFoundError(sha256)
                with pinned(blob) as source:
                    _require_room(folder, size + least_free)
                    copy_file(source, target)
            except BackupError:
                raise
            except Exception as error:  # every kind of absence is one line here
                if getattr(error, "errno", None) in FULL:
                    raise BackupError(f"A disk takes no more ({error}). Make room on it.") from error
                missing.append(f"{sha256}: {error}")
        on_progress(done, len(known))
    if missing:
        raise BackupError(
            f"{counted(len(missing), 'file')} could not be copied, first {missing[0]}. Run `manage.py storage verify`. "
            "The backup is not finished."
        )


def _require_room(folder: Path, needed: int) -> None:
    """Often the disk is that of the studio itself, which must not be filled."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise BackupError(
            f"{folder} has {free / 1e6:,.0f} MB free, and the backup needs more than {needed / 1e6:,.0f} MB. Make "
            "room, or keep fewer backups (MLSTUDIO_BACKUPS_KEPT)."
        )


def _has(path: Path, size: int) -> bool:
    return path.exists() and path.stat().st_size == size


def _share(earlier: Earlier | None, target: Path, sha256: str, size: int) -> bool:
    """Give the file of an earlier backup a second name; False where it has none, or the file system cannot."""
    if earlier is None or not _has(source := blob_path(earlier.path / "blobs", sha256), size):
        return False
    if earlier.is_doubtful and not is_intact(source, sha256):
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)  # of another length
    try:
        os.link(source, target)
    except OSError:
        return False
    return True


def copy_file(source: Path, target: Path) -> None:
    """Copy a file; under its name it is there when it is whole, and on the disk."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_suffix(".partial")
    shutil.copyfile(source, unfinished)
    _sync(unfinished)
    os.replace(unfinished, target)


def _sync(path: Path) -> None:
    with open(path, "rb") as file:
        os.fsync(file.fileno())


def _remove_others(folder: Path, known: dict[str, int]) -> None:
    """Files of an earlier backup that nobody has any more."""
    for path in folder.glob("??/*"):
        if path.name not in known:
            path.unlink()


def read_manifest(folder: Path) -> Manifest:
    """Raises `BackupError` when the folder holds no finished backup."""
    try:
        manifest = Manifest(**json.loads((folder / MANIFEST).read_text()))
        _check(manifest)
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise BackupError(f"{folder} holds no finished backup ({error}).") from error
    return manifest


def _check(manifest: Manifest) -> None:
    """A disk may give back anything. Raises TypeError or ValueError."""
    kinds: dict[str, type] = {"taken_at": str, "files": int, "bytes": int, "has_files": bool, "version": int}
    for field in fields(manifest):
        if type(getattr(manifest, field.name)) is not kinds[field.name]:
            raise TypeError(f"{field.name} is no {kinds[field.name].__name__}")
    if not (0 <= manifest.files < 1 << 63 and 0 <= manifest.bytes < 1 << 63):
        raise ValueError("a number is out of range")


def restore(folder: Path, *, store_is_intact: bool, on_progress: Progress) -> Manifest:
    """Put a backup into an empty data folder. Call it before anything has opened the database.

    Args:
        store_is_intact: the large-file store still has its files; else all are sent to it again.

    Raises:
        BackupError: no finished backup, a damaged file, or a data folder that is in use.
    """
    manifest = read_manifest(folder)
    target = Path(connection.settings_dict["NAME"])
    if connection.vendor != "sqlite":
        raise BackupError("The database is no SQLite: restore it with pg_restore.")
    if not (folder / DATABASE).is_file():
        raise BackupError(f"{folder} holds no database ({DATABASE}): it is no whole backup, and nothing was restored.")
    if target.exists():
        raise BackupError(f"{target} exists. Restore into an empty folder: name one with --data-dir.")
    if not manifest.has_files and not store_is_intact:
        raise BackupError("This backup has no files: it needs the store they are in (--store-is-intact).")
    if manifest.has_files:
        _restore_files(folder, on_progress)
    target.parent.mkdir(parents=True, exist_ok=True)
    if (folder / SECRET).exists():
        _copy_privately(folder / SECRET, settings.DATA_DIR / SECRET)
    restore_database(folder, target, manifest=manifest, store_is_intact=store_is_intact)
    return manifest


def restore_database(folder: Path, target: Path, *, manifest: Manifest, store_is_intact: bool) -> None:
    """The database of a backup as a studio takes it up: its rows say where files are now."""
    unfinished = target.with_suffix(".partial")
    _copy_privately(folder / DATABASE, unfinished)
    with closing(sqlite3.connect(unfinished)) as database, database:
        if store_is_intact:
            if not manifest.has_files:
                database.execute("UPDATE storage_blob SET state = ? WHERE remote_id != ''", [BlobState.REMOTE])
        else:
            database.execute("UPDATE storage_blob SET state = ?, backend = '', remote_id = ''", [BlobState.CACHED])
    _sync(unfinished)
    os.replace(unfinished, target)
    sync_folder(target.parent)


def _restore_files(folder: Path, on_progress: Progress) -> None:
    known = dict(files_of(folder / DATABASE))
    cache = local_cache()
    for done, sha256 in enumerate(known, start=1):
        source, target = blob_path(folder / "blobs", sha256), cache.path(sha256)
        if not source.exists() or not is_intact(source, sha256):
            raise BackupError(f"The file {sha256} of this backup is missing or damaged; nothing was restored.")
        if not target.exists():
            copy_file(source, target)
        on_progress(done, len(known))
