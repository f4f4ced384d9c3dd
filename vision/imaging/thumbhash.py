"""A blurred image in some 24 bytes, to be shown until the thumbnail has come: ThumbHash (Evan Wallace, 2023).

The format is that of https://evanw.github.io/thumbhash/: averages of lightness and of two colour differences, and the
lowest frequencies of each by a discrete cosine transform. Images here have no transparency.
"""

from __future__ import annotations

import base64

import numpy as np
from PIL import Image

MAX_SIDE = 100


def thumbhash(image: Image.Image) -> str:
    """The hash of an RGB image of any size, as Base64 of at most 25 bytes."""
    small = image.convert("RGB")
    small.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.BILINEAR)
    pixels = np.asarray(small, dtype=np.float64) / 255
    height, width = pixels.shape[:2]
    red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    longer = max(width, height)
    columns, rows = (max(1, _rounded(7 * side / longer)) for side in (width, height))
    lightness = _frequencies((red + green + blue) / 3, max(3, columns), max(3, rows))
    yellow_blue = _frequencies((red + green) / 2 - blue, 3, 3)
    red_green = _frequencies(red - green, 3, 3)
    is_landscape = width > height
    head = (
        _rounded(63 * lightness[0])
        | _rounded(31.5 + 31.5 * yellow_blue[0]) << 6
        | _rounded(31.5 + 31.5 * red_green[0]) << 12
        | _rounded(31 * lightness[2]) << 18
    )
    more = (
        (rows if is_landscape else columns)
        | _rounded(63 * yellow_blue[2]) << 3
        | _rounded(63 * red_green[2]) << 9
        | is_landscape << 15
    )
    nibbles = [_rounded(15 * share) for channel in (lightness, yellow_blue, red_green) for share in channel[1]]
    nibbles += [0] * (len(nibbles) % 2)
    body = bytes(low | high << 4 for low, high in zip(nibbles[::2], nibbles[1::2], strict=True))
    return base64.b64encode(head.to_bytes(3, "little") + more.to_bytes(2, "little") + body).decode()


def _frequencies(channel: np.ndarray, columns: int, rows: int) -> tuple[float, list[float], float]:
    """The average, the other frequencies as shares from 0 to 1, and the largest of these before."""
    height, width = channel.shape
    along = np.cos(np.pi / width * np.outer(np.arange(columns), np.arange(width) + 0.5))
    down = np.cos(np.pi / height * np.outer(np.arange(rows), np.arange(height) + 0.5))
    table = down @ channel @ along.T / channel.size
    kept = [table[y, x] for y in range(rows) for x in range(columns) if x * rows < columns * (rows - y) and x + y]
    scale = max((abs(value) for value in kept), default=0.0)
    return table[0, 0], [0.5 + 0.5 * value / scale for value in kept] if scale > 0 else kept, scale


def _rounded(value: float) -> int:
    return int(np.floor(value + 0.5))
