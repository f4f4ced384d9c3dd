"""Taking labels away: merged into another one, or deleted with what carries them, a few hundred images at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q, QuerySet

from common.errors import Invalid
from datasets.errors import LabelDeleted, LabelInUse
from datasets.history import recorded
from datasets.locking import lock_projects
from datasets.models import Annotation, Image, ImageLabel, Label
from datasets.noting import LABEL_FIELDS, fields_of
from datasets.removal import delete_images
from projects.changes.recording import note_rows
from projects.services import adjust_counts
from projects.trash.entries import keeps_deleted
from storage.database import atomic_again
from storage.deleting import PART, delete_in_chunks, let_others_write

CHUNK = PART
# Called after each transaction with the number of images that it changed.
OnPart = Callable[[int], object]


def merge_labels(*, label: Label, into: Label, user: User | None = None, on_part: OnPart | None = None) -> Label:
    """Give all images of `label` the label `into` and delete `label`; `user` is who the history names.

    Raises:
        LabelDeleted: one of them is gone.
    """
    require_other(label, into)

    def relabel(pks: list) -> None:
        _relabel(pks, label, into, user)

    _carry_out(label, relabel, into, in_trash=relabel, on_part=on_part)
    return into


def require_other(label: Label, into: Label) -> None:
    """Raises `Invalid` unless one can be merged into the other."""
    if label.pk == into.pk or label.project_id != into.project_id:
        raise Invalid("Must be another label of the same project.", attr="into")


def delete_label(
    *,
    label: Label,
    images: str | None,
    move_to: Label | None = None,
    user: User | None = None,
    on_part: OnPart | None = None,
) -> None:
    """Delete a label; `images` says what happens to what carries it: "unlabel", "delete", or `move_to`.

    Raises:
        LabelInUse: images carry it and nothing was said.
        LabelDeleted: somebody else was faster.
    """
    if move_to is not None:
        merge_labels(label=label, into=move_to, user=user, on_part=on_part)
    elif images == "delete":
        _carry_out(label, lambda pks: _delete(pks, label, user), user=user, on_part=on_part)
    elif images == "unlabel":
        _carry_out(label, lambda pks: _unlabel(pks, label, user), user=user, on_part=on_part)
    else:
        _carry_out(label, _refuse, user=user)


def _carry_out(
    label: Label,
    change: Callable[[list], object],
    *others: Label,
    in_trash: Callable[[list], object] | None = None,
    user: User | None = None,
    on_part: OnPart | None = None,
) -> None:
    """Take the label from all images that carry it, by `change`, and delete it.

    In transactions of a few hundred images, so that others can write in between: should it be broken off, the label is
    on the images that are left, and doing it again finishes.

    Args:
        in_trash: what happens to images in the trash; None: they lose the label, until this is undone.
    """
    # Those of images that are being removed with their dataset.
    for rows in (Annotation.objects.filter(label=label), ImageLabel.objects.filter(label=label)):
        delete_in_chunks(rows.exclude(_of_its_project(label, "image__dataset__project")))
    steps = (carrying, change), (carrying_in_trash, in_trash or (lambda pks: _unlabel(pks, label, user)))
    while not _carry_out_some(label, steps, others):
        let_others_write()
        if on_part is not None:
            on_part(CHUNK)


def _of_its_project(label: Label, path: str) -> Q:
    return Q(**{path: label.project_id}) | Q(**{f"{path}__trash_of": label.project_id})


@atomic_again
def _carry_out_some(label: Label, steps: Sequence[tuple[Callable, Callable]], others: Sequence[Label]) -> bool:
    """Whether the label is gone. A transaction."""
    lock_projects([label.project_id])
    _lock_labels(label, *others)
    for images, change in steps:
        pks = list(images(label).values_list("pk", flat=True)[: CHUNK + 1])
        if pks:
            change(pks[:CHUNK])
        if len(pks) > CHUNK:
            return False
    note_rows("label", {row.pk: (fields_of(row, LABEL_FIELDS), None) for row in Label.objects.filter(pk=label.pk)})
    Label.objects.filter(pk=label.pk).delete()
    adjust_counts(label.project_id, label_count=-1)
    return True


def _delete(pks: list, label: Label, user: User | None) -> None:
    # Nobody gives them another label between the look at what they carry and their end.
    list(Image.objects.select_for_update(no_key=True).filter(pk__in=pks).order_by("pk").values_list("pk"))
    images = list(carrying(label).filter(pk__in=pks))
    if keeps_deleted():  # they go without the label, which is about to end, and have it again when this is undone
        with recorded(pks, user):
            Annotation.objects.filter(label=label, image__in=pks).delete()
    delete_images(images=images)


def _relabel(pks: list, label: Label, into: Label, user: User | None) -> None:
    with recorded(pks, user):
        mine = Annotation.objects.filter(label=label, image__in=pks)
        if not label.project.kind.has_boxes:
            mine.filter(image__annotations__label=into).delete()
        mine.update(label=into)


def _unlabel(pks: list, label: Label, user: User | None) -> None:
    with recorded(pks, user):
        Annotation.objects.filter(label=label, image__in=pks).delete()
        # What has no label left is open again: it is no image that shows nothing.
        Image.objects.filter(pk__in=pks, annotations=None).update(reviewed=False)


def _refuse(pks: list) -> None:
    raise LabelInUse()


def carrying(label: Label) -> QuerySet[Image]:
    """The images of its project that carry the label."""
    annotations = Annotation.objects.filter(label=label, image=OuterRef("pk"))
    return Image.objects.filter(Exists(annotations), dataset__project=label.project_id).select_related("dataset")


def carrying_in_trash(label: Label) -> QuerySet[Image]:
    annotations = Annotation.objects.filter(label=label, image=OuterRef("pk"))
    return Image.objects.filter(Exists(annotations), dataset__project__trash_of=label.project_id)


def _lock_labels(*labels: Label) -> None:
    """Keep them from being deleted by others until the transaction ends. Raises `LabelDeleted`."""
    pks = {label.pk for label in labels}
    if len(Label.objects.select_for_update().filter(pk__in=pks).order_by("pk")) != len(pks):
        raise LabelDeleted()
