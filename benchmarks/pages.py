"""The pages as a person meets them, in Chromium: a gallery of a million, labels, boxes, suggestions, dropped files."""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from PIL import Image

from benchmarks.listing import LARGE, _fill, sha256_of
from benchmarks.rows import Row, percentile
from tests.pictures import jpeg
from tests.studio import ROOT, Studio

NAME, PASSWORD = "mia", "a long pass phrase"
CROWDS = (500, 2000)
# Where the gallery of a million is jumped to, as shares of the way through it; images around them have thumbnails.
PLACES = [0.13, 0.3, 0.47, 0.64, 0.81]
AROUND, DRAWINGS = 700, 40
SIZE = (1280, 960)
# What is measured → which figure of its values counts, its limit, and the unit.
GOALS: dict[str, tuple[str, float, str]] = {
    "jump to any place, until placeholders": ("median", 300, "ms"),
    "jump to any place, until names and labels": ("median", 0, "ms"),
    "jump to any place, until thumbnails": ("median", 800, "ms"),
    "nodes of the page": ("largest", 1500, ""),
    "frame while scrolling": ("p95", 20, "ms"),
    "the last image by End": ("median", 800, "ms"),
    "click on a facet": ("median", 500, "ms"),
    "key to the next image": ("median", 100, "ms"),
    "100 labels by a program, seconds": ("median", 60, "s"),
    "undo after a reload, until the page says so": ("median", 500, "ms"),
    "pointer to paint with 0 boxes": ("median", 0, "ms"),
    "pointer to paint with 500 boxes": ("median", 16, "ms"),
    "pointer to paint with 2000 boxes": ("median", 33, "ms"),
    "20 boxes by a program until saved, seconds": ("median", 40, "s"),
    "suggestion to the next": ("median", 100, "ms"),
    "99 suggestions by a program, seconds": ("median", 90, "s"),
    "1,000 files dropped, until they are listed": ("median", 500, "ms"),
    "memory of scripts while 1,000 files go, MiB": ("largest", 200, "MiB"),
    "1,000 files until they are here, seconds": ("median", 0, "s"),
    "gallery opened until its thumbnails are there": ("median", 1500, "ms"),
}
FIGURES: dict[str, Callable[[list[float]], float]] = {
    "median": statistics.median,
    "p95": lambda values: percentile(values, 95),
    "largest": max,
}


def run(folder: Path) -> list[Row]:
    subprocess.run([sys.executable, "frontend/build.py"], cwd=ROOT, check=True)
    plan = _filled()
    studio = Studio(folder / "data", web_processes=min(4, os.cpu_count() or 1)).start()  # the default of `make run`
    try:
        plan |= _with_images(studio)
        found = _measured(folder, studio.url, plan)
    finally:
        studio.stop()
    return [_row(what, found.get(what, [])) for what in GOALS]


def _row(what: str, values: list[float]) -> Row:
    figure, limit, unit = GOALS[what]
    if not values:
        return Row(what, "not measured", "", goal=f"≤ {limit:g} {unit}", reached=False)
    value = FIGURES[figure](values)
    ours = f"{value:.4g} {unit}, {figure} of {len(values)}"
    if not limit:
        return Row(what, ours, "")
    return Row(what, ours, "", goal=f"≤ {limit:g} {unit}", reached=value <= limit)


def _filled() -> dict:
    """A user with a project of a million rows without files."""
    import django

    django.setup()
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.db import connections

    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    call_command("migrate", verbosity=0)
    user = get_user_model().objects.create_user(NAME, f"{NAME}@example.com", PASSWORD)
    dataset = _fill(user, LARGE)
    type(dataset.project).objects.filter(pk=dataset.project_id).update(image_count=LARGE, dataset_count=1)
    connections.close_all()
    _draw(PLACES)
    return {"name": NAME, "password": PASSWORD, "million": str(dataset.project_id), "places": PLACES}


