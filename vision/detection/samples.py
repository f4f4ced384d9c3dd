"""The images of a detector's training: samples with boxes, the shape of the input, a proposal of anchors."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from vision.detection.checks import check_boxes
from vision.imaging.letterbox import Letterbox
from vision.imaging.preprocessing import ImageError, open_image, upright_size
from vision.runtime.boxes import AnchorShapes, iou_matrix
from vision.training.data import SPLITS

CELL = 32


@dataclass(frozen=True)
class DetectionSample:
    """One image: its id for reports, its file, and its boxes in pixels of the upright image, possibly none."""

    id: str
    path: str
    boxes: list[list[float]]
    labels: list[int]


@dataclass(frozen=True)
class Start:
    """An earlier model to start from: its `.keras` file, its anchors and its labels."""

    path: str
    shapes: AnchorShapes
    class_names: tuple[str, ...] = ()


@dataclass(frozen=True)
class DetectionData:
    """The samples of each split, in a fixed order, the labels in the model's order, and what to start from."""

    class_names: list[str]
    splits: dict[str, list[DetectionSample]] = field(default_factory=dict)
    start: Start | None = None


def check_detection_data(data: DetectionData) -> None:
    """`check_boxes` for samples."""
    counts = {
        split: {
            name: sum(sample.labels.count(index) for sample in data.splits.get(split, []))
            for index, name in enumerate(data.class_names)
        }
        for split in SPLITS
    }
    check_boxes(data.class_names, counts, {split: len(data.splits.get(split, [])) for split in SPLITS})


def image_sizes(samples: list[DetectionSample]) -> list[tuple[int, int]]:
    """`(width, height)` of the upright images, from their headers; `(1, 1)` for a file that cannot be read."""

    def read(sample: DetectionSample) -> tuple[int, int]:
        try:
            with open_image(sample.path) as image:
                return upright_size(image)
        except (ImageError, OSError):
            return 1, 1

    with ThreadPoolExecutor() as pool:
        return list(pool.map(read, samples))


def input_size(sizes: list[tuple[int, int]], longer_side: int) -> tuple[int, int]:
    """`(height, width)` of the input: the shape of the median image, so that little of it is padding.

    Where portrait and landscape images mix, the input is square.
    """
    ratios = np.array([height / width for width, height in sizes])
    low, middle, high = np.quantile(ratios, [0.1, 0.5, 0.9])
    if low < 1 < high and high / low > 1.2:
        return longer_side, longer_side
    shorter = min(1.0, middle, 1 / middle) * longer_side
    shorter = max(CELL, int(-(-round(shorter) // CELL)) * CELL)
    return (shorter, longer_side) if middle <= 1 else (longer_side, shorter)


def propose_anchors(boxes: np.ndarray, seed: int = 0) -> AnchorShapes:
    """Anchor shapes that fit boxes of a training set.

    The sizes cover an octave, as in the paper; what is chosen is where it begins and the ratios, such that the mean
    overlap of a box with its best anchor at its own centre is largest.

    Args:
        boxes: `(count, 4)` in pixels of the input.
    """
    if len(boxes) == 0:
        return AnchorShapes()
    if len(boxes) > 5000:
        boxes = boxes[np.random.default_rng(seed).choice(len(boxes), 5000, replace=False)]
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 1.0)
    spread = np.exp(np.quantile(np.log(sides[:, 1] / sides[:, 0]), [0.15, 0.5, 0.85]))
    ratios = [round(float(ratio), 2) for ratio in np.clip(spread, 0.2, 5.0)]
    # Ratios nearer than a fifth to each other are one.
    chosen = [ratios[1]] + [r for r in (ratios[0], ratios[2]) if max(r / ratios[1], ratios[1] / r) > 1.2]
    octave = [2 ** (step / 3) for step in range(3)]
    candidates = [
        AnchorShapes(sizes=tuple(round(base * step, 2) for step in octave), ratios=tuple(sorted(chosen)))
        for base in (1.5, 2.0, 2.5, 3.0, 4.0)
    ]
    return max(candidates, key=lambda shapes: _mean_fit(sides, shapes))


def _mean_fit(sides: np.ndarray, shapes: AnchorShapes) -> float:
    anchors = np.array(
        [
            (size * 2**level / ratio**0.5, size * 2**level * ratio**0.5)
            for level in range(shapes.min_level, shapes.max_level + 1)
            for size in shapes.sizes
            for ratio in shapes.ratios
        ]
    )
    centred = [np.concatenate([-half, half], axis=1) for half in (sides / 2, anchors / 2)]
    return float(iou_matrix(*centred).max(axis=1).mean())


def boxes_in_input(samples: list[DetectionSample], sizes: dict, image_size: tuple[int, int]) -> list[np.ndarray]:
    """The boxes of each image, `(count, 4)` float32, in pixels of the letterboxed input."""
    found = []
    for sample in samples:
        width, height = sizes[sample.id]
        boxes = np.array(sample.boxes, dtype=np.float32).reshape(-1, 4)
        found.append(Letterbox.fit(width, height, image_size).to_input(boxes))
    return found
