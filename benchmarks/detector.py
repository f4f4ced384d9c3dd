"""A detector's training step beside bare `fit` on tensors in memory, and one detection over HTTP beside bare LiteRT."""

from __future__ import annotations

import statistics
import time
from functools import partial
from pathlib import Path

from benchmarks.prediction import Client, medians
from benchmarks.rows import Row, at_most
from tests.pictures import scene, scenes_zip
from tests.studio import Studio

SIDE = 320
BATCH = 4
STEPS = 12
TURNS = 4


def run(folder: Path) -> list[Row]:
    return [_step(folder), *_detection(folder)]


def _step(folder: Path) -> Row:
    """The same network and batch: images decoded, augmented and matched with anchors on the way, or ready tensors."""
    import numpy as np

    from vision.detection.data import make_source
    from vision.detection.losses import RetinaNetLoss
    from vision.detection.networks import build_retinanet
    from vision.detection.samples import DetectionSample
    from vision.detection.train import STRENGTHS
    from vision.imaging.letterbox import load_letterboxed
    from vision.runtime.boxes import AnchorShapes, anchors_for
    from vision.training.compiling import make_optimizer
    from vision.training.data import ImageCache

    size, shapes = (SIDE, SIDE), AnchorShapes()
    anchors = anchors_for(size, shapes)
    samples = []
    for seed in range(BATCH * STEPS):
        content, boxes, labels = scene(seed, SIDE)
        path = folder / f"{seed}.png"
        path.write_bytes(content)
        samples.append(DetectionSample(str(seed), str(path), boxes, labels))
    store = ImageCache(samples, size, "memory", folder / "pixels.npy", load_letterboxed)
    store.fill(lambda done, total: None, lambda: None)
    source = make_source(store, {sample.id: size for sample in samples}, anchors, 1, STRENGTHS["light"])
    model = build_retinanet("resnet18", size, 2, shapes)
    model.compile(make_optimizer(peak=1e-4, steps=1000, weight_decay=1e-4), RetinaNetLoss(2))
    images, targets = source.batch(np.arange(len(samples)), 0)
    images = images.astype(np.float32)

    def batches(epoch: int):
        for start in range(0, len(samples), BATCH):
            yield np.arange(start, start + BATCH), epoch

    times: dict[str, list[float]] = {"ours": [], "bare": []}
    for turn in range(TURNS + 1):
        fed = source.dataset(partial(batches, turn), STEPS)
        for name, call in (
            ("ours", partial(model.fit, fed, verbose=0)),
            ("bare", partial(model.fit, images, targets, batch_size=BATCH, verbose=0)),
        ):
            started = time.perf_counter()
            call()
            if turn:
                times[name].append((time.perf_counter() - started) / STEPS)
    ours, bare = (statistics.median(times[name]) for name in ("ours", "bare"))
    what = f"detector training, ResNet18 at {SIDE} px, a step of {BATCH}"
    return at_most(what, f"{ours * 1000:.0f} ms", f"fit on tensors {bare * 1000:.0f} ms", ours / bare, 1.05)


def _detection(folder: Path) -> list[Row]:
    photograph = scene(1, 640)[0]
    studio = Studio(folder / "data").start()
    try:
        studio.register()
        run = _train(studio, "retinanet_resnet18")
        package = _train(studio, "keras_retinanet_resnet50")
        model = studio.call("GET", f"models/{run['model']}/")
        path = folder / "model.tflite"
        path.write_bytes(studio.client.get(f"models/{model['id']}/files/litert-float32/").content)
        client = Client(studio.url, studio.client.headers["Authorization"], model["id"], photograph)
        ours, bare = medians(client, Bare(path, photograph, model["detector"]))
    finally:
        studio.stop()
    return [
        Row(
            f"one detection over HTTP, ResNet18 at {SIDE} px, median",
            f"{ours:.0f} ms",
            f"decode + LiteRT + suppression, one thread {bare:.0f} ms",
            ours / bare,
        ),
        _memory("detector training, ResNet18", run),
        _memory("detector training, keras-retinanet ResNet50", package),
    ]


def _memory(what: str, run: dict) -> Row:
    used, estimated = run["actual"]["memory_bytes"], run["estimate"]["memory_bytes"]
    what = f"{what} at {SIDE} px, batch {BATCH}: peak memory"
    return Row(what, f"{used / 2**20:.0f} MiB", f"promised {estimated / 2**20:.0f} MiB", used / estimated)


def _train(studio: Studio, architecture: str) -> dict:
    project = studio.call("POST", "projects/", json={"name": "p", "task": "detection"})
    dataset = studio.call("POST", "datasets/", json={"project": project["id"], "name": "d"})
    files = {"file": ("scenes.zip", scenes_zip(20, SIDE), "application/zip")}
    job = studio.call("POST", f"datasets/{dataset['id']}/imports/", files=files)
    studio.wait_for_end(f"jobs/{job['id']}/")
    wanted = {
        "project": project["id"],
        "architecture": architecture,
        "epochs": 1,
        "image_size": SIDE,
        "batch_size": BATCH,
    }
    run = studio.call("POST", "trainings/", json=wanted)
    return studio.wait_for_end(f"trainings/{run['id']}/", 600)


class Bare:
    """One process: decode, letterbox, LiteRT on one thread, offsets to boxes, suppression."""

    def __init__(self, path: Path, photograph: bytes, detector: dict) -> None:
        from vision.runtime.boxes import AnchorShapes, anchors_for
        from vision.runtime.interpreters import LiteRTDetector

        self._photograph = photograph
        self._network = LiteRTDetector(path, max_interpreters=1)
        self._anchors = anchors_for(self._network.image_size, AnchorShapes.from_dict(detector["anchors"]))
        self._threshold = detector["score_threshold"]

    def __call__(self) -> None:
        from vision.imaging.letterbox import load_letterboxed
        from vision.runtime.boxes import detections_from

        size = self._network.image_size
        raw = self._network.run(load_letterboxed(self._photograph, size))
        detections_from(self._anchors, raw, size, score_threshold=self._threshold)
