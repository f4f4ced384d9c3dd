"""One phase of training (from scratch, head, fine-tuning): fit with progress, checkpoints, resume and best weights."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import keras
import numpy as np
import tensorflow as tf

from vision.training.budget import Deadline
from vision.training.checkpoint import get_values, load_checkpoint, save_checkpoint, set_values
from vision.training.data import epoch_order
from vision.training.errors import DivergedError, Interrupted
from vision.training.hooks import PREPARING, TrainingHooks
from vision.training.input_pipeline import Feed

CHECKPOINT_SECONDS = 120.0
# What writing checkpoints may take of a training: those of a detector have hundreds of megabytes.
CHECKPOINT_SHARE = 0.05


class PhaseSettings(Protocol):
    """The settings that every phase needs, of whatever task."""

    @property
    def batch_size(self) -> int: ...
    @property
    def early_stopping(self) -> int: ...
    @property
    def seed(self) -> int: ...


@dataclass(frozen=True)
class ValidationScore:
    """How good the network is after an epoch.

    Attributes:
        score: compared item by item, larger is better; None when this epoch was not evaluated.
        figures: what the history says of it.
    """

    score: list[float] | None
    figures: dict


def score_classifier(epoch: int, logs: dict) -> ValidationScore:
    """By the accuracy on the validation split, or the balanced one where there is one, then by its loss."""
    figures = {"accuracy": float(logs["accuracy"]), "val_accuracy": float(logs["val_accuracy"])}
    score = figures["val_accuracy"]
    if "val_balanced_accuracy" in logs:
        score = figures["val_balanced_accuracy"] = float(logs["val_balanced_accuracy"])
    return ValidationScore([score, -float(logs["val_loss"])], figures)


@dataclass
class Phase:
    """One stretch of training of one model.

    Attributes:
        name: "training", "head" or "fine_tuning".
        model: the compiled model that is fitted.
        saved: the model whose weights are checkpointed and kept at their best (without augmentation).
        epoch_offset: epochs of earlier phases, so that history counts on.
        evaluate: `(epoch, logs of fit)` → `ValidationScore`, called after every epoch.
        average_momentum: when set, an average of the weights over the steps is evaluated and kept instead of
            the weights (Polyak and Juditsky 1992).
        deadline: ends the phase when its time is over.
    """

    name: str
    model: keras.Model
    saved: keras.Model
    train: Feed
    validation: Feed
    epochs: int
    configuration: PhaseSettings
    checkpoint_path: Path
    epoch_offset: int = 0
    evaluate: Callable[[int, dict], ValidationScore] = score_classifier
    average_momentum: float | None = None
    history: list[dict] = field(default_factory=list)
    deadline: Deadline = field(default_factory=Deadline)
    validation_batch: int = 64

    def run(self, hooks: TrainingHooks) -> dict:
        """Train to the end or the early stop and leave the best weights in the model.

        Returns:
            `{"epochs": trained, "best_epoch": …, "best_score": [validation accuracy, -validation loss]}`.

        Raises:
            Cancelled, Interrupted: from `hooks.raise_if_cancelled`; a checkpoint is written before.
            DivergedError: the loss is not a number.
            DiskFullError: a checkpoint could not be written.
        """
        hooks.on_progress(PREPARING, 0, 1)  # until the first step: TensorFlow traces it, which takes a while
        keeper = _TrainingCallback(self, hooks)
        keeper.restore()
        if keeper.steps_left < keeper.steps:
            # Keras takes the first epoch's number of steps for all: the rest of a broken epoch is a fit of its own.
            self._fit(keeper, until=keeper.epoch + 1)
        if not keeper.finished:
            self._fit(keeper, until=self.epochs)
        keeper.finish()
        return {"epochs": keeper.epoch, "best_epoch": keeper.best_epoch, "best_score": keeper.best_score}

    def _fit(self, keeper: _TrainingCallback, until: int) -> None:
        self.model.fit(
            self.train.dataset(keeper.batches, keeper.steps_left),
            validation_data=self.validation.in_order(self.validation_batch),
            initial_epoch=keeper.epoch,
            epochs=until,
            callbacks=[keeper],
            verbose=0,
        )


class _TrainingCallback(keras.callbacks.Callback):
    """Progress, checkpoints, early stopping and best weights of a phase."""

    def __init__(self, phase: Phase, hooks: TrainingHooks) -> None:
        super().__init__()
        self.phase = phase
        self.hooks = hooks
        self.epoch = 0  # epochs wholly done
        self.step = 0  # steps done in the current epoch
        self.best_epoch = 0
        self.best_score: list[float] | None = None
        self.best_values: list[np.ndarray] = []
        self.judged_since_best = 0
        self.finished = False
        self._skip = 0
        self._random_values: list[np.ndarray] = []
        count = phase.train.count
        self._batch = min(phase.configuration.batch_size, count)
        self.steps = -(-count // self._batch)
        self._last_checkpoint = time.monotonic()
        self._checkpoint_seconds = 0.0
        self._last_report = 0.0
        self._counted_until = time.monotonic()
        self.average = None
        if phase.average_momentum is not None:
            self.average = WeightAverage(phase.saved.trainable_variables, phase.average_momentum)

    # What is fed

    @property
    def steps_left(self) -> int:
        return self.steps - self._skip

    def batches(self) -> Iterator[tuple[np.ndarray, int]]:
        """Index batches of the current epoch; after a resume its first steps are skipped."""
        epoch = self._global_epoch(self.epoch)
        order = epoch_order(self.phase.train.count, self.phase.configuration.seed, epoch)
        # Keras reads a first batch to build the model before it starts, so the skip is forgotten only in on_epoch_end.
        start = self._skip * self._batch
        for position in range(start, len(order), self._batch):
            yield order[position : position + self._batch], epoch

    def _global_epoch(self, epoch: int) -> int:
        return self.phase.epoch_offset + epoch

    # Keras callbacks

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        if self._skip == 0:
            self.step = 0
            self._seed_randomness(self._global_epoch(epoch))
        else:  # the epoch goes on in the middle; building the model has used up random numbers since
            set_values(_random_states(self.model), self._random_values)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self.step += 1
        if self.average is not None:
            self.average.update()
        now = time.monotonic()
        if now - self._last_report > 0.5 or self.step == self.steps:
            self._last_report = now
            self._report()
        try:
            self.hooks.raise_if_cancelled()
        except Interrupted:
            self.save()
            raise
        if now - self._last_checkpoint > CHECKPOINT_SECONDS and self.step < self.steps:
            self.save()

    def on_test_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self.hooks.raise_if_cancelled()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        logs = logs or {}
        if not np.isfinite(logs["loss"]):
            raise DivergedError.at(logs["loss"], epoch + 1)
        with self.average.in_place() if self.average is not None else nullcontext():
            judgement = self.phase.evaluate(epoch, logs)
            score = judgement.score
            self.judged_since_best += score is not None
            if score is not None and (self.best_score is None or score > self.best_score):
                self.best_score, self.best_epoch, self.judged_since_best = score, epoch + 1, 0
                self.best_values = get_values(self.phase.saved.weights)
        self.epoch, self.step, self._skip = epoch + 1, 0, 0
        self._record(epoch, logs, judgement.figures)
        patience = self.phase.configuration.early_stopping
        if patience and self.judged_since_best >= patience and self.epoch < self.phase.epochs:
            self.hooks.log(
                f"{self.phase.name}: no improvement on the validation split in {patience} evaluated epochs, "
                "stopping early"
            )
            self.finished = True
            self.model.stop_training = True
        is_late = self.phase.deadline.is_over(self.phase.history) and self.best_score is not None
        if is_late and self.epoch < self.phase.epochs:
            self.hooks.log(f"{self.phase.name}: the time is over, stopping after epoch {self.epoch}")
            self.finished = True
            self.model.stop_training = True
        if self.epoch >= self.phase.epochs:
            self.finished = True
        if self.finished or self._is_checkpoint_due():
            self.save()

    def _is_checkpoint_due(self) -> bool:
        # Epochs of a head on ready features last a tenth of a second: one checkpoint a second is plenty there.
        pause = max(1.0, self._checkpoint_seconds / CHECKPOINT_SHARE)
        return time.monotonic() - self._last_checkpoint > min(pause, CHECKPOINT_SECONDS)

    def _record(self, epoch: int, logs: dict, figures: dict) -> None:
        # With what came between the epochs, so that they add up to what the phase takes.
        now = time.monotonic()
        seconds, self._counted_until = now - self._counted_until, now
        entry = {
            "phase": self.phase.name,
            "epoch": self._global_epoch(epoch) + 1,
            "loss": float(logs["loss"]),
            "val_loss": float(logs["val_loss"]),
            **figures,
            "learning_rate": float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)),
            "seconds": round(seconds, 3),
            "images_per_second": round(self.phase.train.count / max(seconds, 1e-6), 1),
        }
        self.phase.history.append(entry)
        self.hooks.on_epoch(entry)

    def _report(self) -> None:
        self.hooks.on_progress(self.phase.name, self.epoch * self.steps + self.step, self.phase.epochs * self.steps)

    # Randomness and state

    def _seed_randomness(self, epoch: int) -> None:
        """Give every random layer a state that depends on the seed and the epoch alone, so that a resume repeats it."""
        for number, state in enumerate(_random_states(self.model)):
            state.assign(np.array([self.phase.configuration.seed + 7919 * (number + 1), epoch], dtype=state.dtype))

    def save(self) -> None:
        started = time.monotonic()
        phase = self.phase
        progress = {
            "phase": phase.name,
            "epoch": self.epoch,
            "step": self.step,
            "best_epoch": self.best_epoch,
            "best_score": self.best_score,
            "judged_since_best": self.judged_since_best,
            "finished": self.finished,
            "history": phase.history,
        }
        groups = {
            "weights": get_values(phase.saved.weights),
            "optimizer": get_values(phase.model.optimizer.variables),
            "random": get_values(_random_states(phase.model)),
            "best": self.best_values,
            "average": [] if self.average is None else self.average.get(),
        }
        save_checkpoint(phase.checkpoint_path, progress, groups)
        self._last_checkpoint = time.monotonic()
        self._checkpoint_seconds = self._last_checkpoint - started
        self.hooks.on_checkpoint()

    def restore(self) -> None:
        """Go on where the checkpoint of this phase stopped, if there is one."""
        phase = self.phase
        found = load_checkpoint(phase.checkpoint_path)
        if found is None or found[0]["phase"] != phase.name:
            return
        progress, groups = found
        phase.model.optimizer.build(phase.model.trainable_variables)
        set_values(phase.saved.weights, groups["weights"])
        set_values(phase.model.optimizer.variables, groups["optimizer"])
        self._random_values = groups.get("random", [])
        self.best_values = groups.get("best", [])
        if self.average is not None and groups.get("average"):
            self.average.set(groups["average"])
        self.epoch, self.step = progress["epoch"], progress["step"]
        self.best_epoch, self.best_score = progress["best_epoch"], progress["best_score"]
        self.judged_since_best = progress.get("judged_since_best", 0)
        self.finished = progress["finished"]
        phase.history[:] = progress["history"]
        self._skip = self.step if self.step < self.steps else 0
        self.hooks.log(f"{phase.name}: continued after epoch {self.epoch}, step {self.step} of {self.steps}")

    def finish(self) -> None:
        if self.best_values:
            set_values(self.phase.saved.weights, self.best_values)


class WeightAverage:
    """A moving average of variables; it follows them closely at first, so that the start is soon forgotten."""

    def __init__(self, variables: list, momentum: float) -> None:
        self._variables = [variable.value for variable in variables]
        self._average = [tf.Variable(value, trainable=False) for value in self._variables]
        self._steps = tf.Variable(0.0, trainable=False)
        self._momentum = momentum

    @tf.function
    def update(self) -> None:
        self._steps.assign_add(1.0)
        momentum = tf.minimum(self._momentum, self._steps / (self._steps + 10.0))
        for average, value in zip(self._average, self._variables, strict=True):
            average.assign(momentum * average + (1.0 - momentum) * tf.cast(value, average.dtype))

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The variables have their average inside this context."""
        own = [tf.identity(value) for value in self._variables]
        self._assign(self._average)
        try:
            yield
        finally:
            self._assign(own)

    def _assign(self, values: list) -> None:
        for variable, value in zip(self._variables, values, strict=True):
            variable.assign(value)

    def get(self) -> list[np.ndarray]:
        return [self._steps.numpy(), *(average.numpy() for average in self._average)]

    def set(self, values: list[np.ndarray]) -> None:
        self._steps.assign(float(values[0]))
        for average, value in zip(self._average, values[1:], strict=True):
            average.assign(value)


def _random_states(model: keras.Model) -> list:
    """State variables of dropout and augmentation layers, in the model's order; they are no weights."""
    return [variable for variable in model.variables if variable.path.endswith("seed_generator_state")]
