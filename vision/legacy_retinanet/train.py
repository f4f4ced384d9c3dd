"""Training detectors with keras-retinanet: its networks, losses, generator and optimizer in the studio's life cycle."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf
import tf_keras
from keras_retinanet.models import backbone as package_backbone

from vision.detection.configuration import DetectionConfiguration
from vision.detection.evaluation import NMS_IOU
from vision.detection.samples import DetectionData, boxes_in_input, check_detection_data
from vision.detection.work import DetectorTraining, Stores
from vision.legacy_retinanet.generator import LetterboxedGenerator, write_csv_pair
from vision.legacy_retinanet.networks import (
    DEFAULT_SHAPES,
    anchor_parameters,
    build,
    compile_for_training,
    export_litert,
    levels_of,
    load_weights,
    raw_model,
)
from vision.runtime.boxes import AnchorShapes
from vision.training.architectures import KERAS_RETINANET, find_weights
from vision.training.checkpoint import load_checkpoint, save_checkpoint
from vision.training.data import ImageCache
from vision.training.errors import DivergedError, Interrupted
from vision.training.hooks import PREPARING, TrainingHooks
from vision.training.machine import out_of_memory_explained
from vision.training.resources import Estimate, mean_seconds, measured
from vision.training.result import TrainingResult
from vision.training.speeds import Speeds

CHECKPOINT_SECONDS = 120.0
FINE_TUNE_RATE = 0.3


def preflight_keras_retinanet(configuration: DetectionConfiguration, data: DetectionData, folder: Path) -> Estimate:
    """Check the data and time a few steps; nothing is trained."""
    check_detection_data(data)
    _prepare(configuration)
    with out_of_memory_explained(configuration):
        training = _PackageTraining(configuration, data, folder, TrainingHooks())
        return measured(training.measure_speeds, training.expect)


def train_keras_retinanet(
    configuration: DetectionConfiguration,
    data: DetectionData,
    folder: Path,
    hooks: TrainingHooks | None = None,
    on_estimate: Callable[[Estimate], None] = lambda estimate: None,
    known: Speeds | None = None,
) -> TrainingResult:
    """As `train_detector`, with the keras-retinanet package."""
    started = time.monotonic()
    check_detection_data(data)
    _prepare(configuration)
    with out_of_memory_explained(configuration):
        training = _PackageTraining(configuration, data, folder, hooks or TrainingHooks())
        return training.run(on_estimate, started, known)


def _prepare(configuration: DetectionConfiguration) -> None:
    for gpu in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)
    tf_keras.utils.set_random_seed(configuration.seed)
    tf.config.experimental.enable_op_determinism()


class _PackageTraining(DetectorTraining):
    packages = ("tf_keras", "keras-retinanet", "keras-resnet")

    @property
    def backbone(self) -> str:
        return self.configuration.architecture.removeprefix(KERAS_RETINANET)

    def default_shapes(self) -> AnchorShapes | None:
        return DEFAULT_SHAPES if self.configuration.weights == "coco" else None

    def build(self) -> None:
        configuration = self.configuration
        self.network = build(self.backbone, len(self.data.class_names), self.shapes)
        self.model = self.network.model
        if self.data.start is not None:
            load_weights(self.network, Path(self.data.start.path))
            self.hooks.log("Starting from an earlier model")
        elif configuration.uses_pretrained:
            path = find_weights(configuration.spec, configuration.weights)
            assert path is not None  # `resolved` has looked
            load_weights(self.network, path)
            self.hooks.log(f"Starting from weights of {configuration.weights}: {path.name}")
        self._raw = raw_model(self.model, self.size, self.backbone, levels=levels_of(self.shapes))
        self._forward = tf.function(lambda images: self._raw(images, training=False), reduce_retracing=True)

    @property
    def parameters(self) -> int:
        return int(self.model.count_params())

    @property
    def layers(self) -> int:
        return len(self.model.submodules)

    def forward(self, images: np.ndarray) -> np.ndarray:
        return self._forward(tf.convert_to_tensor(images, dtype=tf.float32)).numpy()

    def time_steps(self, batch: int) -> tuple[float, float]:
        weights = self.model.get_weights()
        images = np.random.default_rng(0).integers(0, 255, (batch, *self.size, 3)).astype(np.float32)
        targets = [
            np.zeros((batch, len(self.anchors), 5), np.float32),
            np.zeros((batch, len(self.anchors), len(self.data.class_names) + 1), np.float32),
        ]
        compile_for_training(self.model, 1e-9)
        self.model.train_on_batch(images, targets)
        step = mean_seconds(lambda: self.model.train_on_batch(images, targets))
        self.forward(images)
        forward = mean_seconds(lambda: self.forward(images)) / batch
        self.model.set_weights(weights)
        tf_keras.utils.set_random_seed(self.configuration.seed)
        return step, forward

    def fit(self, stores: Stores) -> None:
        train, validation = (self._generator(split, stores[split]) for split in ("train", "validation"))
        self.hooks.on_progress(PREPARING, 0, 1)
        keeper = _TrainingCallback(self, train, validation, stores["validation"])
        keeper.run()

    def _generator(self, split: str, store: ImageCache) -> LetterboxedGenerator:
        configuration = self.configuration
        boxes = boxes_in_input(store.samples, self.sizes, store.image_size)
        annotations, classes = write_csv_pair(self.folder, split, store.samples, boxes, self.data.class_names)
        parameters = anchor_parameters(self.shapes)
        words = {
            name: " ".join(f"{float(one):.8g}" if name in ("ratios", "scales") else str(one) for one in values)
            for name, values in vars(parameters).items()
        }
        levels = " ".join(map(str, levels_of(self.shapes)))
        is_train = split == "train"
        return LetterboxedGenerator(
            annotations,
            classes,
            store,
            boxes,
            seed=configuration.seed,
            batch_size=min(configuration.batch_size, len(store)),
            augmentation=configuration.augmentation if is_train else "none",
            flip=configuration.flip,
            preprocess=package_backbone(self.backbone).preprocess_image,
            is_shuffled=is_train,
            config={"anchor_parameters": words, "pyramid_levels": {"levels": levels}},
        )

    def save(self, litert: Path) -> dict[str, Path]:
        """The package's own file: what its `convert_model` and `load_model` take."""
        path = self.folder / "model.h5"
        self.model.save(str(path), include_optimizer=False)
        export_litert(self.model, litert, self.size, self.backbone, self.shapes, NMS_IOU)
        return {"keras-h5": path}


