"""How datasets and videos come back from the trash, and go there again."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib.auth.models import User

from common.errors import NotFound
from datasets.models import Dataset, Image, Video
from datasets.trash.datasets import PLACE, restore_dataset, trash_dataset
from datasets.trash.obstacles import GONE, obstacle_of
from datasets.trash.videos import restore_video, trash_video
from projects.changes.models import Change
from projects.changes.undoing import ChangedSince, Differing, rows_left
from projects.selectors import is_live
from storage.database import atomic_again

NOT_EMPTY = "it is not empty any more"


class DatasetPlaces:
    def changed_since(self, change: Change) -> Iterator[Differing]:
        for row in rows_left(change, PLACE):
            dataset = Dataset.objects.filter(pk=row.row, project__deleting_since=None).first()
            if dataset is None or str(dataset.project_id) not in (row.after["project"], row.before["project"]):
                reason = "it was removed for good" if dataset is None else ""
                yield Differing("dataset", str(row.row), getattr(dataset, "name", ""), reason)
            elif row.before["project"] is None and (dataset.image_count or dataset.videos.exists()):
                yield Differing("dataset", str(row.row), dataset.name, NOT_EMPTY)

    @atomic_again
    def put_back(self, change: Change, user: User | None) -> None:
        for row in rows_left(change, PLACE):
            dataset = Dataset.objects.filter(pk=row.row).select_related("project").first()
            if dataset is None:
                raise NotFound()
            if str(dataset.project_id) == row.before["project"]:
                continue
            if dataset.project.trash_of_id is None:
                trash_dataset(dataset.pk)
            else:
                restore_dataset(dataset.pk, change.project)


class VideosBack:
    """Before the images: frames come into the entry of their video."""

    def changed_since(self, change: Change) -> Iterator[Differing]:
        for row in rows_left(change, "video"):
            video = Video.objects.filter(pk=row.row).first()
            if video is None or str(video.dataset_id) not in (row.after["dataset"], row.before["dataset"]):
                yield Differing("video", str(row.row), getattr(video, "filename", ""))
            elif row.before["dataset"] is None:
                if Image.objects.filter(is_live("dataset__project__"), video=video).exists():
                    yield Differing("video", str(row.row), video.filename, "images were cut from it since")
            elif reason := self._obstacle(video, row.before["dataset"]):
                yield Differing("video", str(row.row), video.filename, reason)

    def _obstacle(self, video: Video, before: str) -> str:
        target = Dataset.objects.filter(pk=before).select_related("project").first()
        if target is None:
            return GONE
        twin = Video.objects.filter(dataset=target, blob=video.blob_id).exclude(pk=video.pk).first()
        if twin is not None:
            return f"the dataset has the same file again, as {twin.filename!r}: delete that one first"
        return obstacle_of(target)

    @atomic_again
    def put_back(self, change: Change, user: User | None) -> None:
        for row in rows_left(change, "video"):
            video = Video.objects.filter(pk=row.row).select_related("dataset__project").first()
            if video is not None and row.before["dataset"] is None:
                if video.project.trash_of_id is None:
                    trash_video(video.pk)
                continue
            target = Dataset.objects.filter(pk=row.before["dataset"]).select_related("project").first()
            if video is None or target is None or self._obstacle(video, row.before["dataset"]):
                raise ChangedSince()
            if video.dataset_id == target.pk:
                continue
            if target.project.trash_of_id is None:
                restore_video(video, target)
            else:
                trash_video(video.pk)
