"""Whole datasets in the trash, with their images, videos and snapshots."""

from __future__ import annotations

import uuid

from django.db.models import F

from common.errors import NotFound
from datasets.locking import lock_datasets
from datasets.models import Dataset, Snapshot
from datasets.snapshot_uses import needed_snapshots
from projects.changes.recording import note_rows
from projects.live import announce
from projects.models import Project
from projects.services import adjust_counts
from projects.trash.entries import put_into_trash, take_out, trash_of
from projects.trash.models import TrashKind
from projects.trash.pointers import let_go, point_again
from storage.database import atomic_again

PLACE = "dataset_place"


@atomic_again
def trash_dataset(dataset_pk: uuid.UUID) -> None:
    """Move a dataset into the trash of its project.

    Snapshots that something refers to stay, as a record without images until the dataset is restored; others go along.

    Raises:
        NotFound: somebody else was faster.
    """
    dataset = lock_datasets([dataset_pk]).get(dataset_pk)
    if dataset is None:
        raise NotFound()
    project, trash = dataset.project, trash_of(dataset.project)
    _count(dataset, project, -1)
    _count(dataset, trash, 1)
    snapshots = Snapshot.objects.filter(dataset=dataset)
    needed = needed_snapshots(snapshots)
    snapshots.exclude(pk__in=needed).update(project=trash)
    snapshots.filter(pk__in=needed).update(dataset=None, trashed_dataset=dataset, dataset_name=dataset.name)
    Dataset.objects.filter(pk=dataset.pk).update(project=trash)
    put_into_trash(
        project=project,
        kind=TrashKind.DATASET,
        target=dataset.pk,
        name=dataset.name,
        count=dataset.image_count,
        facts={"pointers": let_go(dataset, but=(Snapshot,))},
    )
    note_rows(PLACE, {dataset.pk: ({"project": str(project.pk)}, {"project": str(trash.pk)})})
    announce(project=project.pk, kind="dataset", id=dataset.pk, action="deleted", name=dataset.name)


@atomic_again
def restore_dataset(dataset_pk: uuid.UUID, project: Project) -> None:
    """Raises `NotFound`: it was removed for good, or restored meanwhile."""
    dataset = lock_datasets([dataset_pk], with_trash=True).get(dataset_pk)
    if dataset is None or dataset.project.trash_of_id != project.pk:
        raise NotFound()
    trash = dataset.project
    _count(dataset, trash, -1)
    _count(dataset, project, 1)
    Dataset.objects.filter(pk=dataset.pk).update(project=project)
    Snapshot.objects.filter(dataset=dataset).update(project=project)
    records = Snapshot.objects.filter(trashed_dataset=dataset)
    records.update(dataset=F("trashed_dataset"), trashed_dataset=None, dataset_name="")
    entry = take_out(kind=TrashKind.DATASET, target=dataset.pk)
    point_again(dataset, [] if entry is None else entry.facts.get("pointers", []))
    note_rows(PLACE, {dataset.pk: ({"project": str(trash.pk)}, {"project": str(project.pk)})})
    announce(project=project.pk, kind="dataset", id=dataset.pk, action="created", name=dataset.name)


def _count(dataset: Dataset, project: Project, sign: int) -> None:
    adjust_counts(project.pk, dataset_count=sign, image_count=sign * dataset.image_count)
