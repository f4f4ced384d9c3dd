"""The map of a project of 100,000 images: its points over HTTP, and in Chromium."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.listing import _fill
from benchmarks.rows import Row, percentile
from tests.real_data import WEIGHTS
from tests.studio import ROOT, Studio

NAME, PASSWORD = "mia", "a long pass phrase"
IMAGES, FEATURES, CHUNK = 100_000, 1856, 5000
REPEATS = 5


def run(folder: Path) -> list[Row]:
    if not WEIGHTS.exists():
        return [Row("the map of 100,000 images", "not measured: no weights here", "")]
    os.environ["MLSTUDIO_WEIGHTS_DIR"] = str(WEIGHTS)
    subprocess.run([sys.executable, "frontend/build.py"], cwd=ROOT, check=True)
    project = _filled()
    studio = Studio(folder / "data", web_processes=min(4, os.cpu_count() or 1)).start()
    try:
        token = studio.call("POST", "auth/login/", json={"username": NAME, "password": PASSWORD})["token"]
        studio.client.headers["Authorization"] = f"Token {token}"
        rows = [_points(studio, project)]
        found = _measured(folder, studio.url, f"/projects/{project}/review/map")
    finally:
        studio.stop()
    what = f"map of {IMAGES:,} images in Chromium"
    for name, title in (
        ("opened", "opened until it is painted"),
        ("moved", "moved"),
        ("drawn", "a line around images"),
    ):
        values = found.get(name, [])
        ours = f"{statistics.median(values):.0f} ms, p95 {percentile(values, 95):.0f} ms" if values else "not measured"
        rows.append(Row(f"{what}, {title}", ours, "pointer to paint" if name != "opened" else ""))
    return rows


def _filled() -> str:
    """A project with features of all images and a map of them, both made up. Returns its id."""
    import django

    django.setup()
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.db import connections
    from django.utils import timezone

    from datasets.models import Image
    from inference.embeddings.embedders import embedder_for
    from inference.embeddings.stores import halves_of, store_for
    from inference.feature_map.files import FeatureMap, write_map
    from vision.analysis.feature_map import Layout
    from vision.analysis.principal import Principal

    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    call_command("migrate", verbosity=0)
    user = get_user_model().objects.create_user(NAME, f"{NAME}@example.com", PASSWORD)
    dataset = _fill(user, IMAGES)
    project = dataset.project
    type(project).objects.filter(pk=project.pk).update(image_count=IMAGES, dataset_count=1)
    keys = list(Image.objects.filter(dataset=dataset).order_by("pk").values_list("pk", flat=True))
    generator = np.random.default_rng(0)
    embedder = embedder_for(project)
    store = store_for(project, embedder, FEATURES)
    for start in range(0, IMAGES, CHUNK):
        store.append(keys[start : start + CHUNK], generator.normal(0, 1, (CHUNK, FEATURES)).astype(np.float32))
    # In clouds, as real ones are.
    middles = generator.uniform(8_000, 57_000, (20, 2))[generator.integers(0, 20, IMAGES)]
    positions = np.clip(middles + generator.normal(0, 2_500, (IMAGES, 2)), 0, 65_535).astype(np.uint16)
    ids = halves_of(keys)
    nothing = np.zeros((1, 2), np.float32)
    layout = Layout(Principal(np.zeros(FEATURES, np.float32), np.zeros((FEATURES, 2), np.float32)), nothing, nothing)
    made = FeatureMap(ids, positions, timezone.now().isoformat(), IMAGES, store.count)
    write_map(project, embedder, made, layout)
    connections.close_all()
    return str(project.pk)


def _points(studio: Studio, project: str) -> Row:
    times, size = [], 0
    for _ in range(REPEATS):
        started = time.perf_counter()
        answer = studio.client.get(f"projects/{project}/map/points/")
        times.append(1000 * (time.perf_counter() - started))
        assert answer.json()["count"] == IMAGES
        size = len(answer.content)
    return Row(
        f"points of a map of {IMAGES:,} images over HTTP", f"{statistics.median(times):.0f} ms", f"{size:,} bytes"
    )


def _measured(folder: Path, url: str, address: str) -> dict[str, list[float]]:
    asked, answered = folder / "plan.json", folder / "result.json"
    asked.write_text(json.dumps({"name": NAME, "password": PASSWORD, "map": address}))
    environment = {**os.environ, "MEASURE_URL": url, "MEASURE_PLAN": str(asked), "MEASURE_RESULT": str(answered)}
    subprocess.run([sys.executable, "frontend/check.py", "--measure", "map"], cwd=ROOT, env=environment, check=False)
    return json.loads(answered.read_text()) if answered.exists() else {}
