"""What the engine is asked for: one type for each mode, written by its caller and read by `vision.engine`. No Keras."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

from vision.detection.samples import DetectionSample
from vision.exporting.request import ExportRequest, OutputsRequest
from vision.model_import.request import PackageImportRequest, UploadRequest
from vision.training import layout
from vision.training.data import MultilabelSample, Sample
from vision.training.speeds import Speeds

# By task.
SAMPLES = {"classification": Sample, "multilabel": MultilabelSample, "detection": DetectionSample}


class EngineRequest(Protocol):
    """A request: a frozen dataclass of values that JSON has."""

    @property
    def inputs(self) -> Iterator[str]:
        """Paths outside of the request's folder that the process must read: images and arrays."""

    @classmethod
    def from_dict(cls, values: dict) -> Self:
        """The request of what JSON has kept."""


@dataclass(frozen=True)
class BaseModelFile:
    """The model that a training starts from: its own file, its labels, and a detector's anchors."""

    path: str
    class_names: list[str]
    anchors: dict | None = None


@dataclass(frozen=True)
class TrainingRequest:
    """A training of a classifier or of a detector.

    Attributes:
        task: `classification`, `multilabel` or `detection`.
        configuration: all fields of `Configuration` or `DetectionConfiguration`, resolved.
        splits: the samples of `train`, `validation` and `test`.
        known: how fast its network is here, where that was measured earlier.
        backbone: path of the classifier's pretrained backbone as a LiteRT file, where it was converted before.
    """

    task: str
    configuration: dict
    class_names: list[str]
    splits: dict[str, list[Sample]] | dict[str, list[MultilabelSample]] | dict[str, list[DetectionSample]]
    base: BaseModelFile | None = None
    known: Speeds | None = None
    backbone: str | None = None

    @property
    def inputs(self) -> Iterator[str]:
        return (sample.path for samples in self.splits.values() for sample in samples)

    @classmethod
    def from_dict(cls, values: dict) -> Self:
        sample: Any = SAMPLES[values["task"]]
        base, known = values.get("base"), values.get("known")
        return cls(
            task=values["task"],
            configuration=values["configuration"],
            class_names=values["class_names"],
            splits={split: [sample(**row) for row in rows] for split, rows in values["splits"].items()},
            base=None if base is None else BaseModelFile(**base),
            known=None if known is None else Speeds(**known),
            backbone=values.get("backbone"),
        )


@dataclass(frozen=True)
class PreflightRequest(TrainingRequest):
    """An estimate of a training: its data is checked and a few steps are timed."""


@dataclass(frozen=True)
class BackboneRequest:
    """A LiteRT file of a pretrained backbone is wanted, for square images of so many pixels."""

    architecture: str
    image_size: int

    @property
    def inputs(self) -> Iterator[str]:
        return iter(())

    @classmethod
    def from_dict(cls, values: dict) -> Self:
        return cls(**values)


MODES: dict[str, type[EngineRequest]] = {
    "train": TrainingRequest,
    "preflight": PreflightRequest,
    "export": ExportRequest,
    "outputs": OutputsRequest,
    "upload": UploadRequest,
    "import": PackageImportRequest,
    "backbone": BackboneRequest,
}
NAMES = {kind: mode for mode, kind in MODES.items()}


def write_request(folder: Path, request: EngineRequest) -> None:
    text = json.dumps({"mode": NAMES[type(request)], "request": request}, default=vars)
    (folder / layout.REQUEST).write_text(text)


def read_request(folder: Path) -> EngineRequest:
    values = json.loads((folder / layout.REQUEST).read_text())
    return MODES[values["mode"]].from_dict(values["request"])
