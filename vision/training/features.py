"""The features of a frozen backbone: computed once for each split, by LiteRT where there is no graphics card."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from vision.runtime.interpreters import LiteRTNetwork
from vision.training.backbone_file import FILENAME, convert_backbone
from vision.training.data import ImageCache
from vision.training.hooks import TrainingHooks

BATCH = 64
# Images that one thread computes between two looks at whether the training is to stop.
CHUNK = 16
# Features that a head gets at once.
ROWS = 4096


class BackboneFeatures:
    """Features of the images of a training, kept in its work folder for a resume.

    On a processor LiteRT takes less than half of what TensorFlow takes, and the file is needed anyway: a head behind it
    is the exported model (`joining.append_head`). It is converted in a thread, while images are decoded.

    Args:
        backbone: `(batch, height, width, 3)` float32 RGB 0..255 → `(batch, features)` float32.
        folder: of the training.
        file: the backbone as a LiteRT file, where one is there already.
        is_converted: whether it is to be made where none is there.
    """

    def __init__(
        self, backbone: keras.Model, folder: Path, hooks: TrainingHooks, file: Path | None, is_converted: bool
    ) -> None:
        self._backbone = backbone
        self._folder = folder
        self._hooks = hooks
        self._file = file
        self._problem: Exception | None = None
        self._thread: threading.Thread | None = None
        if file is None and is_converted:
            self._file = folder / FILENAME
            self._thread = threading.Thread(target=self._convert, daemon=True)
            self._thread.start()

    @property
    def file(self) -> Path | None:
        """The LiteRT file that gives these features; None where Keras does. Waits until it is converted."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None
            if self._problem is not None:
                self._hooks.log(f"LiteRT does not take the backbone, Keras computes the features: {self._problem}")
                self._file = None
        return self._file

    def of(self, store: ImageCache, split: str) -> np.ndarray:
        """`(images, features)` float32 of the images of a split."""
        path = self._folder / f"features-{split}.npy"
        width = self._backbone.output_shape[-1]
        features = np.load(path) if path.exists() else None
        if features is None or features.shape != (len(store), width):
            features = np.empty((len(store), width), dtype=np.float32)
            self._compute(store, features)
            unfinished = path.with_suffix(".partial")
            with open(unfinished, "wb") as file:
                np.save(file, features)
            os.replace(unfinished, path)
        return features

    def _convert(self) -> None:
        assert self._file is not None
        try:
            if not self._file.exists():
                unfinished = self._file.with_suffix(".partial")
                convert_backbone(self._backbone, unfinished)
                os.replace(unfinished, self._file)
            LiteRTNetwork(self._file, max_interpreters=1)
        except Exception as problem:  # converters raise whatever they come across
            self._problem = problem

    def _compute(self, store: ImageCache, features: np.ndarray) -> None:
        run = self._by_keras() if self.file is None else self._by_litert(self.file)

        def compute(indices: np.ndarray) -> int:
            features[indices] = run(store.gather(indices))
            return len(indices)

        size, workers = (BATCH, 1) if self.file is None else (CHUNK, os.cpu_count() or 1)
        parts = [np.arange(start, min(start + size, len(store))) for start in range(0, len(store), size)]
        done = 0
        with ThreadPoolExecutor(workers) as pool:
            for count in pool.map(compute, parts):
                done += count
                try:
                    self._hooks.raise_if_cancelled()
                    self._hooks.on_progress("features", done, len(store))
                except BaseException:
                    pool.shutdown(cancel_futures=True)
                    raise

    def _by_litert(self, file: Path) -> Callable[[np.ndarray], np.ndarray]:
        # An image a thread: twice as fast as two threads an image, and the same numbers on any number of them.
        network = LiteRTNetwork(file, max_interpreters=os.cpu_count() or 1, num_threads=1)
        return lambda images: np.stack([network.run(image) for image in images])

    def _by_keras(self) -> Callable[[np.ndarray], np.ndarray]:
        backbone = self._backbone
        forward = tf.function(lambda images: backbone(images, training=False), reduce_retracing=True)
        return lambda images: forward(tf.convert_to_tensor(images, dtype=tf.float32)).numpy()


def is_faster_with_litert(*, fine_tunes: bool) -> bool:
    """Whether converting a backbone for its features alone pays.

    Not before fine-tuning, which changes the backbone: the file would be of no further use. Not with a graphics card.
    """
    is_float32 = keras.mixed_precision.dtype_policy().compute_dtype == "float32"
    return not fine_tunes and is_float32 and not tf.config.list_physical_devices("GPU")


def said_by(head: keras.Model, features: np.ndarray) -> np.ndarray:
    """`(images, labels)` float32 of `(images, features)`, part by part, for the sake of memory."""
    parts = range(0, len(features), ROWS)
    return np.concatenate([np.asarray(head(features[n : n + ROWS], training=False), np.float32) for n in parts])
