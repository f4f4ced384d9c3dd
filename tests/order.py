"""The order in which files go to the next free worker: what takes long comes first, so that none waits at the end."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

# Seconds of CPU that files took, with all their processes, where it was more than ten; a new one is guessed by its
# markers. They decide nothing but the order, so nobody needs to keep them exact.
SECONDS = {
    "test_studio": 200, "test_keras_retinanet": 140, "test_schema": 130, "test_engine": 85, "test_detection": 80,
    "test_exports": 60, "test_hostile_values": 60, "test_uploads": 55, "test_agent": 55, "test_real_data": 50,
    "test_videos": 30, "test_backups": 30, "test_trainings": 30, "test_deployment": 25, "test_boxes": 20,
    "test_improving": 20, "test_storage": 20, "test_labelling_beside_jobs": 15, "test_batches": 15,
    "test_import_kinds": 12, "test_rollouts_agents": 12,
}  # fmt: skip
LONG, SLOW = 20, 1


def long_files_first(items: list[pytest.Item]) -> None:
    guessed: dict[Path, int] = defaultdict(int)
    for item in items:
        guessed[item.path] += LONG * ("long" in item.keywords) + SLOW * ("slow" in item.keywords)
    # Stable: files of the same weight, and the tests in a file, keep their random order.
    items.sort(key=lambda item: -SECONDS.get(item.path.stem, min(guessed[item.path], min(SECONDS.values()))))
