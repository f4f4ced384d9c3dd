"""One change of many images: of those that are named, or of all that a filter leaves."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from common.errors import Invalid
from datasets.chosen import ChosenImage
from datasets.filters import filterset_of
from datasets.gallery.selection import Selection
from datasets.gallery.windows import keys_between, last_key
from datasets.image_labels import add_label, remove_label, set_empty, set_labels
from datasets.images import label_images, set_group, set_split
from datasets.models import Dataset, Image, Label
from datasets.moving import move_images
from datasets.removal import delete_images
from datasets.review import review_images
from jobs.context import JobContext
from jobs.contracts import JobParameters, JobResult
from jobs.errors import WorkFailed
from jobs.models import Job, JobKind
from jobs.queues import queue_for
from jobs.services import enqueue_job, handles
from projects.changes.models import Change
from projects.changes.recording import close_change, noting, open_change
from projects.models import Project, Task
from projects.permissions import require_still_editor
from storage.deleting import let_others_write
from storage.stored_keys import Among, stored_key, stored_keys, stored_rows

ACTIONS = (
    "label", "unlabel", "remove_label", "set_labels", "set_empty", "confirm", "reject", "move", "split", "group",
    "delete",
)  # fmt: skip
OF_SEVERAL_LABELS = ("remove_label", "set_labels", "set_empty")
# So many images are changed in a request.
MOST_AT_ONCE = 10_000
CHUNK = 500


@dataclass(frozen=True)
class BulkChange:
    """What is done to each of the images."""

    action: str
    label: Label | None = None
    dataset: Dataset | None = None
    split: str | None = None
    group: str = ""
    labels: tuple[Label, ...] = ()

    def require_fit(self, project: Project) -> None:
        """Raises `Invalid`: it cannot be done in such a project."""
        if self.action == "label" and project.kind.has_boxes:
            raise Invalid("A detection project labels boxes, not images.", attr="action")
        if self.action in OF_SEVERAL_LABELS and project.kind is not Task.MULTILABEL:
            raise Invalid("Only in a multilabel project an image has none to many labels.", attr="action")
        if self.dataset is not None and self.dataset.project_id != project.pk:
            raise Invalid("Must be a dataset of the same project.", attr="dataset")

    def in_words(self) -> dict:
        """What lists of changes say of it."""
        label = ", ".join(label.name for label in self.labels) or (self.label and self.label.name)
        names = {"label": label, "dataset": self.dataset and self.dataset.name}
        own: dict[str, dict] = {"split": {"split": self.split}, "group": {"group": self.group}}
        return {**{name: text for name, text in names.items() if text}, **own.get(self.action, {})}

    def to_dict(self) -> dict:
        return {
            "action": self.action,
            "split": self.split,
            "group": self.group,
            "label": None if self.label is None else str(self.label.pk),
            "dataset": None if self.dataset is None else str(self.dataset.pk),
            "labels": [str(label.pk) for label in self.labels],
        }


@dataclass(frozen=True)
class BulkParameters(JobParameters, kind=JobKind.IMAGES_BULK):
    """A change, as text, and which images it is made to: what the filter leaves, without those that are left out."""

    action: str
    split: str | None
    group: str
    label: str | None
    dataset: str | None
    filter: dict
    left_out: list[str]
    labels: list[str] = field(default_factory=list)

    @classmethod
    def from_dict(cls, values: dict) -> Self:
        return super().from_dict({"left_out": values.get("except"), **values})  # its name in earlier versions


@dataclass(frozen=True)
class BulkResult(JobResult):
    action: str
    changed: int
    unchanged: int
    change: str | None


def change_images(*, images: Sequence[ChosenImage], change: BulkChange, user: User | None) -> int:
    """Returns how many images are not as they were before."""
    if change.action in OF_SEVERAL_LABELS or (change.action == "label" and _has_several_labels(images)):
        return _change_labels(images, change, user)
    if change.action == "label" or change.action == "unlabel":
        return label_images(images=images, label=change.label, user=user)
    if change.action in ("confirm", "reject"):
        return review_images(images=images, confirm=change.action == "confirm", user=user)
    if change.action == "split":
        return set_split(images=images, split=change.split)
    if change.action == "group":
        return set_group(images=images, group=change.group)
    if change.action == "move":
        assert change.dataset is not None
        return move_images(images=images, target=change.dataset)["changed"]
    return delete_images(images=images)


def _has_several_labels(images: Sequence[ChosenImage]) -> bool:
    """All are of one project."""
    return bool(images) and images[0].dataset.project.kind is Task.MULTILABEL


def _change_labels(images: Sequence[ChosenImage], change: BulkChange, user: User | None) -> int:
    if change.action == "set_empty":
        return set_empty(images=images, user=user)
    if change.action == "set_labels":
        return set_labels(images=images, labels=change.labels, user=user)
    assert change.label is not None
    if change.action == "remove_label":
        return remove_label(images=images, label=change.label, user=user)
    return add_label(images=images, label=change.label, user=user)


def images_with(keys: Iterable, among: QuerySet[Image] | None = None) -> list[ChosenImage]:
    """These images, as far as they exist."""
    stored = stored_keys(keys)
    rows = (Image.objects.all() if among is None else among).order_by().values_list("pk", "dataset")
    pairs: list[tuple] = []
    for start in range(0, len(stored), CHUNK):
        pairs += stored_rows(rows.filter(Among("pk", stored[start : start + CHUNK])))
    places = {place for _, place in pairs}
    datasets = {
        stored_key(dataset.pk): dataset
        for dataset in Dataset.objects.filter(Among("pk", places)).select_related("project")
    }
    return [ChosenImage(key, datasets[place]) for key, place in pairs]


@transaction.atomic
def start_bulk_change(
    *, project: Project, change: BulkChange, filters: dict, left_out: Sequence[uuid.UUID], images: int, user: User
) -> Job:
    """Make the job that changes all images that a filter leaves.

    Args:
        filters: the filter, as `filterset_of` takes it.
        left_out: images that stay as they are all the same.
        images: about how many there are.

    Raises:
        LimitReached
    """
    parameters = BulkParameters(**change.to_dict(), filter=filters, left_out=[str(pk) for pk in left_out])
    return enqueue_job(project=project, user=user, parameters=parameters, queue=queue_for(images=images))


@handles(BulkParameters)
def run_bulk_change(context: JobContext[BulkParameters]) -> BulkResult:
    """In the order of their keys up to the last one that was there at the beginning: what was changed leaves the filter
    without moving what is yet to come. The position is the last key that was done."""
    parameters, user = context.parameters, context.job.created_by
    change = _change_of(context.job, parameters)
    selection = filterset_of(user, parameters.filter).selection()
    position = dict(context.job.position) or {"after": None, "changed": 0, "unchanged": 0, "last": None, "change": None}
    record = _record_of(context, change, position)
    position["last"] = position["last"] or str(last_key(selection) or uuid.UUID(int=0))
    left_out = set(parameters.left_out)
    done = position["changed"] + position["unchanged"]
    require_still_editor(context.job)  # also where the filter leaves nothing to somebody who is no member any more
    for keys in _parts(selection, position):
        require_still_editor(context.job)
        images = images_with(key for key in keys if str(key) not in left_out)
        with noting(record):
            changed = change_images(images=images, change=change, user=user) if images else 0
        position["changed"] += changed
        position["unchanged"] += len(images) - changed
        position["after"] = str(keys[-1])
        done += len(images)
        context.report(done, done, position=position)
        let_others_write()
    close_change(record)
    changed, unchanged = position["changed"], position["unchanged"]
    return BulkResult(change.action, changed, unchanged, str(record.pk) if record.rows else None)


def _record_of(context: JobContext, change: BulkChange, position: dict) -> Change:
    """The change that the whole job is, also when it is taken up again."""
    job = context.job
    record = open_change(job.project, job.created_by, change.action, **change.in_words())
    if position["change"]:
        record.pk = uuid.UUID(position["change"])
    position["change"] = str(record.pk)
    return record


def _parts(selection: Selection, position: dict) -> Iterator[list]:
    while keys := keys_between(selection, after=position["after"], last=position["last"], limit=CHUNK):
        yield keys


def _change_of(job: Job, parameters: BulkParameters) -> BulkChange:
    """Raises `WorkFailed`: the label or the dataset is gone."""
    objects: dict = {}
    rows_of = {"label": Label.objects.filter(project=job.project_id), "dataset": _datasets(job)}
    for name, pk in (("label", parameters.label), ("dataset", parameters.dataset)):
        if pk:
            objects[name] = rows_of[name].filter(pk=pk).first()
            if objects[name] is None:
                raise WorkFailed(f"{name}_deleted", f"The {name} was deleted meanwhile.")
    labels = tuple(Label.objects.filter(project=job.project_id, pk__in=parameters.labels).order_by("order", "pk"))
    if len(labels) < len(parameters.labels):
        raise WorkFailed("label_deleted", "A label was deleted meanwhile.")
    return BulkChange(parameters.action, split=parameters.split, group=parameters.group, labels=labels, **objects)


def _datasets(job: Job) -> QuerySet[Dataset]:
    return Dataset.objects.filter(project=job.project_id).select_related("project")
