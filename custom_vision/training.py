"""Starting a training as programs for Custom Vision ask for one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import F

from custom_vision.domains import architecture_of
from custom_vision.errors import Refused
from custom_vision.iterations import COMPLETED, find_iteration, ids_by_name, iterations_of, status_of
from custom_vision.models import Iteration, ProjectSettings
from custom_vision.tags import tags_by_id
from custom_vision.wire import Query, ids_of, text_of
from custom_vision.workspace import domain_of, find_dataset, find_project, settings_of
from datasets.models import Dataset, Snapshot
from datasets.snapshots import current_snapshot, take_snapshot
from inference.models import Model
from jobs.models import ENDED
from projects.models import Project
from storage.database import atomic_again
from training.errors import CannotTrain
from training.models import TrainingRun
from training.services import start_training

MOST_TAGS = 500
NOTHING_CHANGED = "Nothing changed since last training"


@dataclass(frozen=True)
class Request:
    """What a program asks for.

    Attributes:
        hours: of an Advanced training; 0: as long as it takes.
        tags: the only ones that are trained; empty: all.
    """

    is_forced: bool = False
    is_advanced: bool = False
    hours: int = 0
    tags: list[UUID] = field(default_factory=list)
    base: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, query: Query, body: dict[str, Any]) -> Request:
        """Raises `Refused`."""
        email = query.text("notificationEmailAddress")
        if email is not None and "@" not in email:
            raise Refused("BadRequestInvalidEmailAddress", "notificationEmailAddress is no address of mail.")
        base = body.get("custombasemodelinfo")
        return cls(
            is_forced=query.flag("forceTrain"),
            is_advanced=(query.text("trainingType") or "").lower() == "advanced",
            hours=int(query.number("reservedBudgetInHours", 0)),
            tags=ids_of(body.get("selectedtags"), MOST_TAGS, "selectedTags"),
            base=base if isinstance(base, dict) else {},
        )


def train(*, project: Project, user: User, asked: Request) -> TrainingRun:
    """Start a training of what the project has now.

    Raises:
        Refused: one is being trained, or nothing has changed since the last one.
        CannotTrain, NothingToSnapshot: there is too little to train with.
    """
    if TrainingRun.objects.filter(project=project, search=None).exclude(state__in=ENDED).exists():
        raise Refused("BadRequestTrainingAlreadyInProgress", "The project is being trained: wait until that is over.")
    settings, dataset = settings_of(project), find_dataset(project)
    if dataset is None:
        raise CannotTrain("The project has no images.", code="no_dataset")
    snapshot = _snapshot(project, dataset, user, asked)
    if not asked.is_forced and _is_trained(project, settings, snapshot):
        raise Refused("BadRequestTrainingNotNeeded", NOTHING_CHANGED)
    base = _base_of(user, asked.base)
    run = start_training(
        project=project,
        user=user,
        configuration=_configuration(settings, asked, base),
        snapshot=snapshot,
        name=f"Iteration {settings.last_iteration + 1}",
        base_model=base,
    )
    _note(run, settings, asked)
    return run


@atomic_again
def _note(run: TrainingRun, settings: ProjectSettings, asked: Request) -> None:
    if settings.pk is None:
        settings.save()
    ProjectSettings.objects.filter(pk=settings.pk).update(last_iteration=F("last_iteration") + 1)
    Iteration.objects.update_or_create(
        run=run,
        defaults={
            "project": run.project,
            "domain": settings.domain,
            "classification_type": settings.classification_type,
            "training_type": "Advanced" if asked.is_advanced else "Regular",
            "budget_hours": asked.hours,
            "tags": ids_by_name(run.project),
        },
    )


def _snapshot(project: Project, dataset: Dataset, user: User, asked: Request) -> Snapshot:
    if not asked.tags:
        return current_snapshot(dataset=dataset, user=user)
    labels = tags_by_id(project, asked.tags)
    return take_snapshot(dataset=dataset, user=user, labels={label.name for label in labels.values()})


def _is_trained(project: Project, settings: ProjectSettings, snapshot: Snapshot) -> bool:
    """Whether the last iteration that ended well was of the same images, tags, domain and type."""
    for run in iterations_of(project):
        if status_of(run) == COMPLETED:
            detail = Iteration.objects.filter(run=run).first()
            was = (settings.domain, settings.classification_type)
            is_same = detail is None or (detail.domain, detail.classification_type) == was
            return is_same and run.snapshot.digest == snapshot.digest
    return False


def _configuration(settings: ProjectSettings, asked: Request, base: Model | None) -> dict[str, Any]:
    configuration: dict[str, Any] = {}
    if base is None and (architecture := architecture_of(domain_of(settings))):
        configuration["architecture"] = architecture
    if asked.is_advanced and asked.hours:
        configuration["minutes"] = asked.hours * 60.0
    return configuration


def _base_of(user: User, base: dict[str, Any]) -> Model | None:
    """The model that a training starts from.

    Raises:
        Refused: it is not there for this user, or not trained.
    """
    if not base:
        return None
    project = find_project(user, text_of(base, "projectid") or "")
    run = find_iteration(project, text_of(base, "iterationid") or "")
    if run.model is None or status_of(run) != COMPLETED:
        raise Refused("BadRequestCustomBaseModelIterationStatusNotCompleted", "The base iteration is not trained.")
    return run.model
