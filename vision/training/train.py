"""A whole training, from samples to verified files. The entry for notebooks and for the training process."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from vision.analysis.calibration import Calibration
from vision.analysis.predictions import OUTCOMES
from vision.imaging.letterbox import load_letterboxed
from vision.imaging.preprocessing import load_pixels
from vision.training import export
from vision.training.base_model import keep_head_rows
from vision.training.budget import Deadline, seconds_to_train
from vision.training.calibrating import calibrate
from vision.training.checkpoint import load_checkpoint
from vision.training.configuration import Configuration
from vision.training.data import (
    SPLITS,
    ImageCache,
    TrainingData,
    check_data,
    choose_place,
)
from vision.training.estimate import measure_speeds
from vision.training.expected import expected_classifier, needs_steps
from vision.training.features import BackboneFeatures, is_faster_with_litert, said_by
from vision.training.fitting import Phase
from vision.training.hooks import PREPARING, TrainingHooks
from vision.training.input_pipeline import Source
from vision.training.kept import EarlierPhase
from vision.training.machine import library_versions, out_of_memory_explained, usable_here
from vision.training.networks import (
    Network,
    augmentation_layers,
    build_network,
    freeze_backbone,
    standardize,
    unfreeze_backbone,
    with_augmentation,
)
from vision.training.objectives import CompileSettings, objective_of
from vision.training.resources import Estimate, estimated
from vision.training.resources import measured as measured_estimate
from vision.training.result import TrainingResult
from vision.training.runtime import prepare_runtime
from vision.training.speeds import Speeds

EVALUATION_BATCH = 64
COMPARED_IMAGES = 16
# A linear head on some thousand features with fewer images than features needs a firm hand: of the values tried on
# the sign digits (1e-4 to 3) this one and no label smoothing came out best, level with a logistic regression.
HEAD_WEIGHT_DECAY = 1.0


def preflight(configuration: Configuration, data: TrainingData, folder: Path) -> Estimate:
    """Check the data and time a few steps; nothing is trained.

    Raises:
        DataError, ConfigurationError, WeightsError, OutOfMemoryError.
    """
    check_data(data)
    prepare_runtime(configuration)
    with out_of_memory_explained(configuration):
        network = build_network(configuration, len(data.class_names), data.start, objective_of(data).activation)
        counts = {split: len(data.splits[split]) for split in SPLITS}
        return measured_estimate(
            lambda: measure_speeds(network, configuration, min(configuration.batch_size, counts["train"])),
            lambda speeds: expected_classifier(configuration, counts, speeds, folder),
        )


def train(
    configuration: Configuration,
    data: TrainingData,
    folder: Path,
    hooks: TrainingHooks | None = None,
    on_estimate: Callable[[Estimate], None] = lambda estimate: None,
    known: Speeds | None = None,
) -> TrainingResult:
    """Train, evaluate on the test split, export and verify the exports.

    The checkpoint in `folder` is continued when there is one of the same training.

    Args:
        configuration: resolved, see `Configuration.resolved`.
        data: samples of the three splits.
        folder: work folder of this training, on a disk with room (see `Estimate.disk_bytes`).
        hooks: progress, log, checkpoints and the command to stop.
        on_estimate: receives the `Estimate` before the first step.
        known: how fast its network is on this machine, where that was measured earlier; otherwise it is measured.

    Raises:
        EngineError: any ending its user can act on; `Cancelled` and `Interrupted` from `hooks.raise_if_cancelled`.
    """
    hooks = hooks or TrainingHooks()
    started = time.monotonic()
    check_data(data)
    strategy = prepare_runtime(configuration)
    with strategy.scope() if strategy else nullcontext(), out_of_memory_explained(configuration):
        return _Training(configuration, data, folder, hooks).run(on_estimate, started, known)


class _Training:
    def __init__(self, configuration: Configuration, data: TrainingData, folder: Path, hooks: TrainingHooks) -> None:
        self.configuration: Configuration = configuration
        self.data: TrainingData = data
        self.folder: Path = folder
        self.hooks: TrainingHooks = hooks
        self.checkpoint = folder / "checkpoint.npz"
        self.num_classes = len(data.class_names)
        self.objective = objective_of(data)
        self._load = load_letterboxed if configuration.resize == "letterbox" else load_pixels
        self.history: list[dict] = []
        self.deadline = Deadline()
        self.earlier_phase = EarlierPhase(folder)

    def run(self, on_estimate: Callable[[Estimate], None], started: float, known: Speeds | None) -> TrainingResult:
        self.hooks.on_progress(PREPARING, 0, 1)
        network = build_network(self.configuration, self.num_classes, self.data.start, self.objective.activation)
        place = self._estimate(network, on_estimate, known)
        features = self._backbone_features(network)
        stores = self._decode(place)
        try:
            self._fit(network, stores, features)
            return self._finish(network, stores, features, started)
        finally:
            for store in stores.values():
                store.close()

    def _estimate(self, network: Network, on_estimate: Callable[[Estimate], None], known: Speeds | None) -> str:
        """Say what it will take. Returns where decoded images are kept."""
        configuration, counts = self.configuration, {split: len(self.data.splits[split]) for split in SPLITS}
        known = usable_here(known)
        estimate = estimated(
            self.folder,
            None if known is not None and known.step is None and needs_steps(configuration) else known,
            lambda: measure_speeds(network, configuration, min(configuration.batch_size, counts["train"])),
            lambda speeds: expected_classifier(configuration, counts, speeds, self.folder),
            self.hooks,
            on_estimate,
        )
        self.deadline = Deadline(seconds_to_train(estimate, self.configuration))
        epochs = estimate.epochs.get("epochs", self.configuration.epochs)
        fine_tune_epochs = estimate.epochs.get("fine_tune_epochs", self.configuration.fine_tune_epochs)
        self.configuration = replace(self.configuration, epochs=epochs, fine_tune_epochs=fine_tune_epochs)
        keras.utils.set_random_seed(self.configuration.seed)
        return choose_place(sum(counts.values()), (self.configuration.image_size,) * 2, self.folder)

    def _decode(self, place: str) -> dict[str, ImageCache]:
        side = self.configuration.image_size
        total = sum(len(self.data.splits[split]) for split in SPLITS)
        before = 0
        stores = {}
        for split in SPLITS:
            samples = list(self.data.splits[split])
            store = ImageCache(samples, (side, side), place, self.folder / f"pixels-{split}.npy", self._load)
            report = partial(self._decoded, before, total)
            store.fill(report, self.hooks.raise_if_cancelled)
            before += len(samples)
            for identifier, reason in store.broken:
                self.hooks.log(f"left out image {identifier}: {reason}")
            stores[split] = store
        self.hooks.log(f"Decoded {total} images at {side} x {side} px, kept in {place}")
        return stores

    def _decoded(self, before: int, total: int, done: int, _: int) -> None:
        self.hooks.on_progress("decoding", before + done, total)

    def _backbone_features(self, network: Network) -> BackboneFeatures | None:
        """Those of a pretrained backbone; where they need its LiteRT file, its conversion begins here."""
        if not self.configuration.uses_pretrained:
            return None
        assert network.backbone is not None
        file = self.data.backbone if is_faster_with_litert(fine_tunes=False) else None
        is_converted = is_faster_with_litert(fine_tunes=bool(self.configuration.fine_tune))
        return BackboneFeatures(network.backbone, self.folder, self.hooks, file, is_converted)

    def _fit(self, network: Network, stores: dict[str, ImageCache], features: BackboneFeatures | None) -> None:
        if features is None:
            self._phase("training", network.model, stores, self.configuration.epochs, self.configuration.learning_rate)
            return
        found = load_checkpoint(self.checkpoint)
        freeze_backbone(network)
        if found is None or found[0]["phase"] == "head":
            score = self._head(network, stores, features, is_new=found is None)
            if self.configuration.fine_tune:
                self.earlier_phase.keep(score, network.model.weights)
        else:
            self.history = found[0]["history"]
        head_epochs = sum(entry["phase"] == "head" for entry in self.history)
        if self.configuration.fine_tune:
            unfreeze_backbone(network)
            score = self._phase(
                "fine_tuning",
                network.model,
                stores,
                self.configuration.fine_tune_epochs,
                self.configuration.fine_tune_learning_rate,
                epoch_offset=head_epochs,
            )
            self.earlier_phase.restore_if_better(score, network.model.weights, self.hooks)

    def _head(
        self, network: Network, stores: dict[str, ImageCache], backbone: BackboneFeatures, is_new: bool
    ) -> list[float]:
        """Train the head; with unchanged pixels it trains on features that are computed only once.

        Returns:
            Its score, as `_run`.
        """
        configuration = self.configuration
        features = {split: backbone.of(stores[split], split) for split in ("train", "validation")}
        standardize(network, features["train"].mean(axis=0), features["train"].var(axis=0))
        if is_new and self.data.start is not None:
            self._keep_rows(network)
        if augmentation_layers(configuration) and not configuration.fine_tune:
            return self._phase("head", network.model, stores, configuration.epochs, configuration.learning_rate)
        if configuration.head_solver == "lbfgs":
            assert network.head is not None
            labels = {split: self._labels(stores[split]) for split in features}
            entry, score = self.objective.solve_head(
                network.head, features, labels, configuration.class_weights, self.hooks
            )
            self.history = [entry]
            return [score]
        sources = {
            split: self._source(stores[split], rows.__getitem__, rows.shape[1:], np.float32)
            for split, rows in features.items()
        }
        phase = self._make_phase(
            "head", network.head, network.head, sources, configuration.epochs, configuration.learning_rate
        )
        return self._run(phase)

    def _keep_rows(self, network: Network) -> None:
        assert self.data.start is not None and network.head is not None
        kept = keep_head_rows(network.head, self.data.start, self.data.class_names, self.data.start_names)
        self.hooks.log(f"The head starts with what the base model knows of {kept} of {self.num_classes} labels")

    def _phase(
        self,
        name: str,
        model: keras.Model,
        stores: dict[str, ImageCache],
        epochs: int,
        peak: float,
        epoch_offset: int = 0,
    ) -> list[float]:
        side = self.configuration.image_size
        sources = {
            split: self._source(stores[split], stores[split].gather, (side, side, 3), np.uint8)
            for split in ("train", "validation")
        }
        trained = with_augmentation(model, self.configuration)
        return self._run(self._make_phase(name, trained, model, sources, epochs, peak, epoch_offset))

    def _source(
        self, store: ImageCache, gather: Callable[[np.ndarray], np.ndarray], shape: tuple[int, ...], dtype: type
    ) -> Source:
        return Source(gather, self._labels(store), shape, np.dtype(dtype), self.num_classes)

    def _labels(self, store: ImageCache) -> np.ndarray:
        return self.objective.labels_of(store.samples)

    def _make_phase(
        self,
        name: str,
        trained: keras.Model,
        saved: keras.Model,
        sources: dict[str, Source],
        epochs: int,
        peak: float,
        epoch_offset: int = 0,
    ) -> Phase:
        configuration = self.configuration
        train = sources["train"]
        train.weights = self.objective.image_weights(train.labels, configuration.class_weights)
        steps = epochs * -(-len(train.labels) // configuration.batch_size)
        self.objective.compile(
            trained,
            configuration if name != "head" else replace(configuration, weight_decay=HEAD_WEIGHT_DECAY),
            CompileSettings(
                peak=peak,
                steps=steps,
                label_smoothing=0.0 if name == "head" else configuration.label_smoothing,
                train_labels=train.labels,
                validation_labels=sources["validation"].labels,
            ),
        )
        return Phase(
            name=name,
            model=trained,
            saved=saved,
            train=train,
            validation=sources["validation"],
            epochs=epochs,
            configuration=configuration,
            checkpoint_path=self.checkpoint,
            epoch_offset=epoch_offset,
            evaluate=self.objective.evaluate,
            history=self.history,
            deadline=self.deadline,
            validation_batch=max(configuration.batch_size, EVALUATION_BATCH),
        )

    def _run(self, phase: Phase) -> list[float]:
        """Train a phase. Returns its score on the validation split as its objective has it; losses do not compare."""
        self.hooks.log(f"{phase.name}: {phase.train.count} images, at most {phase.epochs} epochs")
        outcome = phase.run(self.hooks)
        self.hooks.log(
            f"{phase.name}: best after epoch {outcome['best_epoch']} of {outcome['epochs']}, "
            f"validation score {outcome['best_score'][0]:.4f}"
        )
        return outcome["best_score"][:1]

    def _finish(
        self, network: Network, stores: dict[str, ImageCache], features: BackboneFeatures | None, started: float
    ) -> TrainingResult:
        test, names = stores["test"], self.data.class_names
        if self.configuration.fine_tune:
            features = None  # the backbone is another one now
        probabilities, calibration = self._calibrated(network, stores, features)
        self.hooks.on_progress("exporting", 0, 1)
        chosen = np.linspace(0, len(test) - 1, min(COMPARED_IMAGES, len(test))).astype(int)
        files, difference = export.write_files(
            network,
            names,
            self.folder,
            backbone=None if features is None else features.file,
            images=test.gather(chosen),
            reported=probabilities["test"][chosen],
        )
        self.hooks.log(f"LiteRT file agrees with Keras on {len(chosen)} test images to {difference:.1e}")
        labels = {split: self._labels(stores[split]) for split in probabilities}
        measured = self.objective.measure(labels, probabilities, [sample.id for sample in test.samples])
        measured.predictions.save(self.folder / OUTCOMES)
        return TrainingResult(
            configuration=self.configuration.to_dict(),
            class_names=names,
            input_size=(self.configuration.image_size, self.configuration.image_size),
            files=files,
            metrics=measured.metrics | {"temperature_scaling": calibration.to_dict()},
            validation_metrics=measured.validation_metrics,
            mistakes=measured.mistakes,
            thresholds=measured.thresholds,
            history=self.history,
            versions=library_versions("keras"),
            parameters=int(network.model.count_params()),
            seconds=round(time.monotonic() - started, 1),
            litert_difference=difference,
            outcomes=str(self.folder / OUTCOMES),
            broken=[list(problem) for store in stores.values() for problem in store.broken],
        )

    def _calibrated(
        self, network: Network, stores: dict[str, ImageCache], features: BackboneFeatures | None
    ) -> tuple[dict[str, np.ndarray], Calibration]:
        """What the network says of the validation and the test split, its confidence corrected."""
        self.hooks.on_progress("evaluating", 0, 1)
        splits = ("validation", "test")
        labels = {split: self._labels(stores[split]) for split in splits}
        if features is None:
            probabilities = {split: self._predict(network.model, stores[split]) for split in splits}
            some = stores["validation"].gather(np.arange(min(COMPARED_IMAGES, len(stores["validation"]))))
            found, calibration = calibrate(network.model, some, probabilities, labels)
        else:
            assert network.head is not None
            rows = {split: features.of(stores[split], split) for split in splits}
            probabilities = {split: said_by(network.head, rows[split]) for split in splits}
            some = rows["validation"][:COMPARED_IMAGES]
            found, calibration = calibrate(network.head, some, probabilities, labels)
        self.hooks.log(calibration.in_words)
        return found, calibration

    def _predict(self, model: keras.Model, store: ImageCache) -> np.ndarray:
        side = self.configuration.image_size
        source = self._source(store, store.gather, (side, side, 3), np.uint8)
        forward = tf.function(lambda images: model(images, training=False), reduce_retracing=True)
        outputs = []
        for images, _, _ in source.in_order(EVALUATION_BATCH):
            self.hooks.raise_if_cancelled()
            outputs.append(np.asarray(forward(images), dtype=np.float32))
        return np.concatenate(outputs)
