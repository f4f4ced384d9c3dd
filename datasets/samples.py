"""A project with drawn images, to try the studio without images of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction

from datasets.examining import StagedImage, stage_image
from datasets.ingest import add_images
from datasets.labels import ensure_labels
from datasets.models import Dataset, Label
from datasets.services import create_dataset
from datasets.snapshot_jobs import dataset_of
from jobs.context import JobContext
from jobs.contracts import JobParameters, JobResult
from jobs.errors import WorkFailed
from jobs.models import Job, JobKind
from jobs.services import enqueue_job, handles
from projects.limits import require_images
from projects.models import Project, Task
from projects.services import create_project
from storage import services as storage
from storage.database import atomic_again
from vision.imaging.drawing import NAMES, draw, plan_scene

SOURCE = "samples"
BATCH = 20


@dataclass(frozen=True)
class SampleSet:
    """What is drawn for a task. Of each `unlabelled_every` images the last has no label, for a person to give."""

    name: str
    images: int
    most_shapes: int
    unlabelled_every: int

    def is_labelled(self, number: int) -> bool:
        return (number + 1) % self.unlabelled_every != 0


SETS = {
    Task.CLASSIFICATION: SampleSet("Sample: shapes", 300, most_shapes=1, unlabelled_every=10),
    Task.MULTILABEL: SampleSet("Sample: several shapes", 300, most_shapes=3, unlabelled_every=10),
    Task.DETECTION: SampleSet("Sample: boxes", 240, most_shapes=4, unlabelled_every=8),
}


@dataclass(frozen=True)
class StartedSamples:
    project: Project
    dataset: Dataset
    job: Job


@dataclass(frozen=True)
class SamplesParameters(JobParameters, kind=JobKind.SAMPLES):
    dataset: str
    images: int


@dataclass(frozen=True)
class SamplesResult(JobResult):
    dataset: str
    images: int
    labelled: int


@atomic_again
def start_samples(*, user: User, task: Task, images: int | None = None) -> StartedSamples:
    """A new project of the user with an empty dataset, and the job that draws its images.

    Args:
        images: how many, if not the number of the task.

    Raises:
        LimitReached: the user has as many projects, jobs or images as are allowed; nothing was made.
    """
    sample, description = SETS[task], "Drawn by the studio, to try it with. Delete it when you no longer need it."
    count = sample.images if images is None else images
    project = create_project(user=user, name=sample.name, description=description, task=task)
    require_images(project, count, 0)
    dataset = create_dataset(project=project, name="Images")
    job = enqueue_job(project=project, user=user, parameters=SamplesParameters(str(dataset.pk), count))
    return StartedSamples(project, dataset, job)


@handles(SamplesParameters)
def draw_samples(context: JobContext[SamplesParameters]) -> SamplesResult:
    """Draw from where the job stopped. The position is written in the transaction of each batch."""
    dataset = dataset_of(context)
    sample = SETS[Task(dataset.project.task)]
    total = context.parameters.images
    start = context.job.position.get("next", 0)
    context.report(start, total)
    for first in range(start, total, BATCH):
        _draw_batch(context, dataset, sample, range(first, min(first + BATCH, total)))
    labelled = sum(sample.is_labelled(number) for number in range(total))
    return SamplesResult(str(dataset.pk), total, labelled)


def _draw_batch(context: JobContext, dataset: Dataset, sample: SampleSet, numbers: range) -> None:
    with ExitStack() as cleanup:
        scenes = [plan_scene(number, most_shapes=sample.most_shapes) for number in numbers]
        items: list[StagedImage] = []
        for number, scene in zip(numbers, scenes, strict=True):
            items.append(stage_image(draw(scene), f"sample-{number + 1:03d}.jpg"))
            cleanup.callback(items[-1].incoming.discard)
        storage.stage(item.incoming for item in items)  # before the transaction, in which nobody else can write
        try:
            with transaction.atomic():
                labels = ensure_labels(project=dataset.project, names=NAMES)
                for number, scene, item in zip(numbers, scenes, items, strict=True):
                    if sample.is_labelled(number):
                        _mark(item, [(labels[shape.name], shape.box) for shape in scene.shapes], dataset.project)
                add_images(dataset=dataset, items=items, user=context.job.created_by, source=SOURCE)
                context.report(numbers.stop, context.parameters.images, position={"next": numbers.stop})
        except Dataset.DoesNotExist as error:
            raise WorkFailed("dataset_deleted", "The dataset was deleted meanwhile.") from error


def _mark(
    item: StagedImage, marks: Sequence[tuple[Label, tuple[float, float, float, float]]], project: Project
) -> None:
    task = project.kind
    if task.has_single_labels:
        item.label = marks[0][0]
    elif task.has_boxes:
        item.boxes = list(marks)
    else:
        item.boxes = [(label, None) for label in {label.pk: label for label, _ in marks}.values()]
        item.is_reviewed = True
