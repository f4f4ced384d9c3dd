"""Moving images to another dataset, with all that is counted of them: from and into the trash, too."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db.models import Exists, OuterRef

from common.errors import Invalid, NotFound
from datasets.chosen import ChosenImage
from datasets.gallery.keeping import forget, settle
from datasets.ingest import count_images
from datasets.locking import lock_datasets
from datasets.models import Dataset, Image
from datasets.trash.counting import count_in_trash
from projects.changes.recording import note_rows
from storage.database import atomic_again
from storage.deleting import in_parts
from storage.stored_keys import Among, stored_keys, stored_rows


def move_images(*, images: Sequence[Image | ChosenImage], target: Dataset) -> dict[str, int]:
    """Move images to another dataset of the same project. What is there already stays where it is."""
    if any(image.dataset.project_id != target.project_id for image in images):
        raise Invalid("Must be a dataset of the same project.", attr="dataset")
    others = {pk: pks for pk, pks in by_dataset(images).items() if pk != target.pk}
    parts = ((pk, part) for pk, pks in others.items() for part in in_parts(pks))
    moved = sum(move_some(pk, part, target) for pk, part in parts)
    return {"changed": moved, "unchanged": len(images) - moved}


@atomic_again
def move_some(dataset_pk: uuid.UUID | str, pks: Sequence, target: Dataset, *, with_trash: bool = False) -> int:
    """Move images of one dataset, in one transaction. Returns how many; the target has the others' files already.

    Args:
        with_trash: whether either dataset may be one in the trash.
    """
    dataset_pk = UUID(str(dataset_pk))
    locked = lock_datasets([dataset_pk, target.pk], with_trash=with_trash)
    if target.pk not in locked:
        raise NotFound()
    if dataset_pk not in locked:
        return 0
    there = Image.objects.filter(dataset=target, blob=OuterRef("blob"))
    chosen = Image.objects.filter(Among("pk", stored_keys(pks)), dataset=dataset_pk).exclude(Exists(there))
    # Named first: one statement could not look at the rows that it changes.
    coming = [key for (key,) in stored_rows(chosen.values_list("pk"))]
    came = forget(coming, dataset=target)
    settle(coming)
    sides = {"dataset": str(dataset_pk)}, {"dataset": str(target.pk)}
    note_rows("image", dict.fromkeys(coming, sides))
    count_images(locked[dataset_pk], -came)
    count_images(target, came)
    if with_trash:
        count_in_trash(dataset_pk, -came)
        count_in_trash(target.pk, came)
    return came


def by_dataset(images: Iterable[Image | ChosenImage]) -> dict[uuid.UUID, list]:
    pks: dict[uuid.UUID, list] = {}
    for image in images:
        pks.setdefault(image.dataset_id, []).append(image.pk)
    return pks
