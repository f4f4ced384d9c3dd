"""Videos as browsers play them, and single frames of them as images."""

from __future__ import annotations

import io
import shutil
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from PIL import Image as PillowImage

from datasets.errors import FrameMissing, FramesBusy
from datasets.models import Video
from datasets.videos import pinned, video_of
from jobs.context import JobContext
from jobs.contracts import JobParameters, JobResult
from jobs.errors import WorkFailed
from jobs.models import Job, JobKind, Queue, WorkState
from jobs.services import enqueue_job, handles
from vision.video.facts import Selection, VideoProblem
from vision.video.reading import frame_at, frames
from vision.video.writing import AnnotatedVideoWriter

PROXY_FILE = "proxy.mp4"
PROXY_SIDE = 1280
REPORT_EVERY = 20
FRAME_QUALITY = 90
# Each decodes in a process of its own while somebody waits.
FRAMES_AT_ONCE, FRAME_WAIT_SECONDS = 2, 20.0
_turns = threading.BoundedSemaphore(FRAMES_AT_ONCE)
# Who waits keeps a thread of the web server from everybody else: so few may.
_waiting = threading.BoundedSemaphore(max(1, settings.WEB_THREADS // 4))


@dataclass(frozen=True)
class ProxyParameters(JobParameters, kind=JobKind.VIDEO_PROXY, queue=Queue.HEAVY):
    video: str


@dataclass(frozen=True)
class ProxyResult(JobResult):
    video: str
    frames: int
    fps: float
    codec: str


@dataclass(frozen=True)
class ShownFrame:
    time: float
    jpeg: bytes


def frame_of(*, video: Video, time: float | None = None, index: int | None = None, max_side: int) -> ShownFrame:
    """A frame by its index, or the one that is shown at a time, upright.

    Raises:
        FrameMissing: the video has no such frame, or it cannot be read.
        FramesBusy: others are being read, and this one has waited long enough, or enough wait already.
    """
    with _turn():
        return _read(video, time, index, max_side)


@contextmanager
def _turn() -> Iterator[None]:
    if not _turns.acquire(blocking=False):
        if not _waiting.acquire(blocking=False):
            raise FramesBusy()
        try:
            if not _turns.acquire(timeout=FRAME_WAIT_SECONDS):
                raise FramesBusy()
        finally:
            _waiting.release()
    try:
        yield
    finally:
        _turns.release()


def _read(video: Video, time: float | None, index: int | None, max_side: int) -> ShownFrame:
    try:
        with pinned(video) as path:
            shown, pixels = frame_at(
                path,
                time=time,
                index=index,
                fps=video.fps,
                is_constant=video.is_variable_rate is False,
                max_side=max_side,
            )
    except VideoProblem as problem:
        raise FrameMissing(str(problem)) from problem
    target = io.BytesIO()
    PillowImage.fromarray(pixels).save(target, "JPEG", quality=FRAME_QUALITY)
    return ShownFrame(shown, target.getvalue())


@transaction.atomic
def start_proxy(*, video: Video, user: User) -> Job:
    """The job that writes the video for browsers: the one that waits, runs or has ended well, else one that begins."""
    Video.objects.select_for_update(no_key=True).get(pk=video.pk)  # of two who ask at one moment, one makes it
    mine = Job.objects.filter(project=video.project, kind=JobKind.VIDEO_PROXY, parameters__video=str(video.pk))
    usable = [WorkState.QUEUED, WorkState.RUNNING, WorkState.SUCCEEDED]
    known = mine.filter(state__in=usable).order_by("-id").first()
    if known is not None:
        return known
    return enqueue_job(project=video.project, user=user, parameters=ProxyParameters(str(video.pk)))


@handles(ProxyParameters)
def write_proxy(context: JobContext[ProxyParameters]) -> ProxyResult:
    """The same frames at an even rate: H.264 where the server has an encoder, else VP9, both in MP4."""
    video = video_of(context)
    count, last = video.frame_count, video.duration
    # As many frames in as much time, whatever the file claims.
    fps = count / last if count and last else video.fps or 25.0
    with _work_folder(context) as folder:
        path = folder / PROXY_FILE
        try:
            written, codec = _write(context, video, path, fps)
        except VideoProblem as problem:
            raise WorkFailed(problem.code, str(problem)) from problem
        context.keep_file(PROXY_FILE, path, "video/mp4")
    return ProxyResult(str(video.pk), written, round(fps, 6), codec)


def _write(context: JobContext, video: Video, path: Path, fps: float) -> tuple[int, str]:
    written, writer = 0, None
    with ExitStack() as stack:
        source = stack.enter_context(pinned(video))
        for frame in stack.enter_context(frames(source, Selection(max_side=PROXY_SIDE))):
            if frame.index % REPORT_EVERY == 0:
                context.report(frame.index, max(video.frame_count, frame.index + 1))
            if writer is None:
                height, width = frame.pixels.shape[:2]
                writer = stack.enter_context(AnnotatedVideoWriter(path, fps, (width, height)))
            writer.write(frame.pixels)
            written += 1
    if writer is None:
        raise WorkFailed("video_empty", "The video has no frame that can be decoded.")
    return written, writer.codec


@contextmanager
def _work_folder(context: JobContext) -> Iterator[Path]:
    """A folder of this attempt, gone at its end; what killed workers left is swept once the job has ended."""
    folder = context.work_path("jobs")
    folder.mkdir(exist_ok=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
