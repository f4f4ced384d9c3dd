"""What is in an archive or an HDF5 file of Keras, looked at before anything is built of it."""

from __future__ import annotations

import json
import zipfile
import zlib
from pathlib import Path

import h5py

from vision.model_import.hdf5 import check_hdf5
from vision.training.allowed_layers import check_network
from vision.training.errors import UploadError

# What reading a member of a broken or encrypted archive raises; a full disk is something else.
DAMAGED = (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError)
MAX_CONFIG_BYTES = 50 << 20
MAX_MEMBERS = 200


def unpack_keras(path: Path, folder: Path, max_weights_bytes: int) -> Path:
    """A clean copy of a `.keras` archive with nothing but a checked network and checked weights.

    Raises:
        UploadError: `not_a_model`, `too_large`, `forbidden_layer`, `weights_only`, `unsafe_file`.
    """
    with opened_zip(path) as archive:
        names = set(archive.namelist())
        if "config.json" not in names:
            raise UploadError("not_a_model", "The archive has no config.json: it was not written by Keras 3.")
        config = _read(archive, "config.json", MAX_CONFIG_BYTES)
        metadata = _read(archive, "metadata.json", 1 << 20) if "metadata.json" in names else b"{}"
        if "model.weights.h5" not in names:
            raise UploadError("not_a_model", "The archive has no model.weights.h5: it has a network without weights.")
        weights = folder / "model.weights.h5"
        copy_member(archive, "model.weights.h5", weights, max_weights_bytes)
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


def opened_zip(path: Path) -> zipfile.ZipFile:
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise UploadError(
            "not_a_model",
            "The file is damaged or no model: .keras files and zipped SavedModels are zip archives. Save it again.",
        ) from error
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


def copy_member(archive: zipfile.ZipFile, name: str, target: Path, limit: int) -> int:
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
