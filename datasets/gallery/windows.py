"""Any part of a long list of images: the keys are read from an index alone, from whichever end is nearer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from datasets.gallery.orderings import Ordering
from datasets.gallery.selection import Selection, carriers_in, count_images, images_in
from datasets.models import Image
from storage.stored_keys import StoredKey, stored_rows

# So few are counted at once, from whichever end.
FEW = 10_000


@dataclass(frozen=True)
class Neighbours:
    """The keys of the images before and after one, its place counted from 0 (None: it is not in the list itself)."""

    previous: object | None
    next: object | None
    position: int | None
    total: int


def keys_at(selection: Selection, ordering: Ordering, *, offset: int, size: int) -> tuple[list[StoredKey], int]:
    """The keys of at most `size` images from place `offset`, as they are stored, and how many there are in all."""
    total = count_images(selection)
    size = min(size, max(total - offset, 0))
    if not size:
        return [], total
    rows, key = _keys(selection, ordering)
    if offset <= total // 2:
        return _stored(rows.order_by(*ordering.columns(key=key))[offset : offset + size]), total
    back = total - offset - size
    keys = _stored(rows.order_by(*ordering.columns(is_reversed=True, key=key))[back : back + size])
    return keys[::-1], total


def _stored(keys: QuerySet) -> list[StoredKey]:
    return [key for (key,) in stored_rows(keys)]


def all_keys(selection: Selection, *, limit: int) -> list:
    """The keys of all images, the oldest first; at most `limit`."""
    rows, key = _keys(selection, Ordering(is_descending=False))
    return list(rows.order_by(key)[:limit])


def last_key(selection: Selection) -> Any:
    """The key of the newest image; None where there is none."""
    rows, key = _keys(selection, Ordering())
    return rows.order_by(f"-{key}").first()


def keys_between(selection: Selection, *, after: Any, last: Any, limit: int) -> list:
    """Keys above `after` (None: all) and up to `last`, in their order."""
    rows, key = _keys(selection, Ordering())
    if after is not None:
        rows = rows.filter(**{f"{key}__gt": after})
    return list(rows.filter(**{f"{key}__lte": last}).order_by(key)[:limit])


def neighbours_of(image: Image, selection: Selection, ordering: Ordering) -> Neighbours:
    rows, key = _keys(selection, ordering)
    value = None
    if ordering.field != "id":
        value = ordering.prepared(Image.objects.filter(pk=image.pk)).values_list(ordering.field, flat=True).get()
    before = rows.filter(ordering.beside(value, image.pk, is_after=False, key=key))
    after = rows.filter(ordering.beside(value, image.pk, is_after=True, key=key))
    is_there = images_in(selection).filter(pk=image.pk).exists()
    total = count_images(selection)
    count_ahead = total < FEW or ordering.field != "id" or _share_before(rows, key, image, ordering) < 0.5
    return Neighbours(
        previous=before.order_by(*ordering.columns(is_reversed=True, key=key)).first(),
        next=after.order_by(*ordering.columns(key=key)).first(),
        position=None if not is_there else before.count() if count_ahead else total - 1 - after.count(),
        total=total,
    )


def _share_before(rows: QuerySet, key: str, image: Image, ordering: Ordering) -> float:
    """About how much of the list is before the image, as far as keys, which begin with a time, tell."""
    first, last = rows.order_by(key).first(), rows.order_by(f"-{key}").first()
    if first is None or last is None or first == last:
        return 0.0
    share = (image.pk.int - first.int) / (last.int - first.int)
    return 1 - share if ordering.is_descending else share


def _keys(selection: Selection, ordering: Ordering) -> tuple[QuerySet, str]:
    """The keys of the images, as a query that is yet to be ordered, and what the key is called in it."""
    carriers = carriers_in(selection) if ordering.field == "id" else None
    if carriers is not None:
        keys = carriers.values_list("image", flat=True)
        return (keys if selection.one_label is not None else keys.distinct()), "image"
    return ordering.prepared(images_in(selection)).values_list("pk", flat=True), "id"
