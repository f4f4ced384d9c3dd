"""What an export is asked for and answers, on both sides of its process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Self


@dataclass(frozen=True)
class ExportRequest:
    """What to export.

    Attributes:
        path: the network's own file.
        engine: `keras`, or `keras_retinanet` for a file of that package.
        architecture: its name in the catalogue; needed for keras-retinanet.
        resize: `stretch` or `letterbox`.
        detector: what reading a detector's output takes; empty for a classifier.
        thresholds: of each label, of a network that says which of them an image has; empty for others.
        samples: images to verify the files on, with the fields of a sample; may be empty.
        source: where they are from, in words.
        calibration: paths of images for int8.
        largest_drop: how much worse than the network a file may be, in accuracy, F1 of all labels or AP50.
        files: kind → path, of files that exist already and are only verified.
    """

    path: str
    engine: str
    architecture: str
    class_names: list[str]
    input_size: tuple[int, int]
    resize: str
    detector: dict
    kinds: list[str]
    samples: list[dict]
    source: str
    is_labelled: bool
    calibration: list[str]
    largest_drop: float
    files: dict[str, str] = field(default_factory=dict)
    thresholds: list[float] = field(default_factory=list)

    @property
    def inputs(self) -> Iterator[str]:
        yield from (sample["path"] for sample in self.samples)
        yield from self.calibration

    @classmethod
    def from_dict(cls, values: dict) -> Self:
        return cls(**values)


@dataclass(frozen=True)
class OutputsRequest:
    """What a file that needs TensorFlow says of images.

    Attributes:
        kind: of the file, `keras` or `saved-model`.
        images: paths of `(height, width, 3)` uint8 arrays.
    """

    kind: str
    path: str
    images: list[str]

    @property
    def inputs(self) -> Iterator[str]:
        return iter(self.images)

    @classmethod
    def from_dict(cls, values: dict) -> Self:
        return cls(**values)


@dataclass
class Export:
    """One file and its report; not offered when `problem` says why."""

    kind: str
    path: str
    report: dict
    problem: str = ""

    def to_dict(self) -> dict:
        return asdict(self)
