"""What the studio says of itself beyond `system/`."""

from __future__ import annotations

import shutil
from pathlib import Path

from django.conf import settings

from mlstudio import environment
from mlstudio.models import MaintenanceKind, MaintenanceRun
from mlstudio.staff import backups
from mlstudio.system import remembered
from storage import maintenance
from training.weights_download import shown_address
from vision.training.architectures import ARCHITECTURES, weights_folders, weights_here
from vision.training.pretrained import PRETRAINED

RUNS_SHOWN = 20
OFFERED = {(weights.architecture.name, weights.kind): weights for weights in PRETRAINED.values()}
STORE_SECONDS = 10.0


def backups_and_runs() -> dict:
    folder = settings.BACKUP_DIR
    runs = MaintenanceRun.objects.exclude(kind=MaintenanceKind.WEIGHTS).select_related("created_by").order_by("-id")
    return {
        "why_none": backups.why_none(),
        "folder": None if folder is None else str(folder),
        "every_hours": settings.BACKUP_HOURS,
        "keeps": settings.BACKUPS_KEPT,
        "free_bytes": None if folder is None else _free_bytes(folder),
        "next_at": backups.next_at(),
        "backups": [
            {
                "name": backup.path.name,
                "taken_at": backup.taken_at,
                "files": backup.manifest.files,
                "bytes": backup.size_bytes,
            }
            for backup in backups.finished_backups()
        ],
        "runs": runs[:RUNS_SHOWN],
        "last_drill": runs.filter(kind=MaintenanceKind.RESTORE_DRILL, slot=None).first(),
    }


def _free_bytes(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(folder).free
    except OSError:  # it is made with the first backup, or its disk is away
        return None


def store_status() -> dict:
    """Adding up all files costs something, so it is remembered for a moment."""
    return remembered.ask("store", STORE_SECONDS, _store_status)


def _store_status() -> dict:
    status = maintenance.status()
    waiting = {**status["waiting"], "bytes": status["waiting"]["bytes"] or 0}
    return {**status, "waiting": waiting}


def weights() -> dict:
    rows = []
    for architecture in ARCHITECTURES.values():
        here = set(weights_here(architecture))
        files = [
            {"kind": kind, "name": name, "is_here": kind in here, "download": OFFERED.get((architecture.name, kind))}
            for kind, name in architecture.weights_files.items()
        ]
        if files:
            rows.append(
                {
                    "architecture": architecture.name,
                    "title": architecture.title,
                    "task": architecture.task,
                    "files": files,
                }
            )
    runs = MaintenanceRun.objects.filter(kind=MaintenanceKind.WEIGHTS).select_related("created_by")
    return {
        "folders": [str(folder) for folder in dict.fromkeys(weights_folders())],
        "architectures": rows,
        "downloads": settings.WEIGHTS != "off",
        "mirror": shown_address(settings.WEIGHTS_URL),
        "run": runs.order_by("-id").first(),
    }


def settings_in_force() -> dict:
    return {"settings": environment.in_force(), "unknown": environment.misspelled()}
