"""What is in a LiteRT file, by its schema: known operations on tensors of the file itself. DecodedEntry at, not run."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

from vision.runtime.interpreters import ModelFileError

MAGIC = b"TFL3"
MAX_OPERATIONS, MAX_TENSORS, MAX_BUFFERS, MAX_SUBGRAPHS = 10_000, 50_000, 50_000, 1
# States, other functions, texts, other programs; and what reaches outside of the file.
NEVER = frozenset({
    "CUSTOM", "DELEGATE", "CALL", "CALL_ONCE", "IF", "WHILE", "VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE",
    "HASHTABLE", "HASHTABLE_FIND", "HASHTABLE_IMPORT", "HASHTABLE_SIZE", "HASHTABLE_LOOKUP", "EMBEDDING_LOOKUP",
    "EMBEDDING_LOOKUP_SPARSE", "CONCAT_EMBEDDINGS", "LSH_PROJECTION", "SKIP_GRAM", "STABLEHLO_CUSTOM_CALL",
    "STABLEHLO_COMPOSITE", "STABLEHLO_WHILE", "STABLEHLO_CASE", "STABLEHLO_REDUCE", "STABLEHLO_REDUCE_WINDOW",
    "STABLEHLO_SCATTER", "STABLEHLO_SORT", "STABLEHLO_RNG_BIT_GENERATOR",
})  # fmt: skip


class UnsafeLiteRT(ModelFileError):
    """The file has what is never taken, even from our own exporter."""


def operations_of(path: Path) -> set[str]:
    """The names of its operations.

    Raises:
        ModelFileError: it is no LiteRT file, or a damaged one.
        UnsafeLiteRT: it has operations with a state or of its own, or takes bytes from outside of itself.
    """
    content = path.read_bytes()
    if content[4:8] != MAGIC:
        raise ModelFileError("this is no LiteRT file (.tflite)")
    try:
        return _checked(content)
    except UnsafeLiteRT:
        raise
    except (struct.error, IndexError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise ModelFileError("the LiteRT file is damaged") from error


def _checked(content: bytes) -> set[str]:
    from ai_edge_litert import schema_py_generated as schema

    names = {number: name for name, number in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
    model = schema.Model.GetRootAs(content, 0)
    if model.SubgraphsLength() != MAX_SUBGRAPHS:
        raise UnsafeLiteRT(f"it has {model.SubgraphsLength()} graphs; one is taken")
    if model.ExternalBuffersLength() or model.ExternalBufferGroupsLength():
        raise UnsafeLiteRT("its weights are in another file")
    _check_buffers(model)
    codes = []
    for number in range(_at_most(model.OperatorCodesLength(), MAX_OPERATIONS)):
        code = model.OperatorCodes(number)
        builtin = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        codes.append(names.get(builtin, f"number {builtin}"))
        if code.CustomCode() is not None:
            raise UnsafeLiteRT(f"it has the operation {code.CustomCode()[:80]!r} of its own")
    graph = model.Subgraphs(0)
    for number in range(_at_most(graph.TensorsLength(), MAX_TENSORS)):
        tensor = graph.Tensors(number)
        if tensor.IsVariable() or tensor.ExternalBuffer() or not 0 <= tensor.Buffer() < model.BuffersLength():
            raise UnsafeLiteRT("a tensor keeps a state or is outside of the file")
    used = set()
    for number in range(_at_most(graph.OperatorsLength(), MAX_OPERATIONS)):
        operator = graph.Operators(number)
        if operator.LargeCustomOptionsOffset() or operator.CustomOptionsLength():
            raise UnsafeLiteRT("an operation has options of its own")
        used.add(codes[operator.OpcodeIndex()])
    if refused := sorted((used & NEVER) | {name for name in used if name.startswith("number ")}):
        raise UnsafeLiteRT(f"it has the operation {refused[0]}, which is not taken")
    return used


def _check_buffers(model: Any) -> None:
    for number in range(_at_most(model.BuffersLength(), MAX_BUFFERS)):
        buffer = model.Buffers(number)
        if buffer.Offset() > 1 or buffer.Size() > 1:
            raise UnsafeLiteRT("its weights are behind the end of its own tables")


def _at_most(length: int, limit: int) -> int:
    if length > limit:
        raise UnsafeLiteRT(f"it has more than {limit:,} parts of a kind")
    return length
