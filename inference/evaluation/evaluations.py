"""How good a model is on a split of a snapshot, by any of its files."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sized
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from common.errors import Invalid
from datasets.models import Snapshot, SnapshotImage
from datasets.snapshots import iterate_images, require_images
from inference.evaluation.engine_outputs import run_in_the_engine
from inference.models import Evaluation, FileKind, Model, ModelFile
from inference.registry.registration import OUTCOMES_TYPE
from inference.serving.prediction import LOWEST_SCORE, preprocessor_for
from jobs.context import JobContext
from jobs.contracts import JobParameters, JobResult
from jobs.errors import WorkFailed
from jobs.models import Job, JobKind, Queue
from jobs.queues import queue_for
from jobs.services import enqueue_job, handles
from projects.models import Task
from storage import services as storage
from vision.analysis.curves import curves_of
from vision.analysis.predictions import OUTCOMES, ClassifierPredictions, DetectorPredictions, MultilabelPredictions
from vision.imaging.letterbox import Letterbox, to_letterboxed
from vision.imaging.orientation import upright_size
from vision.imaging.preprocessing import ImageError, open_image
from vision.runtime.boxes import AnchorShapes, Detections, anchors_for, detections_from, thresholds_of
from vision.runtime.detection_metrics import MAX_DETECTIONS, detection_metrics, worst_images
from vision.runtime.interpreters import LiteRTClassifier, LiteRTDetector, ModelFileError
from vision.runtime.kinds import KINDS, NAMES
from vision.runtime.matching import GroundTruth
from vision.runtime.metrics import classification_metrics, worst_mistakes
from vision.runtime.multilabel_metrics import multilabel_metrics, worst_decisions
from vision.runtime.onnx import OnnxNetwork

REPORT_EVERY = 20

# (height, width, 3) uint8 → probabilities (labels,), or raw output (anchors, 4 + labels)
Run = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class EvaluationParameters(JobParameters, kind=JobKind.EVALUATION):
    model: str
    snapshot: str
    split: str
    file_kind: str = FileKind.LITERT_FLOAT32.value


@dataclass(frozen=True)
class EvaluationResult(JobResult):
    model: str
    evaluation: str
    images: int


def start_evaluation(
    *, model: Model, user: User, snapshot: Snapshot, split: str, file_kind: str = FileKind.LITERT_FLOAT32
) -> Job:
    """Make the job that measures the model, by one of its files.

    Raises:
        Invalid: the snapshot is of another task, its split is empty, or has none of the model's labels; the
            model has no such file.
    """
    check_fits(model, snapshot, split)
    if not model.files.filter(kind=file_kind).exists() or file_kind not in NAMES:
        raise Invalid(f"{model} has no {file_kind} file: export it first.", attr="file_kind", code="no_file")
    parameters = EvaluationParameters(str(model.pk), str(snapshot.pk), split, str(file_kind))
    queue = queue_for(images=snapshot.counts["splits"].get(split, 0))
    if file_kind in (FileKind.KERAS, FileKind.SAVED_MODEL):  # TensorFlow runs these, in a process of its own
        queue = Queue.HEAVY
    with transaction.atomic():
        return enqueue_job(project=model.project, user=user, parameters=parameters, queue=queue)


def check_fits(model: Model, snapshot: Snapshot, split: str) -> None:
    """Raises `Invalid` when the model cannot be measured on the split."""
    require_images(snapshot)
    if snapshot.project.task != model.task:
        raise Invalid("It is of a project with another task.", attr="snapshot", code="snapshot_does_not_fit")
    if not snapshot.counts["splits"].get(split):
        raise Invalid(f"The snapshot has no images in its {split} split.", attr="split", code="empty_split")
    if not set(snapshot.class_names) & set(model.class_names):
        detail = f"None of its labels is one of the model's: {', '.join(model.class_names[:5])}."
        raise Invalid(detail, attr="snapshot", code="snapshot_does_not_fit")


@handles(EvaluationParameters)
def run_evaluation(context: JobContext[EvaluationParameters]) -> EvaluationResult:
    parameters = context.parameters
    model = Model.objects.select_related("project").filter(pk=parameters.model).first()
    snapshot = Snapshot.objects.filter(pk=parameters.snapshot).first()
    if model is None or snapshot is None:
        raise WorkFailed("evaluation_without_object", "The model or the snapshot was deleted meanwhile.")
    evaluation = evaluate(context, model, snapshot, parameters.split, parameters.file_kind)
    return EvaluationResult(str(model.pk), str(evaluation.pk), evaluation.metrics["count"])


def evaluate(
    context: JobContext, model: Model, snapshot: Snapshot, split: str, kind: str = FileKind.LITERT_FLOAT32
) -> Evaluation:
    """Predict every image of the split and keep the figures, and what was said of each image. Images with a label that
    the model does not know, and such that cannot be read, are counted and left out.

    Raises:
        WorkFailed: nothing could be measured, or the file is gone or damaged.
    """
    rows = _Rows(context, model, snapshot, split)
    # Named after the job, so that what a killed worker left of it is found.
    with tempfile.TemporaryDirectory(dir=_work_root(), prefix=f"{context.job.pk}.") as folder:
        outputs = _outputs(context, model, kind, rows, Path(folder))
        kind_of_model = Task(model.task)
        if kind_of_model is Task.DETECTION:
            boxes = _boxes(model, rows, outputs)
            _require_some(boxes.truths)
            common, serving = model.detector["score_threshold"], thresholds_of(model.detector, model.class_names)
            metrics = detection_metrics(boxes.truths, boxes.found, model.class_names, common, serving)
            mistakes = worst_images(boxes.truths, boxes.found, serving)
            curves = curves_of(boxes)
            boxes.save(Path(folder) / OUTCOMES)
        elif kind_of_model is Task.MULTILABEL:
            found = _several_labels(model, rows, outputs)
            _require_some(found.keys)
            shown = (found.probabilities, found.truth)
            metrics = multilabel_metrics(*shown, model.class_names, found.thresholds)
            mistakes = worst_decisions(*shown, found.keys, model.class_names, found.thresholds)
            curves = curves_of(found)
            found.save(Path(folder) / OUTCOMES)
        else:
            labels = _labels(model, rows, outputs)
            _require_some(labels.keys)
            metrics = classification_metrics(labels.probabilities, labels.truth, model.class_names)
            mistakes = worst_mistakes(labels.probabilities, labels.truth, labels.keys, model.class_names)
            curves = curves_of(labels)
            labels.save(Path(folder) / OUTCOMES)
        blob = storage.keep_path(Path(folder) / OUTCOMES, OUTCOMES_TYPE)
    metrics |= {"unknown_label": rows.unknown, "unreadable": rows.unreadable}
    with transaction.atomic():
        context.keep()  # not when another attempt measures the same now
        return Evaluation.objects.create(
            model=model,
            snapshot=snapshot,
            split=split,
            metrics=metrics,
            mistakes=mistakes,
            curves=curves,
            outcomes=blob,
            file_kind=kind,
        )


def _require_some(measured: Sized) -> None:
    if not measured:
        raise WorkFailed("nothing_to_measure", "None of the images could be used: unknown labels, or damaged files.")


def _work_root() -> Path:
    folder = settings.WORK_DIR / "jobs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class _Rows:
    """The images of a split that the model can be measured on."""

    def __init__(self, context: JobContext, model: Model, snapshot: Snapshot, split: str) -> None:
        self._context, self._snapshot, self._split = context, snapshot, split
        self.index = {name: number for number, name in enumerate(model.class_names)}
        self.size = (model.input_height, model.input_width)
        self.way = to_letterboxed if Task(model.task).has_boxes else preprocessor_for(model)
        self.unknown = self.unreadable = 0

    def each(self) -> Iterator[tuple[SnapshotImage, np.ndarray, tuple[int, int]]]:
        """Every image whose labels the model knows, as pixels of its input, with the size of the upright image."""
        total = self._snapshot.counts["splits"][self._split]
        for number, row in enumerate(iterate_images(self._snapshot, self._split)):
            if number % REPORT_EVERY == 0:
                self._context.report(number, total)
            if not {annotation["label"] for annotation in row.annotations} <= set(self.index):
                self.unknown += 1
                continue
            try:
                with storage.opened(row.blob) as file, open_image(file) as image:
                    # Before the pixels: a large JPEG is a smaller image once it is decoded for a small input.
                    size = upright_size(image)
                    pixels = self.way(image, self.size)
            except ImageError:
                self.unreadable += 1
                continue
            yield row, pixels, size


Outputs = Iterator[tuple[SnapshotImage, tuple[int, int], np.ndarray]]


def _outputs(context: JobContext, model: Model, kind: str, rows: _Rows, folder: Path) -> Outputs:
    """What the file says of each image."""
    file = ModelFile.objects.select_related("blob").filter(model=model, kind=kind).first()
    if file is None:
        raise WorkFailed("model_without_file", f"{model} has no {kind} file any more.")
    runtime = KINDS[kind].runtime
    if runtime in ("litert", "onnxruntime"):
        with storage.pinned(file.blob) as path:
            run = _run_of(model, runtime, path)
        for row, pixels, size in rows.each():
            yield row, size, run(pixels)
        return
    kept: list[tuple[SnapshotImage, tuple[int, int]]] = []
    paths: list[Path] = []
    for row, pixels, size in rows.each():
        path = folder / f"{len(paths)}.npy"
        np.save(path, pixels)
        kept.append((row, size))
        paths.append(path)
    for (row, size), output in zip(kept, run_in_the_engine(context, model, kind, paths), strict=True):
        yield row, size, output


def _run_of(model: Model, runtime: str, path: Path) -> Run:
    try:
        if runtime == "onnxruntime":
            return OnnxNetwork(path, num_threads=settings.PREDICTION_THREADS).run
        network = LiteRTDetector if Task(model.task).has_boxes else LiteRTClassifier
        return network(path, max_interpreters=1, num_threads=settings.PREDICTION_THREADS).run
    except ModelFileError as error:
        raise WorkFailed("model_file_broken", f"The file is damaged: {error}. Export it again.") from error


def _labels(model: Model, rows: _Rows, outputs: Outputs) -> ClassifierPredictions:
    keys, truth, probabilities = [], [], []
    for row, _, output in outputs:
        keys.append(str(row.image_key))
        truth.append(rows.index[row.annotations[0]["label"]])
        probabilities.append(output)
    scores = np.stack(probabilities) if probabilities else np.zeros((0, len(model.class_names)), np.float32)
    return ClassifierPredictions(keys, np.array(truth, dtype=np.int64), scores, model.class_names)


def _several_labels(model: Model, rows: _Rows, outputs: Outputs) -> MultilabelPredictions:
    keys, truth, probabilities = [], [], []
    for row, _, output in outputs:
        keys.append(str(row.image_key))
        truth.append(np.zeros(len(model.class_names), bool))
        truth[-1][[rows.index[annotation["label"]] for annotation in row.annotations]] = True
        probabilities.append(output)
    empty = np.zeros((0, len(model.class_names)), np.float32)
    return MultilabelPredictions(
        keys,
        np.stack(truth) if truth else empty.astype(bool),
        np.stack(probabilities) if probabilities else empty,
        model.class_names,
        model.ordered_thresholds,
    )


def _boxes(model: Model, rows: _Rows, outputs: Outputs) -> DetectorPredictions:
    anchors = anchors_for(rows.size, AnchorShapes.from_dict(model.detector["anchors"]))
    truths, detections = [], []
    for row, (width, height), output in outputs:
        letterbox = Letterbox.fit(width, height, rows.size)
        boxes = detections_from(
            anchors,
            output,
            letterbox.content_size,
            score_threshold=LOWEST_SCORE,
            iou_threshold=model.detector["iou_threshold"],
            limit=MAX_DETECTIONS,
        )
        detections.append(Detections(letterbox.to_image(boxes.boxes, width, height), boxes.scores, boxes.labels))
        drawn = np.array([annotation["box"] for annotation in row.annotations], np.float32).reshape(-1, 4)
        labels = np.array([rows.index[annotation["label"]] for annotation in row.annotations], int)
        truths.append(GroundTruth(str(row.image_key), drawn, labels))
    return DetectorPredictions(truths, detections, model.class_names)


AnyPredictions = ClassifierPredictions | MultilabelPredictions | DetectorPredictions
PREDICTIONS: dict[str, type[AnyPredictions]] = {
    Task.CLASSIFICATION: ClassifierPredictions,
    Task.MULTILABEL: MultilabelPredictions,
    Task.DETECTION: DetectorPredictions,
}


def outcomes_of(evaluation: Evaluation) -> AnyPredictions:
    """What the model said of each image."""
    with storage.pinned(evaluation.outcomes) as path:  # type: ignore[arg-type]
        return read_outcomes(path, evaluation.model.task)


def read_outcomes(path: Path, task: str) -> AnyPredictions:
    return PREDICTIONS[task].load(path)
