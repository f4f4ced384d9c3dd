"""What is known of a video, what one asks of it, and what can be wrong with it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot")
IMAGE_BRANDS = (b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis")
CODECS = {
    "avc1": "H.264", "h264": "H.264", "H264": "H.264", "X264": "H.264", "hev1": "H.265", "hvc1": "H.265",
    "hevc": "H.265", "HEVC": "H.265", "vp08": "VP8", "VP80": "VP8", "vp09": "VP9", "VP90": "VP9", "av01": "AV1",
    "AV01": "AV1", "mp4v": "MPEG-4", "FMP4": "MPEG-4", "XVID": "MPEG-4", "DIVX": "MPEG-4", "MJPG": "Motion JPEG",
    "mjpg": "Motion JPEG", "apch": "ProRes", "apcn": "ProRes", "FFV1": "FFV1",
}  # fmt: skip


class VideoProblem(ValueError):
    """A file that is no video for us, with a code and a sentence."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True)
class VideoFacts:
    """What the file says of itself. Width and height are those of the upright image, rotation is in degrees.

    `frame_count` and `duration` (seconds) are the file's claims, 0 when it makes none: see `Survey`.
    """

    container: str
    codec: str
    width: int
    height: int
    rotation: int
    fps: float
    frame_count: int
    duration: float

    def to_dict(self) -> dict:
        return asdict(self)


@dataclass(frozen=True)
class Survey:
    """What reading every frame has shown. Times are seconds after the first frame."""

    frame_count: int
    duration: float
    fps: float
    is_variable_rate: bool
    strip_times: list[float]


@dataclass(frozen=True)
class Selection:
    """Which frames are wanted. Without a rule it is every frame.

    Attributes:
        every_frames: each nth frame, from the start of the range on.
        every_seconds: the first frame at or after each multiple, from the start of the range on.
        scenes: the first frame of each scene.
        start_seconds, end_seconds: the range; its end is not part of it.
        after_index: only frames behind this one, to go on after a break.
        max_side: larger images are made smaller, to at most so many pixels.
    """

    every_frames: int | None = None
    every_seconds: float | None = None
    scenes: bool = False
    start_seconds: float = 0.0
    end_seconds: float | None = None
    after_index: int = -1
    max_side: int | None = None


@dataclass(frozen=True)
class Frame:
    """One frame: `pixels` is `(height, width, 3)` uint8 RGB, upright; `time` is seconds after the first frame."""

    index: int
    time: float
    pixels: np.ndarray


def container_of(path: Path) -> str:
    """`mp4`, `mov`, `mkv`, `webm` or `avi`, by the file's first bytes; its name says nothing.

    Playlists and image sequences, which make decoders open other files, are none of these.

    Raises:
        VideoProblem: `empty_file` or `not_a_video`.
    """
    with open(path, "rb") as file:
        head = file.read(256)
    if not head:
        raise VideoProblem("empty_file", "The file is empty.")
    if head[4:8] in MP4_BOXES and head[8:12] not in IMAGE_BRANDS:
        return "mov" if head[4:8] != b"ftyp" or head[8:12] == b"qt  " else "mp4"
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "webm" if b"webm" in head[:64] else "mkv"
    if head[:4] == b"RIFF" and head[8:11] == b"AVI":
        return "avi"
    raise VideoProblem("not_a_video", "This is no MP4, MOV, MKV, WebM or AVI file, whatever its name says.")
