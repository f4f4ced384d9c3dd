"""What a training will take on this machine: a few steps timed, memory measured, disk counted."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import psutil

from vision.keras_internals import all_layers
from vision.training.budget import within_budget
from vision.training.configuration import Configuration
from vision.training.data import choose_place, needed_bytes
from vision.training.fitting import compile_for
from vision.training.networks import (
    Network,
    augmentation_layers,
    freeze_backbone,
    unfreeze_backbone,
    with_augmentation,
)
from vision.training.resources import Estimate, export_seconds, mean_seconds, peak_memory

DECODE_SECONDS_PER_IMAGE = 0.004


def estimate_training(network: Network, configuration: Configuration, counts: dict[str, int], folder: Path) -> Estimate:
    """Time a few steps of every phase on random pixels and add everything up.

    The network's weights are put back afterwards.

    Args:
        counts: images of each split.
        folder: where the training will write; its free space decides where pixels are kept.
    """
    weights = network.model.get_weights()
    batch = min(configuration.batch_size, counts["train"])
    evaluated = counts["validation"]
    images = np.random.default_rng(0).integers(0, 255, (batch, *network.model.input_shape[1:])).astype(np.float32)
    forward = _time_forward(network.backbone or network.model, images) / batch
    phases = {"decoding": sum(counts.values()) * DECODE_SECONDS_PER_IMAGE}
    if not configuration.uses_pretrained:
        step = _time_steps(network.model, images, configuration)
        phases["training"] = configuration.epochs * (-(-counts["train"] // batch) * step + evaluated * forward)
    else:
        phases["features"] = (counts["train"] + evaluated) * forward
        phases["head"] = configuration.epochs * (0.05 + counts["train"] / batch * 0.003)
        if not configuration.fine_tune and augmentation_layers(configuration):
            phases["head"] = configuration.epochs * (counts["train"] + evaluated) * forward * 1.15
        if configuration.fine_tune:
            unfreeze_backbone(network)
            step = _time_steps(network.model, images, configuration)
            freeze_backbone(network)
            phases["fine_tuning"] = configuration.fine_tune_epochs * (
                -(-counts["train"] // batch) * step + evaluated * forward
            )
    to_export = export_seconds(len(all_layers(network.model)), network.model.count_params())
    phases["export"] = to_export + (evaluated + counts["test"]) * forward
    network.model.set_weights(weights)
    return _summed(network, configuration, counts, folder, phases)


def _summed(
    network: Network, configuration: Configuration, counts: dict[str, int], folder: Path, phases: dict[str, float]
) -> Estimate:
    size = (configuration.image_size, configuration.image_size)
    place = choose_place(sum(counts.values()), size, folder)
    pixels = needed_bytes(sum(counts.values()), size)
    weights_bytes = network.model.count_params() * 4
    memory = int(peak_memory() * 1.1) + 4 * weights_bytes + (pixels if place == "memory" else 0)
    disk = 8 * weights_bytes + (pixels if place == "disk" else 0) + (1 << 20)
    warnings = []
    available = psutil.virtual_memory().available
    if memory > available:
        warnings.append(
            f"This training needs about {memory / 1e9:.1f} GB of memory and {available / 1e9:.1f} GB are free: "
            "choose a smaller image_size or batch_size."
        )
    if configuration.weights == "none" and configuration.spec.is_backbone:
        warnings.append(
            f"The ImageNet weights of {configuration.architecture} are not on this machine: it is trained from "
            "scratch, which takes longer and needs far more images."
        )
    estimate = Estimate(
        seconds=round(sum(phases.values()), 1),
        memory_bytes=memory,
        disk_bytes=disk,
        pixels=place,
        seconds_by_phase={name: round(seconds, 1) for name, seconds in phases.items()},
        warnings=warnings,
    )
    return within_budget(estimate, configuration)


def _time_forward(model: keras.Model, images: np.ndarray) -> float:
    model.predict_on_batch(images)
    return mean_seconds(lambda: model.predict_on_batch(images))


def _time_steps(model: keras.Model, images: np.ndarray, configuration: Configuration) -> float:
    trained = with_augmentation(model, configuration)
    compile_for(trained, configuration, peak=1e-6, steps=100, label_smoothing=0.0)
    targets = np.eye(model.output_shape[-1], dtype=np.float32)[np.zeros(len(images), int)]
    trained.train_on_batch(images, targets)
    return mean_seconds(lambda: trained.train_on_batch(images, targets))
