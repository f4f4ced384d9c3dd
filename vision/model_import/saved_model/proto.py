"""saved_model.pb, parsed and looked at: nothing in it but variables, functions of known operations, and constants."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from google.protobuf.message import DecodeError
from tensorflow.core.framework.function_pb2 import FunctionDef
from tensorflow.core.framework.graph_pb2 import GraphDef
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef, SignatureDef
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
from tensorflow.core.protobuf.saved_object_graph_pb2 import SavedObject, SavedObjectGraph

from vision.model_import.saved_model.operations import check_operation
from vision.training.errors import UploadError

MAX_NODES = 200_000
# A captured tensor is a number in the list of a function's arguments; what our signature is bound to is seen later.
TAKEN_KINDS = ("variable", "function", "bare_concrete_function", "user_object", "constant", "captured_tensor", None)
# Functions that a loader runs by itself.
RUN_BY_LOADERS = ("_initialize", "_create_resource", "_destroy_resource", "_initializer", "initializer")
DEFAULT_SIGNATURE = "serving_default"


@dataclass(frozen=True)
class Signature:
    """One function to call: its body, what it is bound to (numbers of objects), and what its input says of itself."""

    function: FunctionDef
    bound: list[int]
    definition: SignatureDef


@dataclass(frozen=True)
class CheckedModel:
    objects: SavedObjectGraph
    functions: dict[str, FunctionDef]
    constants: dict[str, object]
    signature: Signature


def read_proto(path: Path) -> CheckedModel:
    """Raises `UploadError`: `not_a_model`, `unsafe_file`, `too_large`."""
    model = SavedModel()
    try:
        model.ParseFromString(path.read_bytes())
    except DecodeError as error:
        raise UploadError("not_a_model", "saved_model.pb cannot be read.") from error
    if not model.meta_graphs:
        raise UploadError("not_a_model", "The SavedModel has no graph.")
    for meta in model.meta_graphs:
        _check_operations(meta.graph_def)
        _check_objects(meta)
    meta = next(
        (meta_graph for meta_graph in model.meta_graphs if "serve" in meta_graph.meta_info_def.tags),
        model.meta_graphs[0],
    )
    functions = {function.signature.name: function for function in meta.graph_def.library.function}
    constants = {node.name: node.attr["value"].tensor for node in meta.graph_def.node if node.op == "Const"}
    return CheckedModel(meta.object_graph_def, functions, constants, _signature(meta, functions))


def _check_operations(graph: GraphDef) -> None:
    own = {function.signature.name for function in graph.library.function}
    count = 0
    for nodes in (graph.node, *(function.node_def for function in graph.library.function)):
        count += len(nodes)
        if count > MAX_NODES:
            raise UploadError("too_large", f"The SavedModel has more than {MAX_NODES:,} operations.")
        for node in nodes:
            if node.op not in own:
                check_operation(node.op)


def _check_objects(meta: MetaGraphDef) -> None:
    if meta.asset_file_def:
        raise UploadError("unsafe_file", "The SavedModel reads other files (assets).")
    for node in meta.object_graph_def.nodes:
        kind = node.WhichOneof("kind")
        if kind not in TAKEN_KINDS:
            raise UploadError(
                "unsafe_file",
                f"The SavedModel has a part of the kind {kind!r} (a table, a file, another resource), which is not "
                "taken: only variables and functions are. Leave preprocessing of texts and files out.",
            )
        names = {child.local_name for child in node.children} & set(RUN_BY_LOADERS)
        if names or node.registered_saver:
            raise UploadError(
                "unsafe_file",
                "The SavedModel has a part that runs by itself when it is loaded, which is not taken: only variables "
                "and functions are.",
            )


def _signature(meta: MetaGraphDef, functions: dict[str, FunctionDef]) -> Signature:
    objects = meta.object_graph_def
    named = child_of(objects, 0, "signatures")
    offered = [] if named is None else list(objects.nodes[named].children)
    if not offered:
        raise UploadError("not_a_model", "The SavedModel has no signature to call.")
    chosen = next((signature for signature in offered if signature.local_name == DEFAULT_SIGNATURE), offered[0])
    definition = meta.signature_def.get(chosen.local_name)
    name = _node(objects, chosen.node_id).bare_concrete_function.concrete_function_name
    if name not in functions or name not in objects.concrete_functions or definition is None:
        raise UploadError("not_a_model", "The SavedModel's signature has no function.")
    bound = list(objects.concrete_functions[name].bound_inputs)
    if len(functions[name].signature.input_arg) != len(bound) + len(definition.inputs):
        raise UploadError("not_a_model", "The SavedModel's signature does not fit its function.")
    return Signature(functions[name], bound, definition)


def child_of(objects: SavedObjectGraph, number: int, name: str) -> int | None:
    """The number of an object's child."""
    children = _node(objects, number).children
    return next((child.node_id for child in children if child.local_name == name), None)


def _node(objects: SavedObjectGraph, number: int) -> SavedObject:
    if not 0 <= number < len(objects.nodes):
        raise UploadError("not_a_model", "The SavedModel's objects do not fit together.")
    return objects.nodes[number]
