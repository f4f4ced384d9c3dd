"""Checkpoints: variables and progress in one file, replaced atomically, readable after `kill -9`."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from vision.sandbox.full_disk import is_full_disk
from vision.training.errors import DiskFullError


def save_checkpoint(path: Path, progress: dict, variables: dict[str, list[np.ndarray]]) -> None:
    """Write `progress` (JSON types) and groups of arrays; the old file stays until the new one is safe on disk.

    Raises:
        DiskFullError: no space left; the old checkpoint is untouched.
    """
    arrays: dict[str, Any] = {
        f"{group}/{index:05d}": np.asarray(value)
        for group, values in variables.items()
        for index, value in enumerate(values)
    }
    arrays["progress"] = np.frombuffer(json.dumps(progress).encode(), dtype=np.uint8)
    temporary = path.with_suffix(".partial")
    try:
        with open(temporary, "wb") as file:
            np.savez(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        _sync_folder(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        if is_full_disk(error):
            raise DiskFullError(
                "The disk is full: the checkpoint could not be written. Free some space and start the training "
                "again; it continues from its last checkpoint."
            ) from error
        raise


def load_checkpoint(path: Path) -> tuple[dict, dict[str, list[np.ndarray]]] | None:
    """What `save_checkpoint` wrote, or None when there is none that can be read."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            progress = json.loads(archive["progress"].tobytes())
            groups: dict[str, list[np.ndarray]] = {}
            for key in sorted(archive.files):
                if "/" in key:
                    groups.setdefault(key.split("/")[0], []).append(archive[key])
    except (FileNotFoundError, ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile):
        return None
    return progress, groups


def get_values(variables: list) -> list[np.ndarray]:
    """Values of Keras variables as arrays; random states are kept as they are."""
    # Through a tensor: with several devices a variable has a copy on each.
    return [tf.convert_to_tensor(variable.value).numpy() for variable in variables]


def set_values(variables: list, values: list[np.ndarray]) -> None:
    """Assign `values` to `variables` in order.

    Raises:
        ValueError: their number or a shape differs (a checkpoint of another network).
    """
    if len(variables) != len(values):
        raise ValueError(f"checkpoint has {len(values)} variables, the network {len(variables)}")
    for variable, value in zip(variables, values, strict=True):
        if tuple(variable.shape) != tuple(value.shape):
            raise ValueError(f"checkpoint has shape {value.shape} for {variable.path}, the network {variable.shape}")
        variable.assign(value)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
