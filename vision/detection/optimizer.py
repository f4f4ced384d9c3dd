"""An optimizer that changes a pretrained backbone more slowly than the new layers around it."""

from __future__ import annotations

from typing import Any

import keras

from vision.keras_internals import index_in_optimizer

# "Discriminative fine-tuning" (Howard and Ruder 2018, section 3.2). docs/experiments.md has what it is worth: at the
# rate of its heads a pretrained MobileNetV2 forgets what it knows.
BACKBONE_RATE = 0.1


class SlowBackboneAdamW(keras.optimizers.AdamW):
    """AdamW whose learning rate for the variables in `slow` is `BACKBONE_RATE` of that of all others."""

    def __init__(self, *arguments: Any, slow: list[keras.Variable], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._slow_ids = {id(variable) for variable in slow}
        self._slow_indices: set[int] = set()

    def build(self, variables: list[keras.Variable]) -> None:
        super().build(variables)
        self._slow_indices = {
            index_in_optimizer(self, variable) for variable in variables if id(variable) in self._slow_ids
        }

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        if index_in_optimizer(self, variable) in self._slow_indices:
            learning_rate = learning_rate * BACKBONE_RATE
        super().update_step(gradient, variable, learning_rate)
