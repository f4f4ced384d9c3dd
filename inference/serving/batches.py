"""A model on many images, or on a video, in the background: what it found as JSON and CSV, and to look at."""

from __future__ import annotations

import contextlib
import csv
import json
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from django.contrib.auth.models import User
from django.db.models import QuerySet
from PIL import Image as pillow

from common.errors import Invalid
from datasets.filters import ImageFilter
from datasets.models import Dataset, Image, Video
from datasets.selectors import images_of, live_datasets
from datasets.videos import pinned, video_of
from inference.models import Model
from inference.serving.job_models import get_model_or_fail
from inference.serving.predicted_annotations import store_suggestions
from inference.serving.prediction import (
    Prediction,
    PredictionOptions,
    make_predictor,
    predict_pixels,
    serving_thresholds,
    with_own_threshold,
)
from jobs.context import JobContext
from jobs.contracts import JobParameters, JobResult
from jobs.errors import WorkFailed
from jobs.models import Job, JobKind, Queue
from jobs.queues import queue_for
from jobs.services import enqueue_job, handles
from projects.models import Task
from storage import services as storage
from storage.database import by_key
from vision.analysis.timeline import LabelTimeline, Timeline
from vision.analysis.tracking import track
from vision.formats.tables import plain
from vision.imaging.preprocessing import ImageError
from vision.runtime.overlay import with_boxes, with_label
from vision.video.facts import Selection, VideoProblem
from vision.video.reading import frames
from vision.video.writing import AnnotatedVideoWriter

SUGGEST_EVERY = 100

REPORT_EVERY = 20

# The annotated video is there to look at: larger frames are made smaller.
VIDEO_SIDE = 1920

FEW_STRETCHES = 200

COLUMNS = ("label", "score", "x_min", "y_min", "x_max", "y_max", "track", "threshold")


VARIABLE_RATE = "The video has a variable frame rate; the annotated one has its mean, and the same frames."


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
            return _AnnotatedVideo(context, model, folder).predict()
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


def _options(model: Model, parameters: BatchParameters) -> PredictionOptions:
    return with_own_threshold(model, PredictionOptions(threshold=parameters.threshold, limit=parameters.limit))


def _predict_images(context: JobContext[BatchParameters], model: Model, folder: Path) -> BatchResult:
    parameters = context.parameters
    datasets = live_datasets().select_related("project")
    dataset = datasets.filter(pk=parameters.dataset).first() if parameters.dataset else None
    if dataset is None or context.job.created_by is None:
        raise WorkFailed("dataset_deleted", "The dataset, or the account that asked, was deleted meanwhile.")
    images = chosen_images(context.job.created_by, dataset, parameters.filter)
    total = images.count()
    predict = make_predictor(model, _options(model, parameters))
    counts: Counter[str] = Counter()
    rejected, waiting, suggested = [], [], 0
    with _Results(folder, model, ("image", "filename"), parameters.threshold) as results:
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
            counts.update(one["label"] for one in prediction.boxes or prediction.labels[:1])
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


