"""How images, videos and datasets in the trash are shown, and removed for good."""

from __future__ import annotations

import uuid
from pathlib import Path

from django.db.models import QuerySet

from datasets.locking import lock_datasets
from datasets.models import AnnotationChange, Dataset, Image, Snapshot, TrashedImages
from datasets.moving import move_some
from datasets.snapshot_uses import needed_snapshots
from datasets.thumbnails import JPEG, SIZES, ensure_thumbnail
from datasets.trash.obstacles import obstacle_of
from projects.changes.models import RowChange
from projects.removal import hidden_project
from projects.services import adjust_counts
from projects.trash.kinds import KINDS
from projects.trash.models import TrashEntry, TrashKind
from storage.deleting import in_parts
from storage.errors import BlobMissing
from vision.imaging.preprocessing import ImageError


def remove_dataset_in_trash(pk: uuid.UUID) -> None:
    """Let a dataset that lies in the trash go in the background."""
    dataset = lock_datasets([pk], with_trash=True).get(pk)
    if dataset is None:
        return
    remove_images_of(pk)
    count = dataset.image_count
    adjust_counts(dataset.project_id, dataset_count=-1, image_count=-count)
    hidden = hidden_project(dataset.project, name=dataset.name, dataset_count=1, image_count=count)
    Dataset.objects.filter(pk=pk).update(project=hidden)
    TrashedImages.objects.filter(dataset=pk).delete()
    snapshots = Snapshot.objects.filter(dataset=pk)
    # Work that began while the dataset was being deleted may refer to one.
    needed = needed_snapshots(snapshots)
    snapshots.filter(pk__in=needed).update(project=dataset.project.trash_of_id, dataset=None, dataset_name=dataset.name)
    snapshots.update(project=hidden)
    # Those that stay as a record lose their images in the background.
    Snapshot.objects.filter(trashed_dataset=pk).update(trashed_dataset=None)


def remove_images_of(source: uuid.UUID) -> None:
    """Remove what lies in the trash of a dataset that is about to be removed for good."""
    for held in list(TrashedImages.objects.filter(source=source)):
        remove_dataset_in_trash(held.dataset_id)
        if not TrashedImages.objects.filter(entry=held.entry_id).exists():
            TrashEntry.objects.filter(pk=held.entry_id).delete()


def thumbnail_of(images: QuerySet[Image]) -> Path | None:
    image = images.select_related("blob").order_by("id").first()
    if image is None:
        return None
    try:
        return ensure_thumbnail(image.blob, SIZES[-2], JPEG)
    except (ImageError, BlobMissing):
        return None


class Images:
    def remove(self, entry: TrashEntry) -> None:
        for pk in list(TrashedImages.objects.filter(entry=entry).values_list("dataset", flat=True)):
            remove_dataset_in_trash(pk)

    def thumbnail(self, entry: TrashEntry) -> Path | None:
        held = TrashedImages.objects.filter(entry=entry).values("dataset")
        return thumbnail_of(Image.objects.filter(dataset__in=held))

    def restore_rest(self, entry: TrashEntry) -> None:
        """Each image moves by itself; a video with its frames, or a label with its images, is restored as a whole."""
        others = RowChange.objects.filter(change=entry.change_id).exclude(kind="image")
        if others.exists() or AnnotationChange.objects.filter(change=entry.change_id).exists():
            return
        for held in TrashedImages.objects.filter(entry=entry).select_related("source__project"):
            if obstacle_of(held.source):
                continue
            waiting = list(Image.objects.filter(dataset=held.dataset_id).order_by("pk").values_list("pk", flat=True))
            for part in in_parts(waiting):
                move_some(held.dataset_id, part, held.source, with_trash=True)


class Datasets:
    def remove(self, entry: TrashEntry) -> None:
        if not entry.is_empty:
            assert entry.target is not None
            remove_dataset_in_trash(entry.target)

    def thumbnail(self, entry: TrashEntry) -> Path | None:
        return thumbnail_of(Image.objects.filter(dataset=entry.target))

    def restore_rest(self, entry: TrashEntry) -> None:
        return None


def register() -> None:
    # A video lies beside its frames.
    KINDS.update({TrashKind.IMAGES: Images(), TrashKind.VIDEO: Images(), TrashKind.DATASET: Datasets()})
