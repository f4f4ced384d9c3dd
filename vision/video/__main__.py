"""The reading process: `python -m vision.video REQUEST PATH`, with a request in JSON.

Out, on standard output: messages, each a line of JSON with `bytes`, and so many bytes after it.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Only files, and only the containers we know: a playlist would make the decoder open what it names.
os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = (
    "protocol_whitelist;file|format_whitelist;mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi|threads;2"
)
os.environ["OPENCV_LOG_LEVEL"] = "OFF"
os.environ["OPENCV_FFMPEG_LOGLEVEL"] = "-8"

import cv2
import numpy as np

from vision.video.facts import CODECS, Selection, VideoFacts, VideoProblem, container_of

MAX_PIXELS = 7680 * 4320 * 2
MEMORY_BYTES = 8 << 30
PROGRESS_FRAMES = 50
STRIP_SIDE, STRIP_LEAST, STRIP_MOST = 160, 12, 24
SCENE_SIDE = 256
SCENE_SECONDS = 0.5
# How far before a time it is read from, and by how much containers round times.
JUMP_SECONDS, TIME_SLACK = 1.0, 0.001


def main() -> int:
    _die_with_parent()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    request, path = json.loads(sys.argv[1]), Path(sys.argv[2])
    try:
        for header, content in TASKS[request["task"]](path, request):
            out.write(json.dumps({**header, "bytes": len(content)}).encode() + b"\n")
            out.write(content)
            out.flush()
    except VideoProblem as problem:
        out.write(json.dumps({"problem": problem.code, "detail": str(problem), "bytes": 0}).encode() + b"\n")
        out.flush()
    except BrokenPipeError:
        return 0
    return 0


def _open(path: Path) -> tuple[cv2.VideoCapture, VideoFacts]:
    container = container_of(path)
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    if not capture.isOpened():
        raise VideoProblem(
            "no_video_track",
            f"The {container.upper()} file has no video that can be read here: it is cut off, empty, has sound only, "
            "or is in a codec that is not known. Convert it to MP4 with H.264 and try again.",
        )
    width, height = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
    if width * height > MAX_PIXELS:
        raise VideoProblem("too_many_pixels", f"A frame has {width} x {height} pixels; at most 8K is accepted.")
    if not capture.grab():
        raise VideoProblem("video_empty", "The video has no frame that can be decoded.")
    image = _read_image(capture)
    if image is None:
        raise VideoProblem("video_empty", "The video has no frame that can be decoded.")
    fourcc = int(capture.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little").decode("latin-1").strip("\0 ")
    fps, count = capture.get(cv2.CAP_PROP_FPS), int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    fps = fps if 0 < fps < 1000 else 0.0
    count = count if 0 < count < 1 << 40 else 0
    facts = VideoFacts(
        container=container,
        codec=CODECS.get(fourcc, fourcc if fourcc.isprintable() else ""),
        width=image.shape[1],
        height=image.shape[0],
        rotation=int(capture.get(cv2.CAP_PROP_ORIENTATION_META)) % 360,
        fps=round(fps, 6),
        frame_count=count,
        duration=round(count / fps, 6) if fps else 0.0,
    )
    return capture, facts


def _read_image(capture: cv2.VideoCapture) -> np.ndarray | None:
    """The grabbed frame, turned upright by OpenCV: `(height, width, 3)` BGR."""
    good, image = capture.retrieve()
    return image if good and image is not None and image.size else None


def _grabbed(capture: cv2.VideoCapture) -> Iterator[tuple[int, float]]:
    """Index and time of each frame; the first one is grabbed already."""
    index, last = 0, -1.0
    while True:
        time = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        time = max(time, last)  # a broken file may go back
        yield index, time
        index, last = index + 1, time
        if not capture.grab():
            return


def _probe(path: Path, request: dict) -> Iterator[tuple[dict, bytes]]:
    capture, facts = _open(path)
    capture.release()
    yield {"facts": facts.to_dict()}, b""


def _survey(path: Path, request: dict) -> Iterator[tuple[dict, bytes]]:
    """Reads every frame, keeps thumbnails at even distances: twice as far apart whenever there are too many."""
    capture, facts = _open(path)
    thumbnails: list[tuple[float, np.ndarray]] = []
    every, last, count = 1, 0.0, 0
    shortest, longest = float("inf"), 0.0
    for index, time in _grabbed(capture):
        if index:
            shortest, longest = min(shortest, time - last), max(longest, time - last)
        count, last = index + 1, time
        if index % every == 0 and (image := _read_image(capture)) is not None:
            thumbnails.append((time, _smaller(image, STRIP_SIDE)))
            if len(thumbnails) > STRIP_MOST:
                thumbnails, every = thumbnails[::2], every * 2
        if index % PROGRESS_FRAMES == 0:
            yield {"done": count, "total": max(facts.frame_count, count)}, b""
    interval = last / (count - 1) if count > 1 else (1 / facts.fps if facts.fps else 0.04)
    step = max(1, len(thumbnails) // STRIP_LEAST)
    thumbnails = thumbnails[::step]
    content = cv2.imencode(".jpg", np.hstack([image for _, image in thumbnails]), [cv2.IMWRITE_JPEG_QUALITY, 85])[1]
    yield (
        {
            "survey": {
                "frame_count": count,
                "duration": round(last + interval, 6),
                "fps": round(1 / interval, 6) if interval > 0 else facts.fps,
                # Timestamps in milliseconds jitter by one; a phone that drops frames does more.
                "is_variable_rate": count > 2 and longest - shortest > max(0.005, 0.3 * interval),
                "strip_times": [round(time, 3) for time, _ in thumbnails],
            }
        },
        content.tobytes(),
    )


def _frame(path: Path, request: dict) -> Iterator[tuple[dict, bytes]]:
    """One frame: by its index, or what is shown at a time. Jumps where that is exact."""
    capture, facts = _open(path)
    fps = request["fps"] or facts.fps
    if request["index"] is not None:
        found = _numbered(capture, request["index"], fps if request["is_constant"] else 0.0)
        if found is None:
            capture, _ = _open(path)
            found = _counted(capture, request["index"])
    else:
        found = _shown(capture, request["time"], is_jumping=True)
        if found is None:
            capture, _ = _open(path)
            found = _shown(capture, request["time"], is_jumping=False)
    if found is None:
        raise VideoProblem("no_such_frame", "The video has no such frame.")
    time, image = found
    if request["max_side"]:
        image = _smaller(image, request["max_side"], square=True)
    pixels = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    yield {"time": round(time, 6), "width": pixels.shape[1], "height": pixels.shape[0]}, pixels.tobytes()


def _numbered(capture: cv2.VideoCapture, index: int, fps: float) -> tuple[float, np.ndarray] | None:
    """Jumps to a frame of a constant rate. None: the time of what is there is not that of the frame."""
    if not fps:
        return None
    if index:
        capture.set(cv2.CAP_PROP_POS_FRAMES, index)
        if not capture.grab():
            return None
    time = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
    image = _read_image(capture)
    return None if image is None or abs(time - index / fps) > 0.5 / fps else (time, image)


def _counted(capture: cv2.VideoCapture, wanted: int) -> tuple[float, np.ndarray] | None:
    for index, time in _grabbed(capture):
        if index == wanted:
            image = _read_image(capture)
            return None if image is None else (time, image)
    return None


def _shown(capture: cv2.VideoCapture, wanted: float, *, is_jumping: bool) -> tuple[float, np.ndarray] | None:
    """The last frame that begins at that time or before. None: the jump went too far."""
    start = max(0.0, wanted - JUMP_SECONDS)
    if is_jumping and start > 0:
        capture.set(cv2.CAP_PROP_POS_MSEC, start * 1000)
        if not capture.grab() or capture.get(cv2.CAP_PROP_POS_MSEC) / 1000 > wanted + TIME_SLACK:
            return None
    found = None
    for _, time in _grabbed(capture):
        if time > wanted + TIME_SLACK:
            break
        if (image := _read_image(capture)) is not None:
            found = (time, image)
    return found


def _frames(path: Path, request: dict) -> Iterator[tuple[dict, bytes]]:
    selection = Selection(**request["selection"])
    capture, facts = _open(path)
    chooser = _Chooser(selection, facts.fps or 25.0)
    for index, time in _grabbed(capture):
        if selection.end_seconds is not None and time >= selection.end_seconds:
            return
        if index % PROGRESS_FRAMES == 0:
            yield {"done": index, "total": max(facts.frame_count, index)}, b""
        if not chooser.wants(index, time, capture) or index <= selection.after_index:
            continue
        image = _read_image(capture)
        if image is None:
            continue
        if selection.max_side:
            image = _smaller(image, selection.max_side, square=True)
        pixels = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        header = {"index": index, "time": round(time, 6), "width": pixels.shape[1], "height": pixels.shape[0]}
        yield header, pixels.tobytes()


class _Chooser:
    """Decides for each frame in turn."""

    def __init__(self, selection: Selection, fps: float) -> None:
        self._selection = selection
        self._fps = fps
        self._first: int | None = None
        self._next_time = selection.start_seconds
        self._detector: Any = None
        if selection.scenes:
            from scenedetect.detector import FlashFilter
            from scenedetect.detectors import ContentDetector

            length = max(1, round(fps * SCENE_SECONDS))
            self._detector = ContentDetector(min_scene_len=length, filter_mode=FlashFilter.Mode.SUPPRESS)

    def wants(self, index: int, time: float, capture: cv2.VideoCapture) -> bool:
        selection = self._selection
        if time < selection.start_seconds:
            return False
        if self._first is None:
            self._first = index
        if self._detector is not None:
            return self._begins_scene(index, capture)
        if selection.every_seconds is not None:
            if time + 1e-9 < self._next_time:
                return False
            steps = int((time + 1e-9 - selection.start_seconds) / selection.every_seconds) + 1
            self._next_time = selection.start_seconds + steps * selection.every_seconds
            return True
        return (index - self._first) % (selection.every_frames or 1) == 0

    def _begins_scene(self, index: int, capture: cv2.VideoCapture) -> bool:
        from scenedetect import FrameTimecode

        image = _read_image(capture)
        if image is None:
            return False
        cuts = self._detector.process_frame(FrameTimecode(index, self._fps), _smaller(image, SCENE_SIDE))
        return bool(cuts) or index == self._first


def _smaller(image: np.ndarray, side: int, square: bool = False) -> np.ndarray:
    """At most `side` wide, or with `square` at most so long on either side."""
    height, width = image.shape[:2]
    scale = side / (max(width, height) if square else width)
    if scale >= 1 and square:
        return image
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)


def _die_with_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


TASKS = {"probe": _probe, "survey": _survey, "frames": _frames, "frame": _frame}

if __name__ == "__main__":
    sys.exit(main())
