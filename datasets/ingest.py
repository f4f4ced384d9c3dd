"""From files that were examined to rows: find duplicates, keep. Shared by uploads and imports."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Protocol

from django.contrib.auth.models import User
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone

from datasets.copies import ImageAnnotations, Imported, annotations_before, annotations_of, is_as_imported, join_all
from datasets.examining import Box, StagedImage
from datasets.gallery.keeping import insert_images, settle
from datasets.history import marks_by_image, record_changes
from datasets.locking import lock_datasets
from datasets.models import Annotation, Dataset, Image, Label, Origin
from datasets.outcomes import Added, Outcome
from projects.changes.recording import note_rows
from projects.limits import require_images
from projects.live import announce
from projects.models import Task
from projects.services import adjust_counts
from storage import services as storage
from storage.database import atomic_again
from storage.stored_keys import Among
from vision.formats.boxes import on_grid

INSERT_CHUNK = 2_000


class Annotated(Protocol):
    """What is said of an image beside its annotations."""

    @property
    def is_confirmed(self) -> bool: ...

    @property
    def split(self) -> str | None: ...


def add_images(
    *,
    dataset: Dataset,
    items: Sequence[StagedImage],
    user: User | None = None,
    source: str,
    origin: str = Origin.IMPORTED,
    earlier: Imported | None = None,
) -> list[Outcome]:
    """Make images of examined files, in one transaction; when it is over they survive a power cut.

    What waits for the disk is done before: nobody else can write while the transaction lasts.

    A file whose bytes are in the dataset already, or twice among `items`, is a duplicate of the first. What it says
    about an image that nobody has labelled or looked at is taken all the same, and what copies of one import say is
    joined (`datasets.copies`).

    Args:
        earlier: what the batches of the same import before this one have done; what this one does is added.

    Raises:
        LimitReached: the project, or the user who made it, has as many images or bytes as are allowed.
    """
    if not all(item.incoming.is_staged for item in items):
        _stage_new(dataset, items)
    outcomes = _add_staged(dataset, items, user, source, origin, earlier)
    if earlier is not None:
        for outcome in outcomes:
            earlier.note(outcome.image_id or "", outcome.code)
    return outcomes


def _stage_new(dataset: Dataset, items: Sequence[StagedImage]) -> None:
    fresh = {item.incoming.sha256: item.incoming for item in items}
    for sha256 in _known_images(dataset, fresh):
        del fresh[sha256]
    require_images(dataset.project, len(fresh), sum(incoming.size for incoming in fresh.values()))
    storage.stage(fresh.values())


@atomic_again
def _add_staged(
    dataset: Dataset,
    items: Sequence[StagedImage],
    user: User | None,
    source: str,
    origin: str,
    earlier: Imported | None,
) -> list[Outcome]:
    if dataset.pk not in lock_datasets([dataset.pk]):
        raise Dataset.DoesNotExist()
    copies: dict[str, list[StagedImage]] = defaultdict(list)
    for item in items:
        copies[item.incoming.sha256].append(item)
    known = _known_images(dataset, copies, is_held=True)
    are_several = dataset.project.kind is Task.MULTILABEL
    joined = {sha256: join_all(map(annotations_of, same), are_several=are_several) for sha256, same in copies.items()}
    new = {sha256: same[0] for sha256, same in copies.items() if sha256 not in known}
    images = _make_images(dataset, new, joined, user, source, origin)
    own = {sha256 for sha256, image in known.items() if earlier is not None and _is_of(earlier, source, image)}
    changes = {sha256: (ImageAnnotations(), joined[sha256]) for sha256 in new}
    changes |= _fill(known, own, joined, earlier or Imported(), origin, user, are_several=are_several)
    added = Added({**known, **images}, {*own, *new}, joined, changes)
    return [
        added.outcome(item, is_first=copies[item.incoming.sha256][0] is item, is_new=item.incoming.sha256 in new)
        for item in items
    ]


def _make_images(
    dataset: Dataset,
    new: Mapping[str, StagedImage],
    joined: Mapping[str, ImageAnnotations],
    user: User | None,
    source: str,
    origin: str,
) -> dict[str, Image]:
    require_images(dataset.project, len(new), sum(item.incoming.size for item in new.values()))
    since = timezone.now()
    blobs = storage.keep_many([(item.incoming, item.content_type) for item in new.values()]) if new else {}
    storage.link({sha256: item.linked_to for sha256, item in new.items() if item.linked_to}, since)
    images = {
        sha256: Image(
            dataset=dataset,
            blob=blobs[sha256],
            filename=item.filename,
            source=source,
            width=item.width,
            height=item.height,
            format=item.format,
            size=item.incoming.size,
            phash=item.phash,
            split=joined[sha256].split,
            group=item.group,
            video=item.video,
            frame_index=item.frame_index,
            frame_time=item.frame_time,
            reviewed=joined[sha256].is_annotated,
        )
        for sha256, item in new.items()
    }
    note_rows("image_made", {image.pk: (None, {"dataset": str(dataset.pk)}) for image in images.values()})
    annotations = [
        _annotation(images[sha256], label, box, joined[sha256], origin, user)
        for sha256 in new
        for label, box in joined[sha256].marks
    ]
    insert_images(dataset, list(images.values()), annotations)
    count_images(dataset, len(images))
    return images


def _fill(
    known: Mapping[str, Image],
    own: Container[str],
    joined: dict[str, ImageAnnotations],
    earlier: Imported,
    origin: str,
    user: User | None,
    *,
    are_several: bool,
) -> dict[str, tuple[ImageAnnotations, ImageAnnotations]]:
    """Give images that are here what their copies say, with a line in their history: those that have nothing yet, and
    the `own` ones of the same import. Returns what changed."""
    changes: dict[str, tuple[ImageAnnotations, ImageAnnotations]] = {}
    for sha256, image in known.items():
        if sha256 in own:
            before = annotations_before(image, is_contradicted=str(image.pk) in earlier.contradicted)
            joined[sha256] = join_all((before, joined[sha256]), are_several=are_several)
            if joined[sha256] != before and not joined[sha256].is_silent:
                changes[sha256] = before, joined[sha256]
        elif _says_more(joined[sha256], image):
            changes[sha256] = ImageAnnotations(), joined[sha256]
    rows = [(known[sha256], after.marks, after) for sha256, (_, after) in changes.items()]
    replaced = {known[sha256].pk for sha256, (before, _) in changes.items() if not before.is_silent}
    if rows:
        fill_images(rows, origin, user, replaced)
    return changes


def _is_of(earlier: Imported, source: str, image: Image) -> bool:
    """Whether the image has what this import gave it, and nothing else."""
    return (image.source == source or str(image.pk) in earlier.annotated) and is_as_imported(image)


def _says_more(annotations: ImageAnnotations, image: Image) -> bool:
    if image.reviewed or not (annotations.marks or annotations.is_reviewed):
        return False
    # What waits for a look is replaced by what needs none.
    return annotations.is_confirmed or not image.annotations.all()


def fill_images(
    rows: Sequence[tuple[Image, Sequence[tuple[Label, Box | None]], Annotated]],
    origin: str,
    user: User | None,
    replaced: Container = (),
) -> None:
    """Give images that nobody has looked at annotations, instead of those that an earlier import left to be looked at.

    In the caller's transaction, which holds the images.

    Args:
        replaced: keys of images that lose all that was imported.
    """
    if not rows:
        return
    pks = [image.pk for image, _, _ in rows]
    before, reviewed = marks_by_image(pks), {image.pk: image.reviewed for image, _, _ in rows}
    Annotation.objects.filter(image__in=pks, origin=Origin.IMPORTED, confirmed=False).delete()
    lost = [pk for pk in pks if pk in replaced]
    Annotation.objects.filter(image__in=lost, origin=Origin.IMPORTED).delete()
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


def _annotation(
    image: Image, label: Label, box: Box | None, item: Annotated, origin: str, user: User | None
) -> Annotation:
    return Annotation(
        image=image, label=label, origin=origin, created_by=user, confirmed=item.is_confirmed, **edges_of(box)
    )


def edges_of(box: Box | None) -> dict[str, float]:
    """The box as fields of an annotation."""
    return {} if box is None else dict(zip(("x_min", "y_min", "x_max", "y_max"), on_grid(box), strict=True))


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


def count_images(dataset: Dataset, change: int) -> None:
    Dataset.objects.filter(pk=dataset.pk).update(image_count=Greatest(F("image_count") + change, 0))
    adjust_counts(dataset.project_id, image_count=change)
    if change:
        announce(project=dataset.project_id, kind="dataset", id=dataset.pk, action="changed", images=change)
