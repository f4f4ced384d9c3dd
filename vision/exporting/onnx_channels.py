"""ONNX files for programs that give images as channels × height × width, as Windows' own and Custom Vision's do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

TO_CHANNELS_LAST = (0, 2, 3, 1)


def channels_first(path: Path, properties: Mapping[str, str]) -> bytes:
    """The file with its input turned from `(n, height, width, 3)` to `(n, 3, height, width)`, and with properties.

    A Transpose in front does it; the input keeps its name, and what it means.
    """
    import onnx
    from onnx import helper

    model = onnx.load(str(path))
    graph = model.graph
    (image,) = [value for value in graph.input if value.name not in {tensor.name for tensor in graph.initializer}]
    inner = f"{image.name}_channels_last"
    for node in graph.node:
        node.input[:] = [inner if name == image.name else name for name in node.input]
    shape = image.type.tensor_type.shape
    sizes = list(shape.dim)
    del shape.dim[:]
    shape.dim.extend(sizes[axis] for axis in (0, 3, 1, 2))
    graph.node.insert(0, helper.make_node("Transpose", [image.name], [inner], perm=TO_CHANNELS_LAST))
    for key, value in properties.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.checker.check_model(model)
    return model.SerializeToString()
