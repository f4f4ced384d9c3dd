"""Pictures that are there twice, and pictures on both sides of a split."""

from __future__ import annotations

import json
from collections import defaultdict

from datasets.imaging.hashing import NEAR_BITS, near_duplicate_groups
from datasets.models import Dataset, Image, SnapshotImage
from datasets.selectors import live_datasets
from projects.errors import WorkFailed
from projects.jobs import JobContext, enqueue_job, handles
from projects.models import Job
from projects.queues import queue_for

KIND = "duplicates"
MOST_GROUPS = 200


def start_duplicates(*, dataset: Dataset, user, whole_project: bool = False, max_bits: int = NEAR_BITS) -> Job:
    """Make the job that looks for look-alikes in a dataset, or in all datasets of its project."""
    parameters = {"dataset": str(dataset.pk), "whole_project": whole_project, "max_bits": max_bits}
    count = dataset.project.image_count if whole_project else dataset.image_count
    return enqueue_job(
        project=dataset.project, user=user, kind=KIND, parameters=parameters, queue=queue_for(images=count)
    )


@handles(KIND)
def find_duplicates(context: JobContext) -> dict:
    """Groups of exact and near duplicates, those first that are on several sides of a split or have several labels.

    The split of an image is that of the dataset's last snapshot, or the one it was given.
    """
    parameters = context.job.parameters
    dataset = live_datasets().select_related("project").filter(pk=parameters["dataset"]).first()
    if dataset is None:
        raise WorkFailed("dataset_deleted", "The dataset was deleted meanwhile.")
    images = Image.objects.filter(dataset=dataset)
    if parameters["whole_project"]:
        images = Image.objects.filter(dataset__project=dataset.project)
    rows = list(images.order_by("id").values("id", "dataset_id", "filename", "phash", "split", "blob_id"))
    context.report(0, len(rows))
    roots = near_duplicate_groups([row["phash"] for row in rows], parameters["max_bits"])
    members = defaultdict(list)
    for row, root in zip(rows, roots, strict=True):
        members[int(root)].append(row)
    together = [group for group in members.values() if len(group) > 1]
    splits, labels = _splits_of(dataset), _labels_of([row["id"] for group in together for row in group])
    groups = sorted((_group(group, splits, labels) for group in together), key=_importance)
    context.report(len(rows), len(rows))
    _keep(context, groups)
    return {
        "images": len(rows),
        "groups": len(groups),
        "leaks": sum(group["is_leak"] for group in groups),
        "label_conflicts": sum(group["has_label_conflict"] for group in groups),
        "first_groups": groups[:MOST_GROUPS],
    }


def _group(rows: list[dict], splits: dict, labels: dict) -> dict:
    images = [
        {
            "id": str(row["id"]), "dataset": str(row["dataset_id"]), "filename": row["filename"],
            "split": splits.get(row["id"], row["split"]), "labels": sorted(labels.get(row["id"], ())),
        }
        for row in rows
    ]  # fmt: skip
    sides = {one["split"] for one in images if one["split"]}
    kinds = {tuple(one["labels"]) for one in images if one["labels"]}
    return {
        "is_exact": len({row["blob_id"] for row in rows}) == 1,
        "is_leak": "train" in sides and bool(sides & {"validation", "test"}),
        "has_label_conflict": len(kinds) > 1,
        "images": images,
    }


def _importance(group: dict) -> tuple:
    return (not group["is_leak"], not group["has_label_conflict"], -len(group["images"]))


def _splits_of(dataset: Dataset) -> dict:
    last = dataset.snapshots.order_by("-number").first()
    if last is None:
        return {}
    return dict(SnapshotImage.objects.filter(snapshot=last).values_list("image_key", "split"))


def _labels_of(pks: list) -> dict:
    found: dict = {}
    for start in range(0, len(pks), 500):
        rows = Image.objects.filter(pk__in=pks[start : start + 500], annotations__confirmed=True)
        for pk, name in rows.values_list("id", "annotations__label__name"):
            found.setdefault(pk, set()).add(name)
    return found


def _keep(context: JobContext, groups: list[dict]) -> None:
    path = context.work_path("jobs", ".json")
    try:
        path.write_text(json.dumps(groups, ensure_ascii=False))
        context.keep_file("duplicates.json", path, "application/json")
    finally:
        path.unlink(missing_ok=True)