def _draw(shares: list[float]) -> None:
    """Thumbnails, as an import makes them, of the images around these places of a gallery with the newest first."""
    from datasets.thumbnails import OPTIONS, SIZES, thumbnail_path

    def small(image: Image.Image, size: int) -> bytes:
        content = BytesIO()
        copy = image.copy()
        copy.thumbnail((size, size))
        copy.save(content, "JPEG", **OPTIONS["jpeg"])
        return content.getvalue()

    drawn = []
    for number in range(DRAWINGS):
        with Image.open(BytesIO(jpeg(number, SIZE))) as image:
            drawn.append({size: small(image, size) for size in SIZES})
    for share in shares:
        first = LARGE - round(share * LARGE) - AROUND
        for n in range(max(first, 0), min(first + 2 * AROUND, LARGE)):
            for size, content in drawn[n % DRAWINGS].items():
                path = thumbnail_path(sha256_of(n, LARGE), size)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)


def _with_images(studio: Studio) -> dict:
    answer = studio.call("POST", "auth/login/", json={"username": NAME, "password": PASSWORD})
    studio.client.headers["Authorization"] = f"Token {answer['token']}"
    labels, _ = _project(studio, "labels", "classification", 130)
    review, images = _project(studio, "review", "classification", 100)
    boxes, crowded = _project(studio, "boxes", "detection", len(CROWDS) + 1)
    _suggest(images)
    drawn = [{"image": crowded[0], "boxes": 0}]
    for image, count in zip(crowded[1:], CROWDS, strict=True):
        studio.call("PUT", f"images/{image}/annotations/", json=_boxes(count))
        drawn.append({"image": image, "boxes": count})
    drop, _ = _project(studio, "drop", "classification", 0)
    return {"labels": labels, "review": review, "boxes": boxes, "crowded": drawn, "drop": drop}


def _project(studio: Studio, name: str, task: str, images: int) -> tuple[str, list[str]]:
    project = studio.call("POST", "projects/", json={"name": name, "task": task})["id"]
    dataset = studio.call("POST", "datasets/", json={"project": project, "name": "d"})["id"]
    for label in ("a", "b", "c"):
        studio.call("POST", f"projects/{project}/labels/", json={"name": label})
    ids: list[str] = []
    for start in range(0, images, 20):
        numbers = range(start, min(images, start + 20))
        files = [("files", (f"{name}-{n}.jpg", jpeg(hash((name, n)) % 10**6, SIZE), "image/jpeg")) for n in numbers]
        ids += [one["id"] for one in studio.call("POST", f"datasets/{dataset}/images/", files=files)["created"]]
    return project, ids


def _boxes(count: int) -> list[dict]:
    generator = random.Random(count)
    boxes = []
    for n in range(count):
        x, y = generator.uniform(0, SIZE[0] - 60), generator.uniform(0, SIZE[1] - 60)
        box = [x, y, x + generator.uniform(10, 55), y + generator.uniform(10, 55)]
        boxes.append({"label": "abc"[n % 3], "box": box})
    return boxes


def _suggest(images: list[str]) -> None:
    """As a model does: one label on each image that nobody has confirmed."""
    from datasets.gallery.keeping import settle
    from datasets.models import Annotation, Image, Label, Origin

    rows = list(Image.objects.filter(pk__in=images).select_related("dataset"))
    label = Label.objects.filter(project=rows[0].dataset.project_id).order_by("name").first()
    Annotation.objects.bulk_create(
        Annotation(image=row, label=label, origin=Origin.MODEL, score=0.5 + n / 300, confirmed=False)
        for n, row in enumerate(rows)
    )
    settle([row.pk for row in rows])


def _measured(folder: Path, url: str, plan: dict) -> dict[str, list[float]]:
    asked, answered = folder / "plan.json", folder / "result.json"
    asked.write_text(json.dumps(plan))
    environment = {**os.environ, "MEASURE_URL": url, "MEASURE_PLAN": str(asked), "MEASURE_RESULT": str(answered)}
    command = [sys.executable, "frontend/check.py", "--measure", "interactions"]
    subprocess.run(command, cwd=ROOT, env=environment, check=False)
    return json.loads(answered.read_text()) if answered.exists() else {}