class _Results:
    """predictions.json and predictions.csv, written as they come."""

    def __init__(self, folder: Path, model: Model, columns: tuple[str, ...], threshold: float | None) -> None:
        self._thresholds = serving_thresholds(model, threshold)
        self.json_path, self.csv_path = folder / "predictions.json", folder / "predictions.csv"
        self._json = open(self.json_path, "w", encoding="utf-8")  # noqa: SIM115 - closed by __exit__
        self._csv = open(self.csv_path, "w", encoding="utf-8", newline="")  # noqa: SIM115
        self._rows = csv.writer(self._csv)
        self._rows.writerow([*columns, *COLUMNS])
        head = {"id": str(model.pk), "name": model.name, "version": model.version}
        head |= {"thresholds": self._thresholds}
        self._json.write(f'{{"model": {json.dumps(head, ensure_ascii=False)}, "predictions": [')
        self._separator = "\n"

    def add(self, where: dict, prediction: Prediction, cells: tuple) -> None:
        """One image or frame; in the CSV a row for each label or box, one without when there is nothing."""
        self._json.write(self._separator + json.dumps({**where, **asdict(prediction)}, ensure_ascii=False))
        self._separator = ",\n"
        for one in prediction.boxes or prediction.labels or [{}]:
            box = one.get("box", ["", "", "", ""])
            name = _plain(one.get("label", ""))
            lowest = self._thresholds.get(one.get("label", ""), "")
            self._rows.writerow([*map(_plain, cells), name, one.get("score", ""), *box, one.get("track", ""), lowest])

    def end(self, rejected: list[dict]) -> None:
        self._json.write(f'\n], "rejected": {json.dumps(rejected, ensure_ascii=False)}}}\n')

    def keep(self, context: JobContext) -> None:
        context.keep_file("predictions.json", self.json_path, "application/json")
        context.keep_file("predictions.csv", self.csv_path, "text/csv")

    def __enter__(self) -> _Results:
        return self

    def __exit__(self, *_: Any) -> None:
        self._json.close()
        self._csv.close()


