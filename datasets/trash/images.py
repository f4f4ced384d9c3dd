"""Single images in the trash: those that one change deletes of a dataset lie in a dataset of their own."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from datasets.locking import lock_datasets
from datasets.models import Dataset, Image, TrashedImages
from datasets.moving import move_some
from projects.services import adjust_counts
from projects.trash.entries import entry_of_images, trash_of
from projects.trash.models import TrashEntry
from storage.database import atomic_again
from storage.stored_keys import Among, stored_keys


@atomic_again
def trash_images(dataset_pk: uuid.UUID, pks: Sequence) -> int:
    """Move images of one dataset into the trash, in one transaction. Returns how many were there."""
    dataset = lock_datasets([dataset_pk]).get(dataset_pk)
    first = None if dataset is None else _first_of(dataset, pks)
    if dataset is None or first is None:
        return 0
    entry = entry_of_images(dataset.project, first.filename if len(pks) == 1 else dataset.name)
    return move_some(dataset.pk, pks, place_of(entry, dataset), with_trash=True)


def _first_of(dataset: Dataset, pks: Sequence) -> Image | None:
    return Image.objects.filter(Among("pk", stored_keys(pks)), dataset=dataset).only("filename").first()


def place_of(entry: TrashEntry, source: Dataset) -> Dataset:
    """The dataset in the trash for what the entry takes of this one. The caller has locked this one."""
    place = TrashedImages.objects.filter(entry=entry, source=source).select_related("dataset").first()
    if place is not None:
        return place.dataset
    project = trash_of(source.project)
    dataset = Dataset.objects.create(project=project, name=source.name, near_duplicates=source.near_duplicates)
    adjust_counts(project.pk, dataset_count=1)
    TrashedImages.objects.create(entry=entry, source=source, dataset=dataset)
    return dataset
