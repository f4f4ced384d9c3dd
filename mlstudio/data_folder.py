"""All parts of a studio share one data folder: the same id lies in it and in the database.

A part on another folder would not find the files of the others, sign links that they refuse, and call their files lost.
A database of SQLite lies in the folder itself.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from pathlib import Path

from django.db import connection

from mlstudio.models import DataFolder

NAME = "folder-id"


class OtherFolder(Exception):
    """This is not the data folder that the database belongs to."""


def require_shared(folder: Path, *, take: bool = False) -> None:
    """Compare the ids; the first folder that is used with a database is its own.

    Args:
        take: this folder takes the place of the one before.

    Raises:
        OtherFolder
    """
    if not _is_apart():
        return
    own = DataFolder.objects.get_or_create(pk=1, defaults={"folder_id": lambda: _made_id(folder)})[0].folder_id  # type: ignore[misc]
    if own == _id_of(folder):
        return
    if not take:
        raise OtherFolder(
            f"The database belongs to another data folder than {folder}. All parts of a studio share one folder, over "
            "the network where they are on several machines: name it with --data-dir. Where this folder takes the "
            "place of that one, as after restoring a backup, run `manage.py prepare --take-folder` once."
        )
    DataFolder.objects.filter(pk=1).update(folder_id=_made_id(folder))


def is_known() -> bool:
    """Whether the database has its folder already."""
    return not _is_apart() or DataFolder.objects.exists()


def _is_apart() -> bool:
    return connection.vendor != "sqlite"


def _id_of(folder: Path) -> str:
    with contextlib.suppress(FileNotFoundError):
        return (folder / NAME).read_text().strip()
    return ""


def _made_id(folder: Path) -> str:
    """The folder's id. Of two parts that make it at once, both have that of the first."""
    if own := _id_of(folder):
        return own
    written = folder / f"{NAME}.{os.getpid()}"
    written.write_text(f"{uuid.uuid4().hex}\n")
    with contextlib.suppress(FileExistsError):
        os.link(written, folder / NAME)
    written.unlink()
    return _id_of(folder)
