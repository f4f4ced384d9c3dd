from __future__ import annotations

import uuid

from datasets.models import TrashedImages
from projects.trash.entries import count_again


def count_in_trash(dataset_pk: uuid.UUID, change: int) -> None:
    """Count images that came into, or left, this dataset, if it is one that holds single images in the trash."""
    entry = TrashedImages.objects.filter(dataset=dataset_pk).values_list("entry", flat=True).first() if change else None
    if entry is not None:
        count_again(entry, change)
