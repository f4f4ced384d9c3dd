"""What we use of Keras' private parts does what we believe: the first test to fail after an update."""

from __future__ import annotations

import ast

import pytest

from tests.test_floors import ROOT, sources

INTERNALS = ROOT / "vision" / "keras_internals.py"
PRIVATE = {"_keras_history", "_inbound_nodes", "_flatten_layers", "_run_through_graph", "_get_variable_index"}


def test_only_one_module_knows_them():
    wrong = []
    for path in sources("vision"):
        if path == INTERNALS:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            used = isinstance(node, ast.Attribute) and node.attr in PRIVATE
            taken = isinstance(node, ast.ImportFrom) and (node.module or "").startswith(("keras.src", "keras_hub.src"))
            if used or taken:
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.slow
def test_they_are_what_we_take_them_for():
    import keras
    import numpy as np

    from vision import keras_internals as internals

    image = keras.Input((8, 8, 3))
    first = keras.layers.Conv2D(4, 3, name="first")
    body = keras.Model(image, first(image), name="body")
    seen = body(image)
    flat = keras.layers.Flatten(name="flat")(seen)
    head = keras.layers.Dense(2, name="head")
    model = keras.Model(image, head(flat))
    assert internals.operation_of(model.outputs[0]) is head and internals.operation_of(seen) is body
    assert internals.inputs_of(model.outputs[0])[0] is flat
    assert {"first", "head", "flat"} <= {layer.name for layer in internals.all_layers(model)}
    other = keras.Input((8, 8, 3))
    again = keras.Model(other, internals.output_for(model, other))
    pixels = np.ones((1, 8, 8, 3), np.float32)
    assert np.allclose(model(pixels), again(pixels))
    internals.forget_uninitialized_variables()
    old = {
        "class_name": "Sequential",
        "config": {
            "name": "old",
            "layers": [
                {
                    "class_name": "InputLayer",
                    "config": {"batch_input_shape": [None, 4], "dtype": "float32", "name": "in"},
                },
                {"class_name": "Dense", "config": {"units": 2, "name": "out"}},
            ],
        },
    }
    assert internals.model_of_keras_2(old).output_shape == (None, 2)
