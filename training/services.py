"""What a user does with trainings."""

from __future__ import annotations

from typing import Any

import structlog
from django.contrib.auth.models import User
from django.db import Error, transaction

from common.errors import Conflict
from common.words import counted
from datasets.models import Dataset, Snapshot
from datasets.snapshots import current_snapshot, hold_images, require_images
from inference.models import Model
from inference.selectors import models_of
from jobs import heartbeat, lanes, limits, queues, work
from jobs.errors import LeaseLost
from jobs.models import ENDED, Queue, WorkState
from jobs.services import TASKS, dispatch, leave_for_later, redispatch
from projects.live import announce
from projects.models import Project, Task
from projects.uses import require_unused
from storage.database import atomic_again, is_unavailable
from training.errors import CannotTrain
from training.models import TrainingRun
from training.speeds import AnyConfiguration, fitted
from training.supervisor import Supervisor
from vision.detection.checks import check_boxes
from vision.detection.configuration import DetectionConfiguration
from vision.training.architectures import ARCHITECTURES
from vision.training.configuration import Configuration
from vision.training.data import check_counts, check_multilabel_counts
from vision.training.errors import EngineError
from vision.training.presets import DEFAULT_PRESET, PRESETS
from webhooks.models import WebhookEvent
from webhooks.services import EVENTS

log = structlog.get_logger(__name__)

TASKS[Queue.TRAINING] = "training.tasks.work_on_trainings"
EVENTS[TrainingRun] = lambda run: WebhookEvent.TRAINING
limits.limit_work(
    TrainingRun,
    name="queued_trainings",
    setting="MAX_QUEUED_TRAININGS",
    project_setting="MAX_QUEUED_TRAININGS_PER_PROJECT",
    in_words=lambda count: counted(count, "training"),
)
SPLIT_ERRORS = ("empty_split", "label_without_images", "label_without_boxes")
# What an earlier model knows would be forgotten at the rate of a training from scratch.
BASE_RATE = 0.3


def start_training(
    *,
    project: Project,
    user: User | None,
    configuration: dict,
    snapshot: Snapshot | None = None,
    dataset: Dataset | None = None,
    name: str = "",
    base_model: Model | None = None,
) -> TrainingRun:
    """Check what can be checked at once, queue the run and tell the trainers.

    Args:
        configuration: fields of `Configuration` that the user set; the rest gets defaults for this machine.
        snapshot: what to train on; without it a dataset's current state is frozen first.

    Raises:
        CannotTrain: with the engine's code and sentence.
        LimitReached: the user, or the project, has as many trainings as are allowed.
    """
    limits.require_place(TrainingRun, project=project, user=user)
    snapshot, resolved = checked(project, user, configuration, snapshot, dataset, base_model)
    return _queue(
        project=project,
        snapshot=snapshot,
        created_by=user,
        name=name,
        configuration=resolved.to_dict(),
        base_model=base_model,
        starts_from="" if base_model is None else str(base_model),
    )


@atomic_again
def _queue(*, project: Project, snapshot: Snapshot, created_by: User | None, **fields: Any) -> TrainingRun:
    limits.require_place(TrainingRun, project=project, user=created_by)  # again, for now nobody comes in between
    hold_images(snapshot)
    run = TrainingRun.objects.create(project=project, snapshot=snapshot, created_by=created_by, **fields)
    work.record_event(run, "state", {"state": run.state})
    transaction.on_commit(lambda: dispatch(Queue.TRAINING))
    return run


def check_configuration(
    project: Project, user: User | None, configuration: dict, snapshot: Snapshot, base_model: Model | None
) -> AnyConfiguration:
    """The configuration with every open choice made. Raises `CannotTrain`."""
    return checked(project, user, configuration, snapshot, None, base_model)[1]


