"""Videos: taken in, read through, cut into images, deleted."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, TypeVar

import numpy as np
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from PIL import Image as PillowImage

from datasets.errors import FramesExist, NotAVideo, VideoExists
from datasets.examining import StagedImage, stage_image
from datasets.ingest import add_images
from datasets.models import Dataset, Image, Origin, Video
from datasets.outcomes import Outcome
from datasets.removal import delete_images
from datasets.trash.videos import part_frames, trash_video
from jobs.context import JobContext
from jobs.contracts import JobParameters, JobResult
from jobs.errors import WorkFailed
from jobs.models import JobKind, Queue
from jobs.services import enqueue_job, handles
from projects.changes.recording import note_rows
from projects.limits import require_bytes
from projects.selectors import is_live
from projects.trash.entries import keeps_deleted
from projects.uses import require_unused
from storage import services as storage
from storage.cache import Incoming
from storage.database import atomic_again
from storage.deleting import in_parts
from storage.filenames import clean_filename
from vision.imaging.near_duplicates import NEAR_DUPLICATE_MAX_BITS
from vision.video.facts import Frame, Selection, VideoProblem
from vision.video.reading import frames, probe, survey

Result = TypeVar("Result")

CONTENT_TYPES = {
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "mkv": "video/x-matroska",
    "webm": "video/webm",
    "avi": "video/x-msvideo",
}
FRAMES_A_BATCH = 20
JPEG_QUALITY = 95
# A file that claims more frames than it has by more than rounding is cut off.
CLAIM_SLACK = 0.02


@dataclass(frozen=True)
class SurveyParameters(JobParameters, kind=JobKind.VIDEO_SURVEY, queue=Queue.HEAVY):
    video: str


@dataclass(frozen=True)
class SurveyResult(JobResult):
    video: str
    frames: int
    duration: float
    note: str


def add_video(*, dataset: Dataset, user: User, incoming: Incoming, filename: str) -> Video:
    """Check a received file, keep it, and let a job read it through.

    Raises:
        NotAVideo: with the code of the problem; nothing is left behind.
        VideoExists
        LimitReached: the user who made the project has as many bytes as are allowed.
    """
    try:
        incoming.flush()
        try:
            facts = probe(incoming.path)
        except VideoProblem as problem:
            raise NotAVideo(str(problem), code=problem.code) from problem
        require_bytes(dataset.project, incoming.size)
        storage.stage([incoming])
        with transaction.atomic():
            blob = storage.keep(incoming, CONTENT_TYPES[facts.container])
            try:
                with transaction.atomic():
                    video = Video.objects.create(
                        dataset=dataset,
                        blob=blob,
                        filename=clean_filename(filename),
                        size=blob.size,
                        created_by=user,
                        **facts.to_dict(),
                    )
            except IntegrityError as error:
                known = Video.objects.get(dataset=dataset, blob=blob)
                raise VideoExists(f"The dataset has this video already, as {known.filename!r} ({known.pk}).") from error
            note_rows("video", {video.pk: ({"dataset": None}, {"dataset": str(dataset.pk)})})
            enqueue_job(project=dataset.project, user=user, parameters=SurveyParameters(str(video.pk)))
        return video
    finally:
        incoming.discard()


@atomic_again
def delete_video(*, video: Video, frames: str | None = None, force: bool = False) -> None:
    """Delete a video, into the trash if what is deleted is kept there.

    Args:
        frames: what happens to its images: "keep" or "delete".

    Raises:
        FramesExist: it has frames and nothing was said.
        InUse: work needs it, and `force` is not set.
    """
    require_unused(video, force=force)
    cut = Image.objects.filter(is_live("dataset__project__"), video=video).select_related("dataset")
    if frames is None and cut.exists():
        raise FramesExist()
    if keeps_deleted():
        trash_video(video.pk)
    if frames == "delete":
        delete_images(images=list(cut))
    if not keeps_deleted():
        Video.objects.filter(pk=video.pk).delete()
        return
    # Those that stay, and those that lie in the trash since before.
    place = Video.objects.values_list("dataset", flat=True).get(pk=video.pk)
    staying = Image.objects.filter(video=video).exclude(dataset=place)
    for part in in_parts(list(staying.values_list("pk", flat=True))):
        part_frames(list(part), video.pk)


@handles(SurveyParameters)
def survey_video(context: JobContext[SurveyParameters]) -> SurveyResult:
    """Read every frame: the true length, whether the rate varies, and the strip."""
    video = video_of(context)
    with pinned(video) as path:
        surveyed, strip = or_fail(survey, path, context.report)
    note = ""
    if surveyed.frame_count < video.frame_count * (1 - CLAIM_SLACK) - 2:
        note = (
            f"The file is cut off or damaged: {surveyed.frame_count:,} of {video.frame_count:,} frames could be read."
        )
    Video.objects.filter(pk=video.pk).update(
        frame_count=surveyed.frame_count,
        duration=surveyed.duration,
        fps=surveyed.fps,
        strip_times=surveyed.strip_times,
        is_variable_rate=surveyed.is_variable_rate,
        is_surveyed=True,
        note=note,
        strip_blob=storage.keep_bytes(strip, "image/jpeg"),
    )
    return SurveyResult(str(video.pk), surveyed.frame_count, surveyed.duration, note)


def video_of(context: JobContext) -> Video:
    """The job's video. Raises `WorkFailed`."""
    rows = Video.objects.filter(is_live("dataset__project__")).select_related("dataset__project", "blob")
    video = rows.filter(pk=context.parameters.video).first()
    if video is None:
        raise WorkFailed("video_deleted", "The video was deleted meanwhile.")
    return video


