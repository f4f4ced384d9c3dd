"""The values of a SavedModel's variables, read from its checkpoint as numbers."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf.saved_object_graph_pb2 import SavedObjectGraph
from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

from vision.training.errors import UploadError

OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
VALUE = "VARIABLE_VALUE"
NUMBER_TYPES = (
    tf.float16,
    tf.bfloat16,
    tf.float32,
    tf.float64,
    tf.int8,
    tf.uint8,
    tf.int16,
    tf.int32,
    tf.int64,
    tf.bool,
)


class Variables:
    """Values by the number of their object.

    Raises:
        UploadError: `not_a_model`, `too_large`.
    """

    def __init__(self, folder: Path, objects: SavedObjectGraph, max_bytes: int) -> None:
        on_disk = sum(path.stat().st_size for path in folder.iterdir())
        try:
            self._reader = tf.train.load_checkpoint(str(folder / "variables"))
            self._check_sizes(min(max_bytes, on_disk))
            graph = TrackableObjectGraph.FromString(self._reader.get_tensor(OBJECT_GRAPH))
        except UploadError:
            raise
        except Exception as error:  # whatever a damaged checkpoint makes of TensorFlow and protobuf
            raise UploadError("not_a_model", "The variables of the SavedModel cannot be read.") from error
        self._objects = objects
        self._keys = _keys(objects, graph)

    def value(self, number: int) -> np.ndarray:
        key = self._keys.get(number, "")
        variable = self._objects.nodes[number].variable
        try:
            value = self._reader.get_tensor(key)
        except Exception as error:  # there is no such entry, or its bytes are damaged
            raise UploadError("not_a_model", f"The SavedModel has no value for {variable.name[:80]!r}.") from error
        if list(value.shape) != [dimension.size for dimension in variable.shape.dim] or value.dtype.kind not in "fiub":
            raise UploadError("not_a_model", f"The value of {variable.name[:80]!r} has another shape or kind.")
        return value

    def _check_sizes(self, max_bytes: int) -> None:
        """A checkpoint is not compressed: what it claims to hold must be there."""
        kinds = self._reader.get_variable_to_dtype_map()
        total = 0
        for name, shape in self._reader.get_variable_to_shape_map().items():
            if kinds[name] in NUMBER_TYPES:
                total += math.prod(shape) * kinds[name].size
        if total > max_bytes:
            raise UploadError("too_large", "The variables of the SavedModel claim more bytes than there are or may be.")


def _keys(objects: SavedObjectGraph, graph: TrackableObjectGraph) -> dict[int, str]:
    """Objects and their entries in the checkpoint, found on the same way from the root in both graphs."""
    keys: dict[int, str] = {}
    seen, waiting = {0}, [(0, 0)]
    while waiting:
        ours, theirs = waiting.pop()
        for attribute in graph.nodes[theirs].attributes:
            if attribute.name == VALUE:
                keys[ours] = attribute.checkpoint_key
        saved = {child.local_name: child.node_id for child in graph.nodes[theirs].children}
        for child in objects.nodes[ours].children:
            if child.local_name in saved and child.node_id not in seen:
                seen.add(child.node_id)
                waiting.append((child.node_id, saved[child.local_name]))
    return keys