class _TrainingCallback(tf_keras.callbacks.Callback):
    """The epochs of a training: rate, progress, checkpoints, best weights; goes on where its checkpoint stopped."""

    def __init__(
        self,
        training: _PackageTraining,
        train: LetterboxedGenerator,
        validation: LetterboxedGenerator,
        validation_store: ImageCache,
    ) -> None:
        super().__init__()
        self.training = training
        self.configuration = training.configuration
        self.hooks = training.hooks
        self.train, self.validation, self.validation_store = train, validation, validation_store
        self.frozen = min(self.configuration.frozen_epochs or 0, self.configuration.epochs - 1)
        self.epoch, self.step = 0, 0
        self.best_epoch = 0
        self.best_score: list[float] | None = None
        self.judged_since_best = 0
        self.best_values: list[np.ndarray] = []
        self._optimizer_values: list[np.ndarray] = []
        self._learns = [layer.trainable for layer in training.network.backbone]
        self._last_checkpoint = self._epoch_started = time.monotonic()
        self._last_report = 0.0

    def run(self) -> None:
        self._restore()
        epochs = self.configuration.epochs
        while self.epoch < epochs:
            is_frozen = self.epoch < self.frozen
            self._set_up(is_frozen)
            until = self.frozen if is_frozen else epochs
            # Keras takes the first epoch's number of steps for all: the rest of a broken epoch is a fit of its own.
            self._fit(until=self.epoch + 1 if self.step else until)
            if self.model.stop_training:
                break
        if self.best_values:
            self.training.model.set_weights(self.best_values)
        self.hooks.log(f"training: best after epoch {self.best_epoch} of {self.epoch}")

    def _set_up(self, is_frozen: bool) -> None:
        """Compile for this part of the training; the optimizer goes on with what the checkpoint had of it."""
        training = self.training
        for layer, learns in zip(training.network.backbone, self._learns, strict=True):
            layer.trainable = learns and not is_frozen
        part = "head" if is_frozen else "fine_tuning" if self.frozen else "training"
        if getattr(self, "part", None) != part:
            compile_for_training(training.model, self.configuration.learning_rate)
            self.part = part
        if self._optimizer_values:
            optimizer = training.model.optimizer
            optimizer.build(training.model.trainable_variables)
            for variable, value in zip(optimizer.variables, self._optimizer_values, strict=True):
                variable.assign(value)
            self._optimizer_values = []

    def _fit(self, until: int) -> None:
        self.train.begin_at(self.epoch, self.step)
        self.training.model.fit(
            self.train,
            validation_data=self.validation,
            initial_epoch=self.epoch,
            epochs=until,
            callbacks=[self],
            verbose=0,
            shuffle=False,
        )

    def _rate(self, epoch: int) -> float:
        """Half a cosine over all epochs, lower once the backbone learns too."""
        peak = self.configuration.learning_rate * (FINE_TUNE_RATE if self.frozen and epoch >= self.frozen else 1.0)
        return peak * max(0.01, 0.5 * (1 + math.cos(math.pi * epoch / self.configuration.epochs)))

    # Callbacks of Keras

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._epoch_started = time.monotonic()
        self.model.optimizer.learning_rate.assign(self._rate(epoch))

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self.step += 1
        now = time.monotonic()
        steps = self.train.steps
        if now - self._last_report > 0.5 or self.step == steps:
            self._last_report = now
            self.hooks.on_progress(self.part, self.epoch * steps + self.step, self.configuration.epochs * steps)
        try:
            self.hooks.raise_if_cancelled()
        except Interrupted:
            self._save()
            raise
        if now - self._last_checkpoint > CHECKPOINT_SECONDS and self.step < steps:
            self._save()

    def on_test_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self.hooks.raise_if_cancelled()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        logs = logs or {}
        if not np.isfinite(logs["loss"]):
            raise DivergedError.at(logs["loss"], epoch + 1)
        figures = {}
        if self.training.should_evaluate_after(epoch):
            ap50, ap = self.training.evaluate(self.validation_store, epoch)
            figures = {"val_ap": ap, "val_ap50": ap50}
            score = [ap50, ap, -float(logs["val_loss"])]
            self.judged_since_best += 1
            if self.best_score is None or score > self.best_score:
                self.best_score, self.best_epoch, self.judged_since_best = score, epoch + 1, 0
                self.best_values = self.training.model.get_weights()
        self._record(epoch, logs, figures)
        self.epoch, self.step = epoch + 1, 0
        patience = self.configuration.early_stopping
        if patience and self.judged_since_best >= patience and self.epoch < self.configuration.epochs:
            self.hooks.log(f"no improvement on the validation split in {patience} evaluated epochs, stopping early")
            self.model.stop_training = True
        self._save()

    def _record(self, epoch: int, logs: dict, figures: dict) -> None:
        seconds = time.monotonic() - self._epoch_started
        entry = {
            "phase": self.part,
            "epoch": epoch + 1,
            "loss": float(logs["loss"]),
            "val_loss": float(logs["val_loss"]),
            **figures,
            "learning_rate": float(self.model.optimizer.learning_rate.numpy()),
            "seconds": round(seconds, 3),
            "images_per_second": round(self.train.size() / max(seconds, 1e-6), 1),
        }
        self.training.history.append(entry)
        self.hooks.on_epoch(entry)

    # The checkpoint

    def _save(self) -> None:
        model = self.training.model
        progress = {
            "phase": self.part,
            "epoch": self.epoch,
            "step": self.step,
            "best_epoch": self.best_epoch,
            "best_score": self.best_score,
            "judged_since_best": self.judged_since_best,
            "history": self.training.history,
        }
        groups = {
            "weights": model.get_weights(),
            "optimizer": [variable.numpy() for variable in model.optimizer.variables],
            "best": self.best_values,
        }
        save_checkpoint(self.training.checkpoint, progress, groups)
        self._last_checkpoint = time.monotonic()
        self.hooks.on_checkpoint()

    def _restore(self) -> None:
        found = load_checkpoint(self.training.checkpoint)
        if found is None:
            return
        progress, groups = found
        self.training.model.set_weights(groups["weights"])
        self.best_values = groups.get("best", [])
        self.epoch, self.step = progress["epoch"], progress["step"]
        self.best_epoch, self.best_score = progress["best_epoch"], progress["best_score"]
        self.judged_since_best = progress.get("judged_since_best", 0)
        self.training.history[:] = progress["history"]
        is_same_part = (self.epoch < self.frozen) == (progress["phase"] == "head")
        self._optimizer_values = groups["optimizer"] if is_same_part else []
        self.hooks.log(f"{progress['phase']}: continued after epoch {self.epoch}, step {self.step}")
