"""How an image lies in a detector's input, and the way back: one function for training, evaluation and prediction."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from .orientation import upright_size
from .preprocessing import decoded, open_image

PADDING_GREY = 114


@dataclass(frozen=True)
class Letterbox:
    """How an image lies in a network's input: scaled without distortion, at the top left; the rest is grey.

    Attributes:
        scale: input pixels for an image pixel.
        content_size: `(height, width)` of the scaled image.
    """

    scale: float
    content_size: tuple[int, int]

    @classmethod
    def fit(cls, width: int, height: int, image_size: tuple[int, int]) -> Letterbox:
        """For an upright image of `width` × `height` pixels and an input of `image_size` `(height, width)`."""
        scale = min(image_size[0] / height, image_size[1] / width)
        content = (max(1, round(height * scale)), max(1, round(width * scale)))
        return cls(scale, content)

    def to_input(self, boxes: np.ndarray) -> np.ndarray:
        return boxes * np.float32(self.scale)

    def to_image(self, boxes: np.ndarray, width: int, height: int) -> np.ndarray:
        """Boxes of the input in pixels of the image, clipped to it."""
        return np.clip(boxes / np.float32(self.scale), 0, np.array([width, height, width, height], dtype=np.float32))


def load_letterboxed(source: str | Path | bytes | BinaryIO, image_size: tuple[int, int]) -> np.ndarray:
    """Read one image as a detector sees it.

    Args:
        image_size: `(height, width)` of the network's input.

    Returns:
        `(height, width, 3)` uint8 RGB: the upright image, scaled with antialiased bilinear interpolation, padded with
        grey at the right and at the bottom.

    Raises:
        ImageError: see `open_image` and `decode_upright`.
    """
    return to_letterboxed(open_image(source), image_size)


def to_letterboxed(image: Image.Image, image_size: tuple[int, int]) -> np.ndarray:
    """As `load_letterboxed`, for an image from `open_image`. Who needs its size asks before: afterwards a JPEG may be
    as small as it was decoded."""
    height, width = Letterbox.fit(*upright_size(image), image_size).content_size
    pixels = np.full((*image_size, 3), PADDING_GREY, dtype=np.uint8)
    with decoded(image, min_size=(width, height)) as upright:
        if upright.size != (width, height):
            upright = upright.resize((width, height), Image.Resampling.BILINEAR)
        pixels[:height, :width] = np.asarray(upright)
    return pixels
