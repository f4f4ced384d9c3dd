"""LiteRT models kept ready: loaded once, a bounded number at a time, the least used dropped first."""

from __future__ import annotations

import contextlib
import os
import queue
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .boxes import Detections


class ModelFileError(ValueError):
    """A model file that LiteRT cannot load or run."""


class LiteRTNetwork:
    """One LiteRT file and its interpreters, each used by one request at a time.

    A prediction that is alone gets an interpreter that spreads over the cores and answers soonest; predictions that
    come together get one thread each, which answers the most of them.

    Args:
        path: a `.tflite` file with one image input and one output.
        max_interpreters: how many predictions may run at once; an interpreter is made when first needed.
        num_threads: threads of a prediction that is alone.

    Raises:
        ModelFileError: the file is damaged or has another shape of input or output.
    """

    def __init__(self, path: str | Path, *, max_interpreters: int = 2, num_threads: int = 1) -> None:
        self._path = _kept_open(self, path)
        self._lock = threading.Lock()
        self._running = 0
        self._idle: queue.LifoQueue = queue.LifoQueue()
        self._permits = threading.Semaphore(max_interpreters)
        self._wide = first = self._make(num_threads)
        inputs, outputs = first.get_input_details(), first.get_output_details()
        chosen = self._chosen(outputs)
        if len(inputs) != 1 or chosen is None or len(inputs[0]["shape"]) != 4 or inputs[0]["shape"][3] != 3:
            raise ModelFileError(
                "The model must have one input (1, height, width, 3) and one output; "
                f"received inputs {[d['shape'].tolist() for d in inputs]}, "
                f"outputs {[d['shape'].tolist() for d in outputs]}."
            )
        self._input, self._output = inputs[0], chosen
        self.image_size: tuple[int, int] = (int(inputs[0]["shape"][1]), int(inputs[0]["shape"][2]))
        self.num_classes = int(chosen["shape"][-1])

    @staticmethod
    def _chosen(outputs: list[dict]) -> dict | None:
        """The output that `run` answers with; None when the file has another kind of outputs."""
        return outputs[0] if len(outputs) == 1 else None

    def run(self, pixels: np.ndarray) -> np.ndarray:
        """The output for one image, without its batch axis: float32.

        Args:
            pixels: `(height, width, 3)` uint8 RGB.
        """
        with self._interpreter() as interpreter:
            batch = pixels[np.newaxis].astype(self._input["dtype"], copy=False)
            interpreter.set_tensor(self._input["index"], batch)
            interpreter.invoke()
            return interpreter.get_tensor(self._output["index"])[0]

    @contextlib.contextmanager
    def _interpreter(self) -> Iterator:
        with self._permits:
            with self._lock:
                wide = self._wide if self._running == 0 else None
                self._running += 1
            try:
                if wide is not None:
                    yield wide
                    return
                with self._narrow() as narrow:
                    yield narrow
            finally:
                with self._lock:
                    self._running -= 1

    @contextlib.contextmanager
    def _narrow(self) -> Iterator:
        try:
            interpreter = self._idle.get_nowait()
        except queue.Empty:
            interpreter = self._make(1)
        try:
            yield interpreter
        finally:
            self._idle.put(interpreter)

    def _make(self, num_threads: int) -> Any:
        from ai_edge_litert.interpreter import Interpreter

        try:
            interpreter = Interpreter(model_path=self._path, num_threads=num_threads)
            interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ModelFileError(f"LiteRT cannot load this model file: {error}") from error
        return interpreter


def _kept_open(owner: object, path: str | Path) -> str:
    """An address of the file that stays good while `owner` lives, even when the file is deleted or replaced meanwhile.

    Interpreters are made when they are needed, long after a cache may have given up its copy of the file.
    """
    descriptor = os.open(path, os.O_RDONLY)
    weakref.finalize(owner, os.close, descriptor)
    address = f"/proc/self/fd/{descriptor}"
    return address if Path(address).exists() else str(path)


class LiteRTClassifier(LiteRTNetwork):
    """A network whose output is a probability for each label."""

    def predict(self, pixels: np.ndarray) -> np.ndarray:
        """Probabilities of one image.

        Args:
            pixels: `(height, width, 3)` uint8 RGB from `preprocessing.load_pixels`.

        Returns:
            `(classes,)` float32.
        """
        return self.run(pixels)


class LiteRTDetector(LiteRTNetwork):
    """A network whose file has its raw output and, for devices, the boxes made of it.

    A file of whole numbers has no boxes, and its raw output in two parts: offsets and logits.
    """

    @staticmethod
    def _chosen(outputs: list[dict]) -> dict | None:
        raw = [output for output in outputs if len(output["shape"]) == 3]
        return raw[0] if len(raw) in (1, 2) else None

    @property
    def _is_split(self) -> bool:
        return len([output for output in self._wide.get_output_details() if len(output["shape"]) == 3]) == 2

    def run(self, pixels: np.ndarray) -> np.ndarray:
        if not self._is_split:
            return super().run(pixels)
        with self._interpreter() as interpreter:
            runner = interpreter.get_signature_runner()
            (name,) = runner.get_input_details()
            outputs = runner(**{name: pixels[np.newaxis].astype(np.float32)})
        return np.concatenate([outputs["offsets"][0], outputs["logits"][0]], axis=-1)

    def detect(self, pixels: np.ndarray) -> tuple[Detections, np.ndarray]:
        """The boxes that the file itself gives, in pixels of the input, and the raw output they were made of."""
        with self._interpreter() as interpreter:
            runner = interpreter.get_signature_runner()
            (name,) = runner.get_input_details()
            outputs = runner(**{name: pixels[np.newaxis].astype(np.float32)})
        count = int(outputs["count"])
        found = Detections(*(outputs[key][:count] for key in ("boxes", "scores", "labels")))
        return found, outputs["raw"][0]


class ModelPool:
    """At most `max_models` loaded models; the one not used for longest is dropped. Thread-safe."""

    def __init__(self, max_models: int = 4, *, max_interpreters: int = 2, num_threads: int = 1) -> None:
        self._max_models = max_models
        self._options = {"max_interpreters": max_interpreters, "num_threads": num_threads}
        self._models: OrderedDict[str, LiteRTNetwork] = OrderedDict()
        self._lock = threading.Lock()
        self._loading: dict[str, threading.Lock] = {}

    def get(self, key: str, locate: Callable[[], str | Path], kind: type[LiteRTNetwork] = LiteRTClassifier) -> Any:
        """The model under `key`; `locate` gives the file's path and is called only to load it."""
        with self._lock:
            model = self._models.get(key)
            if model is not None:
                self._models.move_to_end(key)
                return model
            loading = self._loading.setdefault(key, threading.Lock())
        with loading:  # many requests for a cold model load it once
            with self._lock:
                model = self._models.get(key)
            if model is None:
                model = kind(locate(), **self._options)
            with self._lock:
                self._models[key] = model
                self._models.move_to_end(key)
                while len(self._models) > self._max_models:
                    self._models.popitem(last=False)
                self._loading.pop(key, None)
            return model

    def __len__(self) -> int:
        return len(self._models)
