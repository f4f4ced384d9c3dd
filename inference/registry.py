"""What becomes of a model after its training: stages, lineage, its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import CharField, Count, F, QuerySet, Value
from rest_framework.exceptions import NotFound

from datasets.models import Annotation, Snapshot, SnapshotImage
from inference.models import Model, Stage, StageChange
from inference.trash import trash_model
from projects.changes.fields import change_fields
from projects.models import Project
from projects.selectors import role_in
from projects.services import adjust_counts
from projects.trash.entries import keeps_deleted
from projects.uses import require_unused
from storage.database import atomic_again


@atomic_again
def change_model(*, model: Model, changes: Mapping[str, Any]) -> None:
    """Write these fields alone, as its stage may move at the same time, and of a detector's settings those that are
    named: another user may change the others at the same time."""
    if "detector" in changes:
        held = Model.objects.select_for_update(of=("self",)).filter(pk=model.pk).first()
        if held is None:
            raise NotFound()
        changes = {**changes, "detector": {**held.detector, **changes["detector"]}}
    change_fields("model_fields", model, changes)


@atomic_again
def move_to_stage(*, model: Model, stage: Stage, user, note: str = "") -> Model:
    """Move a model. What was in production before is archived in the same transaction."""
    model = _locked(model)
    if stage == Stage.PRODUCTION:
        others = Model.objects.filter(project=model.project_id, task=model.task, stage=Stage.PRODUCTION)
        for other in others.exclude(pk=model.pk):
            _move(other, Stage.ARCHIVED, user, f"replaced by {model}")
    if model.stage != stage:
        _move(model, stage, user, note)
    return model


def _locked(model: Model) -> Model:
    """The model as it is now, while nobody else moves or deletes one of its project. Raises `NotFound`."""
    Project.objects.select_for_update().get(pk=model.project_id)
    found = Model.objects.select_related("project").filter(pk=model.pk, project=model.project_id).first()
    if found is None:
        raise NotFound()
    return found


def _move(model: Model, stage: Stage, user, note: str) -> None:
    StageChange.objects.create(model=model, before=model.stage, after=stage, note=note[:500], changed_by=user)
    model.stage = stage
    model.save(update_fields=["stage"])


@atomic_again
def delete_model(*, model: Model, force: bool = False) -> None:
    """Delete a model with its files, into the trash if what is deleted is kept there.

    Raises:
        InUse: it is in production, devices run it or would return to it (whatever `force` says), or work needs it.
    """
    model = _locked(model)
    require_unused(model, force=force)
    if keeps_deleted():
        trash_model(model)
        return
    adjust_counts(model.project_id, model_count=-1)
    model.delete()


def ancestors(model: Model, visible: QuerySet[Model]) -> list[Model]:
    """The models that it started from, the nearest first, as far as they are visible."""
    found: list[Model] = []
    while model.base_model_id is not None and len(found) < 100:
        base = visible.filter(pk=model.base_model_id).first()
        if base is None:
            break
        found.append(base)
        model = base
    return found


def descendants(model: Model, visible: QuerySet[Model]) -> QuerySet[Model]:
    """The models that started from it."""
    return visible.filter(base_model=model.pk).order_by("id")


MOST_LABELLERS = 100


def labelled_by(snapshot: Snapshot, user) -> list[dict]:
    """Who confirmed or made how many of the annotations that its images have now, the most first.

    A snapshot keeps what was annotated and not by whom. Who is no member of the project gets no names: a public model
    says where it comes from, not who works there.
    """
    images = SnapshotImage.objects.filter(snapshot=snapshot, image__isnull=False)
    found = Annotation.objects.filter(image__in=images.values("image"), confirmed=True)
    name = Value(None, CharField()) if role_in(snapshot.project, user) is None else F("created_by__username")
    rows = found.values("origin", user=name).annotate(annotations=Count("id"))
    return list(rows.order_by("-annotations", "origin", "user")[:MOST_LABELLERS])
