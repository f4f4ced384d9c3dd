"""Why a model says what it says of an image: what its score loses when a part is covered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from django.contrib.auth.models import User
from django.db import transaction
from PIL.Image import Image as PillowImage
from PIL.Image import Resampling

from common.errors import Invalid
from datasets.models import Image
from inference.models import Model, Resize
from inference.serving.batches import work_folder
from inference.serving.job_models import get_model_or_fail
from inference.serving.prediction import LOWEST_SCORE, load_runtime, preprocessor_for
from jobs.context import JobContext
from jobs.contracts import JobParameters, JobResult
from jobs.errors import WorkFailed
from jobs.models import Job, JobKind
from jobs.services import enqueue_job, handles
from projects.models import Project, Task
from storage import services as storage
from storage.cache import Incoming
from vision.analysis.charts import explanation_chart
from vision.analysis.saliency import heat_over, occlusion_map
from vision.imaging.letterbox import Letterbox, to_letterboxed
from vision.imaging.orientation import upright_size
from vision.imaging.preprocessing import ImageError, decoded, open_image
from vision.runtime.boxes import AnchorShapes, Detections, anchors_for, detections_from, iou_matrix
from vision.runtime.interpreters import LiteRTClassifier, LiteRTDetector

OVERLAP = 0.3

SMALLEST_SIDE, SHOWN_SIDE = 512, 1024


@dataclass(frozen=True)
class ExplanationParameters(JobParameters, kind=JobKind.EXPLANATION):
    model: str
    label: str | None
    image: str | None


@dataclass(frozen=True)
class ExplanationResult(JobResult):
    model: str
    image: str | None
    label: str
    box: list[float] | None
    score: float
    method: str
    heat: list[list[float]]


def start_explanation(
    *,
    model: Model,
    project: Project,
    user: User,
    image: Image | None = None,
    incoming: Incoming | None = None,
    label: str | None = None,
) -> Job:
    """Make the job that explains one image, of a dataset or sent along.

    Args:
        label: what to explain; default: the model's first answer.

    Raises:
        Invalid: the model has no such label, or the file is no image.
    """
    if label is not None and label not in model.class_names:
        raise Invalid(f"The model has no label {label!r}.", attr="label", code="unknown_label")
    with transaction.atomic():
        if image is not None:
            blob = image.blob
        else:
            assert incoming is not None
            try:
                incoming.flush()
                with open_image(incoming.path):
                    pass
                blob = storage.keep(incoming, "application/octet-stream")
            except ImageError as error:
                raise Invalid(str(error), attr="file", code=error.code) from error
            finally:
                incoming.discard()
        parameters = ExplanationParameters(str(model.pk), label, None if image is None else str(image.pk))
        return enqueue_job(project=project, user=user, parameters=parameters, input_blob=blob)


@handles(ExplanationParameters)
def explain(context: JobContext[ExplanationParameters]) -> ExplanationResult:
    """An overlay as `explanation.png`, beside the image as `explanation-chart.png`, and the cells behind it."""
    model, blob = get_model_or_fail(context.parameters.model), context.job.input_blob
    if blob is None:
        raise WorkFailed("missing_object", "The image of this job is no longer here.")
    asked_label = context.parameters.label
    look = _detector if Task(model.task).has_boxes else _classifier
    try:
        with storage.opened(blob) as file, open_image(file) as image, decoded(image) as upright:
            pixels, score_of, label, box = look(model, upright, asked_label)
            seen = _to_show(upright)
    except ImageError as error:
        raise WorkFailed(error.code, str(error)) from error
    heat = occlusion_map(score_of, pixels, context.report)
    shown, score = _shown(model, seen, pixels, heat), score_of(pixels)
    with work_folder(context) as folder:
        overlay = heat_over(seen, shown)
        overlay.save(folder / "explanation.png")
        title = f"{label}, {score:.2f}: {model}"
        chart = explanation_chart(np.asarray(seen.convert("RGB")), np.asarray(overlay), title, float(heat.max()))
        (folder / "explanation-chart.png").write_bytes(chart)
        for name in ("explanation.png", "explanation-chart.png"):
            context.keep_file(name, folder / name, "image/png")
    return ExplanationResult(
        model=str(model.pk),
        image=context.parameters.image,
        label=label,
        box=box,
        score=round(score, 6),
        method="occlusion",
        heat=[[round(float(value), 5) for value in row] for row in heat],
    )


def _to_show(upright: PillowImage) -> PillowImage:
    """Large enough to be looked at, and no larger than a screen."""
    factor = SMALLEST_SIDE / max(upright.size)
    if factor > 1:
        return upright.resize((round(upright.width * factor), round(upright.height * factor)), Resampling.BICUBIC)
    shown = upright.copy()
    shown.thumbnail((SHOWN_SIDE, SHOWN_SIDE))
    return shown


def _classifier(model: Model, image: PillowImage, asked_label: str | None) -> tuple:
    runtime = load_runtime(model, LiteRTClassifier)
    pixels = preprocessor_for(model)(image, runtime.image_size)
    first = int(runtime.predict(pixels).argmax())
    index = first if asked_label is None else model.class_names.index(asked_label)
    return pixels, lambda covered: float(runtime.predict(covered)[index]), model.class_names[index], None


def _detector(model: Model, image: PillowImage, asked_label: str | None) -> tuple:
    """Explains the box with the highest score (of the label): the best score of its label where it is."""
    runtime = load_runtime(model, LiteRTDetector)
    pixels = to_letterboxed(image, runtime.image_size)
    width, height = upright_size(image)
    letterbox = Letterbox.fit(width, height, runtime.image_size)
    anchors = anchors_for(runtime.image_size, AnchorShapes.from_dict(model.detector["anchors"]))

    def detections_on(covered: np.ndarray) -> Detections:
        return detections_from(
            anchors,
            runtime.run(covered),
            letterbox.content_size,
            score_threshold=LOWEST_SCORE,
            iou_threshold=model.detector["iou_threshold"],
            limit=100,
        )

    whole = detections_on(pixels)
    mine = np.ones(len(whole.scores), bool)
    if asked_label is not None:
        mine = whole.labels == model.class_names.index(asked_label)
    if not mine.any():
        raise WorkFailed("nothing_found", "The model finds nothing on this image, so there is nothing to explain.")
    best = int(np.where(mine, whole.scores, -1).argmax())
    box, label = whole.boxes[best], int(whole.labels[best])

    def score_of(covered: np.ndarray) -> float:
        other = detections_on(covered)
        if not len(other.scores):
            return 0.0
        near = (other.labels == label) & (iou_matrix(box[None], other.boxes)[0] >= OVERLAP)
        return float(other.scores[near].max()) if near.any() else 0.0

    upright = letterbox.to_image(box[None], width, height)[0]
    return pixels, score_of, model.class_names[label], [round(float(edge), 2) for edge in upright]


def _shown(model: Model, image: PillowImage, pixels: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """The heat that lies over the image: of a letterboxed one without the grey rest."""
    if not Task(model.task).has_boxes and model.resize != Resize.LETTERBOX:
        return heat
    height, width = pixels.shape[:2]
    letterbox = Letterbox.fit(*image.size, (height, width))
    inside_height, inside_width = letterbox.content_size
    rows = max(1, round(heat.shape[0] * inside_height / height))
    columns = max(1, round(heat.shape[1] * inside_width / width))
    return heat[:rows, :columns]
