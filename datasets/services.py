"""Datasets: made and changed."""

from __future__ import annotations

from typing import Any

from datasets.models import Dataset, NearDuplicates
from datasets.noting import DATASET_FIELDS, fields_of
from projects.changes.recording import note_rows
from projects.models import Project
from projects.services import adjust_counts
from storage.database import atomic_again


@atomic_again
def create_dataset(
    *, project: Project, name: str, description: str = "", near_duplicates: str = NearDuplicates.STRICT
) -> Dataset:
    dataset = Dataset.objects.create(
        project=project, name=name, description=description, near_duplicates=near_duplicates
    )
    adjust_counts(project.pk, dataset_count=1)
    note_rows("dataset_place", {dataset.pk: ({"project": None}, {"project": str(project.pk)})})
    return dataset


@atomic_again
def update_dataset(*, dataset: Dataset, **changes: Any) -> Dataset:
    """Rename or describe a dataset, or say which of its near-duplicates share a split."""
    held = Dataset.objects.select_for_update(no_key=True).get(pk=dataset.pk)
    for name, value in changes.items():
        setattr(dataset, name, value)
    dataset.save(update_fields=[*changes, "updated_at"])
    note_rows("dataset", {dataset.pk: (fields_of(held, DATASET_FIELDS), fields_of(dataset, DATASET_FIELDS))})
    return dataset
