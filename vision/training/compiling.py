"""Compiling a network: its optimizer, loss and metrics."""

from __future__ import annotations

from collections.abc import Callable

import keras

from vision.training.balanced import BalancedAccuracy
from vision.training.configuration import Configuration


def compile_for(
    model: keras.Model,
    configuration: Configuration,
    *,
    peak: float,
    steps: int,
    label_smoothing: float,
    is_uneven: bool = False,
) -> None:
    """A classifier's optimizer, loss and metrics: with the balanced accuracy where labels are uneven."""
    metrics = [
        keras.metrics.CategoricalAccuracy(name="accuracy"),
        *([BalancedAccuracy(model.output_shape[-1])] if is_uneven else []),
    ]
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=label_smoothing)
    compile_with(model, configuration, peak=peak, steps=steps, loss=loss, metrics=metrics)


def compile_with(
    model: keras.Model, configuration: Configuration, *, peak: float, steps: int, loss: Callable, metrics: list
) -> None:
    """The optimizer of every classifier, with a loss and metrics of its objective."""
    optimizer = make_optimizer(peak=peak, steps=steps, weight_decay=configuration.weight_decay)
    model.compile(optimizer=optimizer, loss=loss, weighted_metrics=[], metrics=metrics)
    build_optimizer(model)


def build_optimizer(model: keras.Model) -> None:
    """Make the optimizer's variables now: made inside the first step, they have TensorFlow trace that step twice."""
    model.optimizer.build(model.trainable_variables)


def make_optimizer(
    *,
    peak: float,
    steps: int,
    weight_decay: float,
    kind: Callable[..., keras.optimizers.AdamW] = keras.optimizers.AdamW,
) -> keras.optimizers.Optimizer:
    """AdamW (Loshchilov and Hutter 2019) with linear warm-up and cosine decay; no decay of biases and norms."""
    warmup = max(1, min(steps // 10, 200))
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=peak / 25,
        decay_steps=max(1, steps - warmup),
        warmup_target=peak,
        warmup_steps=warmup,
        alpha=0.01,
    )
    optimizer = kind(schedule, weight_decay=weight_decay, global_clipnorm=5.0)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer
