"""Freezing a dataset."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError
from django.db.models import F

from datasets.alike import near_by_features
from datasets.errors import DatasetChanged, NothingToSnapshot, SnapshotIsRecord
from datasets.locking import lock_datasets
from datasets.models import Annotation, Dataset, Image, NearDuplicates, Snapshot, SnapshotImage
from datasets.natural_order import natural_key
from datasets.splits import Candidate, assign_splits
from jobs.errors import WorkFailed
from jobs.models import ENDED, Job
from projects.consistent_reads import consistent_read
from projects.models import Project, Task
from storage.database import atomic_again, by_key

DEFAULT_FRACTIONS = {"train": 0.7, "validation": 0.15, "test": 0.15}
INSERT_CHUNK = 2000
WAITING = "suggestions_wait"
ALL_WAIT = (
    "All images with {boxes} have suggestions that wait for a decision. Confirm or reject them first: what is missing "
    "would teach {nothing}."
)
STILL_IMPORTING = "The dataset has no labelled images yet: an import into it waits or runs. Try again when it is over."


def take_snapshot(
    *,
    dataset: Dataset,
    user: User | None,
    fractions: dict[str, float] | None = None,
    seed: int = 42,
    labels: Container[str] | None = None,
) -> Snapshot:
    """Freeze the labelled images of a dataset with a split for each.

    Args:
        labels: names of the only labels that count; images with others alone are left out.

    Raises:
        NothingToSnapshot: no image has a confirmed annotation.
    """
    fractions = fractions or DEFAULT_FRACTIONS
    with consistent_read():
        dataset.refresh_from_db(fields=["near_duplicates"])
        rows, waiting = _annotated_images(dataset)
        rows = rows if labels is None else list(_with_labels(rows, labels))
        last = Snapshot.objects.filter(dataset=dataset, fractions=fractions, seed=seed).order_by("-number").first()
        previous = _previous_splits(last)
    if not any(row["annotations"] for row in rows):
        reason = STILL_IMPORTING if _is_importing(dataset) else None
        raise NothingToSnapshot(ALL_WAIT.format(**_words(dataset.project)) if waiting else reason)
    parting = {} if last is None else last.counts.get("near_duplicates", {})
    images_of = Counter(name for row in rows for name in _labels_of(row))
    candidates = [
        Candidate(
            key=row["sha256"],
            phash=row["phash"],
            label=rarest_label(_labels_of(row), images_of),
            group=row["group"],
            fixed=row["split"],
            previous=previous.get(row["id"]),
            name=row["filename"],
        )
        for row in rows
    ]
    splits, facts = assign_splits(
        candidates,
        fractions,
        seed,
        dataset.near_duplicates,
        previous_bits=parting.get("limit_bits") if parting.get("parted_images") else None,
        is_previous_parted=bool(parting),
        alike=near_by_features(dataset.project, [row["id"] for row in rows])
        if dataset.near_duplicates == NearDuplicates.FEATURES
        else None,
        labels=[_labels_of(row) for row in rows] if dataset.project.kind is Task.MULTILABEL else None,
    )
    facts["remarks"] += _remarks_on_waiting(waiting, dataset.project)
    for row, is_chosen in zip(rows, facts.pop("chosen"), strict=True):
        row["is_chosen"] = is_chosen
    try:
        return _store(dataset, user, fractions, seed, rows, splits, facts)
    except IntegrityError as error:
        raise DatasetChanged() from error


@atomic_again
def _store(
    dataset: Dataset,
    user: User | None,
    fractions: dict[str, float],
    seed: int,
    rows: list[dict],
    splits: list[str],
    facts: dict,
) -> Snapshot:
    same = Dataset.objects.filter(pk=dataset.pk, project=dataset.project_id)
    if not same.update(last_snapshot=F("last_snapshot") + 1):
        raise DatasetChanged()  # it was deleted
    dataset.refresh_from_db(fields=["last_snapshot"])
    snapshot = Snapshot.objects.create(
        project=dataset.project,
        dataset=dataset,
        number=dataset.last_snapshot,
        digest=_digest(rows, splits, facts["near_duplicates"]["mode"]),
        fractions=fractions,
        seed=seed,
        class_names=_class_names(dataset, rows),
        counts=_counts(rows, splits) | facts,
        created_by=user,
    )
    SnapshotImage.objects.bulk_create(
        (
            SnapshotImage(
                snapshot=snapshot,
                image_id=row["id"],
                image_key=row["id"],
                blob_id=row["blob_id"],
                split=split,
                annotations=row["annotations"],
                is_chosen=row["is_chosen"],
            )
            for row, split in zip(rows, splits, strict=True)
        ),
        batch_size=INSERT_CHUNK,
    )
    return snapshot


def _with_labels(rows: Iterable[dict], labels: Container[str]) -> Iterator[dict]:
    for row in rows:
        kept = [annotation for annotation in row["annotations"] if annotation["label"] in labels]
        if kept or not row["annotations"]:
            yield {**row, "annotations": kept}


def _is_importing(dataset: Dataset) -> bool:
    unfinished = Job.objects.filter(project=dataset.project_id, kind="import").exclude(state__in=ENDED)
    return unfinished.filter(parameters__dataset=str(dataset.pk)).exists()


def _labels_of(row: dict) -> set[str]:
    return {annotation["label"] for annotation in row["annotations"]}


def rarest_label(names: Iterable[str], images_of: Mapping[str, int]) -> str:
    """The label to stratify by: of an image with several the one that fewest images have; "" for an empty image."""
    return min(names, key=lambda name: (images_of[name], name), default="")


def _words(project: Project) -> dict[str, str]:
    """What images have, and what those learn that have it and are not labelled so."""
    if project.kind.has_boxes:
        return {"boxes": "boxes", "nothing": "background"}
    return {"boxes": "labels", "nothing": "that they are not there"}


def _remarks_on_waiting(count: int, project: Project) -> list[dict]:
    if not count:
        return []
    words = _words(project)
    images = f"1 image with {words['boxes']} is" if count == 1 else f"{count:,} images with {words['boxes']} are"
    detail = (
        f"{images} left out, where other suggestions wait for a decision: missing {words['boxes']} would teach "
        f"{words['nothing']}. Confirm or reject them."
    )
    return [{"code": WAITING, "detail": detail}]


def _annotated_images(dataset: Dataset) -> tuple[list[dict], int]:
    """Images with confirmed annotations, by sha256, as plain rows; where the task knows images that show nothing, also
    those that were looked at and have none.

    Of an image that nobody has looked at as a whole, such as where only boxes with high scores were confirmed, some
    boxes are still missing. It is left out while its suggestions wait. Returns also how many such images there are.

    The images come first: what is annotated meanwhile can then not turn into one that shows nothing.
    """
    fields = ("id", "blob_id", "sha256", "phash", "group", "split", "reviewed", "filename")
    images = Image.objects.filter(dataset=dataset).annotate(sha256=F("blob__sha256"))
    rows = list(images.values(*fields).iterator(chunk_size=5000))
    annotations: dict = {}
    unconfirmed = set()
    saved = Annotation.objects.filter(image__dataset=dataset).select_related("label").order_by("id")
    for annotation in saved.iterator(chunk_size=5000):
        if not annotation.confirmed:
            unconfirmed.add(annotation.image_id)
            continue
        entry: dict[str, Any] = {"label": annotation.label.name}
        if annotation.box is not None:
            entry["box"] = annotation.box
        annotations.setdefault(annotation.image_id, []).append(entry)
    can_be_empty = dataset.project.kind.can_be_empty
    waiting = {row["id"] for row in rows if can_be_empty and row["id"] in unconfirmed and not row["reviewed"]}
    taken = [
        {**row, "annotations": annotations.get(row["id"], [])}
        for row in rows
        if (row["id"] in annotations and row["id"] not in waiting)
        or (can_be_empty and row["reviewed"] and row["id"] not in unconfirmed)
    ]
    return sorted(taken, key=lambda row: row["sha256"]), len(waiting & set(annotations))


def _previous_splits(last: Snapshot | None) -> dict:
    """Splits of the last snapshot taken the same way, so that a test image stays one while the dataset grows.

    What a user chose is no choice of ours: taken back, it is forgotten. And so is a snapshot with nothing to test with,
    for no training can have used it.
    """
    if last is None or not _has_all_splits(last):
        return {}
    rows = SnapshotImage.objects.filter(snapshot=last, is_chosen=False)
    return dict(rows.values_list("image_key", "split").iterator())


def _class_names(dataset: Dataset, rows: list[dict]) -> list[str]:
    """The labels in use: as the user arranged them, else in natural order (2 before 10)."""
    used = {annotation["label"] for row in rows for annotation in row["annotations"]}
    labels = list(dataset.project.labels.order_by("order", "id").values_list("id", "name"))
    names = [name for _, name in labels if name in used]
    is_arranged = labels != sorted(labels)
    return names if is_arranged else sorted(names, key=natural_key)


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


def _digest(rows: list[dict], splits: list[str], near_duplicates: str) -> str:
    """sha256 over the sorted image hashes with their split, annotations, and what the user said of the split."""
    digest = hashlib.sha256()
    if near_duplicates != NearDuplicates.STRICT:
        digest.update(f"near_duplicates={near_duplicates}\n".encode())
    for row, split in zip(rows, splits, strict=True):
        chosen = [row["group"], row["split"]] if row["group"] or row["split"] else []
        line = json.dumps([row["sha256"], split, row["annotations"], *chosen], sort_keys=True, ensure_ascii=False)
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()


def current_snapshot(*, dataset: Dataset, user: User | None) -> Snapshot:
    """The last snapshot when nothing has changed since, else a new one taken with its settings."""
    last = Snapshot.objects.filter(dataset=dataset).order_by("-number").first()
    if last is None:
        return take_snapshot(dataset=dataset, user=user)
    if _is_usable(last) and _is_current(dataset, last):
        return last
    return take_snapshot(dataset=dataset, user=user, fractions=last.fractions, seed=last.seed)


def _is_current(dataset: Dataset, last: Snapshot) -> bool:
    with consistent_read():
        dataset.refresh_from_db(fields=["near_duplicates"])
        rows, waiting = _annotated_images(dataset)
        splits = dict(last.images.values_list("image_key", "split").iterator())
    said = [remark for remark in last.counts.get("remarks", ()) if remark["code"] == WAITING]
    if not rows or set(splits) != {row["id"] for row in rows} or said != _remarks_on_waiting(waiting, dataset.project):
        return False
    return _digest(rows, [splits[row["id"]] for row in rows], dataset.near_duplicates) == last.digest


def _is_usable(last: Snapshot) -> bool:
    """Snapshots from before groups were parted may have nothing to test with: such a one is taken again."""
    return _has_all_splits(last) or "near_duplicates" in last.counts


def _has_all_splits(snapshot: Snapshot) -> bool:
    return all(snapshot.counts["splits"].get(split) for split, share in snapshot.fractions.items() if share)


def require_images(snapshot: Snapshot) -> None:
    """Raises `SnapshotIsRecord` when its dataset was deleted."""
    if not snapshot.has_images:
        raise SnapshotIsRecord()


def hold_images(snapshot: Snapshot) -> None:
    """Nobody deletes the snapshot's dataset, and its images with it, until the caller's transaction ends.

    Raises `SnapshotIsRecord`.
    """
    if snapshot.dataset_id is None or not lock_datasets([snapshot.dataset_id]):
        raise SnapshotIsRecord()


def iterate_images(snapshot: Snapshot, split: str) -> Iterator[SnapshotImage]:
    """The images of one split in a fixed order, with their blobs. Raises `WorkFailed` when they were deleted."""
    if not snapshot.has_images:
        raise WorkFailed("snapshot_deleted", "The dataset was deleted meanwhile with the images of its snapshots.")
    return by_key(snapshot.images.filter(split=split).select_related("blob"))
