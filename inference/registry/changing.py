"""What becomes of a model after its training: its fields, its stage, its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User

from common.errors import NotFound
from inference.models import Model, Stage, StageChange
from inference.trash import trash_model
from projects.changes.fields import change_fields
from projects.models import Project
from projects.services import adjust_counts
from projects.trash.entries import keeps_deleted
from projects.uses import require_unused
from storage.database import atomic_again


@atomic_again
def change_model(*, model: Model, changes: Mapping[str, Any]) -> None:
    """Write these fields alone, as its stage may move at the same time, and of a detector's settings those that are
    named: another user may change the others at the same time."""
    joined = [name for name in ("detector", "label_thresholds") if name in changes]
    if joined:
        held = Model.objects.select_for_update(of=("self",)).filter(pk=model.pk).first()
        if held is None:
            raise NotFound()
        changes = {**changes, **{name: {**getattr(held, name), **changes[name]} for name in joined}}
    change_fields("model_fields", model, changes)


@atomic_again
def move_to_stage(*, model: Model, stage: Stage, user: User, note: str = "") -> Model:
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
    locked = Model.objects.select_related("project").filter(pk=model.pk, project=model.project_id).first()
    if locked is None:
        raise NotFound()
    return locked


def _move(model: Model, stage: Stage, user: User, note: str) -> None:
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
