"""Whether an ONNX file has all its bytes in itself. DecodedEntry at, not run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from vision.runtime.interpreters import ModelFileError


def check_onnx_file(path: Path) -> None:
    """Raises `ModelFileError`: the file is damaged, or takes weights from another file."""
    import onnx

    try:
        model = onnx.load(str(path), load_external_data=False)
    except Exception as error:  # protobuf's errors are not part of the interface of onnx
        raise ModelFileError("the ONNX file is damaged") from error
    if names_other_files(model):
        raise ModelFileError("its weights are in another file")


def names_other_files(model: Message) -> bool:
    """Whether any tensor in the message, wherever it is, has its bytes elsewhere."""
    import onnx

    return any(tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data for tensor in _tensors(model))


def _tensors(message: Message) -> Iterator:
    waiting = [message]
    while waiting:
        one = waiting.pop()
        if one.DESCRIPTOR.name == "TensorProto":
            yield one
        for field, value in one.ListFields():
            if field.type == FieldDescriptor.TYPE_MESSAGE:
                waiting += [value] if isinstance(value, Message) else list(value)
