"""Two snapshots of 100,000 images compared, and pages of 30,000 groups of duplicates among them."""

from __future__ import annotations

import json
import statistics
import time
import uuid
from pathlib import Path

from benchmarks.rows import Row
from benchmarks.search import _insert

IMAGES, GROUPS, REQUESTS = 100_000, 30_000, 10
SPLITS = ("train", "train", "train", "validation", "test")


def run(folder: Path) -> list[Row]:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from rest_framework.test import APIClient

    settings.ALLOWED_HOSTS = ["testserver"]
    user = get_user_model().objects.create_user("bench")
    client = APIClient()
    client.force_authenticate(user)
    dataset, before, after = _fill(user)
    compared = f"/api/v1/snapshots/{after}/compare/"
    asked = {
        f"two snapshots of {IMAGES:,} images": (compared, {"with": before}, 2000),
        **{
            f"a page of the {name}": (f"{compared}images/", {"with": before, "difference": name}, 500)
            for name in ("added", "removed", "relabelled", "moved")
        },
        "a page of a snapshot": (f"/api/v1/snapshots/{after}/images/", {}, 200),
        "a page of a label of a snapshot": (f"/api/v1/snapshots/{after}/images/", {"label": "label 3"}, 200),
        f"counts of {GROUPS:,} groups of duplicates": (f"/api/v1/datasets/{dataset}/duplicates/", {}, 1000),
        "a page of groups": ("/api/v1/duplicate-groups/", {"dataset": dataset, "is_kept": False, "page_size": 20}, 200),
    }
    return [_row(client, what, *wanted) for what, wanted in asked.items()]


def _row(client, what: str, path: str, query: dict, most: int) -> Row:
    times = []
    for _ in range(REQUESTS):
        started = time.perf_counter()
        answer = client.get(path, query)
        times.append(1000 * (time.perf_counter() - started))
        assert answer.status_code == 200, answer.content
    middle = statistics.median(times)
    return Row(f"{what}, median", f"{middle:.0f} ms", "", None, f"< {most} ms", middle < most)


def _fill(user) -> tuple[str, str, str]:
    """One image of 50 is removed, added, relabelled or moved between the snapshots."""
    from datasets.models import Dataset, DuplicateGroup, DuplicateMember, Image, Snapshot, SnapshotImage
    from projects.services import create_project
    from storage.models import Blob

    project = create_project(user=user, name="two snapshots")
    dataset = Dataset.objects.create(project=project, name="d")
    keys = [uuid.UUID(int=number + 1) for number in range(IMAGES)]
    _insert(Blob(size=1), ({Blob._meta.pk.name: key, "sha256": f"{key.int:064x}"} for key in keys))
    empty = Image(dataset=dataset, width=1, height=1, size=1, format="JPEG", phash="0" * 64)
    _insert(empty, ({"id": key, "blob_id": key, "filename": f"{key.int}.jpg"} for key in keys))
    counts = {"images": IMAGES, "splits": {}, "labels": {}}
    made = [
        Snapshot.objects.create(
            project=project,
            dataset=dataset,
            number=number,
            digest="",
            fractions={},
            seed=1,
            counts=counts,
            class_names=[f"label {n}" for n in range(10)],
        )
        for number in (1, 2)
    ]
    for place, snapshot in enumerate(made):
        _insert(SnapshotImage(snapshot=snapshot, annotations=[]), list(_rows(keys, place)))
    groups = [uuid.UUID(int=10**9 + number) for number in range(GROUPS)]
    one = DuplicateGroup(dataset=dataset, is_exact=False, is_leak=False, has_label_conflict=False)
    _insert(one, ({"id": key, "rank": n + 1, "signature": str(n)} for n, key in enumerate(groups)))
    members = [(n, n * 3 + place) for n in range(GROUPS) for place in range(3)]
    _insert(
        DuplicateMember(group_id=groups[0], image_id=keys[0]),
        ({"id": n + 1, "group_id": groups[g], "image_id": keys[i]} for n, (g, i) in enumerate(members)),
    )
    return str(dataset.pk), *(str(snapshot.pk) for snapshot in made)


def _rows(keys: list[uuid.UUID], place: int):
    for number, key in enumerate(keys):
        kind = number % 50 if place else 0
        if (number % 50 == 4 and not place) or kind == 1:
            continue
        label = "label 9" if kind == 2 else f"label {number % 9}"
        split = "test" if kind == 3 else SPLITS[number % 5]
        marks = json.dumps([{"label": label, "box": [1.5, 2.5, 30.25, 40.75]}] * 2)
        yield {
            "id": place * IMAGES + number + 1,
            "blob_id": key,
            "image_key": key,
            "image_id": key,
            "split": split,
            "annotations": marks,
        }
