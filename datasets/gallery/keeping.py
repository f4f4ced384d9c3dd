"""Keeps what lists of images are narrowed and counted by.

Whatever changes annotations, the split or the dataset of images calls `settle` in the same transaction, and what
deletes or moves images calls `forget` before. Both lock the images, by key.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db import connection

from datasets.gallery.codes import code_of
from datasets.models import ANY_LABEL, Annotation, Dataset, FacetCount, Image, ImageLabel
from projects.models import Task
from storage.inserting import insert_instances, insert_many

CHUNK = 500
FIELDS = ("facets", "project_key", "annotation_count", "suggestion_count", "lowest_score")
# Key of a count: dataset, label or `ANY_LABEL`, code.
Key = tuple


@dataclass
class _Marks:
    """What the annotations of one image come to."""

    labels: set = field(default_factory=set)
    origins: set[str] = field(default_factory=set)
    confirmed: int = 0
    waiting: int = 0
    lowest_score: float = 1.0

    def add(self, label, confirmed: bool, origin: str, score: float | None) -> None:
        self.labels.add(label)
        self.origins.add(origin)
        self.confirmed += confirmed
        self.waiting += not confirmed
        if not confirmed and score is not None:
            self.lowest_score = min(self.lowest_score, score)


def settle(pks: Iterable, annotations: Iterable[Sequence] | None = None) -> None:
    """Compute the kept fields of these images again, as far as they exist. In the caller's transaction.

    Args:
        annotations: of a caller who holds the images and has read all of theirs: rows that begin with image, label,
            whether it is confirmed, origin and score.
    """
    wanted = list(pks)
    known = None if annotations is None else _marks_of(annotations)
    for start in range(0, len(wanted), CHUNK):
        _settle(wanted[start : start + CHUNK], known)


def _settle(pks: Sequence, known: dict | None) -> None:
    rows = list(_locked(pks))
    marks, labels = _marks_by_image(pks) if known is None else known, _labels_by_image(pks)
    changes = _Changes()
    for pk, dataset, project, task, split, reviewed, kind, *kept in rows:
        mark = marks.get(pk, _NONE)
        fresh = _kept_of(project, task, split, reviewed, kind, mark)
        code = fresh[0]
        if fresh != tuple(kept):
            changes.values[fresh].append(pk)
        changes.count(dataset, kept[0], code, labels.get(pk, {}), mark.labels)
        if code != kept[0] and pk in labels:
            changes.recoded[code].append(pk)
        changes.relabel(pk, dataset, code, labels.get(pk, {}), mark.labels)
    changes.write()


_NONE = _Marks()


def insert_images(dataset: Dataset, images: Sequence[Image], annotations: Sequence[Annotation]) -> None:
    """New images of a dataset and their annotations, with all that is kept of them, in the caller's transaction."""
    marks: dict = defaultdict(_Marks)
    for one in annotations:
        marks[one.image_id].add(one.label_id, one.confirmed, one.origin, one.score)
    changes = _Changes()
    for image in images:
        mark = marks.get(image.pk, _NONE)
        kept = _kept_of(
            dataset.project_id, dataset.project.task, image.split, image.reviewed, image.format, mark
        )  # fmt: skip
        for name, value in zip(FIELDS, kept, strict=True):
            setattr(image, name, value)
        changes.count(dataset.pk, None, kept[0], (), mark.labels)
        changes.relabel(image.pk, dataset.pk, kept[0], {}, mark.labels)
    insert_instances(images)
    insert_instances(annotations)
    changes.write()


def _kept_of(project, task: str, split: str | None, reviewed: bool, image_format: str, mark: _Marks) -> tuple:
    """Values for `FIELDS`."""
    annotated = bool(mark.confirmed) or (reviewed and task == Task.DETECTION)
    code = code_of(
        split=split, annotated=annotated, reviewed=reviewed, suggested=bool(mark.waiting), origins=mark.origins,
        image_format=image_format,
    )  # fmt: skip
    return code, project, mark.confirmed + mark.waiting, mark.waiting, mark.lowest_score


