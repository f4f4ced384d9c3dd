"""A whole training of a detector, from samples to verified files, whatever library its network comes from."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from vision.analysis.predictions import OUTCOMES, DetectorPredictions
from vision.detection.anchors import propose_anchors
from vision.detection.configuration import DetectionConfiguration
from vision.detection.evaluation import (
    LETTERBOX,
    NMS_IOU,
    DetectedSplit,
    average_precision,
    detect_split,
    evaluation_of,
)
from vision.detection.expected import JUDGED_TIMES, expected_detector
from vision.detection.samples import DetectionData, boxes_in_input, image_sizes, input_size
from vision.detection.verification import check_litert
from vision.imaging.letterbox import load_letterboxed
from vision.runtime.boxes import AnchorShapes, anchors_for
from vision.training.budget import Deadline
from vision.training.data import SPLITS, ImageCache, choose_place
from vision.training.hooks import PREPARING, TrainingHooks
from vision.training.labels import write_labels
from vision.training.machine import library_versions, this_machine, usable_here
from vision.training.resources import Estimate, estimated, peak_memory
from vision.training.result import TrainingResult
from vision.training.speeds import Speeds, network_of

PROOF_IMAGES = 4
Stores = dict[str, ImageCache]


class DetectorTraining(ABC):
    """One training. An engine provides the network, its steps and its files.

    Attributes:
        size: `(height, width)` of the input.
        shapes, anchors: which anchors the network has.
        sizes: `(width, height)` of every image by its id.
    """

    packages: tuple[str, ...] = ()

    def __init__(
        self, configuration: DetectionConfiguration, data: DetectionData, folder: Path, hooks: TrainingHooks
    ) -> None:
        self.configuration = configuration
        self.data = data
        self.folder = folder
        self.hooks = hooks
        self.history: list[dict] = []
        self.deadline = Deadline()
        self.checkpoint = folder / "checkpoint.npz"
        hooks.on_progress(PREPARING, 0, 1)
        self.sizes = {
            sample.id: size
            for split in SPLITS
            for sample, size in zip(data.splits[split], image_sizes(data.splits[split]), strict=True)
        }
        self.size = input_size([self.sizes[sample.id] for sample in data.splits["train"]], configuration.image_size)
        self.shapes = self._anchor_shapes()
        self.anchors = anchors_for(self.size, self.shapes)
        self.build()

    # What an engine provides

    @abstractmethod
    def build(self) -> None:
        """Make the network, with the weights that it starts from."""

    @property
    @abstractmethod
    def parameters(self) -> int: ...

    @property
    @abstractmethod
    def layers(self) -> int:
        """Those within other layers counted too."""

    @abstractmethod
    def time_steps(self, batch: int) -> tuple[float, float]:
        """Seconds of one training step and of one image forward; the weights are as before afterwards."""

    @abstractmethod
    def fit(self, stores: Stores) -> None:
        """Train to the end, from the checkpoint if there is one, and leave the best weights in the network."""

    @abstractmethod
    def forward(self, images: np.ndarray) -> np.ndarray:
        """`(batch, height, width, 3)` float32 RGB 0..255 → `(batch, anchors, 4 + labels)` float32."""

    @abstractmethod
    def save(self, litert: Path) -> dict[str, Path]:
        """Write the LiteRT file and the engine's own; returns the latter by kind."""

    def default_shapes(self) -> AnchorShapes | None:
        """Anchors that pretrained weights were trained with; None proposes them from the boxes."""
        return None

    # The course of a training

    def run(
        self, on_estimate: Callable[[Estimate], None], started: float, known: Speeds | None = None
    ) -> TrainingResult:
        estimate = estimated(self.folder, usable_here(known), self.measure_speeds, self.expect, self.hooks, on_estimate)
        self.configuration = _shortened(self.configuration, estimate)
        self.hooks.log(
            f"Input {self.size[1]} x {self.size[0]} px, {len(self.anchors):,} anchors: sizes {list(self.shapes.sizes)} "
            f"of a cell, ratios {list(self.shapes.ratios)}"
        )
        stores = self._decode()
        self.deadline = Deadline(self._seconds_left(estimate, time.monotonic() - started))
        try:
            self.fit(stores)
            return self._finish(stores, started)
        finally:
            for store in stores.values():
                store.close()

    def _seconds_left(self, estimate: Estimate, passed: float) -> float | None:
        """To train, after so many seconds and before the export; None without a limit."""
        most = self.configuration.max_minutes * 60
        return most - passed - estimate.seconds_by_phase["export"] if most else None

    def expect(self, speeds: Speeds) -> Estimate:
        """What it takes with a network of such speeds."""
        counts = {split: len(self.data.splits[split]) for split in SPLITS}
        from_scratch = self.data.start is None and not self.configuration.uses_pretrained
        return expected_detector(self.configuration, counts, speeds, self.folder, from_scratch=from_scratch)

    def measure_speeds(self) -> Speeds:
        """Time a few steps on random pixels."""
        batch = min(self.configuration.batch_size, len(self.data.splits["train"]))
        step, forward = self.time_steps(batch)
        height, width = self.size
        return Speeds(
            network=network_of(self.configuration) or "",
            machine=this_machine(),
            height=height,
            width=width,
            batch=batch,
            forward=forward,
            step=step,
            layers=self.layers,
            parameters=self.parameters,
            memory_bytes=peak_memory(),
        )

    def should_evaluate_after(self, epoch: int) -> bool:
        """Whether AP is computed after an epoch (counted from 0): a dozen times, and at the end."""
        every = max(1, self.configuration.epochs // JUDGED_TIMES)
        return (epoch + 1) % every == 0 or epoch + 1 == self.configuration.epochs

    def evaluate(self, store: ImageCache, epoch: int) -> tuple[float, float]:
        """AP50 and AP on the validation split."""
        ap50, ap = average_precision(self.detect(store), self.data.class_names)
        self.hooks.log(f"epoch {epoch + 1}: validation AP50 {ap50:.3f}, AP {ap:.3f}")
        return ap50, ap

    def detect(self, store: ImageCache) -> DetectedSplit:
        return detect_split(store, self.sizes, self.anchors, self.forward, self.hooks.raise_if_cancelled)

    def _anchor_shapes(self) -> AnchorShapes:
        if self.data.start is not None:
            return self.data.start.shapes
        proposal = self.default_shapes() or self._proposal()
        return AnchorShapes(
            sizes=self.configuration.anchor_sizes or proposal.sizes,
            ratios=self.configuration.anchor_ratios or proposal.ratios,
        )

    def _proposal(self) -> AnchorShapes:
        boxes = boxes_in_input(self.data.splits["train"], self.sizes, self.size)
        return propose_anchors(np.concatenate(boxes), self.configuration.seed)

    def _decode(self) -> Stores:
        total = sum(len(self.data.splits[split]) for split in SPLITS)
        place = choose_place(total, self.size, self.folder)
        before = 0
        stores = {}
        for split in SPLITS:
            samples = self.data.splits[split]
            store = ImageCache(samples, self.size, place, self.folder / f"pixels-{split}.npy", load_letterboxed)
            store.fill(partial(self._report_decoded, before, total), self.hooks.raise_if_cancelled)
            before += len(samples)
            for identifier, reason in store.broken:
                self.hooks.log(f"left out image {identifier}: {reason}")
            stores[split] = store
        self.hooks.log(f"Decoded {total} images, kept in {place}")
        return stores

    def _report_decoded(self, before: int, total: int, done: int, _: int) -> None:
        self.hooks.on_progress("decoding", before + done, total)

    def _finish(self, stores: Stores, started: float) -> TrainingResult:
        self.hooks.on_progress("evaluating", 0, 1)
        names = self.data.class_names
        test = self.detect(stores["test"])
        figures = evaluation_of(self.detect(stores["validation"]), test, names)
        outcomes = self.folder / OUTCOMES
        DetectorPredictions(*test, names).save(outcomes)
        thresholds = figures.pop("thresholds")
        files, difference = self._export(stores["test"])
        return TrainingResult(
            configuration=self.configuration.to_dict(),
            class_names=names,
            input_size=self.size,
            files=files,
            history=self.history,
            versions=library_versions(*self.packages),
            parameters=self.parameters,
            seconds=round(time.monotonic() - started, 1),
            litert_difference=difference,
            outcomes=str(outcomes),
            detector={
                "anchors": self.shapes.to_dict(),
                **thresholds,
                "iou_threshold": NMS_IOU,
                "letterbox": LETTERBOX,
            },
            broken=[list(problem) for store in stores.values() for problem in store.broken],
            **figures,
        )

    def _export(self, test: ImageCache) -> tuple[dict[str, str], float]:
        litert, labels = self.folder / "model.tflite", self.folder / "labels.txt"
        self.hooks.on_progress("export", 0, 2)
        paths = self.save(litert)
        self.hooks.raise_if_cancelled()
        images = test.gather(np.arange(min(PROOF_IMAGES, len(test))))
        difference = check_litert(litert, images, self.forward, self.shapes, NMS_IOU)
        self.hooks.log(f"LiteRT file agrees with Keras on {len(images)} test images to {difference:.1e}")
        self.hooks.on_progress("export", 2, 2)
        write_labels(labels, self.data.class_names)
        files = {**paths, "litert-float32": litert, "labels": labels}
        return {kind: str(path) for kind, path in files.items()}, difference


def _shortened(configuration: DetectionConfiguration, estimate: Estimate) -> DetectionConfiguration:
    """With the epochs that there is time for; the frozen ones keep their share."""
    epochs = estimate.epochs.get("epochs", configuration.epochs)
    frozen = round((configuration.frozen_epochs or 0) * epochs / configuration.epochs)
    return replace(configuration, epochs=epochs, frozen_epochs=frozen)
