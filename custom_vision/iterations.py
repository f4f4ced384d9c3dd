"""Iterations: the trainings of a project, their names, and their end."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q, QuerySet

from custom_vision.domains import PLATFORMS
from custom_vision.errors import Refused, missing
from custom_vision.models import Iteration
from custom_vision.wire import id_or_none, zoned
from custom_vision.workspace import settings_of
from datasets.models import Label
from inference.models import FileKind, Model
from inference.registry.changing import delete_model
from jobs.models import ENDED, WorkState
from projects.models import Project
from storage.database import atomic_again
from training.models import TrainingRun
from training.services import delete_training

LONGEST_NAME = 100
TRAINING, COMPLETED, FAILED = "Training", "Completed", "Failed"
NOT_TRAINED = "The iteration is not trained: wait until its status is Completed."


def iterations_of(project: Project) -> QuerySet[TrainingRun]:
    """The trainings whose model is there, or may come; not the many of a search for settings."""
    rows = TrainingRun.objects.filter(Q(model=None) | Q(model__project=project), project=project, search=None)
    rows = rows.exclude(state=WorkState.SUCCEEDED, model=None)
    return rows.select_related("custom_vision", "model", "snapshot", "project").order_by("-id")


def find_iteration(project: Project, text: str) -> TrainingRun:
    """Raises `NotFoundIteration`."""
    pk = id_or_none(text)
    run = None if pk is None else iterations_of(project).filter(pk=pk).first()
    if run is None:
        raise missing("Iteration")
    return run


def iteration_asked_for(project: Project, pk: UUID | None) -> TrainingRun:
    """The iteration of this id; without one the newest that is trained.

    Raises:
        Refused: `NotFoundIteration`, `BadRequestIterationIsNotTrained`.
    """
    if pk is not None:
        run = find_iteration(project, str(pk))
        model_of(run)
        return run
    newest = iterations_of(project).filter(state=WorkState.SUCCEEDED).first()
    if newest is None:
        raise Refused("BadRequestIterationIsNotTrained", "The project has no trained iteration.")
    return newest


def model_of(run: TrainingRun) -> Model:
    """Raises `BadRequestIterationIsNotTrained`."""
    if status_of(run) != COMPLETED or run.model is None:
        raise Refused("BadRequestIterationIsNotTrained", NOT_TRAINED)
    return run.model


def detail_of(run: TrainingRun) -> Iteration:
    """What is kept of an iteration; of a training that the studio started, what would be, without a row."""
    try:
        return run.custom_vision
    except Iteration.DoesNotExist:
        settings = settings_of(run.project)
        return Iteration(
            project=run.project,
            run=run,
            domain=settings.domain,
            classification_type=settings.classification_type,
            tags=ids_by_name(run.project),
        )


def ids_by_name(project: Project) -> dict[str, str]:
    return {name: str(pk) for pk, name in Label.objects.filter(project=project).values_list("pk", "name")}


def status_of(run: TrainingRun) -> str:
    """Never more than these three: programs wait while it is one of them, or until it is another."""
    if run.state == WorkState.SUCCEEDED:
        return COMPLETED
    return FAILED if run.state in ENDED else TRAINING


def iteration_json(run: TrainingRun) -> dict:
    detail, status = detail_of(run), status_of(run)
    is_done = status == COMPLETED
    seconds = (run.finished_at - run.started_at).total_seconds() if run.finished_at and run.started_at else 0
    return {
        "id": str(run.pk),
        "name": run.name or f"Training of {run.created_at:%d %B %Y %H:%M}",
        "status": status,
        "created": zoned(run.created_at),
        "lastModified": zoned(run.finished_at or run.started_at or run.created_at),
        "trainedAt": zoned(run.finished_at) if is_done else None,
        "projectId": str(run.project_id),
        "exportable": is_done and is_exportable(run),
        "exportableTo": PLATFORMS if is_done and is_exportable(run) else None,
        "domainId": detail.domain if is_done else None,
        "classificationType": (detail.classification_type or None) if is_done else None,
        "trainingType": detail.training_type,
        "reservedBudgetInHours": detail.budget_hours,
        "trainingTimeInMinutes": round(seconds / 60),
        "publishName": detail.publish_name,
        "originalPublishResourceId": detail.resource or None,
        "customBaseModelInfo": None,
        "trainingErrorDetails": _error_of(run) if status == FAILED else None,
    }


def _error_of(run: TrainingRun) -> str:
    return run.error_detail or ("The training was cancelled." if run.state == WorkState.CANCELLED else "It failed.")


def is_exportable(run: TrainingRun) -> bool:
    return run.model is not None and run.model.files.filter(kind=FileKind.KERAS).exists()


def rename_iteration(*, run: TrainingRun, name: str | None) -> None:
    """Raises `BadRequestIterationName`."""
    name = (name or "").strip()
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise Refused("BadRequestIterationName", f"An iteration's name has 1 to {LONGEST_NAME} characters in one line.")
    TrainingRun.objects.filter(pk=run.pk).update(name=name)
    run.name = name


@atomic_again
def delete_iteration(*, run: TrainingRun) -> None:
    """Delete a training with its model.

    Raises:
        Refused: it is published, or being trained.
        InUse: the model is in production, or a device or other work needs it.
    """
    if detail_of(run).publish_name is not None:
        raise Refused("BadRequestIterationIsPublished", "The iteration is published: unpublish it first.")
    if status_of(run) == TRAINING:
        raise Refused("BadRequestTrainingAlreadyInProgress", "The iteration is being trained: wait, or cancel it.")
    if run.model is not None:
        delete_model(model=run.model)
    delete_training(run=TrainingRun.objects.get(pk=run.pk))
