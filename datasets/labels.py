"""Labels of a project: made, changed, put in order."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max

from accounts.names import in_one_line
from common.errors import Invalid
from datasets.errors import HotkeyInUse, LabelDeleted, LabelExists
from datasets.locking import lock_projects
from datasets.models import Label
from datasets.natural_order import natural_key
from datasets.noting import LABEL_FIELDS, fields_of
from projects.changes.recording import note_rows
from projects.models import Project
from projects.services import adjust_counts
from storage.database import atomic_again
from vision.formats.boxes import composed

# Colour-blind-safe first (Okabe and Ito 2008), then more of the same lightness.
PALETTE = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#d55e00",
    "#cc79a7",
    "#56b4e9",
    "#f0e442",
    "#7f3c8d",
    "#11a579",
    "#3969ac",
    "#f2b701",
    "#e73f74",
    "#80ba5a",
    "#e68310",
    "#008695",
    "#cf1c90",
)


@atomic_again
def create_label(
    *, project: Project, name: str, color: str = "", description: str = "", hotkey: str | None = None
) -> Label:
    """A new label; its name is kept in composed Unicode, so that it is found however a keyboard writes it.

    Raises:
        LabelExists, HotkeyInUse
    """
    name = in_one_line(composed(name)) or "label"
    order = Label.objects.filter(project=project).aggregate(last=Max("order"))["last"]
    position = 0 if order is None else order + 1
    try:
        with transaction.atomic():
            label = Label.objects.create(
                project=project,
                name=name,
                color=color or PALETTE[position % len(PALETTE)],
                order=position,
                description=description,
                hotkey=hotkey or None,
            )
    except IntegrityError as error:
        raise _taken(project.pk, None, hotkey) from error
    adjust_counts(project.pk, label_count=1)
    note_rows("label", {label.pk: (None, fields_of(label, LABEL_FIELDS))})
    return label


@atomic_again
def ensure_labels(*, project: Project, names: Sequence[str]) -> dict[str, Label]:
    """Labels with these names; those that are missing are made, in natural order (2 before 10)."""
    written = {name: in_one_line(name) or "label" for name in dict.fromkeys(names)}
    rows = Label.objects.filter(project=project, name__in=set(written.values()))
    labels = {label.name: label for label in rows}
    if set(written.values()) - set(labels):
        lock_projects([project.pk])  # somebody else may be making the same ones
        labels = {label.name: label for label in rows.all()}
    for name in sorted(set(written.values()), key=natural_key):
        if name not in labels:
            labels[name] = create_label(project=project, name=name)
    return {name: labels[as_written] for name, as_written in written.items()}


@atomic_again
def update_label(*, label: Label, **changes: Any) -> Label:
    """Rename, recolour: every image that carries the label shows it at once, for it refers to this row.

    Raises:
        LabelExists, HotkeyInUse
    """
    held = Label.objects.select_for_update().get(pk=label.pk)
    for name, value in changes.items():
        setattr(label, name, composed(value) if name == "name" else value or (None if name == "hotkey" else value))
    try:
        with transaction.atomic():
            label.save(update_fields=list(changes))
    except IntegrityError as error:
        raise _taken(label.project_id, label.pk, changes.get("hotkey")) from error
    note_rows("label", {label.pk: (fields_of(held, LABEL_FIELDS), fields_of(label, LABEL_FIELDS))})
    return label


def _taken(project_id: uuid.UUID, pk: uuid.UUID | None, hotkey: str | None) -> LabelExists | HotkeyInUse:
    """What another label of the project has: the key, or the name."""
    others = Label.objects.filter(project=project_id).exclude(pk=pk)  # type: ignore[misc]
    return HotkeyInUse() if hotkey and others.filter(hotkey=hotkey).exists() else LabelExists()


@atomic_again
def reorder_labels(*, project: Project, ids: Sequence) -> None:
    labels = {label.pk: label for label in Label.objects.filter(project=project)}
    if set(ids) != set(labels) or len(ids) != len(labels):
        raise Invalid("Name every label of the project exactly once.", attr="labels")
    before = {pk: fields_of(label, LABEL_FIELDS) for pk, label in labels.items()}
    for order, pk in enumerate(ids):
        labels[pk].order = order
    Label.objects.bulk_update(labels.values(), ["order"])
    note_rows("label", {pk: (before[pk], fields_of(label, LABEL_FIELDS)) for pk, label in labels.items()})


def require_labels(pks: Iterable) -> None:
    """Raises `LabelDeleted` unless all of them exist. What is deleted after this look ends as a conflict as well."""
    keys = set(pks)
    if Label.objects.filter(pk__in=keys).count() != len(keys):
        raise LabelDeleted()
