"""Keeps what lists of images are narrowed and counted by.

Whatever changes annotations, the split or the dataset of images calls `settle` in the same transaction, and what
deletes or moves images calls `forget` before. Both lock the images, by key. Inside, all keys are as they are stored.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from datasets.gallery.codes import code_of
from datasets.models import ANY_LABEL, Annotation, Dataset, FacetCount, Image, ImageLabel, TrashedImages
from projects.models import TASKS_WITH_EMPTY_IMAGES
from storage.inserting import insert_instances, insert_many
from storage.stored_keys import Among, StoredKey, stored_key, stored_keys, stored_rows
from storage.updating import update_many

CHUNK = 1_000
# So many values of their own are written one by one, not together with those of all images that get the same.
FEW = 8
FIELDS = ("facets", "project_key", "annotation_count", "suggestion_count", "lowest_score")
# Key of a count: dataset, label or `ANY_LABEL` (keys as they are stored), code.
Key = tuple


@dataclass
class _Marks:
    """What the annotations of one image come to."""

    labels: set = field(default_factory=set)
    origins: set[str] = field(default_factory=set)
    confirmed: int = 0
    waiting: int = 0
    lowest_score: float = 1.0

    def add(self, label: Any, confirmed: bool, origin: str, score: float | None) -> None:
        self.labels.add(label)
        self.origins.add(origin)
        self.confirmed += confirmed
        self.waiting += not confirmed
        if not confirmed and score is not None:
            self.lowest_score = min(self.lowest_score, score)


def settle(pks: Iterable, annotations: Iterable[Sequence] | None = None) -> None:
    """Compute the kept fields of these images again, as far as they exist. In the caller's transaction.

    Args:
        annotations: of a caller who holds the images and has read all of theirs: rows that begin with image, label
            (keys as they are stored), whether it is confirmed, origin and score.
    """
    keys = stored_keys(pks)
    known = None if annotations is None else _marks_of(annotations)
    for start in range(0, len(keys), CHUNK):
        _settle(keys[start : start + CHUNK], known)


def _settle(pks: Sequence[StoredKey], known: dict | None) -> None:
    rows = _locked(pks)
    marks, labels = _marks_by_image(pks) if known is None else known, _labels_by_image(pks)
    changes, home = _Changes(), _projects_in_trash(rows)
    for pk, dataset, project, _, task, split, reviewed, kind, *kept in rows:
        mark, before, project = marks.get(pk, _NONE), labels.get(pk, {}), home.get(dataset, project)
        fresh = _kept_of(project, task, split, reviewed, kind, mark)
        if fresh != tuple(kept):
            changes.values[fresh].append(pk)
        changes.count(dataset, kept[0], fresh[0], before, mark.labels)
        changes.relabel(pk, dataset, fresh[0], before, mark.labels, is_recoded=fresh[0] != kept[0])
    changes.write()


_NONE = _Marks()


def _projects_in_trash(rows: Iterable[tuple]) -> dict:
    """Dataset in the trash → the project that its images name all the while: it comes back as one row, and no image is
    written then. Not the datasets that hold single images there, which are written when they go and when they come.
    """
    trashed = {dataset: trash_of for _, dataset, _, trash_of, *_ in rows if trash_of is not None}
    if trashed:
        single = TrashedImages.objects.filter(Among("dataset", trashed))
        for (dataset,) in stored_rows(single.values_list("dataset_id")):
            del trashed[dataset]
    return trashed


def insert_images(dataset: Dataset, images: Sequence[Image], annotations: Sequence[Annotation]) -> None:
    """New images of a dataset and their annotations, with all that is kept of them, in the caller's transaction."""
    marks: dict = defaultdict(_Marks)
    for annotation in annotations:
        marks[annotation.image_id].add(
            stored_key(annotation.label_id), annotation.confirmed, annotation.origin, annotation.score
        )
    changes, place = _Changes(), stored_key(dataset.pk)
    for image, key in zip(images, stored_keys(image.pk for image in images), strict=True):
        mark = marks.get(image.pk, _NONE)
        kept = _kept_of(dataset.project_id, dataset.project.task, image.split, image.reviewed, image.format, mark)
        for name, value in zip(FIELDS, kept, strict=True):
            setattr(image, name, value)
        changes.count(place, None, kept[0], (), mark.labels)
        changes.relabel(key, place, kept[0], {}, mark.labels)
    insert_instances(images)
    insert_instances(annotations)
    changes.write()


def _kept_of(project: Any, task: str, split: str | None, reviewed: bool, image_format: str, mark: _Marks) -> tuple:
    """Values for `FIELDS`."""
    annotated = bool(mark.confirmed) or (reviewed and task in TASKS_WITH_EMPTY_IMAGES)
    code = code_of(
        split=split,
        annotated=annotated,
        reviewed=reviewed,
        suggested=bool(mark.waiting),
        origins=mark.origins,
        image_format=image_format,
    )
    return code, project, mark.confirmed + mark.waiting, mark.waiting, mark.lowest_score


