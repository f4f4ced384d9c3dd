"""How well a file says what the network says, how good it is, and how fast."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vision.detection.evaluation import average_precision
from vision.detection.graph import LOWEST_SCORE
from vision.detection.samples import DetectionSample
from vision.exporting.runners import Run
from vision.imaging.letterbox import Letterbox
from vision.runtime.boxes import AnchorShapes, Detections, anchors_for, detections_from, iou_matrix, thresholds_of
from vision.runtime.detection_metrics import MAX_DETECTIONS
from vision.runtime.kinds import KINDS
from vision.runtime.matching import GroundTruth
from vision.runtime.thresholds import sure_of
from vision.training.data import AnySample

EXACT_TOLERANCE = 1e-3
LOWEST_AGREEMENT = 0.95
TIMED_RUNS = 30
COMPARED_OUTPUTS = 32
SURE = 0.5


@dataclass
class RuntimeOutputs:
    """What one runtime said about all images, in the words of the task."""

    outputs: list[np.ndarray]  # of a detector only the first, for each has some hundred thousand numbers
    detections: list[Detections]


@dataclass(frozen=True)
class VerificationImages:
    """What a file is verified on.

    Attributes:
        pixels: `(height, width, 3)` uint8, as the network gets them.
        samples: what is known of each; labels are -1, or none, where nothing is.
        sizes: `(width, height)` of the upright images.
        source: where they are from, in words.
        is_labelled: whether it is known what they show.
    """

    pixels: list[np.ndarray]
    samples: Sequence[AnySample | DetectionSample]
    sizes: list[tuple[int, int]]
    source: str
    is_labelled: bool

    def __len__(self) -> int:
        return len(self.pixels)


class Evaluator:
    """Compares files of one network with the network itself."""

    def __init__(
        self,
        images: VerificationImages,
        class_names: list[str],
        detector: dict,
        check: Callable[[], None],
        *,
        thresholds: Sequence[float] = (),
    ) -> None:
        self.images = images
        self.class_names = class_names
        self.check = check
        self._detector = detector
        self._thresholds = np.array(thresholds, np.float64)
        height, width = images.pixels[0].shape[:2]
        self._input_size = (height, width)
        if detector:
            self._anchors = anchors_for(self._input_size, AnchorShapes.from_dict(detector["anchors"]))

    def outputs_of(self, run: Run) -> RuntimeOutputs:
        actual = RuntimeOutputs([], [])
        for pixels, size in zip(self.images.pixels, self.images.sizes, strict=True):
            self.check()
            output = run(pixels)
            if self._detector:
                actual.detections.append(self._boxes(output, *size))
            if not self._detector or len(actual.outputs) < COMPARED_OUTPUTS:
                actual.outputs.append(output)
        return actual

    def _boxes(self, raw: np.ndarray, width: int, height: int) -> Detections:
        letterbox = Letterbox.fit(width, height, self._input_size)
        boxes = detections_from(
            self._anchors,
            raw,
            letterbox.content_size,
            score_threshold=LOWEST_SCORE,
            iou_threshold=self._detector["iou_threshold"],
            limit=MAX_DETECTIONS,
        )
        return Detections(letterbox.to_image(boxes.boxes, width, height), boxes.scores, boxes.labels)

    def report(self, kind: str, path: Path, run: Run, expected: RuntimeOutputs) -> dict:
        """Figures of one file; `problem` says why it is not offered, "" when it is."""
        actual = self.outputs_of(run)
        figures = {
            "images": len(self.images),
            "measured_on": self.images.source,
            "size": path.stat().st_size,
            "largest_difference": _largest_difference(actual.outputs, expected.outputs),
            "agreement": self._agreement(actual, expected),
            "latency_ms": latency_ms(run, self.images.pixels),
            **self._quality(actual, expected),
        }
        return figures

    def _agreement(self, actual: RuntimeOutputs, expected: RuntimeOutputs) -> float:
        """Classifier: share of images with the same first label. With several labels an image: F1 of the labels that
        both give. Detector: F1 of the sure boxes of both."""
        if len(self._thresholds):
            return round(_f1(self._labels(actual), self._labels(expected)), 6)
        if not self._detector:
            same = [a.argmax() == b.argmax() for a, b in zip(actual.outputs, expected.outputs, strict=True)]
            return round(float(np.mean(same)), 6)
        thresholds = thresholds_of({"score_threshold": SURE, **self._detector}, self.class_names)
        common = total = 0
        for pair in zip(actual.detections, expected.detections, strict=True):
            first, second = (sure_of(one, thresholds) for one in pair)
            common += 2 * _common_boxes(first, second)
            total += len(first.scores) + len(second.scores)
        return round(common / total, 6) if total else 1.0

    def _quality(self, actual: RuntimeOutputs, expected: RuntimeOutputs) -> dict:
        if not self.images.is_labelled:
            return {}
        ours, theirs = self._score(actual), self._score(expected)
        name = "ap50" if self._detector else "micro_f1" if len(self._thresholds) else "accuracy"
        return {name: ours, f"keras_{name}": theirs, "drop": round(theirs - ours, 6)}

    def _score(self, actual: RuntimeOutputs) -> float:
        samples = self.images.samples
        if len(self._thresholds):
            truth = np.zeros((len(samples), len(self._thresholds)), bool)
            for row, sample in zip(truth, samples, strict=True):
                row[sample.labels] = True  # type: ignore[union-attr]
            return round(_f1(self._labels(actual), truth), 6)
        if not self._detector:
            right = [
                output.argmax() == sample.label  # type: ignore[union-attr]
                for output, sample in zip(actual.outputs, samples, strict=True)
            ]
            return round(float(np.mean(right)), 6)
        truths = [
            GroundTruth(sample.id, np.array(sample.boxes, np.float32).reshape(-1, 4), np.array(sample.labels, int))  # type: ignore[union-attr]
            for sample in samples
        ]
        return round(average_precision((truths, actual.detections), self.class_names)[0], 6)

    def _labels(self, outputs: RuntimeOutputs) -> np.ndarray:
        """`(images, labels)` bool: which labels reach their threshold."""
        return np.stack(outputs.outputs) >= self._thresholds


def _f1(first: np.ndarray, second: np.ndarray) -> float:
    """Of decisions about all labels of all images together (Manning et al. 2008, section 13.6)."""
    total = int(first.sum()) + int(second.sum())
    return 2 * int((first & second).sum()) / total if total else 1.0


# What files are held to, by its name in reports.
QUALITY = {"ap50": "AP50", "micro_f1": "F1", "accuracy": "accuracy"}


def parity_problem(kind: str, report: dict, largest_drop: float) -> str:
    """Why a file with this report is not offered; "" when it is."""
    if not np.isfinite(report["largest_difference"]):
        return "Its output is no number."
    if not KINDS[kind].is_lossy and report["largest_difference"] > EXACT_TOLERANCE:
        return (
            f"Its output differs from the trained model by {report['largest_difference']:.2e}; at most "
            f"{EXACT_TOLERANCE:.0e} is allowed."
        )
    if "drop" in report and report["drop"] > largest_drop:
        name = next(name for name in QUALITY if name in report)
        return (
            f"Its {QUALITY[name]} on {report['images']} images is {report[name]:.4f}, the trained "
            f"model's {report[f'keras_{name}']:.4f}: {report['drop']:.4f} less, at most {largest_drop:.4f} is allowed."
        )
    if "drop" not in report and report["agreement"] < LOWEST_AGREEMENT:
        return (
            f"It agrees with the trained model on {report['agreement']:.1%} of {report['images']} images, at least "
            f"{LOWEST_AGREEMENT:.0%} is asked for."
        )
    return ""


def latency_ms(run: Run, pixels: list[np.ndarray]) -> float:
    """Median milliseconds of one image, all cores, after a warm-up."""
    times = []
    for number in range(TIMED_RUNS + 3):
        image = pixels[number % len(pixels)]
        started = time.perf_counter()
        run(image)
        times.append((time.perf_counter() - started) * 1000)
    return round(statistics.median(times[3:]), 3)


def _largest_difference(found: list[np.ndarray], expected: list[np.ndarray]) -> float:
    """As a share of the largest number where that is above 1: float32 has 7 digits."""
    return max(
        float(np.abs(one - other).max() / max(1.0, np.abs(other).max()))
        for one, other in zip(found, expected, strict=True)
    )


def _common_boxes(first: Detections, second: Detections) -> int:
    """Pairs of boxes of one label that overlap by half, each box once, the best first."""
    if not len(first.scores) or not len(second.scores):
        return 0
    overlap = iou_matrix(first.boxes, second.boxes)
    overlap[first.labels[:, None] != second.labels[None]] = 0
    pairs = 0
    while overlap.max(initial=0) >= 0.5:
        row, column = np.unravel_index(overlap.argmax(), overlap.shape)
        overlap[row], overlap[:, column] = 0, 0
        pairs += 1
    return pairs
