"""Labels of many images at once, where an image has none to many of them."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.auth.models import User
from django.utils import timezone
from uuid_utils.compat import uuid7

from datasets.chosen import ChosenImage
from datasets.history import Known, annotation_rows, recorded
from datasets.images import ANNOTATION_COLUMNS, LABELLED_AT_ONCE, NO_BOX
from datasets.labels import require_labels
from datasets.models import Annotation, Image, Label, Origin
from storage.database import atomic_again
from storage.deleting import delete_at_once, in_parts
from storage.inserting import insert_many
from storage.stored_keys import Among, StoredKey, stored_key, stored_keys, stored_rows


def add_label(*, images: Sequence[Image | ChosenImage], label: Label, user: User | None) -> int:
    """Give many images a label beside theirs; a suggestion of it is confirmed. Returns how many did not have it.

    Raises:
        LabelDeleted
    """
    parts = in_parts(images, LABELLED_AT_ONCE)
    return sum(_add_label([image.pk for image in part], label, user) for part in parts)


def remove_label(*, images: Sequence[Image | ChosenImage], label: Label, user: User | None) -> int:
    """Take a label from many images. They keep the others, and count as looked at: one without any shows none of them.

    Returns:
        How many had it, or had it suggested.
    """
    parts = in_parts(images, LABELLED_AT_ONCE)
    return sum(_remove_label([image.pk for image in part], label, user) for part in parts)


def set_empty(*, images: Sequence[Image | ChosenImage], user: User | None) -> int:
    """Say of many images that they have none of the labels. Returns of how many that was not said."""
    return set_labels(images=images, labels=(), user=user)


def set_labels(*, images: Sequence[Image | ChosenImage], labels: Sequence[Label], user: User | None) -> int:
    """Say of many images that they have just these labels: suggestions of these are confirmed, all others go.

    Returns:
        Of how many images that was not said.

    Raises:
        LabelDeleted
    """
    parts = in_parts(images, LABELLED_AT_ONCE)
    return sum(_set_labels([image.pk for image in part], labels, user) for part in parts)


@atomic_again
def _add_label(pks: list, label: Label, user: User | None) -> int:
    require_labels([label.pk])
    reviewed, rows = _held(pks)
    key = stored_key(label.pk)
    present: dict[StoredKey, tuple] = {row[0]: row for row in rows if row[1] == key}
    changed = [image for image in reviewed if image not in present or not present[image][2] or not reviewed[image]]
    if not changed:
        return 0
    with recorded(changed, user, _known(changed, rows, reviewed), reviewed=True):
        there = [present[image][5] for image in changed if image in present]
        if there:
            Annotation.objects.filter(Among("pk", there)).update(confirmed=True)
        rest = (key, Origin.HUMAN.value, True, getattr(user, "pk", None), timezone.now(), *NO_BOX)
        insert_many(
            Annotation, ANNOTATION_COLUMNS, [(uuid7(), image, *rest) for image in changed if image not in present]
        )
    return len(changed)


@atomic_again
def _remove_label(pks: list, label: Label, user: User | None) -> int:
    reviewed, rows = _held(pks)
    key = stored_key(label.pk)
    changed = list(dict.fromkeys(row[0] for row in rows if row[1] == key))
    if not changed:
        return 0
    with recorded(changed, user, _known(changed, rows, reviewed), reviewed=True):
        delete_at_once(Annotation.objects.filter(Among("image", changed), label=label))
    return len(changed)


@atomic_again
def _set_labels(pks: list, labels: Sequence[Label], user: User | None) -> int:
    require_labels([label.pk for label in labels])
    reviewed, rows = _held(pks)
    keys = stored_keys(label.pk for label in labels)
    has: dict[StoredKey, dict[StoredKey, tuple]] = {image: {} for image in reviewed}
    for row in rows:
        has[row[0]][row[1]] = row
    changed = [
        image
        for image, own in has.items()
        if set(own) != set(keys) or not all(row[2] for row in own.values()) or not reviewed[image]
    ]
    if not changed:
        return 0
    others = [row[5] for image in changed for label, row in has[image].items() if label not in keys]
    waiting = [row[5] for image in changed for label, row in has[image].items() if label in keys and not row[2]]
    rest = (Origin.HUMAN.value, True, getattr(user, "pk", None), timezone.now(), *NO_BOX)
    missing = [(uuid7(), image, key, *rest) for image in changed for key in keys if key not in has[image]]
    with recorded(changed, user, _known(changed, rows, reviewed), reviewed=True):
        if others:
            delete_at_once(Annotation.objects.filter(Among("pk", others)))
        if waiting:
            Annotation.objects.filter(Among("pk", waiting)).update(confirmed=True)
        insert_many(Annotation, ANNOTATION_COLUMNS, missing)
    return len(changed)


def _held(pks: list) -> tuple[dict[StoredKey, bool], list[tuple]]:
    """Whether each of these images was looked at, and their annotations; until the transaction ends nobody else changes
    these."""
    held = Image.objects.select_for_update().filter(Among("pk", stored_keys(pks))).order_by("pk")
    reviewed = dict(stored_rows(held.values_list("pk", "reviewed")))
    return reviewed, annotation_rows(list(reviewed))


def _known(changed: Sequence[StoredKey], rows: list[tuple], reviewed: dict[StoredKey, bool]) -> Known:
    differing = set(changed)
    return Known([row for row in rows if row[0] in differing], reviewed)
