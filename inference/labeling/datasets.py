"""The dataset that a job names."""

from __future__ import annotations

from datasets.models import Dataset
from datasets.selectors import live_datasets
from jobs.context import JobContext
from jobs.errors import WorkFailed

REPORT_EVERY = 20


def dataset_of(context: JobContext) -> Dataset:
    dataset = live_datasets().select_related("project").filter(pk=context.parameters.dataset).first()
    if dataset is None:
        raise WorkFailed("dataset_deleted", "The dataset was deleted meanwhile.")
    return dataset
