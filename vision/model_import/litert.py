"""Which operations an uploaded LiteRT file may have: arithmetic of image networks, as far as it becomes layers."""

from __future__ import annotations

from pathlib import Path

from vision.runtime.interpreters import ModelFileError
from vision.runtime.litert_file import UnsafeLiteRT, operations_of
from vision.training.errors import UploadError

TAKEN = frozenset({
    "ABS", "ADD", "ADD_N", "ARG_MAX", "ARG_MIN", "AVERAGE_POOL_2D", "BATCH_MATMUL", "BATCH_TO_SPACE_ND",
    "BROADCAST_ARGS", "BROADCAST_TO", "CAST", "CEIL", "CONCATENATION", "CONV_2D", "COS", "DEPTHWISE_CONV_2D",
    "DEPTH_TO_SPACE", "DEQUANTIZE", "DIV", "ELU", "EQUAL", "EXP", "EXPAND_DIMS", "FAKE_QUANT", "FILL", "FLOOR",
    "FLOOR_DIV", "FLOOR_MOD", "FULLY_CONNECTED", "GATHER", "GATHER_ND", "GELU", "GREATER", "GREATER_EQUAL",
    "HARD_SWISH", "L2_NORMALIZATION", "L2_POOL_2D", "LEAKY_RELU", "LESS", "LESS_EQUAL", "LOCAL_RESPONSE_NORMALIZATION",
    "LOG", "LOGICAL_AND", "LOGICAL_NOT", "LOGICAL_OR", "LOGISTIC", "LOG_SOFTMAX", "MAXIMUM", "MAX_POOL_2D", "MEAN",
    "MINIMUM", "MIRROR_PAD", "MUL", "NEG", "NOT_EQUAL", "PACK", "PAD", "PADV2", "POW", "PRELU", "QUANTIZE", "RANGE",
    "RANK", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD", "RELU", "RELU6", "RELU_0_TO_1", "RELU_N1_TO_1", "RESHAPE",
    "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR", "REVERSE_V2", "ROUND", "RSQRT", "SELECT", "SELECT_V2", "SHAPE",
    "SIGN", "SIN", "SLICE", "SOFTMAX", "SPACE_TO_BATCH_ND", "SPACE_TO_DEPTH", "SPLIT", "SPLIT_V", "SQRT", "SQUARE",
    "SQUARED_DIFFERENCE", "SQUEEZE", "STRIDED_SLICE", "SUB", "SUM", "TANH", "TILE", "TOPK_V2", "TRANSPOSE",
    "TRANSPOSE_CONV", "UNPACK", "WHERE", "ZEROS_LIKE",
})  # fmt: skip


def check_litert(path: Path) -> None:
    """Raises `UploadError`: `not_a_model`, `unsafe_file`, `unsupported_operation`."""
    try:
        used = operations_of(path)
    except UnsafeLiteRT as error:
        raise UploadError("unsafe_file", f"The LiteRT file is not taken: {error}.") from error
    except ModelFileError as error:
        raise UploadError("not_a_model", f"This is no LiteRT file, or a damaged one: {error}.") from error
    if other := sorted(used - TAKEN):
        raise UploadError("unsupported_operation", f"The file has the operation {other[0]}, which is not taken.")