@dataclass
class _Changes:
    """What is to be written for some images."""

    counts: Counter[Key] = field(default_factory=Counter)
    values: dict[tuple, list] = field(default_factory=lambda: defaultdict(list))  # fields → images
    recoded: dict[int, list] = field(default_factory=lambda: defaultdict(list))  # code → images with labels
    exchanged: dict[object, list] = field(default_factory=lambda: defaultdict(list))  # label → rows that get it
    dropped: list[int] = field(default_factory=list)
    added: list[tuple] = field(default_factory=list)

    def count(self, dataset, old: int | None, new: int, before: Iterable, after: Iterable) -> None:
        if old is not None:
            self.counts.update({(dataset, label, old): -1 for label in (ANY_LABEL, *before)})
        for label in (ANY_LABEL, *after):
            self.counts[(dataset, label, new)] += 1

    def relabel(self, pk, dataset, code: int, before: dict, after: set) -> None:
        gone = [row for label, row in before.items() if label not in after]
        new = after - set(before)
        if len(gone) == len(new) == 1:  # one label became another: quicker than a new row
            self.exchanged[new.pop()] += gone
            return
        self.dropped += gone
        self.added += [(pk, label, dataset, code) for label in new]

    def write(self) -> None:
        _write(self.values)
        if self.dropped:
            ImageLabel.objects.filter(pk__in=self.dropped)._raw_delete(using=connection.alias)
        for label, rows in self.exchanged.items():
            ImageLabel.objects.filter(pk__in=rows).update(label=label)
        for code, images in self.recoded.items():
            ImageLabel.objects.filter(image__in=images).update(facets=code)
        insert_many(ImageLabel, ("image", "label", "dataset_key", "facets"), self.added)
        _apply(self.counts)


def forget(pks: Iterable) -> None:
    """Take images out of all counts, before they are deleted or moved. In the caller's transaction."""
    wanted = list(pks)
    for start in range(0, len(wanted), CHUNK):
        _forget(wanted[start : start + CHUNK])


def _forget(pks: Sequence) -> None:
    changes: Counter[Key] = Counter()
    # Labels are read once the images are locked: somebody may have changed them while this waited.
    rows = list(_locked(pks))
    labels = _labels_by_image(pks)
    for pk, dataset, *_, code, _, _, _, _ in rows:
        if code is not None:
            changes.update({(dataset, label, code): -1 for label in (ANY_LABEL, *labels.get(pk, ()))})
    ImageLabel.objects.filter(image__in=pks)._raw_delete(using=connection.alias)
    Image.objects.filter(pk__in=pks).update(facets=None)
    _apply(changes)


def _locked(pks: Sequence):
    rows = Image.objects.select_for_update(of=("self",)).filter(pk__in=pks).order_by("pk")
    fields = ("pk", "dataset_id", "dataset__project_id", "dataset__project__task", "split", "reviewed", "format")
    return rows.values_list(*fields, *FIELDS)


def _marks_by_image(pks: Sequence) -> dict:
    rows = Annotation.objects.filter(image__in=pks).order_by()
    return _marks_of(rows.values_list("image_id", "label_id", "confirmed", "origin", "score"))


def _marks_of(annotations: Iterable[Sequence]) -> dict:
    marks: dict = defaultdict(_Marks)
    for pk, label, confirmed, origin, score, *_ in annotations:
        marks[pk].add(label, confirmed, origin, score)
    return marks


def _labels_by_image(pks: Sequence) -> dict:
    """Image → label → key of the row that says so."""
    labels: dict = defaultdict(dict)
    for pk, image, label in ImageLabel.objects.filter(image__in=pks).values_list("pk", "image_id", "label_id"):
        labels[image][label] = pk
    return labels


def _write(values: dict[tuple, list]) -> None:
    if len(values) <= 8:
        for fresh, pks in values.items():
            Image.objects.filter(pk__in=pks).update(**dict(zip(FIELDS, fresh, strict=True)))
        return
    rows = [Image(pk=pk, **dict(zip(FIELDS, fresh, strict=True))) for fresh, pks in values.items() for pk in pks]
    Image.objects.bulk_update(rows, FIELDS, batch_size=100)


def _apply(changes: Counter) -> None:
    """Add to the counts, in one order, so that two transactions do not wait for each other."""
    rows = sorted((key, change) for key, change in changes.items() if change)
    if not rows:
        return
    table, quoted = FacetCount._meta.db_table, connection.ops.quote_name
    key = FacetCount._meta.get_field("label_key")
    columns = ", ".join(quoted(name) for name in ("dataset_id", "label_key", "facets", "images"))
    for start in range(0, len(rows), CHUNK):
        part = rows[start : start + CHUNK]
        marks = ", ".join(["(%s, %s, %s, %s)"] * len(part))
        parameters = [
            value
            for (dataset, label, code), change in part
            for value in (_uuid(key, dataset), _uuid(key, label), code, change)
        ]
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {quoted(table)} ({columns}) VALUES {marks} ON CONFLICT (dataset_id, label_key, facets) "
                f"DO UPDATE SET images = {quoted(table)}.images + excluded.images",
                parameters,
            )


def _uuid(column, value):
    return column.get_db_prep_value(value, connection)
