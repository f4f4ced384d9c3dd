"""How TensorFlow runs in a training: seeds, determinism, GPUs and precision."""

from __future__ import annotations

from typing import Protocol

import keras
import tensorflow as tf


class Repeatable(Protocol):
    """What the configurations of classifiers and detectors share of how they run."""

    @property
    def seed(self) -> int: ...
    @property
    def mixed_precision(self) -> str: ...


def prepare_runtime(configuration: Repeatable) -> tf.distribute.Strategy | None:
    """Seed everything, make operations deterministic, use the GPUs that are there.

    Returns:
        A `MirroredStrategy` when there are several GPUs, else None.
    """
    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
    keras.utils.set_random_seed(configuration.seed)
    tf.config.experimental.enable_op_determinism()
    mixed = configuration.mixed_precision == "on" or (configuration.mixed_precision == "auto" and bool(gpus))
    keras.mixed_precision.set_global_policy("mixed_float16" if mixed else "float32")
    return tf.distribute.MirroredStrategy() if len(gpus) > 1 else None
