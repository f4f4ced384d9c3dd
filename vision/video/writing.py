"""Writing videos that browsers play: H.264 where an encoder is installed, else VP9, both in MP4."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

# In the order of preference: good and GPL, then what is without it.
ENCODERS = {"libx264": ("-preset", "veryfast", "-crf", "21"), "libopenh264": ("-b:v", "4M")}


@cache
def h264_encoder() -> str | None:
    """The H.264 encoder of the `ffmpeg` program, when that is installed and has one."""
    program = shutil.which("ffmpeg")
    if program is None:
        return None
    listed = subprocess.run([program, "-hide_banner", "-encoders"], capture_output=True, text=True, timeout=30).stdout
    return next((name for name in ENCODERS if f" {name} " in listed), None)


class AnnotatedVideoWriter:
    """Frames of one size at a constant rate. Use as a context manager: the file is whole when it ends.

    Args:
        size: `(width, height)`; odd sides lose a pixel, for the formats know only even ones.

    Raises:
        OSError: the encoder failed; the disk may be full.
    """

    def __init__(self, path: Path, fps: float, size: tuple[int, int]) -> None:
        self.size = (max(2, size[0] // 2 * 2), max(2, size[1] // 2 * 2))
        self._path, self._fps = path, fps
        encoder = h264_encoder()
        self.codec = "VP9" if encoder is None else "H.264"
        self._sink: _Ffmpeg | _OpenCV = (
            _OpenCV(path, fps, self.size) if encoder is None else _Ffmpeg(encoder, path, fps, self.size)
        )

    def write(self, pixels: np.ndarray) -> None:
        """One frame: `(height, width, 3)` uint8 RGB."""
        width, height = self.size
        self._sink.write(np.ascontiguousarray(pixels[:height, :width]))

    def __enter__(self) -> AnnotatedVideoWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: Any) -> None:
        self._sink.close(failed=kind is not None)


class _Ffmpeg:
    def __init__(self, encoder: str, path: Path, fps: float, size: tuple[int, int]) -> None:
        self._errors = open(path.with_suffix(".log"), "wb")  # noqa: SIM115 - closed by close
        self._process = subprocess.Popen(
            ["ffmpeg", "-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{size[0]}x{size[1]}",
             "-r", f"{fps:.6f}", "-i", "-", "-c:v", encoder, *ENCODERS[encoder], "-pix_fmt", "yuv420p",
             "-movflags", "+faststart", str(path)],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=self._errors,
        )  # fmt: skip
        self._log = path.with_suffix(".log")

    def write(self, pixels: np.ndarray) -> None:
        try:
            self._process.stdin.write(pixels.tobytes())  # type: ignore[union-attr]
        except BrokenPipeError as error:
            raise OSError(f"the encoder failed: {self._log.read_text()[-300:]}") from error

    def close(self, failed: bool) -> None:
        if failed:
            self._process.kill()
        self._process.stdin.close()  # type: ignore[union-attr]
        code = self._process.wait()
        self._errors.close()
        if code and not failed:
            raise OSError(f"the encoder failed: {self._log.read_text()[-300:]}")


class _OpenCV:
    def __init__(self, path: Path, fps: float, size: tuple[int, int]) -> None:
        import cv2

        self._path = path
        self._writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"vp09"), fps, size)
        if not self._writer.isOpened():
            raise OSError("OpenCV has no encoder for VP9 here")

    def write(self, pixels: np.ndarray) -> None:
        self._writer.write(pixels[:, :, ::-1])

    def close(self, failed: bool) -> None:
        self._writer.release()
        if not failed and not self._path.exists():
            raise OSError("the encoder wrote nothing")
