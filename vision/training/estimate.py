"""How fast the network of a classifier is on this machine: a few steps timed, and memory measured."""

from __future__ import annotations

import keras
import numpy as np

from vision.keras_internals import all_layers
from vision.training.configuration import Configuration
from vision.training.expected import needs_steps
from vision.training.fitting import compile_for
from vision.training.machine import this_machine
from vision.training.networks import Network, freeze_backbone, unfreeze_backbone, with_augmentation
from vision.training.resources import mean_seconds, peak_memory
from vision.training.speeds import Speeds, network_of


def measure_speeds(network: Network, configuration: Configuration, batch: int) -> Speeds:
    """Time the network on random pixels. Its weights are put back."""
    weights = network.model.get_weights()
    images = np.random.default_rng(0).integers(0, 255, (batch, *network.model.input_shape[1:])).astype(np.float32)
    forward = _time_forward(network.backbone or network.model, images) / batch
    step = _time_all(network, images, configuration) if needs_steps(configuration) else None
    network.model.set_weights(weights)
    return Speeds(
        network=network_of(configuration) or "",
        machine=this_machine(),
        height=configuration.image_size,
        width=configuration.image_size,
        batch=batch,
        forward=forward,
        step=step,
        layers=len(all_layers(network.model)),
        parameters=int(network.model.count_params()),
        memory_bytes=peak_memory(),
    )


def _time_all(network: Network, images: np.ndarray, configuration: Configuration) -> float:
    """Seconds of a step that trains all weights."""
    if not configuration.uses_pretrained:
        return _time_steps(network.model, images, configuration)
    unfreeze_backbone(network)
    step = _time_steps(network.model, images, configuration)
    freeze_backbone(network)
    return step


def _time_forward(model: keras.Model, images: np.ndarray) -> float:
    model.predict_on_batch(images)
    return mean_seconds(lambda: model.predict_on_batch(images))


def _time_steps(model: keras.Model, images: np.ndarray, configuration: Configuration) -> float:
    trained = with_augmentation(model, configuration)
    compile_for(trained, configuration, peak=1e-6, steps=100, label_smoothing=0.0)
    targets = np.eye(model.output_shape[-1], dtype=np.float32)[np.zeros(len(images), int)]
    trained.train_on_batch(images, targets)
    return mean_seconds(lambda: trained.train_on_batch(images, targets))
