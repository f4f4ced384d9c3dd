"""The engine in this process, for tests of what it answers rather than of how a process lives and dies."""

from __future__ import annotations

import contextlib
import json
import queue
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.graphs import skip_optimizing

STOP_SECONDS = 60.0
# One block a stage instead of two, and none wider than the first: a ResNet in everything but its depth.
SMALL_RESNET = ([64, 64, 64, 64], [1, 1, 1, 1], "basic_block")


class EngineInProcess:
    """What `jobs.engine.process.EngineProcess` is to its callers, working in a thread: TensorFlow is loaded already."""

    pid = 0
    exceeded = ""

    def __init__(self, folder: Path, *_, **__) -> None:
        self.folder = folder
        self._messages: queue.Queue[dict | None] = queue.Queue()
        self._command = ""
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def next_message(self, timeout: float) -> dict | None:
        return self._messages.get(timeout=timeout)

    def ask(self, command: str) -> None:
        self._command = command

    def memory_bytes(self) -> int:
        return 0

    def wait(self) -> int:
        self._thread.join()
        return 0

    def kill(self) -> None:
        self._command = self._command or "cancel"
        self._thread.join(STOP_SECONDS)
        assert not self._thread.is_alive(), "the engine does not ask whether it should stop"

    def how_it_died(self) -> str:
        return "it ended without an answer"

    def stderr_tail(self) -> list[str]:
        return []

    # Its side of the engine's reporter

    def send(self, event: str, **content) -> None:
        self._messages.put(json.loads(json.dumps({"event": event, **content})))

    def check(self) -> None:
        from vision.training.errors import Cancelled, Interrupted

        if self._command:
            raise (Interrupted if self._command == "interrupt" else Cancelled)(self._command)

    def _work(self) -> None:
        from vision import engine

        try:
            with step_by_step():
                engine._work(self.folder, self)
        except Exception as error:
            engine._report_failure(error, self)
        finally:
            self._messages.put(None)


@contextlib.contextmanager
def step_by_step() -> Iterator[None]:
    """Without a graph of each training and prediction: a few steps of a small network are done long before it is made.

    Exports make theirs all the same, and whole processes and the tests of the engine train with graphs.
    """
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)


def use_engine_in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every caller of the engine, wherever it imported its class to."""
    import training.services
    import training.supervisor  # noqa: F401

    for name, module in list(sys.modules.items()):
        if name.startswith(("inference.", "training.")) and hasattr(module, "EngineProcess"):
            monkeypatch.setattr(module, "EngineProcess", EngineInProcess)


def shallow_efficientnet(monkeypatch: pytest.MonkeyPatch) -> None:
    """EfficientNetV2 with each kind of block once, not up to eight times: all its operations, a third of its graph."""
    from keras.src.applications.efficientnet_v2 import DEFAULT_BLOCKS_ARGS

    name = "efficientnetv2-b0"
    monkeypatch.setitem(DEFAULT_BLOCKS_ARGS, name, [{**block, "num_repeat": 1} for block in DEFAULT_BLOCKS_ARGS[name]])


def skip_timing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Estimates say a millisecond a step, without the half of a short training that measuring it takes."""
    from vision.detection.train import _RetinaNetTraining
    from vision.training import estimate

    skip_optimizing()

    monkeypatch.setattr(estimate, "_time_forward", lambda model, images: 1e-3)
    monkeypatch.setattr(estimate, "_time_litert", lambda network, images: 1e-3)
    monkeypatch.setattr(estimate, "_time_steps", lambda model, images, configuration: 1e-3)
    monkeypatch.setattr(_RetinaNetTraining, "time_steps", lambda self, batch: (1e-3, 1e-3))