def pinned(video: Video) -> AbstractContextManager[Path]:
    """A path of its file that stays as long as the block: the process that reads it opens it later."""
    return storage.pinned(video.blob)


def or_fail(function: Callable[..., Result], *arguments: Any) -> Result:
    """The function's result; its problem with the video ends the job with its code."""
    try:
        return function(*arguments)
    except VideoProblem as problem:
        raise WorkFailed(problem.code, str(problem)) from problem


@dataclass(frozen=True)
class FrameExtraction:
    """How frames become images.

    Attributes:
        skip_similar: leave out frames that look like one that was taken before.
        format: `jpeg` or `png`.
        group_seconds: frames of so long a stretch stay on one side of a split; None: those of the whole video.
        takes: of the chosen frames only those for which it is true.
    """

    selection: Selection
    skip_similar: bool = False
    format: str = "jpeg"
    split: str | None = None
    group_seconds: float | None = None
    takes: Callable[[Frame], bool] | None = None


def cut_frames(context: JobContext, video: Video, cut: FrameExtraction, user: User | None) -> Iterator[list[Image]]:
    """Make images of the chosen frames; yields those of each batch, when they are safe.

    Each batch is followed by its place in the job's `position`, so that a job that is taken up again goes on there.
    The counts are in `position["counts"]`: created, duplicate, similar, and `left` for those that `takes` leaves out.

    Raises:
        WorkFailed: the video cannot be read.
    """
    position = dict(context.job.position) or {"after": -1, "counts": {}}
    counts: Counter[str] = Counter(position["counts"])
    similar = _Similar(video) if cut.skip_similar else None
    selection = Selection(**{**vars(cut.selection), "after_index": position["after"]})
    total = video.frame_count

    def on_progress(done: int, claimed: int) -> None:
        context.report(done, max(total, claimed))

    batch: list[StagedImage] = []
    last = position["after"]

    def keep() -> list[Image]:
        if not Video.objects.filter(is_live("dataset__project__"), pk=video.pk).exists():
            raise WorkFailed("video_deleted", "The video was deleted while it was cut.")
        try:
            outcomes = add_images(dataset=video.dataset, items=batch, user=user, source="video", origin=Origin.HUMAN)
        except (IntegrityError, Dataset.DoesNotExist) as error:
            raise WorkFailed("video_deleted", "The video was deleted while it was cut.") from error
        counts.update(outcome.kind for outcome in outcomes)
        for item in batch:
            item.incoming.discard()
        batch.clear()
        context.report(last + 1, max(total, last + 1), position={"after": last, "counts": dict(counts)})
        return _created(outcomes)

    try:
        with pinned(video) as path, frames(path, selection, on_progress) as chosen:
            for frame in chosen:
                if cut.takes is not None and not cut.takes(frame):
                    counts["left"] += 1
                    continue
                item = _examined(video, frame, cut)
                last = frame.index
                if similar is not None and not similar.takes(item.phash):
                    item.incoming.discard()
                    counts["similar"] += 1
                    continue
                batch.append(item)
                if len(batch) == FRAMES_A_BATCH:
                    yield keep()
        yield keep()
    except VideoProblem as problem:
        raise WorkFailed(problem.code, str(problem)) from problem
    finally:
        for item in batch:
            item.incoming.discard()


def _created(outcomes: list[Outcome]) -> list[Image]:
    pks = [outcome.image_id for outcome in outcomes if outcome.kind == "created" and outcome.image_id]
    return list(Image.objects.filter(pk__in=pks).select_related("blob", "dataset__project").order_by("frame_index"))


def _examined(video: Video, frame: Frame, cut: FrameExtraction) -> StagedImage:
    target = io.BytesIO()
    still = PillowImage.fromarray(frame.pixels)
    if cut.format == "png":
        still.save(target, "PNG", compress_level=3)
    else:
        still.save(target, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    stem = PurePath(video.filename).stem[:200]
    item = stage_image(target.getvalue(), f"{stem}-{frame.index:06d}.{'png' if cut.format == 'png' else 'jpg'}")
    item.video, item.frame_index, item.frame_time = video, frame.index, frame.time
    # Frames of one video never sit on both sides of a split, unless its user says how far apart is far enough.
    stretch = "" if cut.group_seconds is None else f" {int(frame.time // cut.group_seconds)}"
    item.group, item.split = f"video {video.pk}{stretch}", cut.split
    return item


class _Similar:
    """Which frames look like one that was taken, by their perceptual hashes."""

    def __init__(self, video: Video) -> None:
        taken = Image.objects.filter(video=video).values_list("phash", flat=True)
        self._words = [_words(phash) for phash in taken.iterator()]

    def takes(self, phash: str) -> bool:
        words = _words(phash)
        if self._words:
            distances = np.bitwise_count(np.array(self._words) ^ words).sum(axis=1)
            if distances.min() <= NEAR_DUPLICATE_MAX_BITS:
                return False
        self._words.append(words)
        return True


def _words(phash: str) -> np.ndarray:
    return np.frombuffer(bytes.fromhex(phash), dtype=np.uint64)
