"""What is in a file, looked at before anything is built of it: archives, HDF5, graphs."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import h5py
import numpy as np

from training.engine.uploads.layers import UploadError, check_network

# What reading a member of a broken or encrypted archive raises; a full disk is something else.
DAMAGED = (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError)
MAX_CONFIG_BYTES = 50 << 20
MAX_MEMBERS = 200
MAX_OBJECTS = 100_000
PICKLE_MAGIC = tuple(bytes([0x80, version]) for version in range(2, 6))
SAVED_MODEL_FILES = ("saved_model.pb", "fingerprint.pb", "keras_metadata.pb")
# Operations of a SavedModel that do more than arithmetic on what they are given.
HARMFUL = (
    "File", "PyFunc", "Dataset", "Iterator", "Queue", "Reader", "Socket", "Summary", "Table",
    "LoadLibrary", "Shell", "Exec", "Collective", "Remote", "Rpc", "Send", "Recv", "Barrier", "Stage", "Experimental",
    "Checkpoint", "Restore", "Save", "Compilation", "Xla", "TPU", "TensorRT", "TRTEngine", "Decode", "Host", "Debug",
)  # fmt: skip
# How a SavedModel itself puts its variables away; nobody calls these functions here.
SAVING = {"SaveV2", "RestoreV2", "MergeV2Checkpoints", "ShardedFilename"}


def unpack_keras(path: Path, folder: Path, max_weights_bytes: int) -> Path:
    """A clean copy of a `.keras` archive with nothing but a checked network and checked weights.

    Raises:
        UploadError: `not_a_model`, `too_large`, `forbidden_layer`, `weights_only`, `unsafe_file`.
    """
    with _opened_zip(path) as archive:
        names = set(archive.namelist())
        if "config.json" not in names:
            raise UploadError("not_a_model", "The archive has no config.json: it was not written by Keras 3.")
        config = _read(archive, "config.json", MAX_CONFIG_BYTES)
        metadata = _read(archive, "metadata.json", 1 << 20) if "metadata.json" in names else b"{}"
        if "model.weights.h5" not in names:
            raise UploadError("not_a_model", "The archive has no model.weights.h5: it has a network without weights.")
        weights = folder / "model.weights.h5"
        _copy(archive, "model.weights.h5", weights, max_weights_bytes)
    network = _json(config)
    check_network(network)
    network.pop("compile_config", None)
    check_hdf5(weights, max_weights_bytes)
    clean = folder / "checked.keras"
    with zipfile.ZipFile(clean, "w") as target:
        target.writestr("config.json", json.dumps(network))
        target.writestr("metadata.json", metadata)
        target.write(weights, "model.weights.h5")
    weights.unlink()
    return clean


def check_keras_hdf5(path: Path, max_weights_bytes: int) -> str:
    """The network of a legacy `.h5` file as JSON, checked like its weights.

    Raises:
        UploadError: as `unpack_keras`.
    """
    check_hdf5(path, max_weights_bytes)
    with h5py.File(path, "r") as file:
        text = file.attrs.get("model_config")
    if text is None:
        raise UploadError(
            "weights_only", "The file has weights but no network. Save the whole model: model.save('model.keras')."
        )
    network = _json(text if isinstance(text, bytes) else str(text).encode())
    check_network(network)
    return json.dumps(network)


def check_hdf5(path: Path, max_bytes: int) -> None:
    """Refuse an HDF5 file that points outside, hides its size, or holds objects instead of numbers.

    Raises:
        UploadError: `not_a_model`, `unsafe_file`, `too_large`.
    """
    try:
        with h5py.File(path, "r") as file:
            _check_group(file, [0, 0], max_bytes)
    except (OSError, RuntimeError, KeyError) as error:
        raise UploadError("not_a_model", "This is no HDF5 file, or a damaged one.") from error


def _check_group(group: h5py.Group, seen: list[int], max_bytes: int) -> None:
    _check_attributes(group)
    for name in group:
        seen[0] += 1
        if seen[0] > MAX_OBJECTS:
            raise UploadError("too_large", f"The file has more than {MAX_OBJECTS:,} parts.")
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise UploadError("unsafe_file", f"The file links to something outside of itself ({name[:80]!r}).")
        part = group[name]
        if isinstance(part, h5py.Group):
            _check_group(part, seen, max_bytes)
        elif isinstance(part, h5py.Dataset):
            _check_dataset(part, name, seen, max_bytes)


def _check_dataset(dataset: h5py.Dataset, name: str, seen: list[int], max_bytes: int) -> None:
    if dataset.is_virtual or dataset.external:
        raise UploadError("unsafe_file", f"The file takes {name[:80]!r} from another file.")
    if dataset.dtype.kind not in "fiub":
        raise UploadError(
            "unsafe_file",
            f"The file holds objects instead of numbers in {name[:80]!r}; pickled objects are never loaded. Save the "
            "model with Keras: model.save('model.keras').",
        )
    seen[1] += dataset.size * dataset.dtype.itemsize
    if seen[1] > max_bytes:
        raise UploadError("too_large", f"The weights take more than {max_bytes:,} bytes.")
    _check_attributes(dataset)


def _check_attributes(part) -> None:
    for name, value in part.attrs.items():
        if any(content[:2] in PICKLE_MAGIC for content in _byte_strings(value)):
            raise UploadError("unsafe_file", f"The file has a pickled object ({name[:80]!r}); these are never loaded.")


def _byte_strings(value) -> Iterator[bytes]:
    if isinstance(value, bytes):
        yield value
    elif isinstance(value, np.ndarray) and value.dtype.kind in "OS":
        yield from (one for one in value.reshape(-1).tolist() if isinstance(one, bytes))
    elif isinstance(value, (np.ndarray, np.void)):
        yield value.tobytes()


def unpack_saved_model(path: Path, folder: Path, max_bytes: int) -> Path:
    """The folder of a zipped SavedModel whose graph does arithmetic only.

    Raises:
        UploadError: `not_a_model`, `too_large`, `unsafe_file`.
    """
    with _opened_zip(path) as archive:
        graphs = [name for name in archive.namelist() if PurePosixPath(name).name == "saved_model.pb"]
        if len(graphs) != 1:
            raise UploadError("not_a_model", "The zip must have one SavedModel: saved_model.pb and variables/.")
        root = PurePosixPath(graphs[0]).parent
        target = folder / "saved_model"
        (target / "variables").mkdir(parents=True)
        left = max_bytes
        for name in archive.namelist():
            inside = PurePosixPath(name)
            if not inside.is_relative_to(root) or name.endswith("/"):
                continue
            short = inside.relative_to(root)
            is_variable = len(short.parts) == 2 and short.parts[0] == "variables" and ".." not in short.parts
            if str(short) in SAVED_MODEL_FILES or is_variable:
                left -= _copy(archive, name, target / str(short), left)
    _check_graph(target / "saved_model.pb")
    return target


def _check_graph(path: Path) -> None:
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    model = SavedModel()
    try:
        model.ParseFromString(path.read_bytes())
    except DecodeError as error:
        raise UploadError("not_a_model", "saved_model.pb cannot be read.") from error
    for meta in model.meta_graphs:
        if meta.asset_file_def:
            raise UploadError("unsafe_file", "The SavedModel reads other files (assets).")
        nodes = list(meta.graph_def.node)
        for function in meta.graph_def.library.function:
            nodes += function.node_def
        for node in nodes:
            check_operation(node.op)


def check_operation(name: str, *, saving: bool = True) -> None:
    """Refuse an operation of TensorFlow that touches files, other processes or Python."""
    if name in SAVING and saving:
        return
    if any(word in name for word in HARMFUL):
        raise UploadError("unsafe_file", f"The SavedModel has the operation {name!r}, which is not taken.")


def _opened_zip(path: Path) -> zipfile.ZipFile:
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise UploadError("not_a_model", "The file is no zip archive, or a damaged one.") from error
    if len(archive.namelist()) > MAX_MEMBERS:
        raise UploadError("too_large", f"The archive has more than {MAX_MEMBERS} files; it is no model.")
    return archive


def _read(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    try:
        with archive.open(name) as source:
            content = source.read(limit + 1)
    except DAMAGED as error:
        raise UploadError("not_a_model", f"{name} in the archive is damaged.") from error
    if len(content) > limit:
        raise UploadError("too_large", f"{name} in the archive has more than {limit:,} bytes.")
    return content


def _copy(archive: zipfile.ZipFile, name: str, target: Path, limit: int) -> int:
    """Unpack one member; returns its size. What unpacks to more than the limit is stopped there."""
    if archive.getinfo(name).file_size > limit:
        raise UploadError("too_large", f"{name} in the archive unpacks to more than {limit:,} bytes.")
    size = 0
    try:
        with archive.open(name) as source, open(target, "wb") as file:
            while chunk := source.read(1 << 20):
                size += len(chunk)
                if size > limit:
                    raise UploadError("too_large", f"{name} in the archive unpacks to more than {limit:,} bytes.")
                file.write(chunk)
    except DAMAGED as error:
        raise UploadError("not_a_model", f"{name} in the archive is damaged.") from error
    return size


def _json(content: bytes) -> dict:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UploadError("not_a_model", "The network in the file is no valid JSON.") from error
    if not isinstance(found, dict):
        raise UploadError("not_a_model", "The network in the file is no JSON object.")
    return found