def _plain(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula."""
    return plain(value) if isinstance(value, str) else value


class _AnnotatedVideo:
    """A model on the frames of a video: first what it finds, then who is who, then the annotated video."""

    def __init__(self, context: JobContext[BatchParameters], model: Model, folder: Path) -> None:
        self.context, self.model, self.folder = context, model, folder
        self.parameters = context.parameters
        self.video = video_of(context)
        self.every = self.parameters.every_frames
        self.interval = self.every / self.video.fps if self.video.fps else 0.04
        self._thresholds = serving_thresholds(model, self.parameters.threshold)
        self.passes = 2 if self.parameters.annotate else 1

    def predict(self) -> BatchResult:
        try:
            count, last = self._find()
            tracks = self._follow() if self.parameters.tracking else None
            stretches = self._write_results()
            codec = self._draw(count, last) if self.parameters.annotate else None
        except VideoProblem as problem:
            raise WorkFailed(problem.code, str(problem)) from problem
        return VideoResult(
            model=str(self.model.pk),
            thresholds=self._thresholds,
            video=str(self.video.pk),
            frames=count,
            codec=codec,
            timeline=stretches[:FEW_STRETCHES],
            tracks=None if tracks is None else len(tracks),
            counts=None if tracks is None else dict(Counter(one["label"] for one in tracks)),
            note=VARIABLE_RATE if self.video.is_variable_rate and codec is not None else None,
        )

    @property
    def spool(self) -> Path:
        return self.folder / "frames.jsonl"

    def _report(self, done: int, number: int) -> None:
        total = max(self.video.frame_count, 1)
        self.context.report(min(done, total) + number * total, self.passes * total)

    def _find(self) -> tuple[int, float]:
        """Predict each nth frame into the spool. Returns how many frames there are and the time of the last."""
        options = _options(self.model, self.parameters)
        if self.parameters.tracking:
            # ByteTrack lives on boxes that are too weak to show.
            options = replace(options, threshold=min(self._thresholds.values()) / 2)
        count, last = 0, 0.0
        with open(self.spool, "w") as spool, pinned(self.video) as path, frames(path, Selection()) as chosen:
            for frame in chosen:
                count, last = frame.index + 1, frame.time
                if frame.index % REPORT_EVERY == 0:
                    self._report(frame.index, 0)
                if frame.index % self.every:
                    continue
                found = predict_pixels(self.model, options, frame.pixels)
                row = {
                    "frame": frame.index,
                    "time": frame.time,
                    "labels": found.labels,
                    "boxes": found.boxes,
                    "width": found.width,
                    "height": found.height,
                }
                spool.write(json.dumps(row) + "\n")
        return count, last

    def _rows(self) -> Iterator[dict]:
        with open(self.spool) as spool:
            yield from map(json.loads, spool)

    def _follow(self) -> list[dict]:
        """Give boxes the numbers of their tracks, and drop those below the threshold of their label.

        The weak ones have held tracks together; what is shown and counted is what the model says elsewhere too.
        """
        numbers = track((row["boxes"] for row in self._rows()), self._thresholds, fps=1 / self.interval)
        tracks: dict[int, dict] = {}
        numbered = self.spool.with_suffix(".numbered")
        with open(numbered, "w") as target:
            for row, own in zip(self._rows(), numbers, strict=True):
                boxes = []
                for box, number in zip(row["boxes"], own, strict=True):
                    if box["score"] < self._thresholds[box["label"]]:
                        continue
                    if number:
                        boxes.append({**box, "track": number})
                        one = tracks.setdefault(
                            number, {"track": number, "label": box["label"], "start": row["time"], "frames": 0}
                        )
                        one["end"], one["frames"] = round(row["time"] + self.interval, 3), one["frames"] + 1
                    else:
                        boxes.append(box)
                target.write(json.dumps({**row, "boxes": boxes}) + "\n")
        numbered.replace(self.spool)
        path = self.folder / "tracks.json"
        path.write_text(json.dumps(list(tracks.values()), ensure_ascii=False))
        self.context.keep_file("tracks.json", path, "application/json")
        return list(tracks.values())

    def _write_results(self) -> list[dict]:
        is_detector = self.model.task == Task.DETECTION
        timeline = Timeline(self.interval) if is_detector else LabelTimeline(self.interval)
        with _Results(self.folder, self.model, ("frame", "time"), self.parameters.threshold) as results:
            for row in self._rows():
                prediction = Prediction(self.video.filename, row["width"], row["height"], row["labels"], row["boxes"])
                where = {"frame": row["frame"], "time": row["time"]}
                results.add(where, prediction, (row["frame"], row["time"]))
                timeline.add(row["time"], [(one["label"], one["score"]) for one in row["boxes"] or row["labels"]])
            results.end([])
        results.keep(self.context)
        stretches = timeline.stretches()
        path = self.folder / "timeline.json"
        path.write_text(json.dumps(stretches, ensure_ascii=False))
        self.context.keep_file("timeline.json", path, "application/json")
        return stretches

    def _draw(self, count: int, last: float) -> str:
        """The video with what was found on each frame; frames in between show what was found before."""
        colors = dict(self.model.project.labels.values_list("name", "color"))
        path = self.folder / "annotated.mp4"
        # As many frames in as much time, whatever the file claims.
        fps = (count - 1) / last if count > 1 and last > 0 else self.video.fps or 25.0
        rows = self._rows()
        row: dict = {"labels": [], "boxes": []}
        writer: AnnotatedVideoWriter | None = None
        with contextlib.ExitStack() as stack:
            source = stack.enter_context(pinned(self.video))
            chosen = stack.enter_context(frames(source, Selection(max_side=VIDEO_SIDE)))
            for frame in chosen:
                if frame.index % REPORT_EVERY == 0:
                    self._report(frame.index, 1)
                if frame.index % self.every == 0:
                    row = next(rows, row)
                picture = _drawn(pillow.fromarray(frame.pixels), row, self.video.width, colors)
                if writer is None:
                    writer = stack.enter_context(AnnotatedVideoWriter(path, fps, picture.size))
                writer.write(np.asarray(picture))
        if writer is None:
            raise WorkFailed("video_empty", "The video has no frame that can be decoded.")
        self.context.keep_file("annotated.mp4", path, "video/mp4")
        return writer.codec


def _drawn(picture: pillow.Image, row: dict, width: int, colors: dict) -> pillow.Image:
    if row["boxes"]:
        scale = picture.size[0] / width
        boxes = [{**one, "box": [edge * scale for edge in one["box"]]} for one in row["boxes"]]
        return with_boxes(picture, boxes, colors)
    return with_label(picture, row["labels"], colors) if row["labels"] else picture
