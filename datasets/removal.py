"""Deleting images and datasets. The kept counts follow what really changed, under the lock of the dataset: of two
requests that delete the same image one finds nothing, and counts nothing."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.db.models import Exists, OuterRef

from common.errors import NotFound
from datasets.chosen import ChosenImage
from datasets.gallery.keeping import forget
from datasets.ingest import count_images
from datasets.locking import lock_datasets
from datasets.models import Dataset, Image, Snapshot, SnapshotImage
from datasets.moving import by_dataset
from datasets.snapshot_uses import needed_snapshots
from datasets.trash.datasets import trash_dataset
from datasets.trash.images import trash_images
from datasets.trash.kinds import remove_images_of
from projects.removal import MOST_AT_ONCE, hidden_project
from projects.services import adjust_counts
from projects.trash.entries import keeps_deleted
from projects.trash.pointers import let_go
from projects.uses import in_words, require_unused
from storage.database import atomic_again
from storage.deleting import delete_in_chunks, in_parts

# Images in snapshots are small rows.
MOST_FROZEN = 10_000


def content_of(dataset: Dataset) -> dict[str, int]:
    """What is deleted with a dataset: how many of each kind."""
    return {"images": dataset.image_count, "videos": dataset.videos.count()}


def delete_dataset(*, dataset: Dataset, force: bool = False) -> None:
    """Delete a dataset with its images and videos, into the trash if what is deleted is kept there; snapshots that
    something refers to stay as records.

    For good, a large one is hidden at once, and its rows are removed in the background.

    Raises:
        InUse: work, a model in production or devices need it, and `force` is not set.
        NotFound: somebody else was faster.
    """
    require_unused(dataset, force=force, along=in_words(content_of(dataset)))
    _remove_unused(dataset, force)


@atomic_again
def _remove_unused(dataset: Dataset, force: bool) -> None:
    lock_datasets([dataset.pk])
    # Again, for a training may have begun meanwhile; from here on none can.
    require_unused(dataset, force=force, along=in_words(content_of(dataset)))
    if keeps_deleted():
        trash_dataset(dataset.pk)
    else:
        remove_dataset(dataset)


@atomic_again
def remove_dataset(dataset: Dataset) -> None:
    """Raises `NotFound`."""
    locked = lock_datasets([dataset.pk])
    if not locked:
        raise NotFound()
    remove_images_of(dataset.pk)
    count = locked[dataset.pk].image_count
    adjust_counts(dataset.project_id, dataset_count=-1, image_count=-count)
    snapshots = Snapshot.objects.filter(dataset=dataset)
    needed = needed_snapshots(snapshots)
    if _is_large(dataset, count):
        hidden = hidden_project(dataset.project, name=dataset.name, dataset_count=1, image_count=count)
        snapshots.exclude(pk__in=needed).update(project=hidden)
        snapshots.filter(pk__in=needed).update(dataset=None, dataset_name=dataset.name)
        let_go(dataset, but=(Snapshot,))
        Dataset.objects.filter(pk=dataset.pk).update(project=hidden)
        return
    SnapshotImage.objects.filter(snapshot__in=snapshots)._raw_delete(using=snapshots.db)
    snapshots.exclude(pk__in=needed).delete()
    snapshots.update(dataset_name=dataset.name)
    Dataset.objects.filter(pk=dataset.pk).delete()  # the row in hand keeps its key, should this be done again


def _is_large(dataset: Dataset, image_count: int) -> bool:
    """Whether so much goes with it that others would have to wait."""
    frozen = SnapshotImage.objects.filter(snapshot__dataset=dataset)
    return image_count > MOST_AT_ONCE or frozen[: MOST_FROZEN + 1].count() > MOST_FROZEN


def remove_images_of_records() -> int:
    """Remove the images of snapshots that stay as a record after their dataset was deleted. Returns how many."""
    frozen = SnapshotImage.objects.filter(snapshot=OuterRef("pk"))
    records = list(
        Snapshot.objects.filter(Exists(frozen), dataset=None, trashed_dataset=None).values_list("pk", flat=True)
    )
    return sum(delete_in_chunks(SnapshotImage.objects.filter(snapshot=pk)) for pk in records)


def delete_images(*, images: Sequence[Image | ChosenImage]) -> int:
    """Delete images, into the trash if what is deleted is kept there.

    Returns how many were deleted: those that somebody else deleted meanwhile are not counted again.
    """
    parts = ((pk, part) for pk, pks in by_dataset(images).items() for part in in_parts(pks))
    remove = trash_images if keeps_deleted() else _delete_images
    return sum(remove(pk, part) for pk, part in parts)


@atomic_again
def _delete_images(dataset_pk: uuid.UUID, pks: Sequence) -> int:
    dataset = lock_datasets([dataset_pk]).get(dataset_pk)
    if dataset is None:
        return 0
    images = Image.objects.filter(dataset=dataset, pk__in=pks)
    forget(images.values_list("pk", flat=True))
    gone = images.delete()[1].get(Image._meta.label, 0)
    count_images(dataset, -gone)
    return gone
