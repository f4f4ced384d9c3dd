"""Importing a zip through the studio, beside one process that unpacks, hashes, verifies and writes the same zip."""

from __future__ import annotations

import hashlib
import io
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

from PIL import Image

from benchmarks.rows import Row, at_least
from tests.pictures import jpeg
from tests.studio import Studio

IMAGES = 3_000
SIZE = (640, 480)


def run(folder: Path) -> list[Row]:
    archive = folder / "photos.zip"
    with zipfile.ZipFile(archive, "w") as target, ThreadPoolExecutor() as pool:
        for n, content in enumerate(pool.map(lambda n: jpeg(n, SIZE), range(IMAGES))):
            target.writestr(f"photos/label-{n % 10}/{n}.jpg", content)
    bare = [_bare(archive, folder / "bare-1", decode=False)]
    decoding = [_bare(archive, folder / "decoding-1", decode=True)]
    seconds, before, peak = _through_the_studio(archive, folder / "data")
    bare.append(_bare(archive, folder / "bare-2", decode=False))
    decoding.append(_bare(archive, folder / "decoding-2", decode=True))
    reference, decoded = (IMAGES * len(times) / sum(times) for times in (bare, decoding))
    ours = IMAGES / seconds
    size = archive.stat().st_size / 2**20
    return [
        at_least(
            f"zip import, {IMAGES:,} photographs of {SIZE[0]} x {SIZE[1]}, {size:.0f} MiB",
            f"{ours:.0f} images/s",
            f"unzip, sha256, verify, write: {reference:.0f} images/s",
            ours / reference,
            0.7,
        ),
        at_least(
            "the same beside a loop that decodes at an eighth, to find truncated images",
            f"{ours:.0f} images/s",
            f"unzip, sha256, decode, write: {decoded:.0f} images/s",
            ours / decoded,
            0.9,
        ),
        Row(
            "zip import: peak memory of the worker",
            f"{peak / 2**20:.0f} MiB",
            f"idle {before / 2**20:.0f} MiB",
            peak / before,
            "< 300 MB",
            peak < 300e6,
        ),
    ]


def _bare(archive: Path, target: Path, *, decode: bool) -> float:
    target.mkdir()
    started = time.perf_counter()
    with zipfile.ZipFile(archive) as source:
        for info in source.infolist():
            content = source.read(info)
            name = hashlib.sha256(content).hexdigest()
            with Image.open(io.BytesIO(content)) as image:
                if decode:
                    image.draft("RGB", (SIZE[0] // 8, SIZE[1] // 8))
                    image.load()
                else:
                    image.verify()
            (target / name).write_bytes(content)
    # What it wrote stays: ext4 looks long for an inode where many were freed moments ago, and the next run would pay.
    return time.perf_counter() - started


def _through_the_studio(archive: Path, data: Path) -> tuple[float, int, int]:
    """`(seconds, memory of the worker before, its peak)`."""
    studio = Studio(data).start()
    try:
        studio.register()
        project = studio.call("POST", "projects/", json={"name": "p", "task": "classification"})
        dataset = studio.call("POST", "datasets/", json={"project": project["id"], "name": "d"})
        worker = studio.process_of("worker@")
        before = peak = worker.memory_info().rss
        with open(archive, "rb") as file:
            job = studio.call("POST", f"datasets/{dataset['id']}/imports/", files={"file": ("p.zip", file)})
        while job["state"] in ("queued", "running"):
            peak = max(peak, worker.memory_info().rss)
            time.sleep(0.1)
            job = studio.call("GET", f"jobs/{job['id']}/")
        assert job["state"] == "succeeded" and job["result"]["created"] == IMAGES, job
    finally:
        studio.stop()
    times = [datetime.fromisoformat(job[name]) for name in ("started_at", "finished_at")]
    return (times[1] - times[0]).total_seconds(), before, peak
