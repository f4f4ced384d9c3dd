"""The machine and the libraries under a training."""

from __future__ import annotations

import functools
import platform
from importlib.metadata import version
from types import TracebackType
from typing import Protocol

import psutil
import tensorflow as tf

from vision.training.errors import OutOfMemoryError
from vision.training.speeds import Speeds, machine_name


class Sized(Protocol):
    @property
    def batch_size(self) -> int: ...
    @property
    def image_size(self) -> int: ...


def library_versions(*more: str) -> dict[str, str]:
    """Of Python, the machine, and the packages that made a model."""
    packages = ("tensorflow", "numpy", *more)
    here = {"python": platform.python_version(), "platform": platform.platform()}
    return here | {name: version(name) for name in packages}


def hardware_in_use() -> dict[str, int | str | None]:
    """What a training takes now: `memory_bytes` of this process, the name of its `gpu`, and `gpu_memory_bytes`."""
    found: dict[str, int | str | None] = {"memory_bytes": psutil.Process().memory_info().rss, "gpu": _gpu_name()}
    if found["gpu"] is not None:
        found["gpu_memory_bytes"] = int(tf.config.experimental.get_memory_info("GPU:0")["current"])
    return found


@functools.cache
def _gpu_name() -> str | None:
    gpus = tf.config.list_physical_devices("GPU")
    return str(tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU")) if gpus else None


@functools.cache
def this_machine() -> str:
    """The name under which times that are measured here are kept."""
    devices = tf.config.list_physical_devices("GPU")
    details = [tf.config.experimental.get_device_details(device) for device in devices]
    return machine_name(str(detail.get("device_name", "GPU")) for detail in details)


def usable_here(known: Speeds | None) -> Speeds | None:
    """Times that were measured on a machine like this one."""
    return known if known is not None and known.machine == this_machine() else None


class out_of_memory_explained:
    """TensorFlow's and Python's out-of-memory errors as ours."""

    def __init__(self, configuration: Sized) -> None:
        self._configuration = configuration

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, (MemoryError, tf.errors.ResourceExhaustedError)):
            raise OutOfMemoryError(
                "The memory of this machine was not enough. Choose a smaller batch_size "
                f"(now {self._configuration.batch_size}) or image_size (now {self._configuration.image_size})."
            ) from error
