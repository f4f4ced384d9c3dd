"""What is said of an uploaded model and what is made of it, on both sides of the process that reads it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Self


@dataclass(frozen=True)
class UploadRequest:
    """What was uploaded, and what its owner says of it.

    Attributes:
        format: see `read_network`.
        image_size: `(height, width)`, None where the file says it.
        channels: `rgb` or `bgr`.
        scaling: `0_255`, `0_1`, `-1_1`, `imagenet` or `caffe`: the values that the network was trained on.
        resize: `stretch` or `letterbox`.
        images: paths of images to run it on.
    """

    path: str
    format: str
    class_names: list[str]
    image_size: tuple[int, int] | None
    channels: str
    scaling: str
    resize: str
    images: list[str]
    max_parameters: int

    @property
    def inputs(self) -> Iterator[str]:
        return iter(self.images)

    @classmethod
    def from_dict(cls, values: dict) -> Self:
        return cls(**values)


@dataclass(frozen=True)
class PackageAnchors:
    """`anchor_parameters` of keras-retinanet's configuration file: pixels, pixels, height over width, factors."""

    sizes: list[float]
    strides: list[float]
    ratios: list[float]
    scales: list[float]


@dataclass(frozen=True)
class PackageImportRequest:
    """A detector of keras-retinanet that was uploaded.

    Attributes:
        image_size: `(height, width)` of the input to serve.
        anchors: where the model was made with others than the package's own.
        images: paths of images to run it on.
    """

    path: str
    class_names: list[str]
    image_size: tuple[int, int]
    anchors: PackageAnchors | None
    images: list[str]

    @property
    def inputs(self) -> Iterator[str]:
        return iter(self.images)

    @classmethod
    def from_dict(cls, values: dict) -> Self:
        anchors = values["anchors"]
        return cls(**values | {"anchors": None if anchors is None else PackageAnchors(**anchors)})


@dataclass
class UploadResult:
    """What a served model needs, and how it came about.

    Attributes:
        input_size: `(height, width)`.
        files: kind → path in the folder of the process.
        origin: what was read of the file; nothing for a file of keras-retinanet, which stays what it is.
        detector: what reading a detector's output takes; empty for a classifier.
    """

    architecture: str
    class_names: list[str]
    input_size: tuple[int, int]
    files: dict[str, str]
    parameters: int
    litert_difference: float
    origin: dict = field(default_factory=dict)
    detector: dict = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict:
        return asdict(self)
