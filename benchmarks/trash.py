"""Deleting many images by a filter, restoring them, and emptying the trash: how long each takes, and how long others
wait meanwhile to write.

`python -m benchmarks trash`, or with another size `python -m benchmarks.trash --images 20000`.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from benchmarks.removal import MOST_SECONDS, _Writer
from benchmarks.rows import Row, at_most, table

IMAGES = 10_005


def run(folder: Path, images: int = IMAGES) -> list[Row]:
    import django

    django.setup()
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from rest_framework.test import APIClient

    from benchmarks.listing import _fill
    from mlstudio.counts import correct_counts
    from projects import removal
    from projects.models import Project, TrashEntry

    call_command("migrate", verbosity=0)
    settings.ALLOWED_HOSTS = ["testserver"]
    user = get_user_model().objects.create_user("bench")
    dataset = _fill(user, images)
    Project.objects.filter(pk=dataset.project_id).update(image_count=images, dataset_count=1)
    correct_counts()
    removal.messages.send = lambda task, queue: None
    client = APIClient()
    client.force_authenticate(user)
    body = {"filter": {"dataset": str(dataset.pk)}, "except": [], "action": "delete"}
    rows = []
    for what, path, sent in (
        ("deleted by a filter", lambda: "images/bulk/", body),
        ("restored", lambda: f"trash/{TrashEntry.objects.get().pk}/restore/", {}),
        ("deleted again by undoing that", lambda: f"changes/{_last(user)}/undo/", {}),
    ):
        rows += _measure(client, user, images, what, f"/api/v1/{path()}", sent)
        assert correct_counts() == 0
    started = time.monotonic()
    client.post("/api/v1/trash/empty/", {"project": str(dataset.project_id)}, format="json")
    answered = time.monotonic() - started
    while removal.remove_projects():
        pass
    gone = time.monotonic() - started
    name = f"{images:,} images removed for good"
    return [*rows, Row(name, f"answered in {answered:.2f} s", f"rows gone after {gone:.0f} s")]


def _measure(client: Any, user: Any, images: int, what: str, path: str, body: dict) -> list[Row]:
    from jobs import services as jobs

    with _Writer(user) as writer:
        started = time.monotonic()
        answer = client.post(path, body, format="json")
        assert answer.status_code in (200, 202), answer.content
        if answer.status_code == 202:
            jobs.run_job(answer.json()["id"])
        seconds = time.monotonic() - started
    ours = f"{seconds:.1f} s, another writer waits {writer.longest:.2f} s at most"
    return [at_most(f"{images:,} images {what}", ours, f"{MOST_SECONDS:.0f} s", writer.longest / MOST_SECONDS, 1.0)]


def _last(user: Any) -> Any:
    from projects.models import Change

    return Change.objects.filter(changed_by=user).order_by("-pk").first().pk


def main() -> None:
    """Measure with the size of the command line."""
    import os
    import tempfile

    parser = argparse.ArgumentParser(prog="python -m benchmarks.trash", description=__doc__)
    parser.add_argument("--images", type=int, default=IMAGES)
    images = parser.parse_args().images
    with tempfile.TemporaryDirectory(prefix="mlstudio-bench-trash-") as folder:
        os.environ["MLSTUDIO_DATA_DIR"] = folder
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlstudio.settings")
        os.environ.setdefault("MLSTUDIO_LOG_LEVEL", "WARNING")
        print(table(run(Path(folder), images)))


if __name__ == "__main__":
    main()
