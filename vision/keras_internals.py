"""What Keras has no public name for, in one place; `tests/test_keras_internals.py` says when a version changes it."""

from __future__ import annotations

import keras
from keras.src.backend.common import global_state


def operation_of(tensor: keras.KerasTensor) -> keras.Operation:
    """The operation that made a tensor; a whole model where the tensor is its output within another one."""
    return tensor._keras_history.operation


def inputs_of(tensor: keras.KerasTensor) -> list[keras.KerasTensor]:
    """What that operation was given when it made the tensor."""
    history = tensor._keras_history
    return list(history.operation._inbound_nodes[history.node_index].input_tensors)


def all_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """The layers of a model and of the models in it, the model itself first."""
    return list(model._flatten_layers())


def output_for(model: keras.Model, tensor: keras.KerasTensor) -> keras.KerasTensor:
    """A functional model's output for another tensor, by the same layers, as one flat graph.

    As `keras.models.clone_model` does, which would put an input of its own in front.
    """
    return model._run_through_graph([tensor], operation_fn=lambda operation: operation)[0]


def index_in_optimizer(optimizer: keras.optimizers.Optimizer, variable: keras.Variable) -> int:
    """The place of a variable among those that the optimizer was built with; also of the backend's own variable."""
    return optimizer._get_variable_index(variable)


def forget_uninitialized_variables() -> None:
    """Let go of variables that were sketched and never made."""
    global_state.set_global_attribute("uninitialized_variables", [])


def model_of_keras_2(configuration: dict) -> keras.Model:
    """Of the configuration that Keras 2 wrote, which names no modules."""
    from keras.src.legacy.saving import saving_utils

    return saving_utils.model_from_config(configuration)
