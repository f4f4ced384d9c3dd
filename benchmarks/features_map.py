"""What features serve before any training: seconds and memory of a map, outliers among sign digits, changed copies.

The features of the map are made up, for time and memory only. Foreign images are of blood cells, under labels drawn at
random; copies of 400 photographs and of 200 images of cells are cropped, mirrored, of other light, or saved again.
"""

from __future__ import annotations

import io
import os
import resource
import time
import uuid
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from benchmarks.live_model import FEATURES, IMAGE_SIZE, LARGE_LABELS
from benchmarks.rows import Row
from benchmarks.sign_digits import is_here
from tests.real_data import FOLDER, SIGN_DIGITS, WEIGHTS
from vision.analysis.embedding import projection
from vision.analysis.feature_map import lay_out
from vision.analysis.feature_pairs import near_pairs
from vision.analysis.feature_store import FeatureStore
from vision.analysis.outliers import find_outliers
from vision.analysis.principal import principal_of
from vision.imaging.preprocessing import open_image, to_pixels

SIZES = (10_000, 100_000)
CHUNK = 5000
SEEDS = (1, 2, 3)
FOREIGN = 20
CODES = 128


def run(folder: Path) -> list[Row]:
    rows = [_map(folder / str(size), size) for size in SIZES]
    if not is_here():
        return [*rows, Row("outliers and changed copies", "not measured: no photographs and weights here", "")]
    os.environ["MLSTUDIO_WEIGHTS_DIR"] = str(WEIGHTS)
    network = _network(folder)
    digits, cells = SIGN_DIGITS, FOLDER / "bccd-voc.zip"
    names, photographs, copies = _features(digits, network, 400)
    _, foreign, others = _features(cells, network, 200)
    rows.append(_outliers(photographs, np.array([int(name.split("/")[-2]) for name in names]), foreign))
    return [
        *rows,
        *_pairs("sign digits, where the limits were chosen", photographs, copies),
        *_pairs("blood cells", foreign, others),
    ]


def _map(folder: Path, size: int) -> Row:
    store = FeatureStore(folder, FEATURES)
    generator = np.random.default_rng(0)
    places = generator.normal(0, 1, (LARGE_LABELS, FEATURES)).astype(np.float32)
    for start in range(0, size, CHUNK):
        truth = np.arange(start, start + CHUNK) % LARGE_LABELS
        rows = places[truth] + generator.normal(0, 2, (CHUNK, FEATURES)).astype(np.float32)
        store.append([uuid.UUID(int=n + 1) for n in range(start, start + CHUNK)], rows)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started, busy = time.perf_counter(), time.process_time()
    vectors, every = store.vectors(), np.arange(size)
    layout = lay_out(vectors, every)
    laid_out = time.process_time() - busy
    for start in range(0, size, 4096):
        layout.place(layout.principal.of(vectors, every[start : start + 4096]))
    seconds, busy = time.perf_counter() - started, time.process_time() - busy
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return Row(
        f"map of {size:,} images",
        f"{busy:.0f} s of a core ({laid_out:.0f} s for {len(layout.points):,} landmarks), {seconds:.0f} s by the clock",
        f"{grown:.0f} MB more memory at the most, pages of the file among them",
    )


def _outliers(photographs: np.ndarray, labels: np.ndarray, foreign: np.ndarray) -> Row:
    found = []
    for seed in SEEDS:
        generator = np.random.default_rng(seed)
        chosen = foreign[generator.permutation(len(foreign))[:FOREIGN]]
        vectors, every = np.concatenate([photographs, chosen]), len(photographs) + FOREIGN
        given = np.concatenate([labels, generator.integers(0, 10, FOREIGN)])
        outliers = find_outliers(principal_of(vectors, np.arange(every)).of(vectors, np.arange(every)), given)
        first = np.argsort(-outliers.score, kind="stable")[:FOREIGN]
        is_foreign = np.arange(every) >= len(photographs)
        found.append((is_foreign[first].sum(), outliers.is_outlier.sum(), (outliers.is_outlier & is_foreign).sum()))
    top, called, right = np.array(found).mean(axis=0)
    return Row(
        f"{FOREIGN} foreign images among {len(photographs):,} sign digits",
        f"{top:.1f} of them are the first {FOREIGN}",
        f"{called:.0f} images called outliers, {right:.1f} of the foreign ones among them",
    )


def _pairs(name: str, originals: np.ndarray, copies: dict[str, tuple[np.ndarray, np.ndarray]]) -> list[Row]:
    rows = []
    for kind, (places, changed) in copies.items():
        vectors = np.concatenate([originals, changed])
        codes = (vectors.astype(np.float32) @ projection(FEATURES, CODES) / np.sqrt(CODES)).astype(np.float16)
        pairs = near_pairs(vectors, codes, np.arange(len(vectors)))
        copy = pairs.ends - len(originals)
        right = int(((copy >= 0) & (places[np.maximum(copy, 0)] == pairs.starts)).sum())
        rows.append(
            Row(
                f"copies of {name}: {kind}",
                f"recall {right / len(changed):.2f}, precision {right / max(1, len(pairs.starts)):.2f}",
                f"{len(changed)} copies, {len(pairs.starts)} pairs",
            )
        )
    return rows


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "cropped to 90 %": lambda image: image.crop((0, 0, int(image.width * 0.9), int(image.height * 0.9))),
    "JPEG 40": lambda image: _saved(image),
    "20 % brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.2),
    "20 % darker": lambda image: ImageEnhance.Brightness(image).enhance(0.8),
    "mirrored": ImageOps.mirror,
}


def _saved(image: Image.Image) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=40)
    return Image.open(file).convert("RGB")


def _features(
    path: Path, network: Callable[[np.ndarray], np.ndarray], count: int
) -> tuple[list[str], np.ndarray, dict[str, tuple[np.ndarray, np.ndarray]]]:
    """Names and features of all images of an archive; of each kind of change places of originals and features."""
    with zipfile.ZipFile(path) as archive:
        names = [name for name in sorted(archive.namelist()) if name.lower().endswith((".jpg", ".jpeg"))]
        chosen = set(np.random.default_rng(0).permutation(len(names))[:count].tolist())
        features, copies = [], {kind: ([], []) for kind in CHANGES}
        for place, name in enumerate(names):
            with open_image(io.BytesIO(archive.read(name))) as opened:
                image = opened.convert("RGB")
            features.append(network(to_pixels(image, (IMAGE_SIZE, IMAGE_SIZE))))
            for kind, change in CHANGES.items() if place in chosen else ():
                copies[kind][0].append(place)
                copies[kind][1].append(network(to_pixels(change(image), (IMAGE_SIZE, IMAGE_SIZE))))
    found = {kind: (np.array(places), np.stack(rows).astype(np.float16)) for kind, (places, rows) in copies.items()}
    return names, np.stack(features).astype(np.float16), found


def _network(folder: Path) -> Callable[[np.ndarray], np.ndarray]:
    import tensorflow as tf

    from vision.runtime.interpreters import LiteRTNetwork
    from vision.training.litert import write_litert
    from vision.training.networks import pretrained_backbone

    backbone = pretrained_backbone("mobilenet_v2", IMAGE_SIZE)
    path = folder / "backbone.tflite"
    signature = tf.TensorSpec((None, IMAGE_SIZE, IMAGE_SIZE, 3), tf.float32, name="image")
    write_litert(path, lambda image: backbone(image, training=False), backbone, signature)
    return LiteRTNetwork(path, max_interpreters=1, num_threads=1).run
