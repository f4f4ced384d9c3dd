"""Writing the annotations of one image. What comes unchanged stays the row that it was, with who made it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import F

from common.errors import Invalid
from datasets.annotation_checks import checked_annotation
from datasets.errors import AnnotationDeleted, RevisionConflict
from datasets.gallery.keeping import settle
from datasets.history import marks_by_image, record_changes
from datasets.images import BULK_CHUNK
from datasets.labels import require_labels
from datasets.models import Annotation, Dataset, Image, Label, Origin
from storage.database import atomic_again

EDGES = ("x_min", "y_min", "x_max", "y_max")
CONTENT = ("label", *EDGES, "origin", "score", "confirmed", "created_by")
MOST = 10_000


@dataclass(frozen=True)
class AnnotationInput:
    """An annotation as it is to be.

    Attributes:
        box: `[x_min, y_min, x_max, y_max]` in pixels, clipped to the image; None where the project has no boxes.
        id: of the row that it is, or becomes; None: one that says the same, else a new one.
        confirmed: None leaves it to be what it was; what is new or different is confirmed then.
    """

    label: Label
    box: Sequence[float] | None = None
    id: UUID | None = None
    confirmed: bool | None = None


@dataclass(frozen=True)
class Difference:
    """A change of an annotation that is there; None leaves a part as it is."""

    id: UUID
    label: Label | None = None
    box: Sequence[float] | None = None
    confirmed: bool | None = None


@dataclass
class _Plan:
    add: list[Annotation] = field(default_factory=list)
    change: list[Annotation] = field(default_factory=list)
    remove: list[Annotation] = field(default_factory=list)
    waiting: bool = False

    @property
    def is_empty(self) -> bool:
        return not (self.add or self.change or self.remove)


def replace_annotations(
    *, image: Image, annotations: Sequence[AnnotationInput], revision: int | None, user: User
) -> Image:
    """Make these the annotations of the image. When they are already, nothing is changed.

    Args:
        revision: the revision that the caller saw; None replaces whatever is there.

    Raises:
        RevisionConflict: the image was changed meanwhile.
        LabelDeleted
        Invalid: a box outside the image, a second label on a classified image…
    """
    return _write(image, lambda rows: list(annotations), revision, user)


def change_annotations(
    *,
    image: Image,
    add: Sequence[AnnotationInput] = (),
    change: Sequence[Difference] = (),
    remove: Iterable[UUID] = (),
    revision: int | None,
    user: User,
    shows_nothing: bool = True,
) -> Image:
    """Add, change and remove some annotations of the image; the others stay. What is gone already need not be removed.

    Args:
        shows_nothing: what a detection image without annotations means afterwards: True, that somebody looked at it and
            there is nothing; False, that nobody has annotated it.

    Raises:
        AnnotationDeleted: one that is to be changed is gone.
        RevisionConflict, LabelDeleted, Invalid: as `replace_annotations`.
    """
    gone = set(remove)
    changes: dict[UUID | None, Difference] = {difference.id: difference for difference in change}

    def annotations_for(rows: list[Annotation]) -> list[AnnotationInput]:
        if set(changes) - {row.pk for row in rows}:
            raise AnnotationDeleted()
        added = {annotation.id for annotation in add}
        kept = [_as_it_is(row) for row in rows if row.pk not in gone and row.pk not in added]
        return [*(_changed(annotation, changes.get(annotation.id)) for annotation in kept), *add]

    return _write(image, annotations_for, revision, user, shows_nothing=shows_nothing)


def _as_it_is(row: Annotation) -> AnnotationInput:
    return AnnotationInput(row.label, row.box, row.pk, row.confirmed)


def _changed(annotation: AnnotationInput, difference: Difference | None) -> AnnotationInput:
    if difference is None:
        return annotation
    return replace(
        annotation,
        label=difference.label or annotation.label,
        box=annotation.box if difference.box is None else difference.box,
        # Another label or box is a person's own, unless they say that it still waits.
        confirmed=difference.confirmed if _says_all(difference) else annotation.confirmed,
    )


def _says_all(difference: Difference) -> bool:
    return difference.confirmed is not None or difference.label is not None or difference.box is not None


@atomic_again
def _write(
    image: Image,
    annotations_for: Callable[[list[Annotation]], list[AnnotationInput]],
    revision: int | None,
    user: User,
    *,
    shows_nothing: bool = True,
) -> Image:
    held = Image.objects.select_for_update().get(pk=image.pk)  # until the end nobody else changes its annotations
    if not Dataset.objects.filter(pk=held.dataset_id, project=image.dataset.project_id).exists():
        raise Image.DoesNotExist()  # it went into the trash while this waited
    rows = list(Annotation.objects.filter(image=held).select_related("label").order_by("id"))
    plan = _planned(image, rows, annotations_for(rows), user)
    # Where an image may show nothing, nothing says: looked at, nothing here. While suggestions wait it says nothing.
    left = len(rows) + len(plan.add) - len(plan.remove)
    empty = shows_nothing and image.project.kind.can_be_empty
    reviewed = held.reviewed if plan.waiting else bool(left) or empty
    if plan.is_empty and reviewed == held.reviewed:
        image.refresh_from_db()
        return image
    if revision is not None and revision != held.revision:
        raise RevisionConflict()
    require_labels(row.label_id for row in (*plan.add, *plan.change))
    before = marks_by_image([image.pk]).get(image.pk, [])
    Image.objects.filter(pk=image.pk).update(revision=F("revision") + 1, reviewed=reviewed)
    _carry_out(plan)
    settle([image.pk])
    record_changes({image.pk: (before, marks_by_image([image.pk]).get(image.pk, []))}, user, {image.pk: held.reviewed})
    image.refresh_from_db()
    return image


def _carry_out(plan: _Plan) -> None:
    gone = [row.pk for row in plan.remove]
    for start in range(0, len(gone), BULK_CHUNK):
        Annotation.objects.filter(pk__in=gone[start : start + BULK_CHUNK]).delete()
    if plan.change:
        Annotation.objects.bulk_update(plan.change, CONTENT, batch_size=100)
    Annotation.objects.bulk_create(plan.add, batch_size=BULK_CHUNK)


def _planned(image: Image, rows: list[Annotation], requested: list[AnnotationInput], user: User) -> _Plan:
    if not image.project.kind.has_boxes:
        requested = _once_a_label(requested)
    fresh = [
        checked_annotation(image, {"label": request.label, "box": request.box}, index, user)
        for index, request in enumerate(requested)
    ]
    if image.project.kind.has_single_labels and len(fresh) > 1:
        raise Invalid("An image of a classification project has at most one label.", attr="annotations")
    present = {row.pk: row for row in rows}
    _require_once([annotation.id for annotation in requested if annotation.id is not None])
    named = [present.pop(annotation.id, None) if annotation.id is not None else None for annotation in requested]
    alike: dict[tuple, list[Annotation]] = {}
    for other in present.values():
        alike.setdefault(_content(other), []).append(other)
    plan = _Plan()
    taken = _free_ids(requested, named)
    row: Annotation | None
    for request, new, row in zip(requested, fresh, named, strict=True):
        if row is None and alike.get(_content(new)):
            row = alike[_content(new)].pop(0)
            present.pop(row.pk)
        if row is None:
            new.confirmed = request.confirmed is not False
            if request.id in taken:
                new.pk = request.id
            plan.add.append(new)
        elif _take_over(row, new, request, user):
            plan.change.append(row)
        plan.waiting |= not (row or new).confirmed
    plan.remove = list(present.values())
    return plan


def _once_a_label(requested: list[AnnotationInput]) -> list[AnnotationInput]:
    """Each label of a whole image once: who adds one that a model has suggested confirms it."""
    joined: dict[UUID, AnnotationInput] = {}
    for request in requested:
        first = joined.setdefault(request.label.pk, request)
        if first is not request and first.box is None and request.box is None:
            confirmed = True if request.confirmed is None else request.confirmed or first.confirmed
            joined[request.label.pk] = replace(first, id=first.id or request.id, confirmed=confirmed)
    return list(joined.values())


def _require_once(ids: list[UUID]) -> None:
    if len(set(ids)) != len(ids):
        raise Invalid("Name each annotation once.", attr="annotations")


def _free_ids(requested: list[AnnotationInput], named: list[Annotation | None]) -> set[UUID]:
    """Ids of clients for new annotations, which no other image's has: so that sending one twice makes one."""
    ids = {
        annotation.id
        for annotation, row in zip(requested, named, strict=True)
        if annotation.id is not None and row is None
    }
    return ids - set(Annotation.objects.filter(pk__in=ids).values_list("pk", flat=True)) if ids else set()


def _content(row: Annotation) -> tuple:
    return row.label_id, row.x_min, row.y_min, row.x_max, row.y_max


def _take_over(row: Annotation, new: Annotation, requested: AnnotationInput, user: User) -> bool:
    """Give a row what is wanted of it. Whether that changed it."""
    if _content(row) != _content(new):
        # A person's own from now on: what the model thought of it is in the history.
        row.label, row.origin, row.score, row.created_by = new.label, Origin.HUMAN, None, user
        for edge in EDGES:
            setattr(row, edge, getattr(new, edge))
        row.confirmed = requested.confirmed is not False
        return True
    if requested.confirmed is None or requested.confirmed == row.confirmed:
        return False
    row.confirmed = requested.confirmed
    return True
