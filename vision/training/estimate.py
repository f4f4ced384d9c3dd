"""How fast the network of a classifier is on this machine: a few steps timed, and memory measured."""

from __future__ import annotations

import time

import keras
import numpy as np

from vision.keras_internals import all_layers
from vision.training.compiling import compile_for
from vision.training.configuration import Configuration
from vision.training.expected import needs_steps
from vision.training.features import is_faster_with_litert
from vision.training.machine import this_machine
from vision.training.networks import Network, freeze_backbone, unfreeze_backbone, with_augmentation
from vision.training.resources import mean_seconds, peak_memory
from vision.training.speeds import Speeds, network_of

# LiteRT beside a call of Keras without a graph, on so many images: 2.1 ms to 20 ms each, MobileNetV2 on two cores.
LITERT_IMAGES = 8
LITERT_SHARE = 0.12


def measure_speeds(network: Network, configuration: Configuration, batch: int) -> Speeds:
    """Time the network on random pixels. Its weights are put back."""
    weights = network.model.get_weights()
    images = np.random.default_rng(0).integers(0, 255, (batch, *network.model.input_shape[1:])).astype(np.float32)
    if configuration.is_frozen and is_faster_with_litert(fine_tunes=False):
        forward = _time_litert(network, images)
    else:
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


def _time_litert(network: Network, images: np.ndarray) -> float:
    """What an image takes by LiteRT, without its file, which is converted later."""
    assert network.backbone is not None
    images = images[:LITERT_IMAGES]
    network.backbone(images, training=False)  # what is done once only
    started = time.perf_counter()
    network.backbone(images, training=False)
    return (time.perf_counter() - started) / len(images) * LITERT_SHARE


def _time_forward(model: keras.Model, images: np.ndarray) -> float:
    model.predict_on_batch(images)
    return mean_seconds(lambda: model.predict_on_batch(images))


def _time_steps(model: keras.Model, images: np.ndarray, configuration: Configuration) -> float:
    trained = with_augmentation(model, configuration)
    compile_for(trained, configuration, peak=1e-6, steps=100, label_smoothing=0.0)
    targets = np.eye(model.output_shape[-1], dtype=np.float32)[np.zeros(len(images), int)]
    trained.train_on_batch(images, targets)
    return mean_seconds(lambda: trained.train_on_batch(images, targets))
