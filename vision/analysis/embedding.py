"""What a network sees in an image, as a vector: the features in front of its last layer."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from vision.runtime.interpreters import ModelFileError

DIMENSIONS = 128
SEED = 0


class Embedder:
    """Runs a LiteRT file and gives its output together with the features behind it.

    Of a classifier these are the values that its last dense layer gets; of a network without one, for example a
    detector, its coarsest feature maps, averaged over the image. They are brought to so many `dimensions` by a fixed
    random projection, which keeps distances (Johnson and Lindenstrauss 1984), and to length 1.

    Args:
        path: a `.tflite` file with one image input.
        dimensions: how long the vectors are at most.

    Raises:
        ModelFileError: LiteRT cannot load it, or it has no features.
    """

    def __init__(self, path: str | Path, *, dimensions: int = DIMENSIONS, num_threads: int = 1) -> None:
        from ai_edge_litert.interpreter import Interpreter

        try:
            self._interpreter = Interpreter(
                model_path=str(path), num_threads=num_threads, experimental_preserve_all_tensors=True
            )
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ModelFileError(f"LiteRT cannot load this model file: {error}") from error
        self._input = self._interpreter.get_input_details()[0]
        self.image_size: tuple[int, int] = (int(self._input["shape"][1]), int(self._input["shape"][2]))
        self._feature = self._feature_tensor()
        self._dimensions = dimensions

    def _feature_tensor(self) -> int:
        details = {tensor["index"]: tensor for tensor in self._interpreter.get_tensor_details()}
        dense = [op for op in self._interpreter._get_ops_details() if op["op_name"] == "FULLY_CONNECTED"]
        if dense:
            return int(dense[-1]["inputs"][0])
        maps = [
            int(op["outputs"][0])
            for op in self._interpreter._get_ops_details()
            if op["op_name"] in ("CONV_2D", "DEPTHWISE_CONV_2D", "ADD")
            and len(details[int(op["outputs"][0])]["shape"]) == 4
        ]
        if not maps:
            raise ModelFileError("the network has no feature maps")
        # The coarsest maps that still have many channels: heads of detectors end in few.
        channels = {index: int(details[index]["shape"][3]) for index in maps}
        widest = max(channels.values())
        wide = [index for index in maps if channels[index] * 4 >= widest]
        return min(wide, key=lambda index: (int(np.prod(details[index]["shape"][1:3])), index))

    def run(self, pixels: np.ndarray) -> np.ndarray:
        """The embedding of one image: `(dimensions,)` float32 of length 1, see `project`.

        Args:
            pixels: `(height, width, 3)` uint8 RGB in the size of the input.
        """
        self._interpreter.set_tensor(self._input["index"], pixels[np.newaxis].astype(self._input["dtype"]))
        self._interpreter.invoke()
        features = self._interpreter.get_tensor(self._feature)[0].astype(np.float32)
        if features.ndim == 3:
            features = features.mean(axis=(0, 1))
        return project(features.reshape(1, -1), self._dimensions)[0]


def project(features: np.ndarray, dimensions: int = DIMENSIONS) -> np.ndarray:
    """`(images, dimensions)` float32 of length 1, or `(images, n)` when there are fewer features than that.

    Args:
        features: `(images, features)` float.
    """
    width = features.shape[1]
    vectors = features.astype(np.float32)
    if width > dimensions:
        vectors = vectors @ projection(width, dimensions)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


@lru_cache(maxsize=4)
def projection(width: int, dimensions: int) -> np.ndarray:
    """`(width, dimensions)` float32, the same for ever."""
    return np.random.default_rng(SEED).normal(size=(width, dimensions)).astype(np.float32)
