"""Deleting a project, a dataset and a label of many images, and changing as many as one request may: how long, and how
long others wait meanwhile to write.

`python -m benchmarks removal`, or with another size `python -m benchmarks.removal --images 20000`.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.rows import Row, at_most, table

IMAGES = 150_000
MOST_SECONDS = 1.0
BULK = 10_000


def run(folder: Path, images: int = IMAGES) -> list[Row]:
    import django

    django.setup()
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.TRASH_DAYS = 0  # for good, which is what takes long
    user = get_user_model().objects.create_user("bench")
    return [
        *_measure(user, images, "project", lambda dataset, label: f"projects/{dataset.project_id}/?force=true"),
        *_measure(user, images + 5, "dataset", lambda dataset, label: f"datasets/{dataset.pk}/?force=true"),
        *_measure(
            user,
            images + 10,
            "label with its images",
            lambda dataset, label: f"projects/{dataset.project_id}/labels/{label.pk}/?images=delete",
        ),
        *_bulk(user),
    ]


def _measure(user, images: int, what: str, path_of: Callable) -> list[Row]:
    from rest_framework.test import APIClient

    from benchmarks.listing import _fill
    from datasets.models import Annotation, Image, Label
    from datasets.snapshots import take_snapshot
    from jobs import services as jobs
    from projects import removal
    from projects.models import Project

    removal.messages.send = lambda task, queue: None
    dataset = _fill(user, images)
    Project.objects.filter(pk=dataset.project_id).update(image_count=images, dataset_count=1)
    label = Label.objects.filter(project=dataset.project).first()
    if what.startswith("label"):
        Annotation.objects.filter(label__project=dataset.project).update(label=label)
    else:
        take_snapshot(dataset=dataset, user=user, fractions={"train": 0.8, "validation": 0.1, "test": 0.1}, seed=1)
    client = APIClient()
    client.force_authenticate(user)
    with _Writer(user) as writer:
        started = time.monotonic()
        answer = client.delete(f"/api/v1/{path_of(dataset, label)}")
        answered = time.monotonic() - started
        assert answer.status_code in (202, 204), answer.content
        if answer.status_code == 202:
            jobs.run_job(answer.json()["id"])
        while removal.remove_projects():
            pass
        gone = time.monotonic() - started
    unlabelled = (images + 9) // 10 if what.startswith("label") else 0
    assert Image.objects.filter(dataset=dataset).count() == unlabelled
    name = f"another writer while a {what} of {images:,} images goes"
    ours = f"{writer.longest:.2f} s at most, {writer.count:,} writes"
    return [
        Row(f"a {what} of {images:,} images", f"answered in {answered:.2f} s", f"rows gone after {gone:.0f} s"),
        at_most(name, ours, f"{MOST_SECONDS:.0f} s", writer.longest / MOST_SECONDS, 1.0),
    ]


def _bulk(user) -> list[Row]:
    """The bulk actions that write most, on as many images as one request may name."""
    from rest_framework.test import APIClient

    from benchmarks.listing import _fill
    from datasets.models import Image, Label
    from projects.models import Project

    dataset = _fill(user, BULK)
    Project.objects.filter(pk=dataset.project_id).update(image_count=BULK, dataset_count=1)
    ids = [str(pk) for pk in Image.objects.filter(dataset=dataset).values_list("pk", flat=True)]
    label = Label.objects.filter(project=dataset.project).first()
    client = APIClient()
    client.force_authenticate(user)
    rows = []
    for action, options in (("label", {"label": str(label.pk)}), ("delete", {})):
        with _Writer(user) as writer:
            started = time.monotonic()
            answer = client.post("/api/v1/images/bulk/", {"action": action, "images": ids, **options}, format="json")
            seconds = time.monotonic() - started
            assert sum(answer.json()[name] for name in ("changed", "unchanged")) == BULK, answer.content
        ours = f"{writer.longest:.2f} s at most, answered in {seconds:.1f} s"
        name = f"another writer while one request does {action!r} with {BULK:,} images"
        rows.append(at_most(name, ours, f"{MOST_SECONDS:.0f} s", writer.longest / MOST_SECONDS, 1.0))
    return rows


class _Writer:
    """Another user, who writes a small row again and again and notes the longest time that one took."""

    def __init__(self, user) -> None:
        from projects.services import create_project

        self._project = create_project(user=user, name="other")
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._write)
        self.longest, self.count = 0.0, 0

    def __enter__(self) -> _Writer:
        self._thread.start()
        return self

    def __exit__(self, *error) -> None:
        self._is_over.set()
        self._thread.join(60)

    def _write(self) -> None:
        from django.db import connection

        from projects.models import Project

        while not self._is_over.wait(0.02):
            started = time.monotonic()
            Project.objects.filter(pk=self._project.pk).update(description=str(self.count))
            self.longest = max(self.longest, time.monotonic() - started)
            self.count += 1
        connection.close()


def main() -> None:
    """Measure with the size of the command line."""
    import os
    import tempfile

    parser = argparse.ArgumentParser(prog="python -m benchmarks.removal", description=__doc__)
    parser.add_argument("--images", type=int, default=IMAGES)
    images = parser.parse_args().images
    with tempfile.TemporaryDirectory(prefix="mlstudio-bench-removal-") as folder:
        os.environ["MLSTUDIO_DATA_DIR"] = folder
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlstudio.settings")
        os.environ.setdefault("MLSTUDIO_LOG_LEVEL", "WARNING")
        print(table(run(Path(folder), images)))


if __name__ == "__main__":
    main()
