"""A zipped SavedModel → a TensorFlow function of known operations and constants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import tensorflow as tf

from vision.model_import.containers import copy_member, opened_zip
from vision.model_import.saved_model.flat import IMAGE, Flattener, Reference, Variable
from vision.model_import.saved_model.proto import CheckedModel, read_proto
from vision.model_import.saved_model.variables import Variables
from vision.training.errors import UploadError

GRAPH = "saved_model.pb"
MAX_GRAPH_BYTES = 256 << 20


@dataclass(frozen=True)
class SavedFunction:
    """What a signature computes.

    Attributes:
        size: `(height, width)`, None where the file leaves it open.
        call: `(1, height, width, 3)` float32 → the output, as a graph of constants.
    """

    size: tuple[int | None, int | None]
    call: Callable[[tf.Tensor], tf.Tensor]


def read_saved_model(path: Path, folder: Path, max_bytes: int) -> SavedFunction:
    """Read the signature of a zipped SavedModel as data.

    Raises:
        UploadError: `not_a_model`, `too_large`, `unsafe_file`, `unsupported_operation`, `wrong_input`.
    """
    target = _unpacked(path, folder, max_bytes)
    model = read_proto(target / GRAPH)
    size = _input_size(model)
    variables = Variables(target / "variables", model.objects, max_bytes)
    flattener = Flattener(model.functions, variables.value)
    image = flattener.placeholder(tf.float32.as_datatype_enum)
    arguments: list[Reference] = [image, *(_bound(model, number, flattener) for number in model.signature.bound)]
    outputs = flattener.call(model.signature.function, arguments)
    if len(outputs) != 1 or not isinstance(outputs[0], str):
        raise UploadError("wrong_input", f"A classifier has one output; this one has {len(outputs)}.")
    graph, output = flattener.graph, outputs[0] if ":" in outputs[0] else f"{outputs[0]}:0"

    def call(tensor: tf.Tensor) -> tf.Tensor:
        return tf.graph_util.import_graph_def(
            graph, input_map={f"{IMAGE}:0": tensor}, return_elements=[output], name="saved"
        )[0]

    return SavedFunction(size, call)


def _unpacked(path: Path, folder: Path, max_bytes: int) -> Path:
    with opened_zip(path) as archive:
        graphs = [name for name in archive.namelist() if PurePosixPath(name).name == GRAPH]
        if len(graphs) != 1:
            raise UploadError("not_a_model", "The zip must have one SavedModel: saved_model.pb and variables/.")
        root = PurePosixPath(graphs[0]).parent
        target = folder / "saved_model"
        (target / "variables").mkdir(parents=True)
        copy_member(archive, graphs[0], target / GRAPH, MAX_GRAPH_BYTES)
        left = max_bytes
        for name in archive.namelist():
            short = _below(root, name)
            if short is not None:
                left -= copy_member(archive, name, target / "variables" / short, left)
    return target


def _below(root: PurePosixPath, name: str) -> str | None:
    """The name of a file of variables, and nothing else."""
    inside = PurePosixPath(name)
    if name.endswith("/") or not inside.is_relative_to(root / "variables") or ".." in inside.parts:
        return None
    short = inside.relative_to(root / "variables")
    return short.name if len(short.parts) == 1 else None


def _input_size(model: CheckedModel) -> tuple[int | None, int | None]:
    definition = model.signature.definition
    if len(definition.inputs) != 1 or len(definition.outputs) != 1:
        raise UploadError(
            "wrong_input",
            f"A classifier has one input, an image, and one output; this one has {len(definition.inputs)} and "
            f"{len(definition.outputs)}.",
        )
    given = next(iter(definition.inputs.values()))
    shape = [dimension.size if dimension.size > 0 else None for dimension in given.tensor_shape.dim]
    if len(shape) != 4 or shape[3] != 3 or given.dtype != tf.float32.as_datatype_enum:
        kind = tf.dtypes.as_dtype(given.dtype).name if given.dtype else "unknown"
        raise UploadError("wrong_input", f"The input must be (None, height, width, 3) float32; it is {shape} {kind}.")
    return shape[1], shape[2]


def _bound(model: CheckedModel, number: int, flattener: Flattener) -> Reference:
    if 0 <= number < len(model.objects.nodes):
        one = model.objects.nodes[number]
        if one.WhichOneof("kind") == "variable":
            return Variable(number)
        if one.WhichOneof("kind") == "constant" and one.constant.operation in model.constants:
            return flattener.constant(model.constants[one.constant.operation])
    raise UploadError("unsupported_operation", "The SavedModel's signature uses something else than variables.")
