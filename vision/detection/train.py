"""Training RetinaNet on backbones of KerasHub and `keras.applications`."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict
from functools import partial
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from vision.detection import export
from vision.detection.augment import BoxAugmentation
from vision.detection.configuration import DetectionConfiguration
from vision.detection.data import DetectionSource, make_source
from vision.detection.evaluation import EVALUATION_BATCH, NMS_IOU
from vision.detection.losses import RetinaNetLoss
from vision.detection.networks import (
    build_retinanet,
    freeze_backbone,
    has_frozen_norms,
    keep_frozen_norms,
    unfreeze_backbone,
)
from vision.detection.optimizer import SlowBackboneAdamW
from vision.detection.samples import DetectionData, check_detection_data
from vision.detection.starting_weights import (
    load_backbone,
    load_earlier,
    load_matching_weights,
    scaling_for,
    scaling_of,
    transfer_label_weights,
)
from vision.detection.work import DetectorTraining, Stores
from vision.keras_internals import all_layers
from vision.training.architectures import find_weights
from vision.training.checkpoint import load_checkpoint
from vision.training.compiling import build_optimizer, make_optimizer
from vision.training.data import ImageCache
from vision.training.fitting import Phase, ValidationScore
from vision.training.hooks import TrainingHooks
from vision.training.kept import EarlierPhase
from vision.training.machine import out_of_memory_explained
from vision.training.resources import Estimate, mean_seconds, measured
from vision.training.result import TrainingResult
from vision.training.runtime import prepare_runtime
from vision.training.speeds import Speeds

BACKBONE_PREFIX = "retinanet_"
AVERAGE_MOMENTUM = 0.995
STRENGTHS = {
    "none": BoxAugmentation(),
    "light": BoxAugmentation(True, False, (0.75, 1.35), 0.15, 0.2, 0.2, 0.2),
    "strong": BoxAugmentation(True, False, (0.5, 2.0), 0.25, 0.4, 0.4, 0.4),
}


def preflight_detector(configuration: DetectionConfiguration, data: DetectionData, folder: Path) -> Estimate:
    """Check the data and time a few steps; nothing is trained."""
    check_detection_data(data)
    prepare_runtime(configuration)
    with out_of_memory_explained(configuration):
        training = _RetinaNetTraining(configuration, data, folder, TrainingHooks())
        return measured(training.measure_speeds, training.expect)


def train_detector(
    configuration: DetectionConfiguration,
    data: DetectionData,
    folder: Path,
    hooks: TrainingHooks | None = None,
    on_estimate: Callable[[Estimate], None] = lambda estimate: None,
    known: Speeds | None = None,
) -> TrainingResult:
    """Train, choose the threshold on the validation split, evaluate on the test split, export and verify.

    The checkpoint in `folder` is continued when there is one of the same training. Arguments and errors are those of
    `vision.training.train.train`.
    """
    started = time.monotonic()
    check_detection_data(data)
    folder.mkdir(parents=True, exist_ok=True)
    strategy = prepare_runtime(configuration)
    with strategy.scope() if strategy else nullcontext(), out_of_memory_explained(configuration):
        training = _RetinaNetTraining(configuration, data, folder, hooks or TrainingHooks())
        return training.run(on_estimate, started, known)


class _RetinaNetTraining(DetectorTraining):
    packages = ("keras", "keras-hub")

    def build(self) -> None:
        name = self.configuration.architecture.removeprefix(BACKBONE_PREFIX)
        num_classes = len(self.data.class_names)
        if self.data.start is not None:
            earlier = load_earlier(Path(self.data.start.path))
            self.model = build_retinanet(name, self.size, num_classes, self.shapes, scaling=scaling_of(earlier))
            taken = load_matching_weights(self.model, earlier)
            keep_frozen_norms(self.model, earlier)
            kept = transfer_label_weights(self.model, earlier, self.data.class_names, self.data.start.class_names)
            self.hooks.log(
                f"Starting from an earlier model: {taken:.0%} of its weights fit, and {kept} of {num_classes} labels"
            )
        elif self.configuration.uses_pretrained:
            path = find_weights(self.configuration.spec, self.configuration.weights)
            assert path is not None  # `resolved` has looked
            self.model = build_retinanet(name, self.size, num_classes, self.shapes, scaling=scaling_for(path))
            load_backbone(self.model, name, path)
            unfreeze_backbone(self.model)
            self.hooks.log(f"The backbone starts with weights of {self.configuration.weights}")
        else:
            self.model = build_retinanet(name, self.size, num_classes, self.shapes)
        self._forward = tf.function(lambda images: self.model(images, training=False), reduce_retracing=True)

    @property
    def parameters(self) -> int:
        return int(self.model.count_params())

    @property
    def layers(self) -> int:
        return len(all_layers(self.model))

    def forward(self, images: np.ndarray) -> np.ndarray:
        return self._forward(tf.convert_to_tensor(images, dtype=tf.float32)).numpy()

    def time_steps(self, batch: int) -> tuple[float, float]:
        weights = self.model.get_weights()
        images = np.random.default_rng(0).integers(0, 255, (batch, *self.size, 3)).astype(np.float32)
        targets = np.zeros((batch, len(self.anchors), 5), np.float32)
        self._compile(peak=1e-6, steps=100)
        self.model.train_on_batch(images, targets)
        step = mean_seconds(lambda: self.model.train_on_batch(images, targets))
        self.model.predict_on_batch(images)
        forward = mean_seconds(lambda: self.model.predict_on_batch(images)) / batch
        self.model.set_weights(weights)
        keras.utils.set_random_seed(self.configuration.seed)
        return step, forward

    def fit(self, stores: Stores) -> None:
        """All at once, or first the heads on a frozen backbone and then everything."""
        configuration = self.configuration
        sources = {split: self._source(stores[split], split) for split in ("train", "validation")}
        frozen = min(configuration.frozen_epochs or 0, configuration.epochs - 1)
        if not frozen:
            self._phase("training", sources, configuration.epochs, configuration.learning_rate)
            return
        earlier = EarlierPhase(self.folder)
        found = load_checkpoint(self.checkpoint)
        if found is None or found[0]["phase"] == "head":
            freeze_backbone(self.model)
            score = self._phase("head", sources, frozen, configuration.learning_rate)
            earlier.keep(score, self.model.weights)
        else:
            self.history[:] = found[0]["history"]
        unfreeze_backbone(self.model)
        head_epochs = sum(entry["phase"] == "head" for entry in self.history)
        left, rate = configuration.epochs - frozen, configuration.learning_rate
        score = self._phase("fine_tuning", sources, left, rate, offset=head_epochs)
        earlier.restore_if_better(score, self.model.weights, self.hooks)

    def _source(self, store: ImageCache, split: str) -> DetectionSource:
        augmentation = STRENGTHS[self.configuration.augmentation]
        flip = self.configuration.flip
        if flip is not None:
            flips = {"flip_horizontal": "horizontal" in flip, "flip_vertical": "vertical" in flip}
            augmentation = BoxAugmentation(**{**asdict(augmentation), **flips})
        seed = self.configuration.seed
        return make_source(store, self.sizes, self.anchors, seed, augmentation if split == "train" else None)

    def _phase(
        self, name: str, sources: dict[str, DetectionSource], epochs: int, rate: float, offset: int = 0
    ) -> list[float]:
        configuration = self.configuration
        train = sources["train"]

        def evaluate(epoch: int, logs: dict) -> ValidationScore:
            if not self.should_evaluate_after(offset + epoch) and epoch + 1 != epochs:
                return ValidationScore(None, {})
            ap50, ap = self.evaluate(sources["validation"].store, offset + epoch)
            return ValidationScore([ap50, ap], {"val_ap": ap, "val_ap50": ap50})

        self._compile(peak=rate, steps=epochs * -(-train.count // configuration.batch_size))
        self.hooks.log(f"{name}: {train.count} images, at most {epochs} epochs")
        outcome = Phase(
            name=name,
            model=self.model,
            saved=self.model,
            train=train,
            validation=sources["validation"],
            epochs=epochs,
            configuration=configuration,
            checkpoint_path=self.checkpoint,
            epoch_offset=offset,
            history=self.history,
            deadline=self.deadline,
            evaluate=evaluate,
            average_momentum=AVERAGE_MOMENTUM,
            validation_batch=EVALUATION_BATCH,
        ).run(self.hooks)
        self.hooks.log(
            f"{name}: best after epoch {offset + outcome['best_epoch']} of {offset + outcome['epochs']}, validation "
            f"AP50 {outcome['best_score'][0]:.4f}"
        )
        return outcome["best_score"]

    def _compile(self, *, peak: float, steps: int) -> None:
        kind: Callable[..., keras.optimizers.AdamW] = keras.optimizers.AdamW
        if has_frozen_norms(self.model):  # its backbone has learned elsewhere
            kind = partial(SlowBackboneAdamW, slow=self.model.get_layer("backbone").trainable_variables)
        optimizer = make_optimizer(peak=peak, steps=steps, weight_decay=self.configuration.weight_decay, kind=kind)
        self.model.compile(optimizer=optimizer, loss=RetinaNetLoss(len(self.data.class_names)))
        build_optimizer(self.model)

    def save(self, litert: Path) -> dict[str, Path]:
        path = self.folder / "model.keras"
        export.export_keras(self.model, path)
        export.export_litert(self.model, litert, self.shapes, NMS_IOU)
        return {"keras": path}
