"""Cut-outs of boxes with a margin, and boxes of the background that a classifier learns beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL.Image import Image

# Of each side of a box: what is around a thing helps to tell what it is.
MARGIN = 0.15
# A box of the background may overlap a marked one by so much (intersection over union).
MOST_OVERLAP = 0.2
TRIES = 20

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class BackgroundBoxes:
    """Boxes of an image in which nothing is marked, of the sizes that marked ones have.

    Attributes:
        sizes: `(boxes, 2)` float, widths and heights in pixels to draw from.
        count: how many an image gives at most.
    """

    sizes: np.ndarray
    count: int = 2

    def of(self, width: int, height: int, marked: Sequence[Box], seed: int) -> list[Box]:
        """The same boxes for the same seed.

        Args:
            width, height: of the image in pixels.
            marked: boxes `(x_min, y_min, x_max, y_max)` in pixels that they must not lie on.
        """
        generator = np.random.default_rng(seed)
        found: list[Box] = []
        for _ in range(TRIES):
            if len(found) == self.count or not len(self.sizes):
                break
            wide, high = np.minimum(self.sizes[generator.integers(len(self.sizes))], (width, height))
            left, top = generator.uniform(0, width - wide), generator.uniform(0, height - high)
            box = (float(left), float(top), float(left + wide), float(top + high))
            if all(_overlap(box, other) <= MOST_OVERLAP for other in [*marked, *found]):
                found.append(box)
        return found


def cut_out(image: Image, box: Box) -> Image:
    """The part of an upright image inside a box, with a margin as far as the image reaches; at least one pixel."""
    x_min, y_min, x_max, y_max = box
    across, along = MARGIN * (x_max - x_min), MARGIN * (y_max - y_min)
    left = min(max(0, int(x_min - across)), image.width - 1)
    top = min(max(0, int(y_min - along)), image.height - 1)
    right = min(image.width, max(left + 1, int(np.ceil(x_max + across))))
    bottom = min(image.height, max(top + 1, int(np.ceil(y_max + along))))
    return image.crop((left, top, right, bottom))


def _overlap(one: Box, other: Box) -> float:
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    if wide <= 0 or high <= 0:
        return 0.0
    both = wide * high
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return both / (sum(areas) - both)
