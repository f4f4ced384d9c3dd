"""Images that were chosen for one change: no more of each than its key and its dataset."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from datasets.models import Dataset
from storage.stored_keys import StoredKey


@dataclass(frozen=True, slots=True)
class ChosenImage:
    """In place of an `Image`, of which ten thousand take longer to make than to change."""

    pk: StoredKey
    dataset: Dataset

    @property
    def dataset_id(self) -> uuid.UUID:
        return self.dataset.pk
