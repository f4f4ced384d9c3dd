"""Keeping features and live models up to date in the background: after every change, one project after another.

A message says only that something has changed. Which projects have, is read from their events; after a start of the
process all are looked at. One thread of a worker does it, so that it takes one core at most.
"""

from __future__ import annotations

import threading
import time
import uuid
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction

from inference.embeddings.embedders import NoEmbedder, embedder_for
from inference.embeddings.embedding import MissingImages, NoRoom
from inference.embeddings.stores import alone
from inference.feature_map.making import place_new_images
from inference.live_model.box_features import MissingBoxes, marked_boxes
from inference.live_model.box_fitting import fit_boxes
from inference.live_model.fitting import announce_guesses, fit_live_model
from inference.live_model.ordering import measure_curve, order_images
from jobs import lanes, messages
from jobs.work import shutting_down
from projects.models import Project, ProjectEvent, Task
from projects.selectors import is_live

log = structlog.get_logger(__name__)

# Not the queue of what beat sends: there a task that runs already is left out, and with it the last change.
TASK, LANE, QUEUE = "inference.tasks.look_after_live_models", "live", "quick"
# Events after which there may be images without features.
OF_IMAGES = ("dataset", "trash", "model", "video")
OF_LABELS = ("annotations", "label")
# Transactions end in another order than their events are numbered: numbers so far back may still appear.
LATE_EVENTS = 200
# A project that failed is left alone for so long, and then looked at as after a start.
AFTER_FAILURE_SECONDS = 60
# Between two looks at projects that another process works on: it may not have seen the last change.
BUSY_SECONDS = 1.0
EMBEDDERS_SECONDS = 30


