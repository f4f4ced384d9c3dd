"""What is changed of images: label, split, group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.utils import timezone
from uuid_utils.compat import uuid7

from datasets.annotation_checks import EDGES
from datasets.chosen import ChosenImage
from datasets.gallery.keeping import settle
from datasets.history import Known, annotation_rows, recorded
from datasets.labels import require_labels
from datasets.models import Annotation, Image, Label, Origin
from datasets.noting import fields_of, note_images
from storage.database import atomic_again
from storage.deleting import delete_at_once, in_parts
from storage.inserting import insert_many
from storage.stored_keys import Among, StoredKey, stored_key, stored_keys, stored_rows

BULK_CHUNK = 500

ANNOTATION_COLUMNS = ("id", "image", "label", "origin", "confirmed", "created_by", "created_at", *EDGES, "score")

NO_BOX = (None,) * 5  # and no score

# Images that get a label in one transaction.
LABELLED_AT_ONCE = 1_000


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
def update_image(*, image: Image, **changes: Any) -> Image:
    """Rename an image, or put it into a split or a group."""
    if changes:
        held = Image.objects.select_for_update().get(pk=image.pk)
        for name, value in changes.items():
            setattr(image, name, value)
        image.save(update_fields=list(changes))
        note_images({image.pk: (fields_of(held, changes), fields_of(image, changes))})
        settle([image.pk] if "split" in changes else [])
    return image


def label_images(*, images: Sequence[Image | ChosenImage], label: Label | None, user: User | None) -> int:
    """Give many images one label instead of theirs, or none. Returns how many did not have exactly that.

    An annotation that says the same already is kept, with who made it; a suggestion of it is confirmed.

    Raises:
        LabelDeleted
    """
    parts = in_parts(images, LABELLED_AT_ONCE)
    return sum(_label_images([image.pk for image in part], label, user) for part in parts)


@atomic_again
def _label_images(pks: list, label: Label | None, user: User | None) -> int:
    """All keys in here are as they are stored."""
    if label is not None:
        require_labels([label.pk])
    label_key = None if label is None else stored_key(label.pk)
    held = Image.objects.select_for_update().filter(Among("pk", stored_keys(pks))).order_by("pk")
    reviewed = dict(stored_rows(held.values_list("pk", "reviewed")))
    rows = annotation_rows(list(reviewed))
    present = _annotations_of(rows)
    changed = [key for key in reviewed if not _is_labelled_so(present.get(key, []), label_key, reviewed[key])]
    if not changed:
        return 0
    differing = set(changed)
    known = Known([row for row in rows if row[0] in differing], reviewed)
    with recorded(changed, user, known, reviewed=label is not None):
        kept = _first_of(label_key, {key: present.get(key, []) for key in changed})
        delete_at_once(_others(changed, list(kept.values())))
        if kept:
            Annotation.objects.filter(Among("pk", kept.values())).update(confirmed=True)
        if label_key is not None:
            rest = (label_key, Origin.HUMAN.value, True, getattr(user, "pk", None), timezone.now(), *NO_BOX)
            new = [(uuid7(), key, *rest) for key in changed if key not in kept]
            insert_many(Annotation, ANNOTATION_COLUMNS, new)
    return len(changed)


def _others(images: list[StoredKey], kept: list[StoredKey]) -> QuerySet[Annotation]:
    rows = Annotation.objects.filter(Among("image", images))
    return rows.exclude(Among("pk", kept)) if kept else rows


def _first_of(label: StoredKey | None, annotations: dict[StoredKey, list[tuple]]) -> dict[StoredKey, StoredKey]:
    """Image → its first annotation with this label."""
    firsts: dict[StoredKey, StoredKey] = {}
    for image, rows in annotations.items():
        for pk, of, _ in rows:
            if label is not None and of == label:
                firsts.setdefault(image, pk)
    return firsts


def _annotations_of(rows: list[tuple]) -> dict[StoredKey, list[tuple]]:
    """Image → (annotation, label, whether it is confirmed) of each of the rows of `annotation_rows`."""
    annotations: dict[StoredKey, list[tuple]] = {}
    for image, label, confirmed, _, _, pk, *_ in rows:
        annotations.setdefault(image, []).append((pk, label, confirmed))
    return annotations


def _is_labelled_so(annotations: list[tuple], label: StoredKey | None, is_reviewed: bool) -> bool:
    if label is None:
        return not annotations and not is_reviewed
    return is_reviewed and [row[1:] for row in annotations] == [(label, True)]
