"""Frames of a video as images, with a model's predictions on them where one is named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from django.contrib.auth.models import User

from datasets.models import Video
from datasets.videos import FrameExtraction, cut_frames, pinned, video_of
from inference.labeling.uncertainty import uncertainty_of, uncertainty_options
from inference.models import Model
from inference.serving.job_models import get_model_or_fail, predictions_of
from inference.serving.predicted_annotations import store_suggestions
from inference.serving.prediction import predict_pixels
from jobs.context import JobContext
from jobs.contracts import JobParameters, JobResult
from jobs.errors import WorkFailed
from jobs.models import Job, JobKind, Queue
from jobs.services import enqueue_job, handles
from projects.changes.recording import recording_job
from vision.video.facts import Frame, Selection, VideoProblem
from vision.video.reading import frames

SMALL = 64

MOST_TIMES = 2000


@dataclass(frozen=True)
class FramesParameters(JobParameters, kind=JobKind.VIDEO_FRAMES, queue=Queue.HEAVY):
    video: str
    selection: dict
    skip_similar: bool
    format: str
    split: str | None
    group_seconds: float | None
    model: str | None
    min_uncertainty: float | None = None
    dry_run: bool = False


@dataclass(frozen=True)
class FramesResult(JobResult):
    video: str
    created: int
    duplicates: int
    similar: int
    suggestions: int
    left: int | None = None
    change: str | None = None


@dataclass(frozen=True)
class FramesDryRunResult(JobResult):
    video: str
    dry_run: bool
    frames: int
    chosen: int
    times: list[float]


def start_frames(
    *,
    video: Video,
    user: User,
    selection: Selection,
    skip_similar: bool = False,
    format: str = "jpeg",
    split: str | None = None,
    group_seconds: float | None = None,
    model: Model | None = None,
    min_uncertainty: float | None = None,
    dry_run: bool = False,
) -> Job:
    """Make the job that cuts the chosen frames; with a model its predictions become unconfirmed annotations.

    Args:
        min_uncertainty: only frames of which the model is at least so unsure, from 0 to 1.
        dry_run: only count them.
    """
    parameters = FramesParameters(
        video=str(video.pk),
        selection=vars(selection),
        skip_similar=skip_similar,
        format=format,
        split=split,
        group_seconds=group_seconds,
        model=None if model is None else str(model.pk),
        min_uncertainty=min_uncertainty,
        dry_run=dry_run,
    )
    return enqueue_job(project=video.project, user=user, parameters=parameters)


@handles(FramesParameters)
def run_frames(context: JobContext[FramesParameters]) -> FramesResult | FramesDryRunResult:
    parameters = context.parameters
    video = video_of(context)
    model = None if parameters.model is None else get_model_or_fail(parameters.model)
    cut = FrameExtraction(
        Selection(**parameters.selection),
        parameters.skip_similar,
        parameters.format,
        parameters.split,
        parameters.group_seconds,
        _uncertainty_filter(model, parameters.min_uncertainty),
    )
    if parameters.dry_run:
        return _counted(context, video, cut)
    with recording_job(context.job, "cut_frames", filename=video.filename) as change:
        suggested = _cut(context, video, cut, model)
    counts = Counter(context.job.position.get("counts", {}))
    return FramesResult(
        video=str(video.pk),
        created=counts["created"],
        duplicates=counts["duplicate"],
        similar=counts["similar"],
        suggestions=suggested,
        left=counts["left"] if cut.takes else None,
        change=str(change.pk) if change.rows else None,
    )


def _uncertainty_filter(model: Model | None, least: float | None) -> Callable[[Frame], bool] | None:
    """Whether the model is unsure enough of a frame; None: every frame will do."""
    if model is None or least is None:
        return None
    options = uncertainty_options(model)
    return lambda frame: uncertainty_of(model, predict_pixels(model, options, frame.pixels)) >= least


def _counted(context: JobContext, video: Video, cut: FrameExtraction) -> FramesDryRunResult:
    """How many frames would be taken, and when they are; none is made an image."""
    times: list[float] = []
    total = max(video.frame_count, 1)
    # A model looks at the frame as it is; who only counts needs little of it.
    selection = cut.selection if cut.takes else replace(cut.selection, max_side=SMALL)

    def on_progress(done: int, claimed: int) -> None:
        context.report(done, max(total, claimed))

    try:
        with pinned(video) as path, frames(path, selection, on_progress) as chosen:
            times = [round(frame.time, 3) for frame in chosen if cut.takes is None or cut.takes(frame)]
    except VideoProblem as problem:
        raise WorkFailed(problem.code, str(problem)) from problem
    return FramesDryRunResult(
        str(video.pk), dry_run=True, frames=len(times), chosen=len(times), times=times[:MOST_TIMES]
    )


def _cut(context: JobContext, video: Video, cut: FrameExtraction, model: Model | None) -> int:
    suggested, user = 0, context.job.created_by
    for images in cut_frames(context, video, cut, user):
        if model is not None and images:
            predictions = predictions_of(model, images)
            suggested += store_suggestions(project=video.project, model=model, predictions=predictions, user=user)
    return suggested
