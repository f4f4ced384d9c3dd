"""How labels, annotations, images and datasets are put back as they were before a change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db.models import Model, QuerySet
from uuid_utils.compat import uuid7

from datasets.gallery.keeping import settle
from datasets.history import marks_by_image, recorded, reviewed_by_image
from datasets.label_removal import carrying, carrying_in_trash, delete_label
from datasets.made import ImagesAway, images_made
from datasets.models import Annotation, AnnotationChange, Dataset, Image, Label, Snapshot, Video
from datasets.moving import move_some
from datasets.noting import LABEL_FIELDS, fields_of, note_images
from datasets.trash.obstacles import obstacle_of, obstacles_of
from datasets.trash.undoing import DatasetPlaces, VideosBack
from projects.changes.fields import FieldsBack
from projects.changes.models import Change, RowChange
from projects.changes.recording import note_rows
from projects.changes.undoing import PARTS, ChangedSince, Differing, Part, rows_in_chunks, rows_left
from projects.services import adjust_counts
from storage.database import atomic_again
from storage.deleting import delete_at_once, in_parts
from storage.inserting import insert_many
from storage.stored_keys import Among, stored_keys
from storage.updating import update_many

EDGES = ("x_min", "y_min", "x_max", "y_max")
CONTENT = ("label", "origin", "score", "confirmed", *EDGES, "created_by", "created_at")
# What is compared of an image, and what says whether it can go back.
LOOKED_AT = ("filename", "split", "group", "dataset", "video", "blob")
# What makes labels along with images: those that others use by now stay.
WITH_LABELS = ("import",)


def _annotated(change: Change) -> QuerySet[AnnotationChange]:
    rows = AnnotationChange.objects.filter(change=change).order_by("id")
    if change.begun_undo is None:
        return rows
    return rows.exclude(image__in=AnnotationChange.objects.filter(change=change.begun_undo).values("image"))


class LabelsBack:
    """Labels that were deleted are made again; what was changed of others is put back."""

    def changed_since(self, change: Change) -> Iterator[Differing]:
        for row in rows_left(change, "label"):
            label = Label.objects.filter(pk=row.row).first()
            now = None if label is None else fields_of(label, LABEL_FIELDS)
            name = (row.before or row.after)["name"]
            if now != row.after or (row.before is not None and self._is_taken(change, row)):
                yield Differing("label", str(row.row), name)

    def _is_taken(self, change: Change, row: RowChange) -> bool:
        """Whether another label has got its name or key."""
        others = Label.objects.filter(project=change.project_id).exclude(pk=row.row)
        moving = rows_left(change, "label").values("row")  # two that exchanged their keys
        others = others.exclude(pk__in=moving)
        key = row.before["hotkey"]
        return others.filter(name=row.before["name"]).exists() or bool(key and others.filter(hotkey=key).exists())

    @atomic_again
    def put_back(self, change: Change, user: User | None) -> None:
        rows = [row for row in rows_left(change, "label") if row.before is not None]
        # Keys that are exchanged would meet.
        Label.objects.filter(pk__in=[row.row for row in rows]).update(hotkey=None)
        for row in rows:
            if row.after is None and not Label.objects.filter(pk=row.row).exists():
                Label.objects.create(pk=row.row, project_id=change.project_id, **row.before)
                adjust_counts(change.project_id, label_count=1)
            else:
                Label.objects.filter(pk=row.row).update(**row.before)
        note_rows("label", {row.row: (row.after, row.before) for row in rows})


class LabelsAway:
    """Labels that were made are deleted, after what carried them was put back. One that an import made stays where
    it is carried since."""

    def changed_since(self, change: Change) -> Iterator[Differing]:
        for label in self._made(change):
            if change.action not in WITH_LABELS and self._is_carried_since(label, change):
                yield Differing("label", str(label.pk), label.name)

    def put_back(self, change: Change, user: User | None) -> None:
        for label in self._made(change):
            if not self._is_carried_since(label, change):
                delete_label(label=label, images="unlabel", user=user)

    def _made(self, change: Change) -> list[Label]:
        keys = rows_left(change, "label").filter(before__isnull=True).values("row")
        return list(Label.objects.filter(pk__in=keys).select_related("project").order_by("pk"))

    def _is_carried_since(self, label: Label, change: Change) -> bool:
        """By images that the change neither made nor annotated."""
        touched = AnnotationChange.objects.filter(change=change).values("image")
        carriers = (images(label) for images in (carrying, carrying_in_trash))
        return any(rows.exclude(pk__in=touched).exclude(pk__in=images_made(change)).exists() for rows in carriers)


class AnnotationsBack:
    def changed_since(self, change: Change) -> Iterator[Differing]:
        restored = set(rows_left(change, "label").filter(after__isnull=True).values_list("row", flat=True))
        known = {str(pk) for pk in Label.objects.filter(project=change.project_id).values_list("pk", flat=True)}
        known |= {str(pk) for pk in restored}
        for rows in rows_in_chunks(_annotated(change)):
            differing = set(_differing(rows))
            for row in rows:
                if row.image_id in differing or not {mark["label_id"] for mark in row.before} <= known:
                    yield Differing("image", str(row.image_id), row.image.filename)

    def put_back(self, change: Change, user: User | None) -> None:
        for rows in rows_in_chunks(_annotated(change)):
            for part in in_parts(rows):
                _restore(part, user)


def _differing(rows: Sequence[AnnotationChange], marks: Mapping | None = None) -> list:
    """Images whose annotations are not those that the change left.

    Args:
        marks: `marks_by_image` of these images, where they were read.
    """
    pks = [row.image_id for row in rows]
    marks, reviewed = marks_by_image(pks) if marks is None else marks, reviewed_by_image(pks)
    return [
        row.image_id
        for row in rows
        if reviewed[row.image_id] != row.reviewed_after or _compared(marks[row.image_id]) != _compared(row.after)
    ]


def _compared(marks: Iterable[dict]) -> list[tuple]:
    """What must be the same. Not the name of a label, which others change, nor who made it, who may be gone."""
    return sorted(
        (mark["id"], mark["label_id"], str(mark["box"]), mark["origin"], mark.get("score"), mark.get("confirmed", True))
        for mark in marks
    )


@atomic_again
def _restore(rows: Sequence[AnnotationChange], user: User | None) -> None:
    """Raises `ChangedSince`: somebody was faster."""
    pks = [row.image_id for row in rows]
    list(_locked(Image, pks).values_list("pk"))
    marks = marks_by_image(pks)
    if _differing(rows, marks):
        if all(_compared(marks[row.image_id]) == _compared(row.before) for row in rows):
            return  # they are back
        raise ChangedSince()
    with recorded(pks, user):
        for reviewed in (True, False):
            changed = [row.image_id for row in rows if row.reviewed_before is reviewed]
            Image.objects.filter(Among("pk", stored_keys(changed))).update(reviewed=reviewed)
        present = {mark["id"]: mark for of_image in marks.values() for mark in of_image}
        _write_annotations({mark["id"]: (row.image_id, mark) for row in rows for mark in row.before}, present)


def _write_annotations(annotations: dict[str, tuple], present: dict[str, dict]) -> None:
    """Make annotations what is wanted.

    Args:
        annotations: id → image, mark as the history has it.
        present: id → mark, of all that the same images have.
    """
    annotations = _with_free_ids(annotations, [pk for pk in annotations if pk not in present])
    gone = [pk for pk in present if pk not in annotations]
    if gone:
        delete_at_once(Annotation.objects.filter(Among("pk", stored_keys(gone))))
    users = set(get_user_model().objects.filter(pk__in=_makers(annotations)).values_list("pk", flat=True))
    new, changed = [], []
    for pk, (image, mark) in annotations.items():
        if pk not in present:
            new.append((*_content(mark, users), image, pk))
        elif _without_name(present[pk]) != _without_name(mark):
            changed.append((*_content(mark, users), pk))
    insert_many(Annotation, (*CONTENT, "image", "id"), new)
    update_many(Annotation, CONTENT, changed)


def _without_name(mark: dict) -> dict:
    return {**mark, "label": None}


def _with_free_ids(annotations: dict, missing: list[str]) -> dict:
    """Ids come from clients, so an annotation of another image, of anybody, may have got one that was free meanwhile.
    What comes back gets another one then."""
    rows = Annotation.objects.filter(Among("pk", stored_keys(missing)))
    taken = {str(pk) for pk in rows.values_list("pk", flat=True)}
    others = {pk: str(uuid7()) for pk in taken}
    return {
        others.get(pk, pk): (image, {**mark, "id": others.get(pk, pk)}) for pk, (image, mark) in annotations.items()
    }


def _makers(annotations: dict) -> set:
    return {mark["created_by"] for _, mark in annotations.values()} - {None}


def _content(mark: dict, users: set) -> tuple:
    """The values of `CONTENT`."""
    maker = mark["created_by"] if mark["created_by"] in users else None
    made = datetime.fromisoformat(mark["created_at"])
    rest = mark["origin"], mark.get("score"), mark.get("confirmed", True)
    return mark["label_id"], *rest, *(mark["box"] or [None] * 4), maker, made


class ImagesBack:
    """Names, splits, groups, and the dataset that an image is in: one in the trash, too."""

    def changed_since(self, change: Change) -> Iterator[Differing]:
        for rows in rows_in_chunks(rows_left(change, "image")):
            images = Image.objects.filter(Among("pk", stored_keys(row.row for row in rows))).only(*LOOKED_AT)
            present = {image.pk: image for image in images}
            obstacles = obstacles_of({present[row.row]: row.before for row in rows if row.row in present})
            for row in rows:
                image = present.get(row.row)
                now = None if image is None else fields_of(image, row.after)
                if image is None or now not in (row.after, _moved_back(row)) or image.pk in obstacles:
                    name = row.before.get("filename") or getattr(image, "filename", "")
                    yield Differing("image", str(row.row), name, obstacles.get(row.row, ""))

    def put_back(self, change: Change, user: User | None) -> None:
        for rows in rows_in_chunks(rows_left(change, "image")):
            moves: dict[tuple, list] = defaultdict(list)
            others = []
            for row in rows:
                if "dataset" in row.before:
                    moves[row.after["dataset"], row.before["dataset"]].append(row.row)
                else:
                    others.append(row)
            for part in in_parts(others):
                self._write(part)
            for (now, before), pks in moves.items():
                for part in in_parts(pks):
                    self._move(now, before, part)

    @atomic_again
    def _move(self, now: str, before: str, pks: Sequence) -> None:
        target = Dataset.objects.filter(pk=before).select_related("project").first()
        if target is None or obstacle_of(target):
            raise ChangedSince()
        moved = move_some(now, pks, target, with_trash=True)
        if moved != len(pks) and Image.objects.filter(pk__in=pks, dataset=target).count() != len(pks):
            raise ChangedSince()

    @atomic_again
    def _write(self, rows: Sequence[RowChange]) -> None:
        images = {image.pk: image for image in _locked(Image, [row.row for row in rows]).only(*LOOKED_AT)}
        alike: dict[tuple, list] = defaultdict(list)
        for row in rows:
            image = images.get(row.row)
            if image is None or fields_of(image, row.after) not in (row.after, row.before):
                raise ChangedSince()
            alike[tuple(sorted(row.before.items()))].append(row.row)
        for before, pks in alike.items():
            Image.objects.filter(Among("pk", stored_keys(pks))).update(**dict(before))
        settle(images)
        note_images({row.row: (row.after, row.before) for row in rows})


def _moved_back(row: RowChange) -> dict | None:
    """What was moved back already, by somebody or by an undo that was broken off, does not stand against undoing."""
    return row.before if set(row.before) == {"dataset"} else None


def _locked(model: type[Model], pks: list) -> QuerySet:
    return model._default_manager.select_for_update().filter(Among("pk", stored_keys(pks))).order_by("pk")


class DatasetsBack(FieldsBack):
    kind, model = "dataset", Dataset


class VideoFieldsBack(FieldsBack):
    kind, model, noted = "video", Video, "video_fields"


class SnapshotFieldsBack(FieldsBack):
    kind, model, noted = "snapshot", Snapshot, "snapshot_fields"


def register() -> None:
    if not any(isinstance(part, LabelsBack) for part in PARTS):
        parts: list[Part] = [
            LabelsBack(),
            AnnotationsBack(),
            DatasetPlaces(),
            VideosBack(),
            ImagesBack(),
            DatasetsBack(),
        ]
        PARTS.extend([*parts, VideoFieldsBack(), SnapshotFieldsBack(), ImagesAway(), LabelsAway()])
