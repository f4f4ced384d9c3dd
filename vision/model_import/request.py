"""What is said of an uploaded model and what is made of it, on both sides of the process that reads it."""

from __future__ import annotations

from dataclasses import asdict, dataclass


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


@dataclass
class UploadResult:
    """What a served model needs, and how it came about."""

    architecture: str
    class_names: list[str]
    input_size: tuple[int, int]
    files: dict[str, str]
    parameters: int
    litert_difference: float
    origin: dict

    def to_dict(self) -> dict:
        return asdict(self)
