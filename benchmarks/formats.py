"""Reading the annotations of 100,000 images with 1,000,000 boxes: memory and CPU of the process that reads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

from benchmarks.rows import Row

IMAGES, BOXES = 100_000, 10
LABELS = [f"label {number}" for number in range(20)]
HEAD = b"\xff\xd8\xff\xe0"  # readers look no further into a JPEG
GOAL_BYTES = 300e6
MAX_TEXT_BYTES = 1 << 30
SIZE = (640, 480)


def run(folder: Path) -> list[Row]:
    return [_row(name, write(folder / f"{name}.zip"), folder) for name, write in (("COCO", _coco), ("YOLO", _yolo))]


def _row(name: str, archive: Path, folder: Path) -> Row:
    target = folder / f"{name}-said"
    target.mkdir()
    command = [sys.executable, "-m", "vision.formats", "auto", str(MAX_TEXT_BYTES)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    with open(archive, "rb") as file, subprocess.Popen(command, stdin=file, cwd=target, env=environment) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    head = json.loads((target / "head.json").read_text())
    assert process.returncode == 0 and head["holds"]["boxes"] == IMAGES * BOXES, head
    peak = used.ru_maxrss * 1024
    seconds = used.ru_utime + used.ru_stime
    return Row(
        f"{name} of {IMAGES:,} images with {IMAGES * BOXES:,} boxes: peak memory of the process that reads",
        f"{peak / 1e6:.0f} MB",
        f"{seconds:.1f} s of CPU",
        None,
        "< 300 MB",
        peak < GOAL_BYTES,
    )


def _boxes(number: int) -> list[tuple[int, int, int, int, int]]:
    """`(label, x, y, width, height)` in pixels."""
    return [((number + place) % 20, place * 50, number % 400, 40, 20 + number % 60) for place in range(BOXES)]


def _coco(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(IMAGES):
            archive.writestr(f"images/{number:06}.jpg", HEAD)
        with archive.open("annotations.json", "w") as file:
            file.write(b'{"images": [')
            for number in range(IMAGES):
                row = {"id": number, "file_name": f"{number:06}.jpg", "width": SIZE[0], "height": SIZE[1]}
                file.write((", " if number else "").encode() + json.dumps(row).encode())
            file.write(b'], "annotations": [')
            for number in range(IMAGES):
                rows = [
                    {"id": number * BOXES + place, "image_id": number, "category_id": label, "bbox": box, "iscrowd": 0}
                    for place, (label, *box) in enumerate(_boxes(number))
                ]
                file.write((", " if number else "").encode() + json.dumps(rows)[1:-1].encode())
            names = [{"id": number, "name": label} for number, label in enumerate(LABELS)]
            file.write(f'], "categories": {json.dumps(names)}}}'.encode())
    return path


def _yolo(path: Path) -> Path:
    width, height = SIZE
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data.yaml", f"names: {json.dumps(LABELS)}\n")
        for number in range(IMAGES):
            archive.writestr(f"images/{number:06}.jpg", HEAD)
            lines = [
                f"{label} {(x + w / 2) / width:.6f} {(y + h / 2) / height:.6f} {w / width:.6f} {h / height:.6f}\n"
                for label, x, y, w, h in _boxes(number)
            ]
            archive.writestr(f"labels/{number:06}.txt", "".join(lines))
    return path
