"""What members do with labels, datasets, images and annotations."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from django.db import IntegrityError, transaction
from django.db.models import Max, Q, QuerySet
from django.utils import timezone
from uuid_utils.compat import uuid7

from accounts.names import in_one_line
from common.errors import Invalid
from datasets.chosen import ChosenImage
from datasets.errors import HotkeyInUse, LabelDeleted, LabelExists
from datasets.gallery.keeping import settle
from datasets.history import Known, annotation_rows, recorded
from datasets.locking import lock_projects
from datasets.models import Annotation, Dataset, Image, Label, NearDuplicates, Origin
from datasets.natural_order import natural_key
from datasets.noting import DATASET_FIELDS, LABEL_FIELDS, fields_of, note_images
from projects.changes.recording import note_rows
from projects.models import Project, Task
from projects.services import adjust_counts
from storage.database import atomic_again
from storage.deleting import delete_at_once, in_parts
from storage.inserting import insert_many
from storage.stored_keys import Among, StoredKey, stored_key, stored_keys, stored_rows
from vision.formats.boxes import composed, on_grid

# Colour-blind-safe first (Okabe and Ito 2008), then more of the same lightness.
PALETTE = (
    "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#f0e442", "#7f3c8d", "#11a579", "#3969ac",
    "#f2b701", "#e73f74", "#80ba5a", "#e68310", "#008695", "#cf1c90",
)  # fmt: skip
BULK_CHUNK = 500
EDGES = ("x_min", "y_min", "x_max", "y_max")
ANNOTATION_COLUMNS = ("id", "image", "label", "origin", "confirmed", "created_by", "created_at", *EDGES, "score")
NO_BOX = (None,) * 5  # and no score
# Images that get a label in one transaction.
LABELLED_AT_ONCE = 1_000


# Labels


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
                project=project, name=name, color=color or PALETTE[position % len(PALETTE)], order=position,
                description=description, hotkey=hotkey or None,
            )  # fmt: skip
    except IntegrityError as error:
        raise _taken(project.pk, None, hotkey) from error
    adjust_counts(project.pk, label_count=1)
    note_rows("label", {label.pk: (None, fields_of(label, LABEL_FIELDS))})
    return label


@atomic_again
def ensure_labels(*, project: Project, names: Sequence[str]) -> dict[str, Label]:
    """Labels with these names; those that are missing are made, in natural order (2 before 10)."""
    written = {name: in_one_line(name) or "label" for name in dict.fromkeys(names)}
    wanted = Label.objects.filter(project=project, name__in=set(written.values()))
    labels = {label.name: label for label in wanted}
    if set(written.values()) - set(labels):
        lock_projects([project.pk])  # somebody else may be making the same ones
        labels = {label.name: label for label in wanted.all()}
    for name in sorted(set(written.values()), key=natural_key):
        if name not in labels:
            labels[name] = create_label(project=project, name=name)
    return {name: labels[as_written] for name, as_written in written.items()}


@atomic_again
def update_label(*, label: Label, **changes) -> Label:
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


def _taken(project_id, pk, hotkey: str | None) -> LabelExists | HotkeyInUse:
    """What another label of the project has: the key, or the name."""
    others = Label.objects.filter(project=project_id).exclude(pk=pk)
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
    wanted = set(pks)
    if Label.objects.filter(pk__in=wanted).count() != len(wanted):
        raise LabelDeleted()


# Datasets


@atomic_again
def create_dataset(
    *, project: Project, name: str, description: str = "", near_duplicates: str = NearDuplicates.STRICT
) -> Dataset:
    dataset = Dataset.objects.create(
        project=project, name=name, description=description, near_duplicates=near_duplicates
    )
    adjust_counts(project.pk, dataset_count=1)
    note_rows("dataset_place", {dataset.pk: ({"project": None}, {"project": str(project.pk)})})
    return dataset


@atomic_again
def update_dataset(*, dataset: Dataset, **changes) -> Dataset:
    """Rename or describe a dataset, or say which of its near-duplicates share a split."""
    held = Dataset.objects.select_for_update(no_key=True).get(pk=dataset.pk)
    for name, value in changes.items():
        setattr(dataset, name, value)
    dataset.save(update_fields=[*changes, "updated_at"])
    note_rows("dataset", {dataset.pk: (fields_of(held, DATASET_FIELDS), fields_of(dataset, DATASET_FIELDS))})
    return dataset


# Images


# What is done to many images is done to some hundred of them in a transaction, so that others can write in between:
# should it be broken off, doing it again finishes.


def set_split(*, images: Sequence[Image | ChosenImage], split: str | None) -> int:
    """Returns how many were in another one."""
    return sum(_update_images([image.pk for image in part], split=split) for part in in_parts(images))


def set_group(*, images: Sequence[Image | ChosenImage], group: str) -> int:
    """Returns how many were in another one."""
    return sum(_update_images([image.pk for image in part], group=group) for part in in_parts(images))


@atomic_again
def _update_images(pks: list, **changes: str | None) -> int:
    ((name, value),) = changes.items()
    as_wanted = Q(**{name: value}) if value is not None else Q(**{f"{name}__isnull": True})
    others = Image.objects.select_for_update().filter(~as_wanted, Among("pk", stored_keys(pks))).order_by("pk")
    before = dict(stored_rows(others.values_list("pk", name)))
    changed = list(before)
    Image.objects.filter(Among("pk", changed)).update(**changes)
    note_images({key: ({name: old}, changes) for key, old in before.items()})
    if "split" in changes:
        settle(changed)
    return len(changed)


@atomic_again
def update_image(*, image: Image, **changes) -> Image:
    """Rename an image, or put it into a split or a group."""
    if changes:
        held = Image.objects.select_for_update().get(pk=image.pk)
        for name, value in changes.items():
            setattr(image, name, value)
        image.save(update_fields=list(changes))
        note_images({image.pk: (fields_of(held, changes), fields_of(image, changes))})
        settle([image.pk] if "split" in changes else [])
    return image


def label_images(*, images: Sequence[Image | ChosenImage], label: Label | None, user) -> int:
    """Give many images one label instead of theirs, or none. Returns how many did not have exactly that.

    An annotation that says the same already is kept, with who made it; a suggestion of it is confirmed.

    Raises:
        LabelDeleted
    """
    parts = in_parts(images, LABELLED_AT_ONCE)
    return sum(_label_images([image.pk for image in part], label, user) for part in parts)


@atomic_again
def _label_images(pks: list, label: Label | None, user) -> int:
    """All keys in here are as they are stored."""
    if label is not None:
        require_labels([label.pk])
    wanted = None if label is None else stored_key(label.pk)
    held = Image.objects.select_for_update().filter(Among("pk", stored_keys(pks))).order_by("pk")
    reviewed = dict(stored_rows(held.values_list("pk", "reviewed")))
    rows = annotation_rows(list(reviewed))
    present = _annotations_of(rows)
    changed = [key for key in reviewed if not _is_labelled_so(present.get(key, []), wanted, reviewed[key])]
    if not changed:
        return 0
    differing = set(changed)
    known = Known([row for row in rows if row[0] in differing], reviewed)
    with recorded(changed, user, known, reviewed=label is not None):
        kept = _first_of(wanted, {key: present.get(key, []) for key in changed})
        delete_at_once(_others(changed, list(kept.values())))
        if kept:
            Annotation.objects.filter(Among("pk", kept.values())).update(confirmed=True)
        if wanted is not None:
            rest = (wanted, Origin.HUMAN.value, True, getattr(user, "pk", None), timezone.now(), *NO_BOX)
            new = [(uuid7(), key, *rest) for key in changed if key not in kept]
            insert_many(Annotation, ANNOTATION_COLUMNS, new)
    return len(changed)


def _others(images: list[StoredKey], kept: list[StoredKey]) -> QuerySet[Annotation]:
    rows = Annotation.objects.filter(Among("image", images))
    return rows.exclude(Among("pk", kept)) if kept else rows


def _first_of(label: StoredKey | None, annotations: dict[StoredKey, list[tuple]]) -> dict[StoredKey, StoredKey]:
    """Image → its first annotation with this label."""
    found: dict[StoredKey, StoredKey] = {}
    for image, rows in annotations.items():
        for pk, of, _ in rows:
            if label is not None and of == label:
                found.setdefault(image, pk)
    return found


def _annotations_of(rows: list[tuple]) -> dict[StoredKey, list[tuple]]:
    """Image → (annotation, label, whether it is confirmed) of each of the rows of `annotation_rows`."""
    found: dict[StoredKey, list[tuple]] = {}
    for image, label, confirmed, _, _, pk, *_ in rows:
        found.setdefault(image, []).append((pk, label, confirmed))
    return found


def _is_labelled_so(annotations: list[tuple], label: StoredKey | None, is_reviewed: bool) -> bool:
    if label is None:
        return not annotations and not is_reviewed
    return is_reviewed and [row[1:] for row in annotations] == [(label, True)]


# Annotations


def checked_annotation(image: Image, annotation: dict, index: int, user) -> Annotation:
    label, box = annotation["label"], annotation.get("box")
    if label.project_id != image.dataset.project_id:
        raise Invalid(f"Annotation {index}: the label is of another project.", attr="annotations")
    if image.project.task == Task.CLASSIFICATION:
        if box is not None:
            raise Invalid(f"Annotation {index}: a classification project has no boxes.", attr="annotations")
        return Annotation(image=image, label=label, created_by=user)
    if box is None:
        raise Invalid(f"Annotation {index}: a detection project needs a box.", attr="annotations")
    x_min, y_min, x_max, y_max = _clipped(box, image, index)
    return Annotation(image=image, label=label, x_min=x_min, y_min=y_min, x_max=x_max, y_max=y_max, created_by=user)


def _clipped(box: Sequence[float], image: Image, index: int) -> tuple[float, float, float, float]:
    if not all(math.isfinite(value) for value in box):
        raise Invalid(f"Annotation {index}: the box has a value that is no number.", attr="annotations")
    limits = (image.width, image.height, image.width, image.height)
    clipped = (min(max(edge, 0.0), float(limit)) for edge, limit in zip(box, limits, strict=True))
    x_min, y_min, x_max, y_max = on_grid(clipped)
    if x_max <= x_min or y_max <= y_min:
        raise Invalid(f"Annotation {index}: the box {list(box)} has no area inside the image "
                             f"({image.width} x {image.height}).", attr="annotations")  # fmt: skip
    return x_min, y_min, x_max, y_max
