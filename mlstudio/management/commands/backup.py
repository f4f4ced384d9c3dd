"""`manage.py backup FOLDER`: a copy of everything while the studio runs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from common.words import counted, format_bytes
from mlstudio.backups import BackupError, back_up


class Command(BaseCommand):
    help = "Copy database, key and files to a folder; the next time, only what is new. `restore` is the way back."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--without-files", action="store_true", help="the database only; the store keeps the files")

    def handle(self, *args: Any, folder: Path, without_files: bool, **options: Any) -> None:
        self._printed = time.monotonic()
        self.stdout.write(f"Backing up the data folder {settings.DATA_DIR} to {folder.resolve()}.")
        try:
            manifest = back_up(folder, with_files=not without_files, on_progress=self._progress)
        except BackupError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"The backup is not finished: {error}.") from error
        what = (
            f"{counted(manifest.files, 'file')}, {format_bytes(manifest.bytes)}"
            if manifest.has_files
            else "without files"
        )
        self.stdout.write(f"Backed up {settings.DATA_DIR} to {folder}: the database, {what}.")

    def _progress(self, done: int, total: int) -> None:
        if time.monotonic() - self._printed > 2:
            self._printed = time.monotonic()
            self.stderr.write(f"{done:,} of {counted(total, 'file')}")
