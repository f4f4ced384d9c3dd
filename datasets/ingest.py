"""From files that were examined to rows: find duplicates, keep. Shared by uploads and imports."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone

from datasets.examining import Box, Examined
from datasets.formats.boxes import on_grid
from datasets.gallery.keeping import insert_images, settle
from datasets.history import marks_by_image, record_changes
from datasets.locking import lock_datasets
from datasets.models import Annotation, Dataset, Image, Label, Origin
from projects.changes.recording import note_rows
from projects.limits import require_images
from projects.live import announce
from projects.services import adjust_counts
from storage import services as storage
from storage.database import atomic_again
from storage.stored_keys import Among

INSERT_CHUNK = 2_000


class Annotated(Protocol):
    """What is said of an image beside its annotations."""

    is_confirmed: bool
    split: str | None


@dataclass(frozen=True)
class Outcome:
    """What became of one file: `created`, `duplicate` or `rejected`, with a code and a sentence for the last two."""

    filename: str
    kind: str
    image_id: str | None = None
    code: str = ""
    detail: str = ""

    def to_dict(self) -> dict:
        return {"filename": self.filename, "code": self.code, "detail": self.detail}


def add_images(
    *, dataset: Dataset, items: Sequence[Examined], user=None, source: str, origin: str = Origin.IMPORTED
) -> list[Outcome]:
    """Make images of examined files, in one transaction; when it is over they survive a power cut.

    What waits for the disk is done before: nobody else can write while the transaction lasts.

    A file whose bytes are in the dataset already, or twice among `items`, is a duplicate of the first. What it says
    about a picture that nobody has labelled or looked at is taken all the same.

    Raises:
        LimitReached: the project, or the user who made it, has as many images or bytes as are allowed.
    """
    if not all(item.incoming.is_staged for item in items):
        _stage_new(dataset, items)
    return _add_staged(dataset, items, user, source, origin)


def _stage_new(dataset: Dataset, items: Sequence[Examined]) -> None:
    fresh = {item.incoming.sha256: item.incoming for item in items}
    for sha256 in _known_images(dataset, fresh):
        del fresh[sha256]
    require_images(dataset.project, len(fresh), sum(incoming.size for incoming in fresh.values()))
    storage.stage(fresh.values())


@atomic_again
def _add_staged(dataset: Dataset, items: Sequence[Examined], user, source: str, origin: str) -> list[Outcome]:
    if dataset.pk not in lock_datasets([dataset.pk]):
        raise Dataset.DoesNotExist()
    first: dict[str, Examined] = {}
    for item in items:
        first.setdefault(item.incoming.sha256, item)
    known = _known_images(dataset, first, is_held=True)
    new = {sha256: item for sha256, item in first.items() if sha256 not in known}
    require_images(dataset.project, len(new), sum(item.incoming.size for item in new.values()))
    since = timezone.now()
    blobs = storage.keep_many([(item.incoming, item.content_type) for item in new.values()]) if new else {}
    storage.link({sha256: item.linked_to for sha256, item in new.items() if item.linked_to}, since)
    images = {
        sha256: Image(
            dataset=dataset, blob=blobs[sha256], filename=item.filename, source=source, width=item.width,
            height=item.height, format=item.format, size=item.incoming.size, phash=item.phash, split=item.split,
            group=item.group, video=item.video, frame_index=item.frame_index, frame_time=item.frame_time,
            reviewed=item.is_confirmed and (item.is_reviewed or item.label is not None or bool(item.boxes)),
        )
        for sha256, item in new.items()
    }  # fmt: skip
    note_rows("image_made", {image.pk: (None, {"dataset": str(dataset.pk)}) for image in images.values()})
    annotations = [
        _annotation(images[sha256], label, box, item, origin, user)
        for sha256, item in new.items()
        for label, box in _marks_of(item)
    ]
    insert_images(dataset, list(images.values()), annotations)
    filled = {sha: image for sha, image in known.items() if _says_more(first[sha], image)}
    if filled:
        _fill(filled, first, origin, user)
    count_images(dataset, len(images))
    return [_outcome(item, first, images, known, filled) for item in items]


def _says_more(item: Examined, image: Image) -> bool:
    if image.reviewed or not (item.is_reviewed or item.label or item.boxes):
        return False
    # What waits for a look is replaced by what needs none.
    return item.is_confirmed or not image.annotations.all()


def _fill(images: dict[str, Image], items: dict[str, Examined], origin: str, user) -> None:
    """Give images without annotations those of the files with the same bytes, with a line in their history."""
    fill_images([(image, _marks_of(items[sha256]), items[sha256]) for sha256, image in images.items()], origin, user)


def fill_images(rows: Sequence[tuple[Image, Sequence[tuple[Label, Box | None]], Annotated]], origin: str, user) -> None:
    """Give images that nobody has looked at annotations, instead of those that an earlier import left to be looked at.

    In the caller's transaction, which holds the images.
    """
    pks = [image.pk for image, _, _ in rows]
    before, reviewed = marks_by_image(pks), {image.pk: image.reviewed for image, _, _ in rows}
    Annotation.objects.filter(image__in=pks, origin=Origin.IMPORTED, confirmed=False).delete()
    new: list[Annotation] = []
    splits = {image.pk: image.split for image, _, _ in rows}
    for image, marks, item in rows:
        image.revision += 1
        image.reviewed = item.is_confirmed
        image.split = image.split or item.split
        new += [_annotation(image, label, box, item, origin, user) for label, box in marks]
    Image.objects.bulk_update([image for image, _, _ in rows], ["revision", "reviewed", "split"])
    note_rows("image", {image.pk: ({"split": splits[image.pk]}, {"split": image.split}) for image, _, _ in rows})
    Annotation.objects.bulk_create(new, batch_size=INSERT_CHUNK)
    settle(pks)
    after = marks_by_image(pks)
    record_changes({pk: (before.get(pk, []), after.get(pk, [])) for pk in pks}, user, reviewed)


def _annotation(image: Image, label: Label, box: Box | None, item: Annotated, origin: str, user) -> Annotation:
    return Annotation(
        image=image, label=label, origin=origin, created_by=user, confirmed=item.is_confirmed, **edges_of(box)
    )


def edges_of(box: Box | None) -> dict[str, float]:
    """The box as fields of an annotation."""
    return {} if box is None else dict(zip(("x_min", "y_min", "x_max", "y_max"), on_grid(box), strict=True))


def _marks_of(item: Examined) -> list[tuple[Label, Box | None]]:
    return [(item.label, None)] if item.label is not None else list(item.boxes)


def _known_images(dataset: Dataset, shas: Iterable[str], *, is_held: bool = False) -> dict[str, Image]:
    """Args:
    is_held: until the transaction ends nobody else annotates them, which takes no more than the image.
    """
    blobs = storage.keys_of(shas)
    if not blobs:
        return {}
    rows = Image.objects.filter(Among("blob", blobs), dataset=dataset).select_related("blob")
    if is_held:
        rows = rows.select_for_update(of=("self",)).order_by("pk")
    return {image.blob.sha256: image for image in rows.prefetch_related("annotations__label")}


def _outcome(item: Examined, first: dict, images: dict, known: dict, filled: dict) -> Outcome:
    sha256 = item.incoming.sha256
    if sha256 in known:
        image = known[sha256]
        detail = f"The dataset has this picture already, as {image.filename!r}"
        if sha256 in filled and first[sha256] is item:
            detail += ", without annotations: those of this file were taken."
            return Outcome(item.filename, "duplicate", str(image.pk), "annotated", detail)
        return Outcome(item.filename, "duplicate", str(image.pk), "duplicate", detail + _other_label(item, image) + ".")
    image = images[sha256]
    if first[sha256] is item:
        return Outcome(item.filename, "created", str(image.pk))
    detail = f"The same picture was sent twice, first as {image.filename!r}"
    twin = first[sha256].label
    if item.label and twin and item.label != twin:
        detail += f" with the label {twin.name!r} instead of {item.label.name!r}"
    if item.boxes and item.boxes != first[sha256].boxes:
        detail += f"; its other {len(item.boxes)} boxes were left out"
    return Outcome(item.filename, "duplicate", str(image.pk), "duplicate", detail + ".")


def _other_label(item: Examined, image: Image) -> str:
    if item.boxes:
        return f"; it was left as it is and {len(item.boxes)} boxes were not taken"
    present = [annotation.label for annotation in image.annotations.all()]
    if item.label is None or item.label in present:
        return ""
    names = ", ".join(label.name for label in present) or "no label"
    return f" with {names} instead of {item.label.name!r}; it was left as it is"


def count_images(dataset: Dataset, change: int) -> None:
    Dataset.objects.filter(pk=dataset.pk).update(image_count=Greatest(F("image_count") + change, 0))
    adjust_counts(dataset.project_id, image_count=change)
    if change:
        announce(project=dataset.project_id, kind="dataset", id=dataset.pk, action="changed", images=change)
