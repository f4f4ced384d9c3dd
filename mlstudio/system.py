"""How the machine and the studio on it are doing, for the staff."""

from __future__ import annotations

import csv
import os
import platform
import shutil
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any, TypeVar

import psutil
import structlog
from celery.exceptions import CeleryError
from django.conf import settings
from django.db import connection
from django.db.models import Count, Min, Sum
from django.utils import timezone
from kombu.exceptions import KombuError
from redis import RedisError

from datasets.models import Image, Video
from inference.models import ModelFile
from jobs.models import Job, Queue, WorkState
from mlstudio.health import broker_state, store_state
from mlstudio.staff.backups import state as backup_state
from projects.models import Project
from storage.models import Blob, BlobState
from storage.replication import sampled_cached_bytes
from training.models import TrainingRun
from webhooks.models import DeliveryState, WebhookDelivery

log = structlog.get_logger(__name__)
Answer = TypeVar("Answer")

PACKAGES = ("Django", "celery", "tensorflow", "keras", "ai-edge-litert", "onnxruntime", "numpy", "pillow")
# Adding up a million rows takes a second, and asking the driver of a graphics card half of one.
PROJECTS_SECONDS, GPU_SECONDS = 300.0, 5.0
INSPECT_SECONDS = 0.7
MOST_PROJECTS = 100


