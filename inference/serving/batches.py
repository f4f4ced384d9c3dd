"""A model on many images, or on a video, in the background: what it found as JSON and CSV, and to look at."""

from __future__ import annotations

import contextlib
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

from django.contrib.auth.models import User
from django.db.models import QuerySet

from common.errors import Invalid
from datasets.filters import ImageFilter
from datasets.models import Dataset, Image, Video
from datasets.selectors import images_of, live_datasets
from inference.models import Model
from inference.serving.batch_contracts import BatchParameters, BatchResult, ImageBatchResult, options_of
from inference.serving.job_models import get_model_or_fail
from inference.serving.predicted_annotations import store_suggestions
from inference.serving.prediction import (
    make_predictor,
    serving_thresholds,
)
from inference.serving.prediction_files import PredictionFiles
from inference.serving.video_predictions import REPORT_EVERY, VideoPredictions
from jobs.context import JobContext
from jobs.errors import WorkFailed
from jobs.models import Job, Queue
from jobs.queues import queue_for
from jobs.services import enqueue_job, handles
from projects.models import Task
from storage import services as storage
from storage.database import by_key
from vision.imaging.preprocessing import ImageError

SUGGEST_EVERY = 100


def start_predictions(
    *,
    model: Model,
    user: User,
    dataset: Dataset | None = None,
    filter: dict | None = None,
    video: Video | None = None,
    threshold: float | None = None,
    limit: int | None = None,
    suggest: bool = False,
    every_frames: int = 1,
    annotate: bool = True,
    tracking: bool = False,
) -> Job:
    """Make the job that predicts the images of a dataset (those that pass the filter), or the frames of a video.

    Raises:
        Invalid: the filter names what does not exist; there is nothing to predict; tracking without boxes.
    """
    source = dataset or video
    if source is None:
        raise Invalid("Name a dataset or a video, one of them.", attr="dataset", code="required")
    if tracking and model.task != Task.DETECTION:
        raise Invalid("Only boxes can be followed: choose a detector.", attr="tracking")
    if suggest and model.task != source.project.task:
        raise Invalid(
            f"A model for {model.task} cannot label a {source.project.task} project.",
            attr="suggest",
            code="model_does_not_fit",
        )
    if dataset is not None and not chosen_images(user, dataset, filter or {}).exists():
        raise Invalid("No image of the dataset passes the filter.", attr="filter", code="nothing_to_predict")
    parameters = BatchParameters(
        model=str(model.pk),
        dataset=None if dataset is None else str(dataset.pk),
        filter=filter or {},
        video=None if video is None else str(video.pk),
        threshold=threshold,
        limit=limit,
        suggest=suggest,
        every_frames=every_frames,
        annotate=annotate,
        tracking=tracking,
    )
    queue = Queue.HEAVY if dataset is None else queue_for(images=dataset.image_count)
    return enqueue_job(project=source.project, user=user, parameters=parameters, queue=queue)


def chosen_images(user: User, dataset: Dataset, options: dict) -> QuerySet[Image]:
    """The dataset's images that pass the filters of the list of images. Raises `Invalid`."""
    rows = images_of(user).filter(dataset=dataset).prefetch_related(None)
    chosen = ImageFilter(data=options, queryset=rows, request=SimpleNamespace(user=user))
    if not chosen.is_valid():
        raise Invalid([f"{name}: {problem[0]}" for name, problem in chosen.errors.items()], attr="filter")
    return chosen.qs.order_by("id")


@handles(BatchParameters)
def run_predictions(context: JobContext[BatchParameters]) -> BatchResult:
    parameters = context.parameters
    model = get_model_or_fail(parameters.model)
    with work_folder(context) as folder:
        if parameters.video is not None:
            return VideoPredictions(context, model, folder).predict()
        return _predict_images(context, model, folder)


@contextlib.contextmanager
def work_folder(context: JobContext) -> Iterator[Path]:
    """A folder of this attempt, gone at its end; what killed workers left is swept once the job has ended."""
    folder = context.work_path("jobs")
    folder.mkdir(exist_ok=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _predict_images(context: JobContext[BatchParameters], model: Model, folder: Path) -> BatchResult:
    parameters = context.parameters
    datasets = live_datasets().select_related("project")
    dataset = datasets.filter(pk=parameters.dataset).first() if parameters.dataset else None
    if dataset is None or context.job.created_by is None:
        raise WorkFailed("dataset_deleted", "The dataset, or the account that asked, was deleted meanwhile.")
    images = chosen_images(context.job.created_by, dataset, parameters.filter)
    total = images.count()
    predict = make_predictor(model, options_of(model, parameters))
    counts: Counter[str] = Counter()
    rejected, waiting, suggested = [], [], 0
    with PredictionFiles(folder, model, ("image", "filename"), parameters.threshold) as results:
        for number, image in enumerate(by_key(images)):
            if number % REPORT_EVERY == 0:
                context.report(number, total)
            try:
                with storage.opened(image.blob) as file:
                    prediction = predict(file, image.filename)
            except ImageError as error:
                rejected.append({"image": str(image.pk), "filename": image.filename, "code": error.code})
                continue
            results.add({"image": str(image.pk)}, prediction, (str(image.pk), image.filename))
            counts.update(detection["label"] for detection in prediction.answers)
            if parameters.suggest:
                waiting.append((image, prediction))
                if len(waiting) == SUGGEST_EVERY:
                    suggested += store_suggestions(
                        project=dataset.project, model=model, predictions=waiting, user=context.job.created_by
                    )
                    waiting = []
        suggested += store_suggestions(
            project=dataset.project, model=model, predictions=waiting, user=context.job.created_by
        )
        results.end(rejected)
    context.report(total, total)
    results.keep(context)
    return ImageBatchResult(
        model=str(model.pk),
        thresholds=serving_thresholds(model, parameters.threshold),
        images=total - len(rejected),
        rejected=len(rejected),
        suggestions=suggested,
        labels=dict(counts.most_common()),
    )
