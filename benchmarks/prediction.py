"""Predictions over HTTP beside JPEG decode and bare LiteRT: the median of one, and how many a second."""

from __future__ import annotations

import http.client
import json
import multiprocessing
import os
import statistics
import time
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.rows import Row, at_least, at_most
from tests.pictures import jpeg, shapes_zip
from tests.studio import Studio

SINGLE = 300
SECONDS = 10.0
MANY = 16
SIZE = (640, 480)
MODEL = {"architecture": "mobilenet_v2", "weights": "none", "image_size": 224, "batch_size": 16, "epochs": 1}


def run(folder: Path) -> list[Row]:
    photograph = jpeg(1, SIZE)
    studio = Studio(folder / "data").start()
    try:
        studio.register()
        model = _train(studio)
        path = folder / "model.tflite"
        path.write_bytes(studio.client.get(f"models/{model}/files/litert-float32/").content)
        target = (studio.url, studio.client.headers["Authorization"], model, photograph)
        cores = os.cpu_count() or 1
        client, bare, wide = Client(*target), Bare(path, photograph), Bare(path, photograph, cores)
        ours_ms, bare_ms, wide_ms = medians(client, bare, wide)
        # Turn by turn, so that other work on the machine meets both alike.
        bare_rates, our_rates, many_rates = [], [], []
        for _ in range(3):
            bare_rates.append(_rate(_bare_process, (path, photograph), cores))
            our_rates.append(_rate(_http_process, (*target, 1), 2 * cores))
            many_rates.append(MANY * _rate(_http_process, (*target, MANY), cores))
    finally:
        studio.stop()
    ours, many, reference = (statistics.median(rates) for rates in (our_rates, many_rates, bare_rates))
    return [
        at_most(
            "one prediction over HTTP, MobileNetV2 at 224 px, median",
            f"{ours_ms:.1f} ms",
            f"JPEG decode + LiteRT {bare_ms:.1f} ms",
            ours_ms / bare_ms,
            1.5,
        ),
        Row("the same", f"{ours_ms:.1f} ms", f"LiteRT on {cores} threads {wide_ms:.1f} ms", ours_ms / wide_ms),
        at_least(
            f"predictions a second, {cores} cores, clients on the same cores, {MANY} images a request",
            f"{many:.0f}",
            f"JPEG decode + LiteRT {reference:.0f}",
            many / reference,
            0.8,
        ),
        at_least(
            "the same, one image a request",
            f"{ours:.0f}",
            f"JPEG decode + LiteRT {reference:.0f}",
            ours / reference,
            0.8,
        ),
    ]


def _train(studio: Studio) -> str:
    project = studio.call("POST", "projects/", json={"name": "p", "task": "classification"})
    dataset = studio.call("POST", "datasets/", json={"project": project["id"], "name": "d"})
    files = {"file": ("shapes.zip", shapes_zip(20), "application/zip")}
    job = studio.call("POST", f"datasets/{dataset['id']}/imports/", files=files)
    studio.wait_for_end(f"jobs/{job['id']}/")
    run = studio.call("POST", "trainings/", json={"project": project["id"], **MODEL})
    return studio.wait_for_end(f"trainings/{run['id']}/", 600)["model"]


class Client:
    """One connection that is kept open, as any script has it; the standard library's client costs least."""

    def __init__(self, url: str, authorization: str, model: str, photograph: bytes, images: int = 1) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
        self._path = f"/api/v1/models/{model}/predict/"
        part = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\n\r\n' + photograph + b"\r\n"
        self._body = part * images + b"--x--\r\n"
        self._headers = {"Authorization": authorization, "Content-Type": "multipart/form-data; boundary=x"}

    def __call__(self) -> None:
        self._connection.request("POST", self._path, self._body, self._headers)
        answer = self._connection.getresponse()
        content = answer.read()
        assert answer.status == 200 and json.loads(content)["predictions"], content


class Bare:
    """What a careful engineer writes in one process: decode at a reduced scale, resize, LiteRT, by default on the
    one thread that LiteRT takes when nothing is said."""

    def __init__(self, path: Path, photograph: bytes, threads: int = 1) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._photograph = photograph
        self._interpreter = Interpreter(model_path=str(path), num_threads=threads)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]
        self._output = self._interpreter.get_output_details()[0]

    def __call__(self) -> None:
        from vision.imaging.preprocessing import load_pixels

        height, width = self._input["shape"][1:3]
        pixels = load_pixels(self._photograph, (int(height), int(width)))
        self._interpreter.set_tensor(self._input["index"], pixels[None].astype("float32"))
        self._interpreter.invoke()
        self._interpreter.get_tensor(self._output["index"])


def medians(*calls) -> tuple[float, ...]:
    times: dict[object, list[float]] = {call: [] for call in calls}
    for turn in range(SINGLE + 20):
        for call in calls:
            started = time.perf_counter()
            call()
            if turn >= 20:
                times[call].append(time.perf_counter() - started)
    return tuple(statistics.median(times[call]) * 1000 for call in calls)


def _rate(target, arguments: tuple, processes: int) -> float:
    """Calls a second that so many processes make together."""
    context = multiprocessing.get_context("spawn")
    counts, barrier = context.Queue(), context.Barrier(processes)
    running = [context.Process(target=target, args=(counts, barrier, *arguments)) for _ in range(processes)]
    for process in running:
        process.start()
    total = sum(counts.get() for _ in running)
    for process in running:
        process.join()
    return total / SECONDS


def _repeat(call, counts, barrier) -> None:
    for _ in range(10):
        call()
    barrier.wait()
    count, end = 0, time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        call()
        count += 1
    counts.put(count)


def _bare_process(counts, barrier, path: Path, photograph: bytes) -> None:
    _repeat(Bare(path, photograph), counts, barrier)


def _http_process(counts, barrier, url: str, authorization: str, model: str, photograph: bytes, images: int) -> None:
    _repeat(Client(url, authorization, model, photograph, images), counts, barrier)