class _Remembered:
    """The answer of a question that costs something, for a while."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, Any]] = {}

    def ask(self, name: str, seconds: float, question: Callable[[], Answer]) -> Answer:
        with self._lock:
            at, answer = self._known.get(name, (0.0, None))
            if not at or time.monotonic() - at > seconds:
                answer = question()
                self._known[name] = (time.monotonic(), answer)
            return answer

    def clear(self) -> None:
        self._known.clear()


remembered = _Remembered()


def describe() -> dict:
    """Everything that `system/` answers."""
    return {
        "versions": versions(),
        "disk": disk(),
        "memory": memory(),
        "gpus": remembered.ask("gpus", GPU_SECONDS, gpus),
        "broker": broker_state(),
        "store": store(),
        "queues": queues(),
        "workers": workers(),
        "usage": counted_usage(),
        "backup": backup_state(),
    }


def versions() -> dict:
    return {
        "studio": settings.VERSION,
        "python": platform.python_version(),
        "system": platform.platform(),
        "database": f"{connection.vendor} {_database_version()}",
        "packages": [{"name": name, "version": _version(name)} for name in PACKAGES],
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _database_version() -> str:
    return ".".join(str(part) for part in connection.get_database_version())


def disk() -> dict[str, int]:
    """Of the disk with the data."""
    found = shutil.disk_usage(settings.DATA_DIR)
    return {
        "total_bytes": found.total,
        "used_bytes": found.used,
        "free_bytes": found.free,
        "least_free_bytes": settings.MIN_FREE_BYTES,
        "cache_bytes": sampled_cached_bytes(),
    }


def memory() -> dict:
    found = psutil.virtual_memory()
    return {
        "total_bytes": found.total,
        "available_bytes": found.available,
        "cores": os.cpu_count() or 1,
        "load": round(os.getloadavg()[0], 2),
    }


def gpus() -> list[dict]:
    """What NVIDIA's driver says; nothing where there is none."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    fields = "name,memory.total,memory.used,utilization.gpu"
    command = [program, f"--query-gpu={fields}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        log.warning("gpu_not_described", exc_info=True)
        return []
    return [_gpu(row) for row in csv.reader(done.stdout.splitlines(), skipinitialspace=True) if len(row) == 4]


def _gpu(row: list[str]) -> dict:
    def number(text: str) -> int | None:
        return int(text) if text.strip().isdigit() else None  # "[N/A]"

    total, used = number(row[1]), number(row[2])
    return {
        "name": row[0],
        "total_bytes": None if total is None else total << 20,
        "used_bytes": None if used is None else used << 20,
        "utilization_percent": number(row[3]),
    }


def store() -> dict:
    waiting = Blob.objects.filter(state=BlobState.CACHED)
    return {
        "backend": settings.STORAGE_BACKEND,
        "state": store_state(),
        "files_to_replicate": waiting.count(),
        "files_failing": waiting.filter(attempts__gt=0).count(),
    }


def queues() -> list[dict]:
    """Each queue: what waits, what runs, and since when the oldest waits."""
    found: dict[str, dict] = {
        queue: {"queue": queue, "waiting": 0, "running": 0, "oldest_at": None, "slots": settings.QUEUE_SLOTS[queue]}
        for queue in Queue.values
    }
    for model in (Job, TrainingRun):
        active = model._default_manager.filter(state__in=(WorkState.QUEUED, WorkState.RUNNING)).order_by()
        for row in active.values("queue", "state").annotate(count=Count("pk"), oldest=Min("enqueued_at")):
            line = found[row["queue"]]
            if row["state"] == WorkState.RUNNING:
                line["running"] += row["count"]
            else:
                line["waiting"] += row["count"]
                line["oldest_at"] = min(filter(None, (line["oldest_at"], row["oldest"])))
    pending = WebhookDelivery.objects.filter(state=DeliveryState.PENDING).order_by()
    due = pending.aggregate(waiting=Count("pk"), oldest_at=Min("created_at"))
    return [*found.values(), {"queue": "webhooks", "running": 0, "slots": settings.QUEUE_SLOTS["webhooks"], **due}]


def workers() -> list[dict]:
    """The processes that answer through the broker, with the queues that they take from."""
    from mlstudio.celery import app

    if broker_state() != "ok":
        return []
    try:
        answers = app.control.inspect(timeout=INSPECT_SECONDS).active_queues() or {}
    except (CeleryError, KombuError, RedisError, OSError):
        log.warning("workers_not_asked", exc_info=True)
        return []
    return [
        {"name": name, "queues": sorted(queue["name"] for queue in taken)} for name, taken in sorted(answers.items())
    ]


def counted_usage() -> dict:
    """`usage` as it was within the last minutes."""
    return remembered.ask("usage", PROJECTS_SECONDS, usage)


def usage() -> dict:
    """What the files of each project take, the largest first, and those of each user who made projects. Files that two
    projects share count for both."""
    totals: dict[Any, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    sums = (
        ("images", Image.objects.order_by(), "dataset__project", "size"),
        ("videos", Video.objects.order_by(), "dataset__project", "size"),
        ("models", ModelFile.objects.order_by(), "model__project", "blob__size"),
        ("jobs", Job.objects.order_by(), "project", "input_blob__size"),
        ("jobs", Job.objects.order_by(), "project", "output_blob__size"),
        ("jobs", Job.objects.order_by(), "project", "files__blob__size"),
    )
    for kind, rows, project, size in sums:
        for key, total in rows.values_list(project).annotate(total=Sum(size)):
            totals[key][kind] += total or 0
    largest = sorted(totals, key=lambda key: -sum(totals[key].values()))[:MOST_PROJECTS]
    projects = Project.objects.select_related("created_by").in_bulk(largest)
    used = [_used(projects[key], totals[key]) for key in largest if key in projects]
    by_user: dict[int, int] = defaultdict(int)
    for key, maker in Project.objects.filter(created_by__isnull=False).values_list("pk", "created_by"):
        if key in totals:
            by_user[maker] += sum(totals[key].values())
    return {"counted_at": timezone.now(), "projects": used, "by_user": by_user}


def _used(project: Project, sizes: dict[str, int]) -> dict:
    by_kind = {f"{kind}_bytes": sizes[kind] for kind in ("images", "videos", "models", "jobs")}
    return {
        "id": project.pk,
        "name": project.name,
        "created_by": None if project.created_by is None else project.created_by.get_username(),
        "is_being_removed": project.deleting_since is not None,
        "is_in_trash": project.trashed_since is not None,
        "image_count": project.image_count,
        "bytes": sum(sizes.values()),
        **by_kind,
    }
