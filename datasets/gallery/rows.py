"""What a gallery shows of an image, and no more: some 80 bytes of it once it is compressed."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import F, Window
from django.db.models.functions import RowNumber
from django.urls import reverse

from datasets.gallery.codes import ANNOTATED
from datasets.models import Annotation, Image
from storage.stored_keys import Among, StoredKey, stored_keys, stored_rows, written

# So many annotations of an image are shown on its tile.
FIRST = 12
THUMBNAIL_SIZE = 256
THOUSAND = 1000
FIELDS = (
    "id",
    "dataset_id",
    "filename",
    "width",
    "height",
    "split",
    "revision",
    "reviewed",
    "facets",
    "annotation_count",
    "suggestion_count",
    "thumbhash",
    "blob__sha256",
)


def grid_rows(keys: Sequence) -> list[dict]:
    """Rows of these images in their order; those that were deleted meanwhile are left out."""
    stored = stored_keys(keys)
    images = Image.objects.filter(Among("pk", stored)).order_by()
    row_of = {row[0]: row for row in stored_rows(images.values_list(*FIELDS))}
    rows = [row_of[key] for key in stored if key in row_of]
    marks = _marks({row[0]: row for row in rows})
    address = reverse("image-thumbnail", args=["00000000-0000-0000-0000-000000000000"])
    before, after = address.split("00000000-0000-0000-0000-000000000000")
    datasets = {row[1]: written(row[1]) for row in rows}
    return [_row(row, datasets[row[1]], marks.get(row[0], []), before, after) for row in rows]


def _row(row: tuple, dataset: str, marks: list[dict], before: str, after: str) -> dict:
    (
        key,
        _,
        filename,
        width,
        height,
        split,
        revision,
        reviewed,
        facets,
        annotations,
        suggestions,
        thumbhash,
        sha256,
    ) = row
    pk, labels = written(key), list(dict.fromkeys(mark["label"] for mark in marks))
    return {
        "id": pk,
        "dataset": dataset,
        "filename": filename,
        "width": width,
        "height": height,
        "split": split,
        "revision": revision,
        "reviewed": reviewed,
        "annotated": bool((facets or 0) & ANNOTATED),
        "annotation_count": annotations,
        "suggestion_count": suggestions,
        "labels": labels,
        "annotations": marks,
        "thumbhash": thumbhash or None,
        "thumbnail": f"{before}{pk}{after}?size={THUMBNAIL_SIZE}&v={sha256[:8]}",
    }


def _marks(images: dict[StoredKey, tuple]) -> dict[StoredKey, list[dict]]:
    """The first annotations of each image, in the order in which they were made."""
    few = [pk for pk, row in images.items() if 0 < row[9] <= FIRST]
    many = [pk for pk, row in images.items() if row[9] > FIRST]
    fields = ("image_id", "label_id", "origin", "confirmed", "score", "x_min", "y_min", "x_max", "y_max")
    rows = stored_rows(Annotation.objects.filter(Among("image", few)).order_by("id").values_list(*fields))
    if many:
        place = Window(RowNumber(), partition_by=F("image"), order_by=F("id").asc())
        numbered = Annotation.objects.filter(Among("image", many)).annotate(place=place).filter(place__lte=FIRST)
        rows += stored_rows(numbered.order_by("id").values_list(*fields))
    labels = {row[1]: written(row[1]) for row in rows}
    marks: dict[StoredKey, list[dict]] = {}
    for key, label, origin, confirmed, score, *box in rows:
        width, height = images[key][3:5]
        mark = {"label": labels[label], "origin": origin, "confirmed": confirmed, "score": _short(score)}
        marks.setdefault(key, []).append({**mark, "box": _in_thousandths(box, width, height)})
    return marks


def _short(score: float | None) -> float | None:
    return None if score is None else round(score, 3)


def _in_thousandths(box: list, width: int, height: int) -> list[int] | None:
    if box[0] is None:
        return None
    scales = (THOUSAND / width, THOUSAND / height) * 2
    return [round(edge * scale) for edge, scale in zip(box, scales, strict=True)]
