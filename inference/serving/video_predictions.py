"""A model on the frames of a video: predictions, tracks, a timeline, and an annotated video."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image as pillow

from datasets.videos import pinned, video_of
from inference.models import Model
from inference.serving.batch_contracts import BatchParameters, BatchResult, VideoResult, options_of
from inference.serving.prediction import (
    Prediction,
    predict_pixels,
    serving_thresholds,
)
from inference.serving.prediction_files import PredictionFiles
from jobs.context import JobContext
from jobs.errors import WorkFailed
from projects.models import Task
from vision.analysis.timeline import LabelTimeline, Timeline
from vision.analysis.tracking import track
from vision.runtime.overlay import with_boxes, with_label
from vision.video.facts import Selection, VideoProblem
from vision.video.reading import frames
from vision.video.writing import AnnotatedVideoWriter

REPORT_EVERY = 20

# The annotated video is there to look at: larger frames are made smaller.
VIDEO_SIDE = 1920

FEW_STRETCHES = 200

VARIABLE_RATE = "The video has a variable frame rate; the annotated one has its mean, and the same frames."


class VideoPredictions:
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
            counts=None if tracks is None else dict(Counter(track["label"] for track in tracks)),
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
        options = options_of(self.model, self.parameters)
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
                prediction = predict_pixels(self.model, options, frame.pixels)
                row = {
                    "frame": frame.index,
                    "time": frame.time,
                    "labels": prediction.labels,
                    "boxes": prediction.boxes,
                    "width": prediction.width,
                    "height": prediction.height,
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
                        entry = tracks.setdefault(
                            number, {"track": number, "label": box["label"], "start": row["time"], "frames": 0}
                        )
                        entry["end"], entry["frames"] = round(row["time"] + self.interval, 3), entry["frames"] + 1
                    else:
                        boxes.append(box)
                target.write(json.dumps({**row, "boxes": boxes}) + "\n")
        numbered.replace(self.spool)
        path = self.folder / "tracks.json"
        path.write_text(json.dumps(list(tracks.values()), ensure_ascii=False))
        self.context.keep_file("tracks.json", path, "application/json")
        return list(tracks.values())

    def _write_results(self) -> list[dict]:
        has_one_label = Task(self.model.task).has_single_labels
        timeline = LabelTimeline(self.interval) if has_one_label else Timeline(self.interval)
        with PredictionFiles(self.folder, self.model, ("frame", "time"), self.parameters.threshold) as results:
            for row in self._rows():
                prediction = Prediction(self.video.filename, row["width"], row["height"], row["labels"], row["boxes"])
                where = {"frame": row["frame"], "time": row["time"]}
                results.add(where, prediction, (row["frame"], row["time"]))
                timeline.add(
                    row["time"],
                    [(answer["label"], answer["score"]) for answer in row["boxes"] or _seen(row["labels"])],
                )
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
                image = _drawn(pillow.fromarray(frame.pixels), row, self.video.width, colors)
                if writer is None:
                    writer = stack.enter_context(AnnotatedVideoWriter(path, fps, image.size))
                writer.write(np.asarray(image))
        if writer is None:
            raise WorkFailed("video_empty", "The video has no frame that can be decoded.")
        self.context.keep_file("annotated.mp4", path, "video/mp4")
        return writer.codec


def _drawn(image: pillow.Image, row: dict, width: int, colors: dict) -> pillow.Image:
    if row["boxes"]:
        scale = image.size[0] / width
        boxes = [{**box, "box": [edge * scale for edge in box["box"]]} for box in row["boxes"]]
        return with_boxes(image, boxes, colors)
    labels = _seen(row["labels"])
    return with_label(image, labels, colors) if labels else image


def _seen(labels: list[dict]) -> list[dict]:
    """Of a multilabel model those that are there; of a classifier all that it answered."""
    return [answer for answer in labels if answer.get("is_present", True)]