def retry_training(*, run: TrainingRun, user: User) -> TrainingRun:
    """Train again what failed or was cancelled, with the same settings on the same snapshot.

    Raises:
        Conflict: it is still running, or it succeeded.
        CannotTrain
    """
    if run.state not in (WorkState.FAILED, WorkState.CANCELLED):
        raise Conflict("Only what failed or was cancelled can be tried again.", code="not_retryable")
    if run.starts_from and run.base_model is None:
        raise CannotTrain(f"The base model {run.starts_from} was deleted.", code="base_model_deleted")
    if run.base_model is not None and not models_of(user).filter(pk=run.base_model.pk).exists():
        raise CannotTrain(f"The base model {run.starts_from} is not there for you any more.", code="base_model_hidden")
    settings = run.configuration
    if run.base_model is not None and not run.project.kind.has_boxes:
        settings = {name: value for name, value in settings.items() if name not in ("weights", "network")}
    if run.base_model is not None and run.project.kind.has_boxes:
        settings = {name: value for name, value in settings.items() if not name.startswith("anchor_")}
    return start_training(
        project=run.project,
        user=user,
        configuration=settings,
        snapshot=run.snapshot,
        name=run.name,
        base_model=run.base_model,
    )


def checked(
    project: Project,
    user: User | None,
    configuration: dict,
    snapshot: Snapshot | None,
    dataset: Dataset | None,
    base_model: Model | None,
) -> tuple[Snapshot, AnyConfiguration]:
    """What a training would be of, and its settings with every open choice made. Raises `CannotTrain`."""
    if snapshot is None:
        dataset = dataset or project.datasets.order_by("id").first()
        if dataset is None:
            raise CannotTrain("The project has no dataset. Make one and add images.", code="no_dataset")
        snapshot = current_snapshot(dataset=dataset, user=user)
    require_images(snapshot)
    preset = PRESETS[configuration.get("preset", DEFAULT_PRESET)]
    wanted = {"architecture": preset.architecture(project.task), **configuration}
    if base_model is not None:
        wanted = _as_its_base(base_model, project, configuration)
    resolve = RESOLVE[project.kind]
    try:
        return snapshot, resolve(snapshot, wanted)
    except EngineError as error:
        raise CannotTrain(" ".join([str(error), *_reasons(snapshot, error.code)]), code=error.code) from error


def _reasons(snapshot: Snapshot, code: str) -> list[str]:
    """What a snapshot knows of why a split is empty."""
    return [remark["detail"] for remark in snapshot.counts.get("remarks", ())] if code in SPLIT_ERRORS else []


def _as_its_base(base: Model, project: Project, configuration: dict) -> dict:
    """The configuration of a training that starts from a model: its architecture, and a smaller rate by default."""
    # Whether images have one label or several is a matter of the last layer, which is new.
    if project.kind.has_boxes != Task(base.task).has_boxes:
        raise CannotTrain(f"{base} is for {base.task}, the project for {project.task}.", code="base_model_does_not_fit")
    if configuration.get("architecture", base.architecture) != base.architecture:
        raise CannotTrain(
            f"{base} is a {base.architecture}; a training that starts from it has the same architecture.",
            code="base_model_does_not_fit",
        )
    if {"anchor_sizes", "anchor_ratios"} & set(configuration):
        raise CannotTrain("The anchors are those of the base model: leave them out.", code="base_model_does_not_fit")
    if base.architecture not in ARCHITECTURES:
        raise CannotTrain(f"A {base.architecture} cannot be trained here.", code="base_model_does_not_fit")
    if not Task(base.task).has_boxes:
        return _as_earlier_classifier(base, configuration)
    rate = ARCHITECTURES[base.architecture].learning_rate * BASE_RATE
    return {"learning_rate": rate, **configuration, "architecture": base.architecture}


def _as_earlier_classifier(base: Model, configuration: dict) -> dict:
    """Its network without the last layer is the backbone; the rates are those of every backbone."""
    if configuration.get("weights", "auto") != "auto" or configuration.get("network") is not None:
        raise CannotTrain("The weights are those of the base model: leave weights out.", code="base_model_does_not_fit")
    if base.input_height != base.input_width:
        raise CannotTrain(
            f"{base} takes images of {base.input_width} x {base.input_height} px; only a model with a square input "
            "can be trained further.",
            code="base_model_does_not_fit",
        )
    if configuration.get("image_size", base.input_width) != base.input_width:
        raise CannotTrain(
            f"{base} takes images of {base.input_width} px: leave image_size out.", code="base_model_does_not_fit"
        )
    own = {"architecture": base.architecture, "weights": "base", "image_size": base.input_width, "resize": base.resize}
    return {**configuration, **own}


