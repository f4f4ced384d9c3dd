"""From the request to the engine's first line of work: in a process that starts, and in one that has waited."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from benchmarks.rows import Row

REPEATS = 5
SIDE = 64
GOAL = 0.5


def run(folder: Path) -> list[Row]:
    import django

    django.setup()
    from django.conf import settings

    settings.TEMPORARY_DIR.mkdir(parents=True, exist_ok=True)
    _write_model(folder / "model.keras")
    images = _write_images(folder / "images")
    rows, memory = [], []
    for name, request, limit in _requests(folder, images):
        cold, warm = [], []
        for number in range(REPEATS):
            cold.append(_timed(folder / f"{name}-cold-{number}", request))
            warm.append(_timed(folder / f"{name}-warm-{number}", request, memory))
        if limit is not None:  # a preflight says nothing before its answer
            rows.append(_row(f"{name}: request to first line of work", cold, warm, 0, limit))
        rows.append(_row(f"{name}: request to answer", cold, warm, 1, None))
    whole, own = (statistics.median(values) / 2**20 for values in zip(*memory, strict=True))
    return [*rows, Row("engine process that waits: memory", f"{own:.0f} MiB of its own", f"{whole:.0f} MiB with files")]


def _row(what: str, cold: list, warm: list, which: int, goal: float | None) -> Row:
    cold_seconds, seconds = (statistics.median(times[which] for times in runs) for runs in (cold, warm))
    told = f"{seconds:.2f} s, median of {REPEATS}", f"a process that starts {cold_seconds:.2f} s"
    ratio = cold_seconds / seconds
    return Row(what, *told, ratio) if goal is None else Row(what, *told, ratio, f"< {goal} s", seconds < goal)


def _timed(folder: Path, request: Callable, memory: list | None = None) -> tuple[float, float]:
    """Seconds until the first message that is not of the start, and until the answer. `memory`: let one wait first."""
    from django.conf import settings

    from jobs.engine import warm
    from jobs.engine.inputs import environment_of
    from jobs.engine.process import EngineProcess
    from vision.engine_requests import write_request

    folder.mkdir()
    write_request(folder, request)
    if memory is not None:
        settings.WARM_ENGINE_MINUTES = 10
        warm.ENGINE.open()
        warm.ENGINE.prepare(environment_of(request))
        while warm.ENGINE.waiting is None or not warm.ENGINE.waiting.is_ready:
            time.sleep(0.05)
        found = psutil.Process(warm.ENGINE.waiting.pid).memory_full_info()
        memory.append((found.rss, found.uss))
    settings.WARM_ENGINE_MINUTES = 0
    started, first = time.perf_counter(), None
    process = EngineProcess(folder)
    try:
        while (message := process.next_message(timeout=300)) is not None:
            if first is None and "importing" not in message.get("line", ""):
                first = time.perf_counter() - started
            if message["event"] in ("result", "error"):
                assert message["event"] == "result", message
                return first or 0.0, time.perf_counter() - started
    finally:
        process.kill()
    raise AssertionError(process.how_it_died())


def _requests(folder: Path, images: list[Path]) -> list[tuple]:
    from vision.engine_requests import PreflightRequest
    from vision.exporting.request import ExportRequest, OutputsRequest
    from vision.training.configuration import Configuration
    from vision.training.data import Sample

    model, names = str(folder / "model.keras"), ["a", "b"]
    configuration = Configuration(architecture="small_cnn", image_size=SIDE, epochs=5).resolved().to_dict()
    samples = [Sample(path.name, str(path), number % 2) for number, path in enumerate(images)]
    splits = {"train": samples[:40], "validation": samples[40:50], "test": samples[50:]}
    export = ExportRequest(
        path=model,
        engine="keras",
        architecture="small_cnn",
        class_names=names,
        input_size=(SIDE, SIDE),
        resize="stretch",
        detector={},
        kinds=["litert-float16"],
        samples=[],
        source="",
        is_labelled=False,
        calibration=[],
        largest_drop=1.0,
    )
    return [
        ("evaluation of a Keras file", OutputsRequest("keras", model, [str(folder / "image.npy")]), GOAL),
        ("export", export, GOAL),
        ("preflight", PreflightRequest("classification", configuration, names, splits), None),
    ]


def _write_model(path: Path) -> None:
    os.environ.setdefault("KERAS_HOME", str(path.parent))
    import numpy as np

    from vision.training import export
    from vision.training.configuration import Configuration
    from vision.training.networks import build_network

    network = build_network(Configuration(architecture="small_cnn", image_size=SIDE).resolved(), 2).model
    export.export_keras(network, path)
    np.save(path.parent / "image.npy", np.zeros((SIDE, SIDE, 3), np.uint8))


def _write_images(folder: Path) -> list[Path]:
    from tests.pictures import shape_jpeg

    folder.mkdir()
    for number in range(60):
        (folder / f"{number:02}.jpg").write_bytes(shape_jpeg(number, ("cross", "disc")[number % 2]))
    return sorted(folder.iterdir())
