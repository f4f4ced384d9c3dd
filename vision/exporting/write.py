"""Writing each kind of file from one SavedModel or function of the network."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf

from vision.exporting.servable import Servable
from vision.training.errors import EngineError
from vision.training.to_onnx import function_to_onnx


class CannotExport(EngineError):
    """This kind cannot be made of this network; the text says why."""

    code = "cannot_export"


def write_export(kind: str, servable: Servable, target: Path, calibration: list[np.ndarray]) -> None:
    """Write one file.

    Args:
        kind: a name of `KINDS`.
        target: where it goes.
        calibration: images `(height, width, 3)` uint8 that show what activations look like, for `litert-int8`.

    Raises:
        CannotExport: the converter does not know an operation of the network, or there are no images.
    """
    try:
        WRITERS[kind](servable, target, calibration)
    except (EngineError, OSError):  # a full disk is no fault of the network
        raise
    except Exception as error:  # converters raise whatever they come across
        raise CannotExport(f"The converter does not take this network: {str(error)[-300:].strip()}") from error


def _write_litert(
    optimize: Callable[[tf.lite.TFLiteConverter, list[np.ndarray]], None],
) -> Callable[[Servable, Path, list[np.ndarray]], None]:
    def write(servable: Servable, target: Path, calibration: list[np.ndarray]) -> None:
        folder = servable.saved_model(1, parts=optimize is _whole_numbers)
        # From a SavedModel: a bare function of Keras 3 would be converted without its weights.
        converter = tf.lite.TFLiteConverter.from_saved_model(str(folder))
        optimize(converter, calibration)
        target.write_bytes(converter.convert())

    return write


def _as_it_is(converter: tf.lite.TFLiteConverter, calibration: list[np.ndarray]) -> None:
    """float32 throughout."""


def _half_floats(converter: tf.lite.TFLiteConverter, calibration: list[np.ndarray]) -> None:
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]


def _small_weights(converter: tf.lite.TFLiteConverter, calibration: list[np.ndarray]) -> None:
    converter.optimizations = [tf.lite.Optimize.DEFAULT]


def _whole_numbers(converter: tf.lite.TFLiteConverter, calibration: list[np.ndarray]) -> None:
    """Weights and activations as int8 (Jacob et al. 2018), input and output stay float32."""
    if not calibration:
        raise CannotExport(
            "int8 needs images like those that it will see, to measure its activations: add images to the project "
            "or name a snapshot."
        )

    def samples() -> Iterator[list[np.ndarray]]:
        for pixels in calibration:
            yield [pixels[None].astype(np.float32)]

    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = samples
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8, tf.lite.OpsSet.TFLITE_BUILTINS]


def _write_onnx(servable: Servable, target: Path, calibration: list[np.ndarray]) -> None:
    proto = function_to_onnx(servable.serve, servable.signature(servable.batch_size))
    target.write_bytes(proto.SerializeToString())


def _write_saved_model(servable: Servable, target: Path, calibration: list[np.ndarray]) -> None:
    folder = servable.saved_model(servable.batch_size)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, Path("saved_model") / path.relative_to(folder))


def _write_keras(servable: Servable, target: Path, calibration: list[np.ndarray]) -> None:
    shutil.copyfile(servable.path, target)


WRITERS: dict[str, Callable[[Servable, Path, list[np.ndarray]], None]] = {
    "litert-float32": _write_litert(_as_it_is),
    "litert-float16": _write_litert(_half_floats),
    "litert-dynamic": _write_litert(_small_weights),
    "litert-int8": _write_litert(_whole_numbers),
    "onnx": _write_onnx,
    "saved_model": _write_saved_model,
    "keras": _write_keras,
}
