"""Algorithms at the size where a square shows: CPU seconds against a budget.

`python -m benchmarks scale`, or with other sizes `python -m benchmarks.scale --near-duplicates 20000`.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.rows import Row, table

NEAR_DUPLICATES, OUTCOMES, IDS = 50_000, 50_000, 10_000
# Seconds of one core for those sizes; other sizes get their share of them, for the work should grow with its size.
BUDGETS = {"near-duplicates": 10.0, "curves": 1.0, "images behind the errors": 1.0, "labels in bulk": 8.0}
CLASSES = 10


def run(folder: Path, near_duplicates: int = NEAR_DUPLICATES, outcomes: int = OUTCOMES, ids: int = IDS) -> list[Row]:
    rows = [
        _within("near-duplicates", near_duplicates, NEAR_DUPLICATES, _group_images_of_one_scene(near_duplicates)),
        _within("curves", outcomes, OUTCOMES, _curves(outcomes)),
        _within("images behind the errors", outcomes, OUTCOMES, _images_behind(outcomes)),
        _within("labels in bulk", ids, IDS, _bulk(ids)),
    ]
    return rows


def _within(what: str, size: int, usual: int, work: Callable[[], object]) -> Row:
    budget = BUDGETS[what] * size / usual
    started = time.process_time()
    work()
    seconds = time.process_time() - started
    goal = "within its budget"
    return Row(
        f"{size:,} {what}", f"{seconds:.2f} CPU s", f"{budget:.2f} CPU s", seconds / budget, goal, seconds <= budget
    )


def _group_images_of_one_scene(count: int) -> Callable[[], object]:
    """Hashes of a fixed camera: a few bits differ."""
    from vision.imaging.near_duplicates import near_duplicate_groups

    generator = np.random.default_rng(1)
    bits = np.tile(generator.integers(0, 2, 256, dtype=np.uint8), (count, 1))
    for row in bits:
        row[generator.choice(256, 4, replace=False)] ^= 1
    hashes = [np.packbits(row).tobytes().hex() for row in bits]
    return lambda: near_duplicate_groups(hashes)


def _answers(count: int) -> tuple[np.ndarray, np.ndarray, list[str]]:
    generator = np.random.default_rng(2)
    truth = generator.integers(0, CLASSES, count)
    logits = generator.normal(size=(count, CLASSES)) + 1.5 * np.eye(CLASSES)[truth]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return probabilities.astype(np.float32), truth, [f"label-{number}" for number in range(CLASSES)]


def _curves(count: int) -> Callable[[], object]:
    from vision.analysis.curves import classifier_curves

    probabilities, truth, names = _answers(count)
    return lambda: classifier_curves(probabilities, truth, names)


def _images_behind(count: int) -> Callable[[], object]:
    import django

    django.setup()
    from inference.evaluation.result_rows import label_images
    from vision.analysis.predictions import ClassifierPredictions

    probabilities, truth, names = _answers(count)
    found = ClassifierPredictions([str(number) for number in range(count)], truth, probabilities, names)
    return lambda: label_images(found, {"outcome": "wrong"})


def _bulk(count: int) -> Callable[[], object]:
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from rest_framework.test import APIClient

    from benchmarks.listing import _fill
    from datasets.models import Image

    call_command("migrate", verbosity=0)
    settings.ALLOWED_HOSTS = ["testserver"]
    user = get_user_model().objects.create_user("bench")
    client = APIClient()
    client.force_authenticate(user)
    dataset = _fill(user, count)
    images = [str(pk) for pk in Image.objects.filter(dataset=dataset).values_list("pk", flat=True)]

    def label_all() -> None:
        body = {"action": "label", "images": images, "label": "label-1"}
        answer = client.post("/api/v1/images/bulk/", body, format="json")
        assert answer.status_code == 200, answer.content

    return label_all


def main() -> None:
    """Measure with the sizes of the command line."""
    import os

    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--near-duplicates", type=int, default=NEAR_DUPLICATES)
    parser.add_argument("--outcomes", type=int, default=OUTCOMES)
    parser.add_argument("--ids", type=int, default=IDS)
    sizes = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mlstudio-bench-scale-") as folder:
        os.environ["MLSTUDIO_DATA_DIR"] = folder
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlstudio.settings")
        os.environ.setdefault("MLSTUDIO_LOG_LEVEL", "WARNING")
        print(table(run(Path(folder), sizes.near_duplicates, sizes.outcomes, sizes.ids)))


if __name__ == "__main__":
    main()
