"""Models in the trash: they come back with their files, their evaluations, and what pointed to them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from django.contrib.auth.models import User
from django.db.models import QuerySet

from common.errors import NotFound
from inference.models import Model
from projects.changes.fields import FieldsBack
from projects.changes.models import Change, RowChange
from projects.changes.recording import note_rows
from projects.changes.undoing import PARTS, Differing
from projects.live import announce
from projects.models import Project
from projects.removal import hidden_project
from projects.services import adjust_counts
from projects.trash.entries import put_into_trash, take_out, trash_of
from projects.trash.kinds import KINDS
from projects.trash.models import TrashEntry, TrashKind
from projects.trash.pointers import let_go, point_again
from storage.database import atomic_again


@atomic_again
def trash_model(model: Model) -> None:
    """Move a model, whose project the caller has locked, into the trash."""
    project, trash = model.project, trash_of(model.project)
    put_into_trash(
        project=project,
        kind=TrashKind.MODEL,
        target=model.pk,
        name=str(model),
        count=0,
        facts={"pointers": let_go(model)},
    )
    _move(model, project, trash)
    announce(project=project.pk, kind="model", id=model.pk, action="deleted", name=str(model), stage=model.stage)


@atomic_again
def restore_model(model: Model, project: Project) -> None:
    _move(model, model.project, project)
    entry = take_out(kind=TrashKind.MODEL, target=model.pk)
    point_again(model, [] if entry is None else entry.facts.get("pointers", []))
    announce(project=project.pk, kind="model", id=model.pk, action="created", name=str(model), stage=model.stage)


def _move(model: Model, source: Project, target: Project) -> None:
    Model.objects.filter(pk=model.pk).update(project=target)
    adjust_counts(source.pk, model_count=-1)
    adjust_counts(target.pk, model_count=1)
    note_rows("model", {model.pk: ({"project": str(source.pk)}, {"project": str(target.pk)})})


def _rows(change: Change) -> QuerySet[RowChange]:
    return RowChange.objects.filter(change=change, kind="model").order_by("id")


class ModelsBack:
    def changed_since(self, change: Change) -> Iterator[Differing]:
        for row in _rows(change):
            model = Model.objects.filter(pk=row.row, project__deleting_since=None).first()
            if model is None or str(model.project_id) not in (row.after["project"], row.before["project"]):
                yield Differing("model", str(row.row), str(model or ""), "" if model else "it was removed for good")

    @atomic_again
    def put_back(self, change: Change, user: User | None) -> None:
        for row in _rows(change):
            list(Project.objects.select_for_update().filter(pk=change.project_id).values_list("pk"))
            model = Model.objects.filter(pk=row.row).select_related("project").first()
            if model is None:
                raise NotFound()
            if str(model.project_id) == row.before["project"]:
                continue
            if model.project.trash_of_id is None:
                trash_model(model)
            else:
                restore_model(model, change.project)


class ModelFieldsBack(FieldsBack):
    kind, model, noted = "model", Model, "model_fields"


class Models:
    def remove(self, entry: TrashEntry) -> None:
        assert entry.target is not None
        model = Model.objects.filter(pk=entry.target, project__trash_of=entry.project_id).first()
        if model is None:
            return
        adjust_counts(model.project_id, model_count=-1)
        hidden = hidden_project(model.project, name=model.name, model_count=1)
        Model.objects.filter(pk=model.pk).update(project=hidden)

    def thumbnail(self, entry: TrashEntry) -> Path | None:
        return None

    def restore_rest(self, entry: TrashEntry) -> None:
        return None


def register() -> None:
    KINDS[TrashKind.MODEL] = Models()
    PARTS.extend([ModelsBack(), ModelFieldsBack()])
