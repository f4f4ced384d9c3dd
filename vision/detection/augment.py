"""Random changes to a training image that move its boxes along. In numpy, seeded, on the letterboxed input."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageEnhance

PADDING_GREY = 114
MIN_VISIBLE = 0.35
MIN_SIDE = 2.0


@dataclass(frozen=True)
class BoxAugmentation:
    """How much is changed.

    Attributes:
        flip_horizontal, flip_vertical: with probability one half each.
        scale: `(smallest, largest)` factor of size; larger than 1 crops, smaller pads.
        shift: largest move, as a fraction of the input's side.
        brightness, contrast, saturation: largest relative changes.
    """

    flip_horizontal: bool = False
    flip_vertical: bool = False
    scale: tuple[float, float] = (1.0, 1.0)
    shift: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0

    def apply(
        self, pixels: np.ndarray, boxes: np.ndarray, labels: np.ndarray, generator: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Change one image.

        Args:
            pixels: `(height, width, 3)` uint8; boxes: `(count, 4)` float32 in its pixels; labels: `(count,)`.

        Returns:
            The same three; boxes of which less than a third is still to be seen are gone.
        """
        height, width = pixels.shape[:2]
        factor = np.exp(generator.uniform(*np.log(self.scale)))
        mirror_x = self.flip_horizontal and generator.random() < 0.5
        mirror_y = self.flip_vertical and generator.random() < 0.5
        move_x, move_y = generator.uniform(-self.shift, self.shift, 2) * (width, height)
        # Output x = a * input x + c, about the centre.
        a, e = (-factor if mirror_x else factor), (-factor if mirror_y else factor)
        c, f = width / 2 - a * width / 2 + move_x, height / 2 - e * height / 2 + move_y
        image = Image.fromarray(pixels)
        if (a, e, c, f) != (1.0, 1.0, 0.0, 0.0):
            inverse = (1 / a, 0, -c / a, 0, 1 / e, -f / e)
            grey = (PADDING_GREY,) * 3
            image = image.transform(
                (width, height), Image.Transform.AFFINE, inverse, Image.Resampling.BILINEAR, fillcolor=grey
            )
            boxes, labels = _moved(boxes, labels, (a, e, c, f), width, height)
        return np.asarray(self._coloured(image, generator)), boxes, labels

    def _coloured(self, image: Image.Image, generator: np.random.Generator) -> Image.Image:
        for strength, enhance in (
            (self.brightness, ImageEnhance.Brightness),
            (self.contrast, ImageEnhance.Contrast),
            (self.saturation, ImageEnhance.Color),
        ):
            if strength:
                image = enhance(image).enhance(1 + generator.uniform(-strength, strength))
        return image


def _moved(
    boxes: np.ndarray, labels: np.ndarray, transform: tuple[float, float, float, float], width: int, height: int
) -> tuple[np.ndarray, np.ndarray]:
    a, e, c, f = transform
    x, y = boxes[:, 0::2] * a + c, boxes[:, 1::2] * e + f
    whole = np.stack([x.min(1), y.min(1), x.max(1), y.max(1)], axis=1)
    seen = np.clip(whole, 0, (width, height, width, height))
    sides = seen[:, 2:] - seen[:, :2]
    area = np.prod(whole[:, 2:] - whole[:, :2], axis=1)
    kept = (sides.min(1) >= MIN_SIDE) & (np.prod(np.clip(sides, 0, None), axis=1) >= MIN_VISIBLE * area)
    return seen[kept].astype(np.float32), labels[kept]
