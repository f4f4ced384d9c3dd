"""Predictions of many images or of a video: what the job is asked for and what it answers."""

from __future__ import annotations

from dataclasses import dataclass

from inference.models import Model
from inference.serving.prediction import (
    PredictionOptions,
    with_own_threshold,
)
from jobs.contracts import JobParameters, JobResult
from jobs.models import JobKind


@dataclass(frozen=True)
class BatchParameters(JobParameters, kind=JobKind.PREDICTION):
    """Of the images of a dataset that pass the filter, or of the frames of a video."""

    model: str
    dataset: str | None
    filter: dict
    video: str | None
    threshold: float | None
    limit: int | None
    suggest: bool
    every_frames: int
    annotate: bool
    tracking: bool


@dataclass(frozen=True)
class BatchResult(JobResult):
    model: str
    thresholds: dict[str, float]


@dataclass(frozen=True)
class ImageBatchResult(BatchResult):
    images: int
    rejected: int
    suggestions: int
    labels: dict[str, int]


@dataclass(frozen=True)
class VideoResult(BatchResult):
    video: str
    frames: int
    codec: str | None
    timeline: list[dict]
    tracks: int | None = None
    counts: dict[str, int] | None = None
    note: str | None = None


def options_of(model: Model, parameters: BatchParameters) -> PredictionOptions:
    return with_own_threshold(model, PredictionOptions(threshold=parameters.threshold, limit=parameters.limit))
