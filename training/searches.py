"""Looking for better settings: a group of trainings by successive halving, within a budget."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import structlog
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from accounts.limits import LimitReached
from common.errors import Invalid
from datasets.errors import SnapshotIsRecord
from datasets.models import Dataset, Snapshot
from datasets.snapshots import current_snapshot
from inference.models import Model, Stage, Visibility
from inference.registry.changing import delete_model
from jobs import limits, work
from jobs.errors import WorkHasEnded
from jobs.loops import each
from jobs.models import ENDED, WorkState
from projects.errors import InUse
from projects.live import announce
from projects.models import Project, Task
from storage.database import atomic_again
from training.errors import CannotTrain
from training.models import Search, TrainingRun
from training.services import check_configuration, start_training

log = structlog.get_logger(__name__)

# Each rung keeps the better half and trains it twice as long (Jamieson and Talwalkar 2016, with eta = 2).
ETA = 2
FEWEST_EPOCHS = 1
EPOCH_FIELDS = ("epochs", "fine_tune_epochs")
SEARCHABLE = (
    "architecture",
    "image_size",
    "batch_size",
    "fine_tune",
    "learning_rate",
    "fine_tune_learning_rate",
    "weight_decay",
    "dropout",
    "label_smoothing",
    "augmentation",
    "class_weights",
)
OF_CLASSIFIERS: dict = {
    "learning_rate": {"min": 3e-4, "max": 3e-3, "log": True},
    "augmentation": ["none", "light", "strong"],
    "dropout": [0.0, 0.2, 0.4],
    "label_smoothing": [0.0, 0.05, 0.1],
}
DEFAULT_SPACES: dict[str, dict] = {
    Task.CLASSIFICATION: OF_CLASSIFIERS,
    Task.MULTILABEL: OF_CLASSIFIERS,
    Task.DETECTION: {
        "learning_rate": {"min": 1e-4, "max": 2e-3, "log": True},
        "augmentation": ["none", "light", "strong"],
    },
}
TRIES = 200


def start_search(
    *,
    project: Project,
    user: User,
    configuration: dict,
    space: Mapping | None = None,
    snapshot: Snapshot | None = None,
    dataset: Dataset | None = None,
    base_model: Model | None = None,
    max_runs: int = 7,
    max_minutes: float | None = None,
    seed: int = 42,
    name: str = "",
) -> Search:
    """Draw settings out of the space and start the first rung. The first of them are the user's own; they are compared
    like the others, by a shorter training, and may be left behind there.

    Args:
        configuration: settings that all trainings share.
        space: setting → its choices, or `{"min", "max", "log"}`.
        max_runs: trainings altogether.

    Raises:
        CannotTrain: the settings, or the data, do not fit.
        Invalid: the space has fewer settings than are to be tried.
        LimitReached: the user, or the project, would have more trainings than are allowed.
    """
    if snapshot is None:
        dataset = dataset or project.datasets.order_by("id").first()
        if dataset is None:
            raise CannotTrain("The project has no dataset. Make one and add images.", code="no_dataset")
        snapshot = current_snapshot(dataset=dataset, user=user)
    space = dict(space or DEFAULT_SPACES[project.task])
    sizes = rung_sizes(max_runs)
    drawn = draw(space, configuration, sizes[0], seed)
    for settings in drawn:
        check_configuration(project, user, settings, snapshot, base_model)
    with transaction.atomic():
        search = Search.objects.create(
            project=project,
            snapshot=snapshot,
            base_model=base_model,
            name=name,
            configuration=configuration,
            space=space,
            sizes=sizes,
            max_runs=max_runs,
            max_minutes=max_minutes,
            seed=seed,
            created_by=user,
        )
        _start_rung(search, 0, drawn)
    return search


def rung_sizes(max_runs: int) -> list[int]:
    """How many trainings each rung has, for at most `max_runs` together: 7 are 4, 2 and 1."""
    first = 1
    while sum(_sizes_from(first + 1)) <= max_runs:
        first += 1
    return _sizes_from(first)


def _sizes_from(first: int) -> list[int]:
    sizes = [first]
    while sizes[-1] > 1:
        sizes.append(max(1, sizes[-1] // ETA))
    return sizes


def draw(space: Mapping, configuration: dict, count: int, seed: int) -> list[dict]:
    """`count` different settings: the user's own, then random ones.

    Raises:
        Invalid: there are not so many.
    """
    generator = random.Random(seed)
    found = [dict(configuration)]
    for _ in range(count * TRIES):
        if len(found) == count:
            return found
        one = {**configuration, **{name: _drawn(choices, generator) for name, choices in space.items()}}
        if one not in found:
            found.append(one)
    if len(found) < count:
        raise Invalid(
            f"It has only {len(found)} different settings, and {count} are to be tried.",
            attr="space",
            code="space_too_small",
        )
    return found


def _drawn(choices: Any, generator: random.Random) -> Any:
    if isinstance(choices, Mapping):
        low, high = choices["min"], choices["max"]
        if choices.get("log"):
            return float(f"{math.exp(generator.uniform(math.log(low), math.log(high))):.3g}")
        return float(f"{generator.uniform(low, high):.3g}")
    return generator.choice(list(choices))


def _start_rung(search: Search, rung: int, settings: Sequence[dict]) -> None:
    limits.require_place(TrainingRun, project=search.project, user=search.created_by, more=len(settings))
    left = len(search.sizes) - 1 - rung
    for number, one in enumerate(settings):
        run = start_training(
            project=search.project,
            user=search.created_by,
            snapshot=search.snapshot,
            base_model=search.base_model,
            configuration=_shortened(one, search, left),
            name=f"{search.name or 'Search'} {rung + 1}.{number + 1}"[:100],
        )
        TrainingRun.objects.filter(pk=run.pk).update(search=search, rung=rung, chosen=one)
    Search.objects.filter(pk=search.pk).update(rung=rung)
    search.rung = rung


def _shortened(settings: dict, search: Search, rungs_left: int) -> dict:
    """The settings with their epochs divided by 2 for every rung that is still to come."""
    resolved = check_configuration(search.project, search.created_by, settings, search.snapshot, search.base_model)
    share = ETA**rungs_left
    short = {}
    for field in EPOCH_FIELDS:
        whole = getattr(resolved, field, None)
        if whole is not None:
            short[field] = max(FEWEST_EPOCHS, math.ceil(whole / share))
    return {**settings, **short}


def look_after_searches() -> int:
    """Take every search a step on. Returns how many go on."""
    running = list(Search.objects.filter(state=WorkState.RUNNING))
    return sum(each(running, lambda search: not advance(search=search).has_ended, loop="searches"))


@atomic_again
def advance(*, search: Search) -> Search:
    """When a rung has ended: start the next one with its better half, or end."""
    search = Search.objects.select_for_update(of=("self",)).get(pk=search.pk)
    if search.has_ended:
        return search
    runs = list(search.runs.filter(rung=search.rung))
    is_late = _is_late(search)
    if is_late or search.cancel_requested:
        for run in runs:
            if run.state not in ENDED:
                _cancel(run)
    if any(run.state not in ENDED for run in runs):
        return search
    better = sorted((run for run in runs if run.score is not None), key=lambda run: (-(run.score or 0.0), run.pk))
    is_last = search.rung + 1 >= len(search.sizes)
    if search.cancel_requested:
        return _end(search, WorkState.CANCELLED, "Cancelled.")
    if is_late or is_last or not better:
        note = "The minutes are over: the best of what was trained is kept." if is_late and not is_last else ""
        return _end(search, WorkState.SUCCEEDED, note)
    kept = better[: search.sizes[search.rung + 1]]
    try:
        _start_rung(search, search.rung + 1, [run.chosen for run in kept])  # type: ignore[misc]
    except LimitReached:  # it goes on when other trainings have ended
        return search
    except (CannotTrain, SnapshotIsRecord) as error:
        return _end(search, WorkState.SUCCEEDED, f"The next round could not start: {error.detail}"[:300])
    return search


def _is_late(search: Search) -> bool:
    if search.max_minutes is None:
        return False
    return timezone.now() > search.created_at + timedelta(minutes=search.max_minutes)


def _cancel(run: TrainingRun) -> None:
    try:
        work.request_cancel(run)
    except WorkHasEnded:
        run.refresh_from_db()


def _end(search: Search, state: WorkState, note: str) -> Search:
    """Keep the best model, by its score on the validation split; the models of the others go, their figures stay."""
    scored = [run for run in search.runs.select_related("model") if run.score is not None]
    # What was trained longest counts first: scores of shorter trainings are lower for that alone.
    best = max(scored, key=lambda run: (run.rung, run.score), default=None)
    if best is None and state == WorkState.SUCCEEDED:
        state, note = WorkState.FAILED, "None of the trainings succeeded; their errors say why."
    for run in scored:
        model = run.model
        if best is not None and run.pk != best.pk and model is not None and not _is_kept_by_user(model):
            try:
                delete_model(model=model)
            except InUse:  # a device runs it
                log.info("search_keeps_model", search=str(search.pk), model=str(model.pk))
    Search.objects.filter(pk=search.pk).update(state=state, note=note, best=best, finished_at=timezone.now())
    announce(project=search.project_id, kind="search", id=search.pk, action="changed", state=state)
    search.refresh_from_db()
    log.info("search_ended", search=str(search.pk), state=state)
    return search


def _is_kept_by_user(model: Model) -> bool:
    """Whether somebody did something with it."""
    return bool(model.stage != Stage.NONE or model.tags or model.notes or model.visibility != Visibility.PRIVATE)


def cancel_search(*, search: Search) -> Search:
    """Cancel it and what it trains.

    Raises:
        WorkHasEnded
    """
    if not Search.objects.filter(pk=search.pk, state=WorkState.RUNNING).update(cancel_requested=True):
        raise WorkHasEnded()
    return advance(search=search)
