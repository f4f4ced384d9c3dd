"""The images of a detector's training: samples with boxes, the shape of the input, a proposal of anchors."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from vision.detection.checks import check_boxes
from vision.imaging.letterbox import Letterbox
from vision.imaging.orientation import upright_size
from vision.imaging.preprocessing import ImageError, open_image
from vision.runtime.boxes import AnchorShapes
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


def boxes_in_input(samples: list[DetectionSample], sizes: dict, image_size: tuple[int, int]) -> list[np.ndarray]:
    """The boxes of each image, `(count, 4)` float32, in pixels of the letterboxed input."""
    found = []
    for sample in samples:
        width, height = sizes[sample.id]
        boxes = np.array(sample.boxes, dtype=np.float32).reshape(-1, 4)
        found.append(Letterbox.fit(width, height, image_size).to_input(boxes))
    return found
