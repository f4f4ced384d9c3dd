"""Videos that tests make: every frame says in bars which one it is."""

from __future__ import annotations

import functools
import io
import struct
from fractions import Fraction

import av
import numpy as np

BITS = 10
BASE = Fraction(1, 1000)
# Without the time of its making or a random number inside, a video that is made twice is the same file.
SAME_BYTES = {"fflags": "+bitexact"}


def bars(number: int, size: tuple[int, int] = (160, 96), shade: int = 0) -> np.ndarray:
    """`(height, width, 3)` uint8 RGB: the number in white and black bars, the highest bit at the left."""
    width, height = size
    picture = np.full((height, width, 3), 40 + shade, np.uint8)
    for bit in range(BITS):
        left, right = bit * width // BITS, (bit + 1) * width // BITS
        if number >> (BITS - 1 - bit) & 1:
            picture[:, left:right] = 220 - shade
    return picture


def number_on(pixels: np.ndarray) -> int:
    """Which frame this is."""
    width = pixels.shape[1]
    middle = pixels[pixels.shape[0] // 2].mean(axis=1)
    columns = [middle[bit * width // BITS + 3 : (bit + 1) * width // BITS - 3].mean() for bit in range(BITS)]
    return sum((value > 128) << (BITS - 1 - bit) for bit, value in enumerate(columns))


def made_video(
    count: int,
    *,
    kind: str = "mp4",
    codec: str = "h264",
    fps: int = 25,
    size: tuple[int, int] = (160, 96),
    times: list[int] | None = None,
    pictures=None,
) -> bytes:
    """A video of `count` frames, encoded once: x264 does not always give the same bytes for the same frames.

    Args:
        kind: mp4, mov, matroska, webm or avi.
        times: milliseconds of each frame, for a variable rate.
        images: makes frame n instead of `bars`.
    """
    return _encoded(count, kind, codec, fps, size, None if times is None else tuple(times), pictures)


@functools.lru_cache(maxsize=64)
def _encoded(count, kind, codec, fps, size, times, pictures) -> bytes:
    target = io.BytesIO()
    with av.open(target, "w", format=kind, options=SAME_BYTES) as container:
        stream = container.add_stream(codec, rate=fps)
        stream.width, stream.height, stream.pix_fmt = (*size, "yuvj420p" if codec == "mjpeg" else "yuv420p")
        if times is not None:
            stream.time_base = stream.codec_context.time_base = BASE
        container.start_encoding()
        for number in range(count):
            pixels = bars(number, size) if pictures is None else pictures(number)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            if times is not None:
                frame.pts, frame.time_base = times[number], BASE
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return target.getvalue()


def sound(seconds: int = 1) -> bytes:
    """An MP4 with sound only."""
    target = io.BytesIO()
    with av.open(target, "w", format="mp4", options=SAME_BYTES) as container:
        stream = container.add_stream("aac", rate=44_100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 44_100 * seconds), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 44_100
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return target.getvalue()


def rotated(content: bytes) -> bytes:
    """The MP4 with the matrix of a phone that was held upright: it is shown turned by 90° clockwise."""
    at = content.index(b"tkhd") + 44
    matrix = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
    return content[:at] + matrix + content[at + 36 :]


def decoded(content: bytes) -> list[tuple[float, np.ndarray]]:
    """Times and images by another decoder (PyAV), not turned."""
    with av.open(io.BytesIO(content)) as container:
        stream = container.streams.video[0]
        rows = [
            (float(frame.pts * stream.time_base), frame.to_ndarray(format="rgb24"))
            for frame in container.decode(stream)
        ]
    first = rows[0][0]
    return [(time - first, pixels) for time, pixels in rows]
