"""What goes into an ONNX graph."""

from __future__ import annotations

from dataclasses import dataclass

import onnx

from vision.training.errors import UploadError


@dataclass(frozen=True)
class OnnxInput:
    """What goes in: `(height, width)`, None where the file leaves it open, and whether the channels come first."""

    name: str
    size: tuple[int | None, int | None]
    channels_first: bool
    element_type: int


def input_of(model: onnx.ModelProto) -> OnnxInput:
    """Raises `UploadError`: `wrong_input`."""
    constants = {initializer.name for initializer in model.graph.initializer}
    inputs = [source for source in model.graph.input if source.name not in constants]
    if len(inputs) != 1:
        raise UploadError("wrong_input", f"The network must have one input, an image; it has {len(inputs)}.")
    kind = inputs[0].type.tensor_type
    sides = [dimension.dim_value or None for dimension in kind.shape.dim]
    if len(sides) != 4 or (sides[1] != 3 and sides[3] != 3):
        raise UploadError(
            "wrong_input",
            f"The input must be an image with 3 channels, (batch, 3, height, width) or (batch, height, width, 3); "
            f"it is {tuple(side or '?' for side in sides)}.",
        )
    first = sides[1] == 3 and sides[3] != 3
    size = (sides[2], sides[3]) if first else (sides[1], sides[2])
    return OnnxInput(inputs[0].name, size, first, kind.elem_type)
