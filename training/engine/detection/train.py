"""A whole training of a detector, from samples to proved files."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from datasets.imaging.letterbox import Letterbox, load_letterboxed
from inference.runtime.boxes import AnchorShapes, Detections, anchors_for, detections_from
from inference.runtime.detection_metrics import (
    MAX_DETECTIONS,
    Truth,
    best_thresholds,
    coco_figures,
    detection_metrics,
    match,
    worst_images,
)
from training.engine.data import SPLITS, PixelStore, choose_place, needed_bytes
from training.engine.detection import export
from training.engine.detection.augment import BoxAugmentation
from training.engine.detection.configuration import DetectionConfiguration
from training.engine.detection.data import (
    DetectionData,
    DetectionSource,
    check_detection_data,
    image_sizes,
    input_size,
    make_source,
    propose_anchors,
)
from training.engine.detection.losses import RetinaNetLoss
from training.engine.detection.networks import build_retinanet, start_from
from training.engine.estimate import EXPORT_SECONDS, Estimate, mean_seconds, peak_memory, require_room
from training.engine.phases import Judgement, Phase, Watcher, make_optimizer
from training.engine.train import library_versions, out_of_memory_explained, prepare_runtime

BACKBONE_PREFIX = "retinanet_"
AVERAGE_MOMENTUM = 0.995
JUDGED_TIMES = 12
EVALUATION_BATCH = 8
LOWEST_SCORE = 0.02
NMS_IOU = 0.5
DECODE_SECONDS_PER_IMAGE = 0.01
JUDGE_SECONDS_PER_IMAGE = 0.02
FROM_SCRATCH = (
    "There are no pretrained weights for detectors on this machine: the network is trained from scratch, which takes "
    "longer and needs more images."
)
STRENGTHS = {
    "none": BoxAugmentation(),
    "light": BoxAugmentation(True, False, (0.75, 1.35), 0.15, 0.2, 0.2, 0.2),
    "strong": BoxAugmentation(True, False, (0.5, 2.0), 0.25, 0.4, 0.4, 0.4),
}


@dataclass
class DetectionResult:
    """What a finished training of a detector leaves; see `TrainingResult` for the common fields.

    Attributes:
        input_size: `(height, width)` of the network.
        detector: what is needed to read the network's output: anchors, thresholds, suppression.
        mistakes: the images with the most false alarms and misses.
    """

    configuration: dict
    class_names: list[str]
    input_size: tuple[int, int]
    files: dict[str, str]
    metrics: dict
    validation_metrics: dict
    mistakes: list[dict]
    history: list[dict]
    versions: dict[str, str]
    parameters: int
    seconds: float
    litert_difference: float
    detector: dict
    broken: list[list[str]] = field(default_factory=list)

    def to_dict(self) -> dict:
        return asdict(self)


def preflight_detector(configuration: DetectionConfiguration, data: DetectionData, folder: Path) -> Estimate:
    """Check the data and time a few steps; nothing is trained."""
    check_detection_data(data)
    prepare_runtime(configuration)
    with out_of_memory_explained(configuration):
        return _DetectorTraining(configuration, data, folder, Watcher()).estimate()


def train_detector(
    configuration: DetectionConfiguration,
    data: DetectionData,
    folder: Path,
    watcher: Watcher | None = None,
    on_estimate=lambda estimate: None,
) -> DetectionResult:
    """Train, choose the threshold on the validation split, evaluate on the test split, export and prove.

    The checkpoint in `folder` is continued when there is one of the same training. Arguments and errors are those of
    `training.engine.train.train`.
    """
    started = time.monotonic()
    check_detection_data(data)
    prepare_runtime(configuration)
    with out_of_memory_explained(configuration):
        return _DetectorTraining(configuration, data, folder, watcher or Watcher()).run(on_estimate, started)


class _DetectorTraining:
    def __init__(self, configuration, data, folder, watcher) -> None:
        self.configuration: DetectionConfiguration = configuration
        self.data: DetectionData = data
        self.folder: Path = folder
        self.watcher: Watcher = watcher
        self.history: list[dict] = []
        self.sizes = {
            sample.id: size
            for split in SPLITS
            for sample, size in zip(data.splits[split], image_sizes(data.splits[split]), strict=True)
        }
        train = data.splits["train"]
        self.size = input_size([self.sizes[sample.id] for sample in train], configuration.image_size)
        self.shapes = self._anchor_shapes()
        self.anchors = anchors_for(self.size, self.shapes)
        self.model = build_retinanet(
            configuration.architecture.removeprefix(BACKBONE_PREFIX), self.size, len(data.class_names), self.shapes
        )

        if data.start is not None:
            taken = start_from(self.model, Path(data.start.path))
            watcher.log(f"Starting from an earlier model: {taken:.0%} of its weights fit")

    def _anchor_shapes(self) -> AnchorShapes:
        if self.data.start is not None:
            return self.data.start.shapes
        boxes = [
            Letterbox.fit(*self.sizes[sample.id], self.size).to_input(np.array(sample.boxes, np.float32).reshape(-1, 4))
            for sample in self.data.splits["train"]
        ]
        proposal = propose_anchors(np.concatenate(boxes), self.configuration.seed)
        return AnchorShapes(
            sizes=self.configuration.anchor_sizes or proposal.sizes,
            ratios=self.configuration.anchor_ratios or proposal.ratios,
        )

    # Promise

    def estimate(self) -> Estimate:
        """Time a few steps on random pixels and add everything up; the weights are put back."""
        configuration = self.configuration
        counts = {split: len(self.data.splits[split]) for split in SPLITS}
        batch = min(configuration.batch_size, counts["train"])
        weights = self.model.get_weights()
        images = np.random.default_rng(0).integers(0, 255, (batch, *self.size, 3)).astype(np.float32)
        targets = np.zeros((batch, len(self.anchors), 5), np.float32)
        self._compile(peak=1e-6, steps=100)
        self.model.train_on_batch(images, targets)
        step = mean_seconds(lambda: self.model.train_on_batch(images, targets))
        self.model.predict_on_batch(images)
        forward = mean_seconds(lambda: self.model.predict_on_batch(images)) / batch
        self.model.set_weights(weights)
        judged = counts["validation"] * (forward + JUDGE_SECONDS_PER_IMAGE)
        phases = {
            "decoding": sum(counts.values()) * DECODE_SECONDS_PER_IMAGE,
            "training": configuration.epochs * (-(-counts["train"] // batch) * step + counts["validation"] * forward)
            + JUDGED_TIMES * judged,
            "export": EXPORT_SECONDS + judged + counts["test"] * (forward + JUDGE_SECONDS_PER_IMAGE),
        }
        place = choose_place(sum(counts.values()), self.size, self.folder)
        pixels = needed_bytes(sum(counts.values()), self.size)
        size_bytes = self.model.count_params() * 4
        return Estimate(
            seconds=round(sum(phases.values()), 1),
            memory_bytes=int(peak_memory() * 1.25) + 5 * size_bytes + (pixels if place == "memory" else 0),
            disk_bytes=9 * size_bytes + (pixels if place == "disk" else 0) + (1 << 20),
            pixels=place,
            seconds_by_phase={name: round(seconds, 1) for name, seconds in phases.items()},
            warnings=[] if self.data.start is not None else [FROM_SCRATCH],
        )

    def _promise(self, on_estimate) -> Estimate:
        saved = self.folder / "estimate.json"
        if saved.exists():  # a resumed training keeps its promise
            return Estimate(**json.loads(saved.read_text()))
        estimate = self.estimate()
        keras.utils.set_random_seed(self.configuration.seed)
        require_room(estimate, self.folder)
        saved.write_text(json.dumps(estimate.to_dict()))
        for line in estimate.warnings:
            self.watcher.log(line)
        self.watcher.log(
            f"Expected: about {estimate.seconds / 60:.1f} minutes, {estimate.memory_bytes / 2**20:.0f} MiB memory, "
            f"{estimate.disk_bytes / 2**20:.0f} MiB disk"
        )
        on_estimate(estimate)
        return estimate

    # Training

    def run(self, on_estimate, started: float) -> DetectionResult:
        self._promise(on_estimate)
        self.watcher.log(
            f"Input {self.size[1]} x {self.size[0]} px, {len(self.anchors):,} anchors: sizes {list(self.shapes.sizes)} "
            f"of a cell, ratios {list(self.shapes.ratios)}"
        )
        stores = self._decode()
        try:
            sources = self._sources(stores)
            self._fit(sources)
            return self._finish(sources, started)
        finally:
            for store in stores.values():
                store.close()

    def _decode(self) -> dict[str, PixelStore]:
        total = sum(len(self.data.splits[split]) for split in SPLITS)
        place = choose_place(total, self.size, self.folder)
        before = 0
        stores = {}
        for split in SPLITS:
            samples = self.data.splits[split]
            store = PixelStore(samples, self.size, place, self.folder / f"pixels-{split}.npy", load_letterboxed)
            store.fill(partial(self._report_decoded, before, total), self.watcher.check)
            before += len(samples)
            for identifier, reason in store.broken:
                self.watcher.log(f"left out image {identifier}: {reason}")
            stores[split] = store
        self.watcher.log(f"Decoded {total} images, kept in {place}")
        return stores

    def _report_decoded(self, before: int, total: int, done: int, _: int) -> None:
        self.watcher.on_progress("decoding", before + done, total)

    def _sources(self, stores: dict[str, PixelStore]) -> dict[str, DetectionSource]:
        augmentation = STRENGTHS[self.configuration.augmentation]
        flip = self.configuration.flip
        if flip is not None:
            augmentation = BoxAugmentation(
                **{
                    **asdict(augmentation),
                    "flip_horizontal": "horizontal" in flip,
                    "flip_vertical": "vertical" in flip,
                }
            )
        return {
            split: make_source(
                store, self.sizes, self.anchors, self.configuration.seed, augmentation if split == "train" else None
            )
            for split, store in stores.items()
        }

    def _fit(self, sources: dict[str, DetectionSource]) -> None:
        configuration = self.configuration
        train = sources["train"]
        every = max(1, configuration.epochs // JUDGED_TIMES)

        def judge(epoch: int, logs: dict) -> Judgement:
            if (epoch + 1) % every and epoch + 1 != configuration.epochs:
                return Judgement(None, {})
            truths, found = self._detect(sources["validation"])
            figures = coco_figures(truths, found, self.data.class_names)
            ap50, ap = figures["ap50"] or 0.0, figures["ap"] or 0.0
            self.watcher.log(f"epoch {epoch + 1}: validation AP50 {ap50:.3f}, AP {ap:.3f}")
            return Judgement([ap50, ap], {"val_ap": ap, "val_ap50": ap50})

        steps = configuration.epochs * -(-train.count // configuration.batch_size)
        self._compile(peak=configuration.learning_rate, steps=steps)
        self.watcher.log(f"training: {train.count} images, at most {configuration.epochs} epochs")
        outcome = Phase(
            name="training",
            model=self.model,
            saved=self.model,
            train=train,
            validation=sources["validation"],
            epochs=configuration.epochs,
            configuration=configuration,
            checkpoint_path=self.folder / "checkpoint.npz",
            history=self.history,
            judge=judge,
            average_momentum=AVERAGE_MOMENTUM,
            validation_batch=EVALUATION_BATCH,
        ).run(self.watcher)
        self.watcher.log(
            f"training: best after epoch {outcome['best_epoch']} of {outcome['epochs']}, validation AP50 "
            f"{outcome['best_score'][0]:.4f}"
        )

    def _compile(self, *, peak: float, steps: int) -> None:
        optimizer = make_optimizer(peak=peak, steps=steps, weight_decay=self.configuration.weight_decay)
        self.model.compile(optimizer=optimizer, loss=RetinaNetLoss(len(self.data.class_names)))

    # Result

    def _detect(self, source: DetectionSource) -> tuple[list[Truth], list[Detections]]:
        """What is on the images of a split and what the network finds, in pixels of the original images."""
        forward = tf.function(lambda images: self.model(images, training=False), reduce_retracing=True)
        truths, found = [], []
        for start in range(0, source.count, EVALUATION_BATCH):
            self.watcher.check()
            indices = np.arange(start, min(start + EVALUATION_BATCH, source.count))
            raw = forward(tf.convert_to_tensor(source.store.gather(indices), dtype=tf.float32)).numpy()
            for index, one in zip(indices, raw, strict=True):
                sample = source.store.samples[index]
                truths.append(
                    Truth(sample.id, np.array(sample.boxes, np.float32).reshape(-1, 4), np.array(sample.labels, int))
                )
                found.append(self._decoded(one, *self.sizes[sample.id]))
        return truths, found

    def _decoded(self, raw: np.ndarray, width: int, height: int) -> Detections:
        letterbox = Letterbox.fit(width, height, self.size)
        found = detections_from(
            self.anchors, raw, letterbox.content_size, score_threshold=LOWEST_SCORE, iou_threshold=NMS_IOU,
            limit=MAX_DETECTIONS,
        )  # fmt: skip
        return Detections(letterbox.to_image(found.boxes, width, height), found.scores, found.labels)

    def _finish(self, sources: dict[str, DetectionSource], started: float) -> DetectionResult:
        self.watcher.on_progress("evaluating", 0, 1)
        names = self.data.class_names
        validation = self._detect(sources["validation"])
        thresholds = best_thresholds(match(*validation, len(names)))
        chosen = round(thresholds["all"]["threshold"], 4)
        test = self._detect(sources["test"])
        metrics = detection_metrics(*test, names, chosen)
        files, difference = self._export(sources["test"])
        detector = {
            "anchors": self.shapes.to_dict(),
            "score_threshold": chosen,
            "label_thresholds": {
                name: round(thresholds[index]["threshold"], 4) for index, name in enumerate(names)
            },
            "iou_threshold": NMS_IOU,
            "letterbox": "top left, grey 114",
        }  # fmt: skip
        return DetectionResult(
            configuration=self.configuration.to_dict(),
            class_names=names,
            input_size=self.size,
            files=files,
            metrics=metrics,
            validation_metrics=detection_metrics(*validation, names, chosen),
            mistakes=worst_images(*test, chosen),
            history=self.history,
            versions=library_versions() | {"keras-hub": _keras_hub_version()},
            parameters=int(self.model.count_params()),
            seconds=round(time.monotonic() - started, 1),
            litert_difference=difference,
            detector=detector,
            broken=[list(one) for source in sources.values() for one in source.store.broken],
        )

    def _export(self, test: DetectionSource) -> tuple[dict[str, str], float]:
        names = {"keras": "model.keras", "litert-float32": "model.tflite", "labels": "labels.txt"}
        paths = {kind: self.folder / name for kind, name in names.items()}
        self.watcher.on_progress("export", 0, 2)
        export.export_keras(self.model, paths["keras"])
        self.watcher.check()
        export.export_litert(self.model, paths["litert-float32"], self.shapes, NMS_IOU)
        images = test.store.gather(np.arange(min(4, test.count)))
        difference = export.check_litert(paths["litert-float32"], images, self.model, self.shapes, NMS_IOU)
        self.watcher.log(f"LiteRT file agrees with Keras on {len(images)} test images to {difference:.1e}")
        self.watcher.on_progress("export", 2, 2)
        paths["labels"].write_text("".join(f"{name}\n" for name in self.data.class_names), encoding="utf-8")
        return {kind: str(path) for kind, path in paths.items()}, difference


def _keras_hub_version() -> str:
    from importlib.metadata import version

    return version("keras-hub")
