"""Images that are there twice, and images on both sides of a split."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.contrib.auth.models import User

from datasets.alike import near_by_features, with_alike
from datasets.duplicate_groups.keeping import replace_groups
from datasets.grouping import LIMITS, Candidate, group_within
from datasets.models import Dataset, Image, NearDuplicates, Snapshot, SnapshotImage
from datasets.selectors import live_datasets
from datasets.snapshots import rarest_label
from jobs.context import JobContext
from jobs.contracts import JobParameters, JobResult
from jobs.errors import WorkFailed
from jobs.models import Job, JobKind
from jobs.queues import queue_for
from jobs.services import enqueue_job, handles
from vision.imaging.near_duplicates import NEAR_DUPLICATE_MAX_BITS, is_near, unique_words

MOST_GROUPS = 200


@dataclass(frozen=True)
class DuplicatesParameters(JobParameters, kind=JobKind.DUPLICATES):
    dataset: str
    whole_project: bool = False
    max_bits: int | None = None
    by_features: bool = False


@dataclass(frozen=True)
class DuplicatesResult(JobResult):
    images: int
    groups: int
    leaks: int
    label_conflicts: int
    limit_bits: int | None
    remarks: list[dict]
    first_groups: list[dict]


def start_duplicates(
    *,
    dataset: Dataset,
    user: User,
    whole_project: bool = False,
    max_bits: int | None = None,
    by_features: bool = False,
) -> Job:
    """Make the job that looks for near-duplicates in a dataset, or in all datasets of its project.

    Args:
        max_bits: in how many bits of 256 they may differ; None: as the splits of the dataset see them.
        by_features: look by the features of the images, too, as splits do where the dataset asks for it.
    """
    parameters = DuplicatesParameters(str(dataset.pk), whole_project, max_bits, by_features)
    count = dataset.project.image_count if whole_project else dataset.image_count
    return enqueue_job(project=dataset.project, user=user, parameters=parameters, queue=queue_for(images=count))


@handles(DuplicatesParameters)
def find_duplicates(context: JobContext[DuplicatesParameters]) -> DuplicatesResult:
    """Groups of exact and near duplicates, those first that are on several sides of a split or have several labels.

    They are the groups that splits are made of, by look alone; what the dataset's splits keep together is no leak here,
    and what they had to part is none either. The split of an image is that of the dataset's last snapshot, or the one
    it was given.
    """
    parameters = context.parameters
    dataset = live_datasets().select_related("project").filter(pk=parameters.dataset).first()
    if dataset is None:
        raise WorkFailed("dataset_deleted", "The dataset was deleted meanwhile.")
    images = Image.objects.filter(dataset=dataset)
    if parameters.whole_project:
        images = Image.objects.filter(dataset__project=dataset.project)
    rows: list[Any] = list(
        images.order_by("id").values("id", "dataset_id", "filename", "phash", "split", "blob_id", "blob__sha256")
    )
    context.report(0, len(rows))
    last = dataset.snapshots.order_by("-number").first()
    labels, splits = _labels_of([row["id"] for row in rows]), _splits_of(last)
    for row in rows:
        row["split"] = splits.get(row["id"], row["split"])
        row["labels"] = sorted(labels.get(row["id"], ()))
    max_bits = parameters.max_bits
    parting = {} if last is None or max_bits is not None else last.counts.get("near_duplicates", {})
    parted_bits = parting.get("limit_bits") if parting.get("parted_images") else NEAR_DUPLICATE_MAX_BITS
    limit = LIMITS[dataset.near_duplicates] if max_bits is None else max_bits
    # Where splits keep nothing together, by the strict limit.
    grouping = group_within(_candidates(rows), NEAR_DUPLICATE_MAX_BITS if limit is None else limit, parted_bits)
    limits = [bits for bits in (parted_bits, grouping.limit_bits) if bits is not None]
    kept = min(limits) if len(limits) == 2 else None
    roots, by_hash = grouping.roots, grouping.roots
    if parameters.by_features or dataset.near_duplicates == NearDuplicates.FEATURES:
        grouping = with_alike(grouping, *near_by_features(dataset.project, [row["id"] for row in rows]))
        roots = grouping.roots
    groups = sorted(_groups(rows, roots, kept, by_hash), key=_importance)
    context.report(len(rows), len(rows))
    _keep(context, groups)
    replace_groups(dataset=dataset, groups=groups)
    return DuplicatesResult(
        images=len(rows),
        groups=len(groups),
        leaks=sum(group["is_leak"] for group in groups),
        label_conflicts=sum(group["has_label_conflict"] for group in groups),
        limit_bits=grouping.limit_bits,
        remarks=grouping.remarks,
        first_groups=groups[:MOST_GROUPS],
    )


def _candidates(rows: list[dict]) -> list[Candidate]:
    """The images as a snapshot sees them, without the names that their user gave to groups."""
    images_of = Counter(name for row in rows for name in row["labels"])
    return [
        Candidate(
            key=row["blob__sha256"],
            phash=row["phash"],
            label=rarest_label(row["labels"], images_of),
            name=row["filename"],
        )
        for row in rows
    ]


def _groups(rows: list[dict], roots: np.ndarray, limit: int | None, by_hash: np.ndarray) -> list[dict]:
    members = defaultdict(list)
    for index, root in enumerate(roots.tolist()):
        members[root].append(index)
    words, _, inverse = unique_words([row["phash"] for row in rows])
    return [
        _group([rows[index] for index in indices], words[inverse[indices]], limit, len(np.unique(by_hash[indices])) > 1)
        for indices in members.values()
        if len(indices) > 1
    ]


def _is_leak(rows: list[dict], words: np.ndarray, limit: int | None) -> bool:
    """Whether an image to train with and one to measure with are within the limit of each other.

    Not whether they are so through others, which may be in no split; and where a scene could be parted by the names of
    its files only, no limit was kept, as a remark says.
    """
    if limit is None:
        return False
    sides = np.array([row["split"] or "" for row in rows])
    return is_near(words[sides == "train"], words[(sides == "validation") | (sides == "test")], limit)


def _group(rows: list[dict], words: np.ndarray, limit: int | None, is_by_features: bool) -> dict:
    images = [
        {
            "id": str(row["id"]),
            "dataset": str(row["dataset_id"]),
            "filename": row["filename"],
            "split": row["split"],
            "labels": row["labels"],
        }
        for row in rows
    ]
    kinds = {tuple(row["labels"]) for row in rows if row["labels"]}
    return {
        "is_exact": len({row["blob_id"] for row in rows}) == 1,
        "is_leak": _is_leak(rows, words, limit),
        "has_label_conflict": len(kinds) > 1,
        "by_features": is_by_features,
        "images": images,
    }


def _importance(group: dict) -> tuple:
    return (not group["is_leak"], not group["has_label_conflict"], -len(group["images"]))


def _splits_of(last: Snapshot | None) -> dict:
    if last is None:
        return {}
    return dict(SnapshotImage.objects.filter(snapshot=last).values_list("image_key", "split"))


def _labels_of(pks: list) -> dict:
    labels: dict = {}
    for start in range(0, len(pks), 500):
        rows = Image.objects.filter(pk__in=pks[start : start + 500], annotations__confirmed=True)
        for pk, name in rows.values_list("id", "annotations__label__name"):
            labels.setdefault(pk, set()).add(name)
    return labels


def _keep(context: JobContext, groups: list[dict]) -> None:
    path = context.work_path("jobs", ".json")
    try:
        path.write_text(json.dumps(groups, ensure_ascii=False))
        context.keep_file("duplicates.json", path, "application/json")
    finally:
        path.unlink(missing_ok=True)
