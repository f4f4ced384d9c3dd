"""Taking images away, or elsewhere. The kept counts follow what really changed, under the lock of the dataset: of two
requests that delete the same image one finds nothing, and counts nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db.models import SET_NULL, Exists, OuterRef, QuerySet
from rest_framework.exceptions import NotFound, ValidationError

from datasets.gallery.keeping import forget, settle
from datasets.ingest import count_images
from datasets.locking import lock_datasets
from datasets.models import Dataset, Image, Snapshot, SnapshotImage
from projects.changes.recording import note_rows
from projects.removal import MOST_AT_ONCE, hidden_project
from projects.services import adjust_counts
from projects.uses import in_words, require_unused
from storage.database import atomic_again, relations_to
from storage.deleting import delete_in_chunks, in_parts

# Images in snapshots are small rows.
MOST_FROZEN = 10_000


def content_of(dataset: Dataset) -> dict[str, int]:
    """What is deleted with a dataset: how many of each kind."""
    return {"images": dataset.image_count, "videos": dataset.videos.count()}


def delete_dataset(*, dataset: Dataset, force: bool = False) -> None:
    """Delete a dataset with its images and videos; snapshots that something refers to stay as records.

    A large one is hidden at once, and its rows are removed in the background.

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
    remove_dataset(dataset)


@atomic_again
def remove_dataset(dataset: Dataset) -> None:
    """Raises `NotFound`."""
    locked = lock_datasets([dataset.pk])
    if not locked:
        raise NotFound()
    count = locked[dataset.pk].image_count
    adjust_counts(dataset.project_id, dataset_count=-1, image_count=-count)
    snapshots = Snapshot.objects.filter(dataset=dataset)
    needed = _needed(snapshots)
    if _is_large(dataset, count):
        hidden = hidden_project(dataset.project, name=dataset.name, dataset_count=1, image_count=count)
        snapshots.exclude(pk__in=needed).update(project=hidden)
        snapshots.filter(pk__in=needed).update(dataset=None, dataset_name=dataset.name)
        _let_go(dataset)
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


def _needed(snapshots: QuerySet[Snapshot]) -> set:
    """Keys of snapshots that a training, a model or an evaluation refers to: they stay, without their images."""
    return {
        pk
        for relation in relations_to(Snapshot)
        if relation.related_model is not SnapshotImage
        for pk in relation.related_model._base_manager.filter(**{f"{relation.field.name}__in": snapshots})
        .values_list(relation.field.attname, flat=True)
        .distinct()
    }


def _let_go(dataset: Dataset) -> None:
    """What refers to the dataset and outlives it does so no longer."""
    for relation in relations_to(Dataset):
        if relation.on_delete is SET_NULL and relation.related_model is not Snapshot:
            pointing = relation.related_model._base_manager.filter(**{relation.field.name: dataset})
            pointing.update(**{relation.field.name: None})


def remove_images_of_records() -> int:
    """Remove the images of snapshots that stay as a record after their dataset was deleted. Returns how many."""
    frozen = SnapshotImage.objects.filter(snapshot=OuterRef("pk"))
    records = list(Snapshot.objects.filter(Exists(frozen), dataset=None).values_list("pk", flat=True))
    return sum(delete_in_chunks(SnapshotImage.objects.filter(snapshot=pk)) for pk in records)


def delete_images(*, images: Sequence[Image]) -> int:
    """Returns how many were deleted: those that somebody else deleted meanwhile are not counted again."""
    parts = ((pk, part) for pk, pks in _by_dataset(images).items() for part in in_parts(pks))
    return sum(_delete_images(pk, part) for pk, part in parts)


@atomic_again
def _delete_images(dataset_pk, pks: Sequence) -> int:
    dataset = lock_datasets([dataset_pk]).get(dataset_pk)
    if dataset is None:
        return 0
    images = Image.objects.filter(dataset=dataset, pk__in=pks)
    forget(images.values_list("pk", flat=True))
    gone = images.delete()[1].get(Image._meta.label, 0)
    count_images(dataset, -gone)
    return gone


def move_images(*, images: Sequence[Image], target: Dataset) -> dict[str, int]:
    """Move images to another dataset of the same project. What is there already stays where it is."""
    if any(image.dataset.project_id != target.project_id for image in images):
        raise ValidationError({"dataset": ["Must be a dataset of the same project."]})
    others = {pk: pks for pk, pks in _by_dataset(images).items() if pk != target.pk}
    parts = ((pk, part) for pk, pks in others.items() for part in in_parts(pks))
    moved = sum(move_some(pk, part, target) for pk, part in parts)
    return {"changed": moved, "unchanged": len(images) - moved}


@atomic_again
def move_some(dataset_pk, pks: Sequence, target: Dataset) -> int:
    """Move images of one dataset, in one transaction. Returns how many; the target has the others' files already."""
    dataset_pk = UUID(str(dataset_pk))
    locked = lock_datasets([dataset_pk, target.pk])
    if target.pk not in locked:
        raise NotFound()
    if dataset_pk not in locked:
        return 0
    there = Image.objects.filter(dataset=target, blob=OuterRef("blob"))
    chosen = Image.objects.filter(dataset=dataset_pk, pk__in=pks).exclude(Exists(there))
    # Named first: one statement could not look at the rows that it changes.
    coming = list(chosen.values_list("pk", flat=True))
    forget(coming)
    came = Image.objects.filter(pk__in=coming).update(dataset=target)
    settle(coming)
    sides = {"dataset": str(dataset_pk)}, {"dataset": str(target.pk)}
    note_rows("image", dict.fromkeys(coming, sides))
    count_images(locked[dataset_pk], -came)
    count_images(target, came)
    return came


def _by_dataset(images: Iterable[Image]) -> dict[object, list]:
    pks: dict[object, list] = {}
    for image in images:
        pks.setdefault(image.dataset_id, []).append(image.pk)
    return pks