def _resolved_classifier(snapshot: Snapshot, wanted: dict) -> AnyConfiguration:
    resolved = fitted(Configuration.from_dict(wanted), snapshot)
    check_counts(snapshot.class_names, _by_split(snapshot.counts["labels"]))
    return resolved


def _resolved_multilabel(snapshot: Snapshot, wanted: dict) -> AnyConfiguration:
    resolved = fitted(Configuration.from_dict(wanted), snapshot)
    check_multilabel_counts(snapshot.class_names, _by_split(snapshot.counts["labels"]), snapshot.counts["splits"])
    return resolved


def _resolved_detector(snapshot: Snapshot, wanted: dict) -> AnyConfiguration:
    resolved = fitted(DetectionConfiguration.from_dict(wanted), snapshot)
    check_boxes(snapshot.class_names, _by_split(snapshot.counts["annotations"]), snapshot.counts["splits"])
    return resolved


RESOLVE = {
    Task.CLASSIFICATION: _resolved_classifier,
    Task.MULTILABEL: _resolved_multilabel,
    Task.DETECTION: _resolved_detector,
}


def _by_split(counts: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    return {
        split: {name: found.get(split, 0) for name, found in counts.items()}
        for split in ("train", "validation", "test")
    }


def run_training(pk: str) -> None:
    """Claim a run and supervise it to its end. Safe to call twice: the second call finds nothing to claim."""
    run = work.claim(TrainingRun, pk)
    if run is not None:
        _train(run)


def work_on_trainings() -> None:
    """Train what is next in the fair order, one run after another, until none is left for this thread."""
    lanes.lane(Queue.TRAINING).run(_run_next)


def _run_next() -> bool:
    run = queues.claim_next(TrainingRun, Queue.TRAINING)
    if run is None:
        return False
    if queues.has_work(TrainingRun, Queue.TRAINING):
        dispatch(Queue.TRAINING)  # for other trainers: one message may stand for many trainings
    _train(run)
    return True


def _train(run: TrainingRun) -> None:
    """Supervise a claimed run. Its end is noted with the lease that was claimed: another trainer may hold it now."""
    try:
        with heartbeat.keeping(run):
            Supervisor(_whole(run)).supervise()
    except LeaseLost:
        log.warning("lease_lost", work=str(run.pk))
    except Exception as error:
        log.exception("training_failed", work=str(run.pk))
        if is_unavailable(error):  # its checkpoint is there: it goes on when the database does
            leave_for_later(run)
        else:
            _fail(run)


def _whole(run: TrainingRun) -> TrainingRun:
    """The claimed run with what belongs to it. Raises `LeaseLost` when it was claimed again meanwhile."""
    rows = TrainingRun.objects.select_related("project", "snapshot__dataset", "snapshot__project")
    whole = rows.filter(pk=run.pk, lease=run.lease).first()
    if whole is None:
        raise LeaseLost(str(run.pk))
    return whole


def _fail(run: TrainingRun) -> None:
    try:
        work.finish(
            run,
            WorkState.FAILED,
            error_code="internal_error",
            error_detail="An unexpected error ended the training; the server's log has it.",
        )
    except LeaseLost:
        log.warning("lease_lost", work=str(run.pk))
    except Error as error:
        log.warning("work_left_to_the_reaper", work=str(run.pk), error=str(error)[:200])


def reap_trainings() -> int:
    """Tell the trainers again of runs that nobody trains. Returns how many queues have some."""
    return redispatch(TrainingRun, [Queue.TRAINING])


def cancel_training(*, run: TrainingRun) -> TrainingRun:
    work.request_cancel(run)
    return run


@transaction.atomic
def delete_training(*, run: TrainingRun) -> None:
    """Delete an ended run with its log. Its model stays."""
    if run.state not in ENDED:
        raise Conflict("Cancel the training first.", code="still_running")
    require_unused(run)
    work.delete_events([run.pk])
    announce(project=run.project_id, kind="training", id=run.pk, action="deleted")
    run.delete()
