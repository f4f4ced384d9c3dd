"""HDF5 files, looked at before anything reads their numbers: no ways out, no objects, no bombs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from vision.training.errors import UploadError

MAX_OBJECTS = 100_000
MAX_ATTRIBUTES = 1000
MAX_ATTRIBUTE_BYTES = 64 << 20
MAX_CHUNKS = 100_000
# What zlib can do at most with real weights is 2; what is larger and mostly nothing is a bomb.
MAX_RATIO, RATIO_FREE_BYTES = 100, 1 << 20
FILTERS = (h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32)
PICKLE_MAGIC = tuple(bytes([0x80, version]) for version in range(2, 6))


def check_hdf5(path: Path, max_bytes: int) -> int:
    """Refuse an HDF5 file that points outside, hides its size, or holds objects instead of numbers.

    Returns:
        The bytes that its numbers take.

    Raises:
        UploadError: `not_a_model`, `unsafe_file`, `too_large`.
    """
    try:
        with h5py.File(path, "r") as file:
            return _check(file, max_bytes)
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        raise UploadError("not_a_model", "This is no HDF5 file, or a damaged one.") from error


def _check(file: h5py.File, max_bytes: int) -> int:
    """Every part once: a group with two names may be its own grandchild, which nobody who walks through it survives."""
    parts = total = 0
    waiting: list[h5py.Group] = [file]
    seen = {_address(file)}
    while waiting:
        group = waiting.pop()
        _check_attributes(group)
        for name in group:
            parts += 1
            if parts > MAX_OBJECTS:
                raise UploadError("too_large", f"The file has more than {MAX_OBJECTS:,} parts.")
            part = _part(group, name)
            if isinstance(part, h5py.Dataset):
                total += _size_of(part, name)
                if total > max_bytes:
                    raise UploadError("too_large", f"The weights take more than {max_bytes:,} bytes.")
                continue
            if _address(part) in seen:
                raise UploadError("unsafe_file", f"The file has a group in two places ({name[:80]!r}).")
            seen.add(_address(part))
            waiting.append(part)
    return total


def _part(group: h5py.Group, name: str) -> h5py.Group | h5py.Dataset:
    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
        raise UploadError("unsafe_file", f"The file links to something outside of itself ({name[:80]!r}).")
    part = group[name]
    if not isinstance(part, (h5py.Group, h5py.Dataset)):
        raise UploadError("unsafe_file", f"The file has something else than numbers in {name[:80]!r}.")
    return part


def _address(part: h5py.HLObject) -> int:
    return h5py.h5o.get_info(part.id).addr


def _size_of(dataset: h5py.Dataset, name: str) -> int:
    """Its bytes, after it was looked at."""
    if dataset.is_virtual or dataset.external:
        raise UploadError("unsafe_file", f"The file takes {name[:80]!r} from another file.")
    if dataset.dtype.kind not in "fiub":
        raise UploadError(
            "unsafe_file",
            f"The file holds objects instead of numbers in {name[:80]!r}; pickled objects are never loaded. Save the "
            "model with Keras: model.save('model.keras').",
        )
    properties = dataset.id.get_create_plist()
    for number in range(properties.get_nfilters()):
        if properties.get_filter(number)[0] not in FILTERS:
            raise UploadError("unsafe_file", f"{name[:80]!r} is packed in a way that is not taken. Save it unpacked.")
    if (
        dataset.chunks
        and math.prod(-(-side // chunk) for side, chunk in zip(dataset.shape, dataset.chunks, strict=True)) > MAX_CHUNKS
    ):
        raise UploadError("too_large", f"{name[:80]!r} is in more than {MAX_CHUNKS:,} pieces.")
    size = math.prod(dataset.shape or ()) * dataset.dtype.itemsize
    if size > RATIO_FREE_BYTES and size > MAX_RATIO * dataset.id.get_storage_size():
        raise UploadError("too_large", f"{name[:80]!r} claims many times more bytes than the file has of it.")
    _check_attributes(dataset)
    return size


def _check_attributes(part: h5py.HLObject) -> None:
    if len(part.attrs) > MAX_ATTRIBUTES:
        raise UploadError("too_large", f"A part of the file has more than {MAX_ATTRIBUTES:,} attributes.")
    for name in part.attrs:
        attribute = part.attrs.get_id(name)
        if math.prod(attribute.shape or ()) * attribute.dtype.itemsize > MAX_ATTRIBUTE_BYTES:
            raise UploadError("too_large", f"The attribute {name[:80]!r} is too large.")
        if any(content[:2] in PICKLE_MAGIC for content in _byte_strings(part.attrs[name])):
            raise UploadError("unsafe_file", f"The file has a pickled object ({name[:80]!r}); these are never loaded.")


def _byte_strings(value: Any) -> Iterator[bytes]:
    if isinstance(value, bytes):
        yield value
    elif isinstance(value, np.ndarray) and value.dtype.kind in "OS":
        yield from (one for one in value.reshape(-1).tolist() if isinstance(one, bytes))
    elif isinstance(value, (np.ndarray, np.void)):
        yield value.tobytes()
