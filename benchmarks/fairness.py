"""What a flood of one user does to another: 40 trainings, 30 models, 600 event streams, 100 uploads."""

from __future__ import annotations

import concurrent.futures
import os
import statistics
import time
from pathlib import Path

import httpx

from benchmarks.event_streams import _open, _register
from benchmarks.rows import Row
from tests.pictures import shape_jpeg, shapes_zip
from tests.studio import Studio

TURN_MINUTES = 1
PREDICTIONS = 100
SETTINGS = {"architecture": "small_cnn", "image_size": 32, "epochs": 10}
ENDED = ("succeeded", "failed", "cancelled")


class User:
    """One account with a project and a dataset, and what it does over HTTP."""

    def __init__(self, studio: Studio, name: str) -> None:
        self.client = httpx.Client(base_url=f"{studio.url}/api/v1/", timeout=120)
        self.client.headers["Authorization"] = _register(studio, name)
        self.project = self.call("POST", "projects/", json={"name": name})["id"]
        self.dataset = self.call("POST", "datasets/", json={"project": self.project, "name": "d"})["id"]

    def call(self, method: str, path: str, **options):
        answer = self.client.request(method, path, **options)
        assert answer.status_code < 300, (path, answer.status_code, answer.text)
        return answer.json() if answer.content else None

    def ended(self, path: str, seconds: float = 900) -> dict:
        deadline = time.monotonic() + seconds
        while (row := self.call("GET", path))["state"] not in ENDED:
            assert time.monotonic() < deadline, row
            time.sleep(0.1)
        assert row["state"] == "succeeded", row
        return row

    def seconds_of_an_import(self, content: bytes) -> float:
        dataset = self.call("POST", "datasets/", json={"project": self.project, "name": f"d{time.monotonic()}"})["id"]
        started = time.perf_counter()
        files = {"file": ("shapes.zip", content, "application/zip")}
        job = self.call("POST", f"datasets/{dataset}/imports/", files=files)["id"]
        assert self.ended(f"jobs/{job}/")["result"]["files"] == 300
        self.dataset = dataset
        return time.perf_counter() - started

    def seconds_of_a_training(self) -> tuple[float, str]:
        snapshot = self.call("POST", f"datasets/{self.dataset}/snapshots/", json={})["id"]
        started = time.perf_counter()
        run = self.call("POST", "trainings/", json={"project": self.project, "snapshot": snapshot, **SETTINGS})["id"]
        model = self.ended(f"trainings/{run}/")["model"]
        return time.perf_counter() - started, model

    def seconds_of_a_prediction(self, model: str) -> float:
        image, times = shape_jpeg(7, "disc"), []
        for _ in range(PREDICTIONS):
            started = time.perf_counter()
            self.call("POST", f"models/{model}/predict/", files={"files": ("a.jpg", image)})
            times.append(time.perf_counter() - started)
        return statistics.median(times)


def run(folder: Path) -> list[Row]:
    os.environ.update(MLSTUDIO_TRAINING_TURN_MINUTES=str(TURN_MINUTES), MLSTUDIO_MAX_EVENT_STREAMS="1000")
    studio = Studio(folder / "studio").start()
    try:
        calm = User(studio, "calm")
        content = shapes_zip(150)
        alone_import = calm.seconds_of_an_import(content)
        alone_training, model = calm.seconds_of_a_training()
        alone_prediction = calm.seconds_of_a_prediction(model)
        streams = _flood(studio, User(studio, "flood"), calm, model)
        flooded_import = calm.seconds_of_an_import(content)
        flooded_prediction = calm.seconds_of_a_prediction(model)
        flooded_training, _ = calm.seconds_of_a_training()
        for stream in streams:
            stream.close()
    finally:
        studio.stop()
    most = 2 * alone_training + 60 * TURN_MINUTES
    return [
        Row("300 images imported beside a flood", f"{flooded_import:.1f} s", f"alone {alone_import:.1f} s",
            flooded_import / alone_import, "≤ 2 × and a running job", flooded_import <= 2 * alone_import + 5),
        Row("one prediction beside a flood, median", f"{1000 * flooded_prediction:.0f} ms",
            f"alone {1000 * alone_prediction:.0f} ms", flooded_prediction / alone_prediction, "≤ 2 ×",
            flooded_prediction <= 2 * alone_prediction),
        Row(f"small training beside a flood (turns of {TURN_MINUTES} min)", f"{flooded_training:.0f} s",
            f"alone {alone_training:.0f} s", flooded_training / alone_training, "≤ 2 × and a turn",
            flooded_training <= most),
    ]  # fmt: skip


def _flood(studio: Studio, flood: User, calm: User, model: str) -> list:
    """Everything at once; returns the open streams. The flood's models are copies of the other user's."""
    flood.seconds_of_an_import(shapes_zip(150))
    snapshot = flood.call("POST", f"datasets/{flood.dataset}/snapshots/", json={})["id"]
    settings = {"project": flood.project, "snapshot": snapshot, **SETTINGS, "epochs": 1000, "early_stopping": 0}
    file = calm.client.get(f"models/{model}/files/keras/").raise_for_status().content
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(lambda _: flood.call("POST", "trainings/", json=settings)["id"], range(40)))
        fields = {"project": flood.project, "labels": '["cross", "disc"]', "scaling": "0_255"}
        list(
            pool.map(
                lambda _: flood.call("POST", "models/", data=fields, files={"file": ("m.keras", file)})["id"], range(30)
            )
        )
        headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(1 << 20)}
        list(pool.map(lambda _: flood.client.post("uploads/", headers=headers).raise_for_status(), range(100)))
    studio.client.headers["Authorization"] = flood.client.headers["Authorization"]
    streams = [_open(studio, f"/api/v1/trainings/{runs[n % 40]}/events/") for n in range(600)]
    time.sleep(5)
    return streams
