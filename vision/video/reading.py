"""Asking the reading process: what a video is, and its frames one after another, in constant memory."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import tempfile
from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from vision.sandbox.limits import GIB, MIB, Limits
from vision.sandbox.process import SandboxedProcess, start_python
from vision.sandbox.protections import SandboxMissing
from vision.video.facts import Frame, Selection, Survey, VideoFacts, VideoProblem

SILENCE_SECONDS = 120.0
HEADER_BYTES = 100_000
CONTENT_BYTES = 7680 * 4320 * 2 * 3
# FFmpeg keeps frames of a few seconds; what it reserves for its threads is more.
LIMITS = Limits(
    memory_bytes=4 * GIB,
    reserved_bytes=8 * GIB,
    cpu_seconds=86_400,
    file_bytes=0,
    folder_bytes=MIB,
    threads=256,
    niceness=10,
)
# Somebody waits for a single frame.
FRAME_LIMITS = replace(LIMITS, cpu_seconds=120, niceness=0)

OnProgress = Callable[[int, int], None]


def probe(path: Path) -> VideoFacts:
    """What the file says of itself, and that its first frame can be decoded.

    Raises:
        VideoProblem: `empty_file`, `not_a_video`, `no_video_track`, `video_empty`, `too_many_pixels`, `video_broken`.
        OSError: the disk is full, so that nothing is read.
    """
    for message, _ in _asked({"task": "probe"}, path):
        return VideoFacts(**message["facts"])
    raise _broken()


def survey(path: Path, on_progress: OnProgress) -> tuple[Survey, bytes]:
    """Read all of it: the true number of frames and length, and a strip of thumbnails as JPEG.

    Raises:
        VideoProblem: as `probe`.
    """
    with contextlib.closing(_asked({"task": "survey"}, path)) as messages:
        for message, content in messages:
            if "survey" in message:
                return Survey(**message["survey"]), content
            on_progress(message["done"], message["total"])
    raise _broken()


@contextlib.contextmanager
def frames(path: Path, selection: Selection, on_progress: OnProgress | None = None) -> Iterator[Iterator[Frame]]:
    """The chosen frames in their order.

    Raises:
        VideoProblem: as `probe`, also between two frames.
    """
    messages = _asked({"task": "frames", "selection": asdict(selection)}, path)
    with contextlib.closing(messages):
        yield _as_frames(messages, on_progress)


def frame_at(
    path: Path, *, time: float | None = None, index: int | None = None, fps: float, is_constant: bool, max_side: int
) -> tuple[float, np.ndarray]:
    """One frame: its time in seconds, and `(height, width, 3)` uint8 RGB, upright.

    Args:
        time: the frame that is shown then.
        index: instead of a time.
        fps, is_constant: whether its frames are evenly apart, and how many there are in a second.
        max_side: larger images are made smaller, to at most so many pixels.

    Raises:
        VideoProblem: as `probe`, and `no_such_frame`.
    """
    request = {"task": "frame", "time": time, "index": index, "fps": fps, "is_constant": is_constant}
    with contextlib.closing(_asked({**request, "max_side": max_side}, path, FRAME_LIMITS)) as messages:
        for message, content in messages:
            pixels = np.frombuffer(content, np.uint8).reshape(message["height"], message["width"], 3)
            return message["time"], pixels
    raise _broken()


def _as_frames(messages: Iterator[tuple[dict, bytes]], on_progress: OnProgress | None) -> Iterator[Frame]:
    for message, content in messages:
        if "index" in message:
            pixels = np.frombuffer(content, np.uint8).reshape(message["height"], message["width"], 3)
            yield Frame(message["index"], message["time"], pixels)
        elif on_progress is not None:
            on_progress(message["done"], message["total"])


def _broken() -> VideoProblem:
    return VideoProblem("video_broken", "The video cannot be decoded: the file is damaged.")


def _asked(request: dict, path: Path, limits: Limits = LIMITS) -> Generator[tuple[dict, bytes], None, None]:
    """Messages of a reading process in the sandbox; it ends with the generator."""
    with tempfile.TemporaryDirectory(prefix="mlstudio-video-", ignore_cleanup_errors=True) as folder:
        path = path.resolve()
        process = _started(request, path, Path(folder), limits)
        try:
            yield from _messages(process)
        except VideoProblem:
            process.raise_if_disk_full()  # then the file is not what is wrong
            raise
        finally:
            process.kill()
            process.wait()
            process.stdout.close()  # type: ignore[union-attr]


def _messages(process: SandboxedProcess) -> Iterator[tuple[dict, bytes]]:
    pipe = _Pipe(process.stdout.fileno())  # type: ignore[union-attr]
    while (line := pipe.line()) is not None:
        message, size = _message_of(line)
        content = pipe.exactly(size)
        if "problem" in message:
            raise VideoProblem(message["problem"], message["detail"])
        yield message, content
    if process.wait() != 0:
        raise _broken()


def _started(request: dict, path: Path, folder: Path, limits: Limits) -> SandboxedProcess:
    try:
        return start_python(
            "vision.video",
            json.dumps(request),
            path,
            folder=folder,
            readable=(path,),
            limits=limits,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
    except SandboxMissing as error:
        raise VideoProblem("sandbox_missing", str(error)) from error


def _message_of(line: bytes) -> tuple[dict, int]:
    """A message and the size of what follows it; a decoder that was taken over may say anything."""
    try:
        message = json.loads(line)
        size = message.pop("bytes")
    except (ValueError, AttributeError, KeyError, RecursionError) as error:
        raise _broken() from error
    if not isinstance(size, int) or not 0 <= size <= CONTENT_BYTES:
        raise _broken()
    return message, size


class _Pipe:
    """Reads lines and blocks from a pipe; a writer that falls silent is a decoder that hangs."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._rest = bytearray()

    def line(self) -> bytes | None:
        while (end := self._rest.find(b"\n")) < 0:
            if len(self._rest) > HEADER_BYTES:
                raise _broken()
            chunk = self._chunk(65_536)
            if not chunk:
                return None
            self._rest += chunk
        line = bytes(self._rest[:end])
        del self._rest[: end + 1]
        return line

    def exactly(self, size: int) -> bytes:
        block = bytearray(self._rest[:size])
        del self._rest[:size]
        while len(block) < size:
            chunk = self._chunk(min(1 << 20, size - len(block)))
            if not chunk:
                raise _broken()
            block += chunk
        return bytes(block)

    def _chunk(self, size: int) -> bytes:
        ready, _, _ = select.select([self._descriptor], [], [], SILENCE_SECONDS)
        if not ready:
            raise VideoProblem("video_broken", "The video cannot be decoded: its decoder does not get on.")
        return os.read(self._descriptor, size)
