"""`manage.py restore FOLDER --data-dir NEW`: a backup becomes a studio again."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from common.words import counted
from mlstudio.backups import BackupError, restore


class Command(BaseCommand):
    help = "Put a backup into an empty data folder, every file compared with its hash. Then start the studio on it."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument(
            "--store-is-intact",
            action="store_true",
            help="the large-file store still has its files; without it all are sent to the store again",
        )

    def handle(self, *args: Any, folder: Path, store_is_intact: bool, **options: Any) -> None:
        self._printed = time.monotonic()
        self.stdout.write(f"Restoring {folder.resolve()} into the data folder {settings.DATA_DIR}.")
        try:
            manifest = restore(folder, store_is_intact=store_is_intact, on_progress=self._progress)
        except BackupError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"Nothing was restored: {error}.") from error
        self.stdout.write(
            f"Restored the backup of {manifest.taken_at}. Start the studio with --data-dir {settings.DATA_DIR}."
        )

    def _progress(self, done: int, total: int) -> None:
        if time.monotonic() - self._printed > 2:
            self._printed = time.monotonic()
            self.stderr.write(f"{done:,} of {counted(total, 'file')}")