@dataclass
class _Changes:
    """What is to be written for some images."""

    counts: Counter[Key] = field(default_factory=Counter)
    values: dict[tuple, list] = field(default_factory=lambda: defaultdict(list))  # fields → images
    # Of rows that say that an image carries a label: code → those that get it, label and code → those that get both.
    recoded: dict[int, list] = field(default_factory=lambda: defaultdict(list))
    exchanged: dict[tuple, list] = field(default_factory=lambda: defaultdict(list))
    any_label: StoredKey = field(default_factory=lambda: stored_key(ANY_LABEL))
    dropped: list[int] = field(default_factory=list)
    added: list[tuple] = field(default_factory=list)

    def count(self, dataset: StoredKey, old: int | None, new: int, before: Iterable, after: Iterable) -> None:
        if old is not None:
            for label in (self.any_label, *before):
                self.counts[(dataset, label, old)] -= 1
        for label in (self.any_label, *after):
            self.counts[(dataset, label, new)] += 1

    def relabel(
        self, pk: StoredKey, dataset: StoredKey, code: int, before: dict, after: set, *, is_recoded: bool = False
    ) -> None:
        gone = [row for label, row in before.items() if label not in after]
        new = after.difference(before)
        if is_recoded:
            self.recoded[code] += [row for label, row in before.items() if label in after]
        if len(gone) == len(new) == 1:  # one label became another: quicker than a new row
            self.exchanged[new.pop(), code] += gone
            return
        self.dropped += gone
        self.added += [(pk, label, dataset, code) for label in new]

    def write(self) -> None:
        _write(self.values)
        if self.dropped:
            ImageLabel.objects.filter(Among("pk", self.dropped))._raw_delete(using=connection.alias)
        for (label, code), rows in self.exchanged.items():
            ImageLabel.objects.filter(Among("pk", rows)).update(label=label, facets=code)
        for code, rows in self.recoded.items():
            if rows:
                ImageLabel.objects.filter(Among("pk", rows)).update(facets=code)
        insert_many(ImageLabel, ("image", "label", "dataset_key", "facets"), self.added)
        _apply(self.counts)


def forget(pks: Iterable, **fields: Any) -> int:
    """Take images out of all counts, before they are deleted or moved. In the caller's transaction. Returns how many.

    Args:
        fields: of the images, written along: each index is changed once.
    """
    keys = stored_keys(pks)
    return sum(_forget(keys[start : start + CHUNK], fields) for start in range(0, len(keys), CHUNK))


def _forget(pks: Sequence[StoredKey], fields: dict) -> int:
    changes, any_label = Counter[Key](), stored_key(ANY_LABEL)
    # Labels are read once the images are locked: somebody may have changed them while this waited.
    rows = _locked(pks)
    labels = _labels_by_image(pks)
    for pk, dataset, *_, code, _, _, _, _ in rows:
        if code is not None:
            for label in (any_label, *labels.get(pk, ())):
                changes[(dataset, label, code)] -= 1
    ImageLabel.objects.filter(Among("image", pks))._raw_delete(using=connection.alias)
    Image.objects.filter(Among("pk", pks)).update(facets=None, **fields)
    _apply(changes)
    return len(rows)


def _locked(pks: Sequence[StoredKey]) -> list[tuple]:
    rows = Image.objects.select_for_update(of=("self",)).filter(Among("pk", pks)).order_by("pk")
    project = "dataset__project_id", "dataset__project__trash_of_id", "dataset__project__task"
    return stored_rows(rows.values_list("pk", "dataset_id", *project, "split", "reviewed", "format", *FIELDS))


def _marks_by_image(pks: Sequence[StoredKey]) -> dict:
    rows = Annotation.objects.filter(Among("image", pks)).order_by()
    return _marks_of(stored_rows(rows.values_list("image_id", "label_id", "confirmed", "origin", "score")))


def _marks_of(annotations: Iterable[Sequence]) -> dict:
    marks: dict = defaultdict(_Marks)
    for pk, label, confirmed, origin, score, *_ in annotations:
        marks[pk].add(label, confirmed, origin, score)
    return marks


def _labels_by_image(pks: Sequence[StoredKey]) -> dict:
    """Image → label → key of the row that says so."""
    labels: dict = defaultdict(dict)
    rows = ImageLabel.objects.filter(Among("image", pks)).order_by()
    for pk, image, label in stored_rows(rows.values_list("pk", "image_id", "label_id")):
        labels[image][label] = pk
    return labels


def _write(values: dict[tuple, list]) -> None:
    if len(values) <= FEW:
        for fresh, pks in values.items():
            Image.objects.filter(Among("pk", pks)).update(**dict(zip(FIELDS, fresh, strict=True)))
        return
    update_many(Image, FIELDS, ((*fresh, pk) for fresh, pks in values.items() for pk in pks))


def _apply(changes: Counter) -> None:
    """Add to the counts, in one order, so that two transactions do not wait for each other."""
    rows = sorted((key, change) for key, change in changes.items() if change)
    if not rows:
        return
    table, quoted = FacetCount._meta.db_table, connection.ops.quote_name
    columns = ", ".join(quoted(name) for name in ("dataset_id", "label_key", "facets", "images"))
    for start in range(0, len(rows), CHUNK):
        part = rows[start : start + CHUNK]
        marks = ", ".join(["(%s, %s, %s, %s)"] * len(part))
        parameters = [value for key, change in part for value in (*key, change)]
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {quoted(table)} ({columns}) VALUES {marks} ON CONFLICT (dataset_id, label_key, facets) "
                f"DO UPDATE SET images = {quoted(table)}.images + excluded.images",
                parameters,
            )
