"""Where a model looks: what its score loses when a part of the image is covered."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image

GREY = 128
CELLS = 14
WINDOW = 3  # cells that are covered at once
OPACITY = 0.55


def occlusion_map(
    score_of: Callable[[np.ndarray], float], pixels: np.ndarray, on_progress: Callable[[int, int], None] | None = None
) -> np.ndarray:
    """How much each part of the image adds to the score (Zeiler and Fergus 2014, section 4.2).

    A grey window of three by three cells goes over a grid of 14 × 14 cells; a cell gets the mean of what was lost when
    it was covered. It asks nothing of the network but its score, so it holds for every model, and for the very file
    that predicts.

    Args:
        score_of: score of `(height, width, 3)` uint8 pixels.
        pixels: the image in the size of the network's input.

    Returns:
        `(14, 14)` float; negative where the score rose.
    """
    height, width = pixels.shape[:2]
    whole = score_of(pixels)
    edges = [np.linspace(0, side, CELLS + 1).round().astype(int) for side in (height, width)]
    lost, times = np.zeros((CELLS, CELLS)), np.zeros((CELLS, CELLS))
    places = range(1 - WINDOW, CELLS)
    total = len(places) ** 2
    for number, (row, column) in enumerate((row, column) for row in places for column in places):
        rows, columns = slice(max(row, 0), row + WINDOW), slice(max(column, 0), column + WINDOW)
        covered = pixels.copy()
        bottom, right = min(row + WINDOW, CELLS), min(column + WINDOW, CELLS)
        covered[edges[0][max(row, 0)] : edges[0][bottom], edges[1][max(column, 0)] : edges[1][right]] = GREY
        lost[rows, columns] += whole - score_of(covered)
        times[rows, columns] += 1
        if on_progress is not None and number % 16 == 0:
            on_progress(number, total)
    return lost / times


def heat_over(image: Image.Image, heat: np.ndarray) -> Image.Image:
    """The image in grey, with what supports the label in warm colours over it.

    Args:
        image: upright RGB, the part that the network saw.
        heat: `(rows, columns)` float over the whole of it; only what is above 0 is drawn.
    """
    positive = np.clip(heat, 0, None)
    if positive.max() > 0:
        positive = positive / positive.max()
    small = Image.fromarray((positive * 255).astype(np.uint8))
    strength = np.asarray(small.resize(image.size, Image.Resampling.BICUBIC), np.float32)[..., None] / 255
    # From yellow to red, and nothing where nothing speaks for it.
    color = np.concatenate([np.full_like(strength, 255), 255 * (1 - strength), np.zeros_like(strength)], axis=2)
    grey = np.asarray(image.convert("L").convert("RGB"), np.float32)
    share = OPACITY * np.sqrt(strength)
    return Image.fromarray(np.clip(grey * (1 - share) + color * share, 0, 255).astype(np.uint8))
