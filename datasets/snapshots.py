"""Freezing a dataset."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator

from django.db import IntegrityError, transaction
from django.db.models import F

from datasets.errors import DatasetChanged, NothingToSnapshot, SnapshotIsRecord
from datasets.models import Annotation, Dataset, Image, Snapshot, SnapshotImage
from datasets.splits import Candidate, assign_splits
from projects.errors import WorkFailed
from projects.models import Task
from storage.database import by_key

DEFAULT_FRACTIONS = {"train": 0.7, "validation": 0.15, "test": 0.15}
INSERT_CHUNK = 2000


def take_snapshot(*, dataset: Dataset, user, fractions: dict[str, float] | None = None, seed: int = 42) -> Snapshot:
    """Freeze the labelled images of a dataset with a split for each.

    Raises:
        NothingToSnapshot: no image has a confirmed annotation.
    """
    fractions = fractions or DEFAULT_FRACTIONS
    rows = _annotated_images(dataset)
    if not any(row["annotations"] for row in rows):
        raise NothingToSnapshot()
    previous = _previous_splits(dataset, fractions, seed)
    images_of = Counter(name for row in rows for name in _labels_of(row))
    candidates = [
        Candidate(
            key=row["sha256"], phash=row["phash"], label=_rarest(row, images_of), group=row["group"],
            fixed=row["split"], previous=previous.get(row["id"]),
        )
        for row in rows
    ]  # fmt: skip
    splits, facts = assign_splits(candidates, fractions, seed)
    try:
        return _store(dataset, user, fractions, seed, rows, splits, facts)
    except IntegrityError as error:
        raise DatasetChanged() from error


@transaction.atomic
def _store(dataset: Dataset, user, fractions, seed: int, rows: list[dict], splits: list[str], facts: dict) -> Snapshot:
    Dataset.objects.filter(pk=dataset.pk).update(last_snapshot=F("last_snapshot") + 1)
    dataset.refresh_from_db(fields=["last_snapshot"])
    snapshot = Snapshot.objects.create(
        project=dataset.project,
        dataset=dataset,
        number=dataset.last_snapshot,
        digest=_digest(rows, splits),
        fractions=fractions,
        seed=seed,
        class_names=_class_names(dataset, rows),
        counts=_counts(rows, splits) | facts,
        created_by=user,
    )
    SnapshotImage.objects.bulk_create(
        (
            SnapshotImage(
                snapshot=snapshot, image_id=row["id"], image_key=row["id"], blob_id=row["blob_id"], split=split,
                annotations=row["annotations"],
            )
            for row, split in zip(rows, splits, strict=True)
        ),
        batch_size=INSERT_CHUNK,
    )  # fmt: skip
    return snapshot


def _labels_of(row: dict) -> set[str]:
    return {annotation["label"] for annotation in row["annotations"]}


def _rarest(row: dict, images_of: Counter) -> str:
    """The label to stratify by: of an image with several the one that fewest images have; "" for an empty image."""
    return min(_labels_of(row), key=lambda name: (images_of[name], name), default="")


def _annotated_images(dataset: Dataset) -> list[dict]:
    """Images with confirmed annotations, by sha256, as plain rows; for detection also those that show nothing."""
    annotations: dict = {}
    found = Annotation.objects.filter(image__dataset=dataset, confirmed=True).select_related("label").order_by("id")
    for annotation in found.iterator(chunk_size=5000):
        entry = {"label": annotation.label.name}
        if annotation.box is not None:
            entry["box"] = annotation.box
        annotations.setdefault(annotation.image_id, []).append(entry)
    images = Image.objects.filter(dataset=dataset).annotate(sha256=F("blob__sha256"))
    fields = ("id", "blob_id", "sha256", "phash", "group", "split", "reviewed")
    empty_counts = dataset.project.task == Task.DETECTION
    unconfirmed = set(
        Annotation.objects.filter(image__dataset=dataset, confirmed=False).values_list("image_id", flat=True)
    )
    rows = [
        {**row, "annotations": annotations.get(row["id"], [])}
        for row in images.values(*fields).iterator(chunk_size=5000)
        if row["id"] in annotations or (empty_counts and row["reviewed"] and row["id"] not in unconfirmed)
    ]
    return sorted(rows, key=lambda row: row["sha256"])


def _previous_splits(dataset: Dataset, fractions: dict, seed: int) -> dict:
    """Splits of the last snapshot taken the same way, so that a test image stays one while the dataset grows."""
    last = Snapshot.objects.filter(dataset=dataset, fractions=fractions, seed=seed).order_by("-number").first()
    if last is None:
        return {}
    return dict(SnapshotImage.objects.filter(snapshot=last).values_list("image_key", "split").iterator())


def _class_names(dataset: Dataset, rows: list[dict]) -> list[str]:
    used = {annotation["label"] for row in rows for annotation in row["annotations"]}
    return [
        name for name in dataset.project.labels.order_by("order", "id").values_list("name", flat=True) if name in used
    ]


def _counts(rows: list[dict], splits: list[str]) -> dict:
    """Images of each split, images and annotations of each label in each split, and images that show nothing."""
    labels: dict[str, Counter] = {}
    annotations: dict[str, Counter] = {}
    empty = 0
    for row, split in zip(rows, splits, strict=True):
        empty += not row["annotations"]
        for name in _labels_of(row):
            labels.setdefault(name, Counter())[split] += 1
        for annotation in row["annotations"]:
            annotations.setdefault(annotation["label"], Counter())[split] += 1
    return {
        "images": len(rows),
        "empty_images": empty,
        "splits": dict(Counter(splits)),
        "labels": {name: dict(counts) for name, counts in labels.items()},
        "annotations": {name: dict(counts) for name, counts in annotations.items()},
    }


def _digest(rows: list[dict], splits: list[str]) -> str:
    """sha256 over the sorted image hashes with their split and annotations."""
    digest = hashlib.sha256()
    for row, split in zip(rows, splits, strict=True):
        line = json.dumps([row["sha256"], split, row["annotations"]], sort_keys=True, ensure_ascii=False)
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()


def current_snapshot(*, dataset: Dataset, user) -> Snapshot:
    """The last snapshot when nothing has changed since, else a new one taken with its settings."""
    last = Snapshot.objects.filter(dataset=dataset).order_by("-number").first()
    fractions, seed = (last.fractions, last.seed) if last else (DEFAULT_FRACTIONS, 42)
    rows = _annotated_images(dataset)
    if last is not None and rows:
        frozen = last.images.values_list("image_key", "split", "annotations")
        splits = {key: split for key, split, _ in frozen.iterator()}
        if (
            set(splits) == {row["id"] for row in rows}
            and _digest(rows, [splits[row["id"]] for row in rows]) == last.digest
        ):
            return last
    return take_snapshot(dataset=dataset, user=user, fractions=fractions, seed=seed)


def require_images(snapshot: Snapshot) -> None:
    """Raises `SnapshotIsRecord` when its dataset was deleted."""
    if not snapshot.has_images:
        raise SnapshotIsRecord()


def iterate_images(snapshot: Snapshot, split: str) -> Iterator[SnapshotImage]:
    """The images of one split in a fixed order, with their blobs. Raises `WorkFailed` when they were deleted."""
    if not snapshot.has_images:
        raise WorkFailed("snapshot_deleted", "The dataset was deleted meanwhile with the images of its snapshots.")
    return by_key(snapshot.images.filter(split=split).select_related("blob"))


def is_classification(snapshot: Snapshot) -> bool:
    return snapshot.project.task == Task.CLASSIFICATION
