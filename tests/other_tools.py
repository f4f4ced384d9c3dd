"""Datasets for tests beside other tools: images with boxes from a seed, and what our readers make of a folder."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from tests.archives import Read, read_content, written
from vision.formats.base import Exported, ParsedAnnotation
from vision.formats.boxes import to_pixel_boxes

LABELS = ["bolt", "hex nut", "Größe"]
TOLERANCE_PIXELS = 0.5
Boxes = dict[str, list[tuple[str, list[float]]]]


@dataclass(frozen=True)
class Scene:
    """One image: `boxes` are `(label, [x_min, y_min, x_max, y_max])` in pixels."""

    filename: str
    width: int
    height: int
    split: str | None
    boxes: list[tuple[str, list[float]]]

    def pixels(self) -> np.ndarray:
        """`(height, width, 3) uint8`; no two scenes have the same."""
        generator = np.random.default_rng(len(self.boxes) * 1000 + self.width)
        return generator.integers(0, 255, (self.height, self.width, 3), dtype=np.uint8)

    @property
    def stem(self) -> str:
        return self.filename.rpartition(".")[0]

    @property
    def exported(self) -> Exported:
        marks = [ParsedAnnotation(label, (box[0], box[1], box[2], box[3])) for label, box in self.boxes]
        return Exported(self.filename, self.width, self.height, self.split, marks, True)


def scenes(seed: int, count: int = 6, splits: tuple[str | None, ...] = (None,)) -> list[Scene]:
    """Images of different sizes with one to four boxes on whole pixels."""
    generator = np.random.default_rng(seed)
    made = []
    for number in range(count):
        width, height = int(60 + 10 * number), int(generator.integers(40, 90))
        boxes = []
        for _ in range(generator.integers(1, 5)):
            x, y = (int(generator.integers(1, side - 21)) for side in (width, height))
            x_max, y_max = (int(edge + generator.integers(5, 20)) for edge in (x, y))
            boxes.append((str(generator.choice(LABELS)), [x, y, x_max, y_max]))
        made.append(Scene(f"photo {number}.png", width, height, splits[number % len(splits)], boxes))
    return made


def save_images(made: list[Scene], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for scene in made:
        Image.fromarray(scene.pixels()).save(folder / scene.filename)


def read_folder(folder: Path) -> Read:
    """What our readers say of the files of a folder, packed as a zip."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder).as_posix())
    return read_content(target.getvalue())


def placed(result: Read, made: list[Scene]) -> Boxes:
    """Stem of each image → its boxes in pixels, sorted; what is left out is an error."""
    by_stem = {scene.stem: scene for scene in made}
    found: Boxes = {}
    for path, record in result.records.items():
        scene = by_stem[path.rpartition("/")[2].rpartition(".")[0]]
        place = to_pixel_boxes(record, scene.width, scene.height)
        assert not place.left_out and record.is_annotated, (path, record, result.remarks)
        found[scene.stem] = in_order([(mark.label, list(mark.box or ())) for mark in place.marks])
    return found


def splits_of(result: Read) -> dict[str, str | None]:
    return {path.rpartition("/")[2].rpartition(".")[0]: record.split for path, record in result.records.items()}


def expected(made: list[Scene]) -> Boxes:
    return {scene.stem: in_order(scene.boxes) for scene in made}


def in_order(boxes: list[tuple[str, list[float]]]) -> list[tuple[str, list[float]]]:
    """By label and rounded place: readers that differ by a fraction of a pixel give the same order."""
    return sorted(((label, list(box)) for label, box in boxes), key=lambda row: (row[0], [round(e) for e in row[1]]))


def assert_same(
    found: Boxes, wanted: Boxes, shift: tuple[float, ...] = (0, 0, 0, 0), tolerance: float = TOLERANCE_PIXELS
) -> None:
    """The same images, labels and boxes to half a pixel.

    Args:
        shift: what a tool that counts pixels otherwise adds to the edges.
    """
    assert found.keys() == wanted.keys()
    for stem, boxes in wanted.items():
        assert [label for label, _ in found[stem]] == [label for label, _ in boxes], stem
        for (_, ours), (_, theirs) in zip(found[stem], boxes, strict=True):
            difference = np.abs(np.array(ours) - np.array(shift) - np.array(theirs)).max()
            assert difference <= tolerance, (stem, ours, theirs)


def exported_folder(format: str, made: list[Scene], folder: Path) -> Path:
    """Our own export, unpacked, with real images in the place of the marks that `written` puts there."""
    folder.mkdir(parents=True, exist_ok=True)
    by_name = {scene.filename: scene for scene in made}
    with zipfile.ZipFile(io.BytesIO(written(format, LABELS, [scene.exported for scene in made]))) as archive:
        archive.extractall(folder)
    for path in folder.rglob("*.png"):
        Image.fromarray(by_name[path.name].pixels()).save(path)
    return folder
