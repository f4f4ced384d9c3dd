"""`manage.py storage status|verify|repair|migrate|gc`: the operator's view of files."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from common.words import counted, format_bytes
from storage import maintenance, replication, sweeping
from storage.backends import BackendError
from storage.errors import BlobMissing
from storage.models import Blob


class Command(BaseCommand):
    help = "Look at, check, repair and move the files of the studio. Every action can be broken off and started again."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("status", help="what is where, what waits, how the store answers").add_argument(
            "--json", action="store_true"
        )
        for name, text in (
            ("verify", "compare every file with its hash"),
            ("repair", "and repair what can be"),
        ):
            action = actions.add_parser(name, help=text)
            action.add_argument("--deep", action="store_true", help="read the store's copies, not only their sizes")
            action.add_argument("--after", default="", metavar="SHA256", help="go on after this file")
        migrate = actions.add_parser("migrate", help="move all files to the store that MLSTUDIO_STORAGE names")
        migrate.add_argument("--keep-source", action="store_true", help="leave them in the old store too")
        gc = actions.add_parser("gc", help="delete files that nothing refers to, and make the cache fit its limit")
        gc.add_argument("--hours", type=float, default=None, help="only those unused for so long; default 24")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        self._printed = 0.0
        try:
            getattr(self, f"_{action}")(**options)
        except BackendError as error:
            raise CommandError(f"The store does not do it: {error}", returncode=2) from error

    def _status(self, json: bool, **options: Any) -> None:
        status = maintenance.status()
        if json:
            self.stdout.write(_as_json(status))
            return
        self.stdout.write(f"store: {status['backend']}, {status['store']}")
        for row in status["files"]:
            where = f"{row['state']} ({row['backend'] or 'not in a store'})"
            self.stdout.write(f"  {where}: {counted(row['files'], 'file')}, {format_bytes(row['bytes'])}")
        limit = format_bytes(status["cache_limit_bytes"]) if status["cache_limit_bytes"] else "no limit"
        self.stdout.write(f"cache: {format_bytes(status['cache_bytes'] or 0)} of {limit}")
        waiting = status["waiting"]
        if waiting["files"]:
            self.stdout.write(
                f"waiting for the store: {counted(waiting['files'], 'file')}, {format_bytes(waiting['bytes'])}, "
                f"the oldest since {waiting['oldest']:%Y-%m-%d %H:%M}; "
                f"{status['failing']:,} have failed: {status['last_problem']}"
            )
        if status["removals"]:
            self.stdout.write(f"waiting to be deleted: {counted(status['removals'], 'file')}")
        if not status["answers"]:
            raise CommandError("The store does not answer; uploads wait in the cache.", returncode=2)

    def _verify(self, deep: bool, after: str, **options: Any) -> None:
        self._walk(deep, after, repair=False)

    def _repair(self, deep: bool, after: str, **options: Any) -> None:
        self._walk(deep, after, repair=True)

    def _walk(self, deep: bool, after: str, *, repair: bool) -> None:
        total, done, found, lost = Blob.objects.filter(sha256__gt=after).count(), 0, 0, 0
        for blob in maintenance.blobs_after(after):
            problems = maintenance.verify(blob, deep=deep)
            for problem in problems:
                self.stdout.write(_as_json(problem.to_dict()))
            if problems and repair:
                self.stdout.write(f"{blob.sha256}: {self._repaired(blob, problems)}")
            found += bool(problems)
            lost += any(problem.is_lost for problem in problems)
            done += 1
            self._progress(done, total, f"last {blob.sha256}")
        if repair:
            replication.work_for(3600, lambda: False)
        self.stdout.write(f"{counted(done, 'file')} looked at, {found:,} with problems, {lost:,} lost")
        if lost or (found and not repair):
            raise CommandError("Run `manage.py storage repair`." if not lost else "Restore them from a backup.")

    def _repaired(self, blob: Blob, problems: list[maintenance.Problem]) -> str:
        try:
            return maintenance.repair(blob, problems)
        except BlobMissing as error:
            return f"lost: {error.detail}"

    def _migrate(self, keep_source: bool, **options: Any) -> None:
        moved, problems = maintenance.migrate(keep_source=keep_source, on_progress=self._progress)
        for problem in problems:
            self.stdout.write(_as_json(problem.to_dict()))
        self.stdout.write(
            f"{counted(moved, 'file')} moved, {len(problems):,} could not be, {maintenance.to_migrate():,} left"
        )
        if problems:
            raise CommandError("Some files could not be moved; they are listed above and were left where they are.")

    def _gc(self, hours: float | None, **options: Any) -> None:
        age = None if hours is None else timedelta(hours=hours)
        deleted = 0
        while count := sweeping.sweep_orphans(age):
            deleted += count
            self._progress(deleted, deleted, "")
        self.stdout.write(f"{counted(deleted, 'file')} deleted, {replication.evict():,} dropped from the cache")

    def _progress(self, done: int, total: int, text: str = "") -> None:
        if time.monotonic() - self._printed > 2:
            self._printed = time.monotonic()
            self.stderr.write(f"{done:,} of {total:,} {text}")


def _as_json(value: dict) -> str:
    return json.dumps(value, default=str, ensure_ascii=False)