class Upkeep:
    """What there is to do in this process."""

    def __init__(self) -> None:
        self._last: int | None = None
        self._seen: set[int] = set()
        self._missing: dict[uuid.UUID, MissingImages] = {}
        self._unfitted: set[uuid.UUID] = set()
        self._unmeasured: set[uuid.UUID] = set()
        self._boxes: dict[uuid.UUID, MissingBoxes] = {}
        self._skipped: set[uuid.UUID] = set()
        self._failed: dict[uuid.UUID, float] = {}
        self._embedders: dict[uuid.UUID, str] = {}
        self._embedders_seen = float("-inf")

    def step(self) -> bool:
        """Look what has changed, fit what is not fitted, and compute the features of some images of each project.
        Whether anything is left to do."""
        self._look_for_changes()
        is_busy, pending = False, list(self._unfitted | set(self._missing) | set(self._boxes))
        for pk in pending:
            if shutting_down.is_set():
                return False
            is_busy |= self._try(pk)
        if pending and not is_busy:
            shutting_down.wait(BUSY_SECONDS)
        is_idle = not (self._missing or self._unfitted or self._boxes)
        if is_idle and self._unmeasured:
            self._measure(self._unmeasured.pop())
        return not is_idle or bool(self._unmeasured)

    def _try(self, pk: uuid.UUID) -> bool:
        """Whether this process was the one to work on it."""
        try:
            return self._look_after(pk)
        except NoRoom:
            log.warning("live_model_without_room", project=str(pk))
        except Exception:
            log.exception("live_model_failed", project=str(pk))
        self._forget(pk)
        self._failed[pk] = time.monotonic()
        return True

    def _look_for_changes(self) -> None:
        is_first = self._last is None
        if self._last is None:
            self._last = _newest_event()
        self._look_at_failed()
        self._look_for_embedders()
        if is_first:  # all projects were looked at, after that event
            return
        rows = ProjectEvent.objects.filter(pk__gt=self._last - LATE_EVENTS, kind__in=(*OF_IMAGES, *OF_LABELS))
        for pk, project, kind in rows.order_by("pk").values_list("pk", "project", "kind"):
            if pk not in self._seen and (pk > self._last or self._seen):
                self._note(project, has_new_images=kind in OF_IMAGES)
            self._seen.add(pk)
            self._last = max(self._last, pk)
        self._seen = {pk for pk in self._seen if pk > self._last - LATE_EVENTS}

    def _look_at_failed(self) -> None:
        """What has changed meanwhile was left out."""
        for pk, failed_at in list(self._failed.items()):
            if time.monotonic() - failed_at >= AFTER_FAILURE_SECONDS:
                del self._failed[pk]
                self._note(pk, has_new_images=True)

    def _look_for_embedders(self) -> None:
        """Which network compares the images of each project: it changes when pretrained weights come or go, which is no
        event of a project. The first time that is every project."""
        if time.monotonic() - self._embedders_seen < EMBEDDERS_SECONDS:
            return
        self._embedders_seen = time.monotonic()
        for project in Project.objects.filter(is_live()):
            try:
                name = embedder_for(project).name
            except NoEmbedder:
                name = ""
            if name and self._embedders.get(project.pk) != name:
                self._note(project.pk, has_new_images=True)
            self._embedders[project.pk] = name

    def _note(self, pk: uuid.UUID, *, has_new_images: bool) -> None:
        if pk in self._failed:
            return
        self._unfitted.add(pk)
        if has_new_images:
            project = Project.objects.filter(is_live(), pk=pk).first()
            if project is None:
                self._forget(pk)
                return
            try:
                missing = MissingImages(project, embedder_for(project), self._skipped)
            except NoEmbedder:
                self._forget(pk)
                return
            if missing.left:
                self._missing[pk] = missing

    def _look_after(self, pk: uuid.UUID) -> bool:
        project = Project.objects.filter(is_live(), pk=pk).first()
        if project is None:
            self._forget(pk)
            return True
        with alone(project) as is_alone:
            if is_alone:
                self._work_on(project)
            return is_alone

    def _work_on(self, project: Project) -> None:
        pk = project.pk
        missing = self._missing.get(pk)
        if pk in self._unfitted:
            self._unfitted.discard(pk)
            try:
                embedder = embedder_for(project)
            except NoEmbedder:
                self._forget(pk)
                return
            order_images(project, embedder, fit_live_model(project, embedder))
            place_new_images(project, embedder)
            self._unmeasured.add(pk)
            if project.task == Task.DETECTION:
                self._boxes[pk] = MissingBoxes(project, embedder, marked_boxes(project))
        if pk in self._boxes:
            self._work_on_boxes(self._boxes[pk])
        if missing is None:
            return
        added = missing.embed_some()
        if not missing.left:
            del self._missing[pk]
            self._unfitted.add(pk)
        elif added and _is_due(missing):
            self._unfitted.add(pk)

    def _work_on_boxes(self, missing: MissingBoxes) -> None:
        """Compute the features of some boxes; when all are there, learn from them."""
        if missing.left:
            missing.embed_some()
        if not missing.left:
            del self._boxes[missing.project.pk]
            fit_boxes(missing.project, missing.embedder, missing.every)

    def _measure(self, pk: uuid.UUID) -> None:
        """What takes a second, when nothing else is to be done."""
        project = Project.objects.filter(is_live(), pk=pk, task=Task.CLASSIFICATION).first()
        if project is None or shutting_down.is_set():
            return
        try:
            if measure_curve(project, embedder_for(project)):
                announce_guesses(project)
        except NoEmbedder:
            return
        except Exception:
            log.exception("learning_curve_failed", project=str(pk))

    def _forget(self, pk: uuid.UUID) -> None:
        self._missing.pop(pk, None)
        self._boxes.pop(pk, None)
        self._unfitted.discard(pk)


def _newest_event() -> int:
    return ProjectEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def _is_due(missing: MissingImages) -> bool:
    """While features are computed guesses come for more and more images: not after each batch, which takes longer the
    more there are."""
    now = time.monotonic()
    if now - missing.fitted_at < settings.LIVE_MODEL_SECONDS:
        return False
    missing.fitted_at = now
    return True


_upkeep = Upkeep()
_lock = threading.Lock()


def look_after_live_models() -> None:
    """Do what there is to do, unless another thread of this process is at it."""
    if not settings.LIVE_MODEL:
        return

    def step() -> bool:
        with _lock:
            return _upkeep.step()

    lanes.lane(LANE).run(step)


def announce_change(sender: type, instance: ProjectEvent, created: bool = False, **kwargs: Any) -> None:
    """Receiver of new events: the workers hear of it at once."""
    if created and settings.LIVE_MODEL and instance.kind in (*OF_IMAGES, *OF_LABELS):
        transaction.on_commit(lambda: messages.send(TASK, QUEUE))
