"""Videos in the trash: each beside those of its frames that were deleted with it."""

from __future__ import annotations

import uuid

from common.errors import NotFound
from datasets.locking import lock_datasets
from datasets.models import Dataset, Image, Video
from datasets.trash.images import place_of
from projects.changes.recording import note_rows
from projects.live import announce
from projects.trash.entries import put_into_trash, take_out
from projects.trash.models import TrashKind
from storage.database import atomic_again


@atomic_again
def trash_video(video_pk: uuid.UUID) -> None:
    """Move a video into the trash, without its frames. Raises `NotFound`."""
    video = Video.objects.filter(pk=video_pk).select_related("dataset").first()
    dataset = None if video is None else lock_datasets([video.dataset_id]).get(video.dataset_id)
    if video is None or dataset is None:
        raise NotFound()
    entry = put_into_trash(project=dataset.project, kind=TrashKind.VIDEO, target=video.pk, name=video.filename, count=0)
    place = place_of(entry, dataset)
    _move(video, dataset, place)
    announce(project=dataset.project_id, kind="video", id=video.pk, action="deleted", dataset=dataset.pk)


@atomic_again
def restore_video(video: Video, target: Dataset) -> None:
    locked = lock_datasets([video.dataset_id, target.pk], with_trash=True)
    _move(video, locked[video.dataset_id], locked[target.pk])
    take_out(kind=TrashKind.VIDEO, target=video.pk)
    announce(project=target.project_id, kind="video", id=video.pk, action="created", dataset=target.pk)


def _move(video: Video, source: Dataset, target: Dataset) -> None:
    Video.objects.filter(pk=video.pk).update(dataset=target)
    note_rows("video", {video.pk: ({"dataset": str(source.pk)}, {"dataset": str(target.pk)})})


@atomic_again
def part_frames(pks: list, video_pk: uuid.UUID) -> None:
    """Images that were cut from a video stay without it."""
    held = list(Image.objects.select_for_update().filter(pk__in=pks, video=video_pk).order_by("pk"))
    keys = [image.pk for image in held]
    Image.objects.filter(pk__in=keys).update(video=None)
    note_rows("image", {pk: ({"video": str(video_pk)}, {"video": None}) for pk in keys})
