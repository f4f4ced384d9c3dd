"""ONNX files run by ONNX Runtime, with the interface of the LiteRT networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .interpreters import ModelFileError


class OnnxNetwork:
    """One ONNX file as the studio writes them: one image in; probabilities, or a detector's outputs by name.

    Args:
        path: an `.onnx` file.
        num_threads: threads of one prediction.

    Raises:
        ModelFileError: ONNX Runtime cannot load it.
    """

    def __init__(self, path: str | Path, *, num_threads: int = 1) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = num_threads
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), sess_options=options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # its classes of errors are not part of its interface
            raise ModelFileError(f"ONNX Runtime cannot load this model file: {error}") from error
        inputs = self._session.get_inputs()
        if len(inputs) != 1:
            raise ModelFileError(f"The model must have one input, received {len(inputs)}.")
        self._input = inputs[0].name
        self._outputs = [output.name for output in self._session.get_outputs()]

    def run(self, pixels: np.ndarray) -> np.ndarray:
        """The output for one `(height, width, 3)` uint8 RGB image, without its batch axis: float32.

        Of a detector it is the raw output `(anchors, 4 + labels)`.
        """
        found = self._session.run(self._outputs, {self._input: pixels[None].astype(np.float32)})
        return found[self._outputs.index("raw") if "raw" in self._outputs else 0][0]
