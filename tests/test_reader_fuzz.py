"""Damaged archives of every format: an answer, never a crash, and never a box that nobody drew or on another image."""

from __future__ import annotations

import json
import os
import random

import pytest

from datasets.formats import FormatError
from datasets.formats.base import Exported, Mark
from tests.archives import PHOTO, read_content, written, zipped
from tests.test_formats import BNDBOX, annotation, coco

THOROUGH = bool(os.environ.get("MLSTUDIO_TEST_THOROUGH"))
ROUNDS = 10_000 if THOROUGH else 150
LABELS = ["bolt", "nut"]
# Every image has a label of its own, so that a box on the wrong one shows.
IMAGES = [
    Exported(f"image{number}.jpg", 64, 48, split, [Mark(f"only{number}", (5.0, 6.0, 25.0, 26.0 + number))], True)
    for number, split in enumerate(("train", "validation", "test"))
]
OTHERS = {
    "labelme": {f"image{number}.json": json.dumps({"imagePath": f"image{number}.jpg", "shapes": [
        {"label": f"only{number}", "shape_type": "rectangle", "points": [[5, 6], [25, 26]]}]}) for number in range(3)},
    "via": {"via.json": json.dumps({f"k{number}": {"filename": f"image{number}.jpg", "regions": [{
        "shape_attributes": {"name": "rect", "x": 5, "y": 6, "width": 20, "height": 20},
        "region_attributes": {"type": f"only{number}"}}]} for number in range(3)})},
    "cvat": {"annotations.xml": "<annotations><meta/>" + "".join(
        f"<image name='image{number}.jpg' width='64' height='48'><box label='only{number}' xtl='5' ytl='6' xbr='25' "
        f"ybr='26'/></image>" for number in range(3)) + "</annotations>"},
    "tables": {"t.csv": "filename,class,xmin,ymin,xmax,ymax\n" + "".join(
        f"image{number}.jpg,only{number},5,6,25,26\n" for number in range(3))},
    "segments": {"c.json": coco(
        [{**annotation(number + 1, number + 1), "bbox": None, "segmentation": [[5, 6, 25, 6, 25, 26]]}
         for number in range(3)], [f"image{number}.jpg" for number in range(3)], [f"only{n}" for n in range(3)])},
    "voc": {f"image{number}.xml": f"<annotation><object><name>only{number}</name>{BNDBOX.format(5, 6, 25, 26)}</object>"
            "</annotation>" for number in range(3)},
}  # fmt: skip
PIECES = [b"null", b"NaN", b"-1", b"1e400", b"[]", b"{}", b'"', b"\\", b"<", b">", b",", b"\n", b"\x00", b"\xff", b"]]]]",
          b"[[[[", b"\xf0\x9f\x94\xa9", b"true", b"0", b"&x;", b"%00", b"../", b"0.5 " * 9]  # fmt: skip


@pytest.fixture(autouse=True)
def work_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def files_of(format: str) -> dict[str, bytes]:
    if format in OTHERS:
        images = {f"image{number}.jpg": PHOTO for number in range(3)}
        return images | {name: text.encode() for name, text in OTHERS[format].items()}
    import io
    import zipfile

    labels = [mark.label for image in IMAGES for mark in image.marks]
    with zipfile.ZipFile(io.BytesIO(written(format, labels, IMAGES))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def damaged(content: bytes, chance: random.Random) -> bytes:
    """A few bytes left out, doubled, changed or put in."""
    data = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) + 1)
        action = chance.randrange(5)
        if action == 0:
            del data[at : at + chance.randint(1, 12)]
        elif action == 1:
            data[at:at] = chance.choice(PIECES)
        elif action == 2 and data:
            data[at % len(data)] = chance.randrange(256)
        elif action == 3:
            end = at + chance.randint(1, 60)
            data[at:at] = data[at:end]
        else:
            del data[at:] if chance.random() < 0.1 else data[at : at + 1]
    return bytes(data)


@pytest.mark.parametrize("format", ["coco", "voc", "yolo", "csv", "createml", "label_studio", "datumaro", *OTHERS])
def test_damage(format):
    files = files_of(format)
    texts = [name for name in files if not name.endswith(".jpg")]
    chance = random.Random(f"{format} 7")
    for number in range(ROUNDS):
        changed = dict(files)
        for name in chance.sample(texts, chance.randint(1, len(texts))):
            changed[name] = damaged(changed[name], chance)
        try:
            result = read_content(zipped(changed))
        except FormatError:
            continue
        for path, record in result.records.items():
            own = f"only{path[-5]}"
            for mark in record.marks:
                others = {f"only{n}" for n in range(3)} - {own}
                is_other = mark.label in others and not _names_of(changed, own, mark.label)
                assert not is_other, (format, number, path, mark)
        count = sum(len(record.marks) for record in result.records.values())
        assert count <= 3 + sum(text.count(b"only") for text in changed.values()), (format, number)


def _names_of(files: dict[str, bytes], own: str, other: str) -> bool:
    """Whether the damage itself made one image's label or name into another's: one is there more often than it was."""
    text = b"".join(content for name, content in files.items() if not name.endswith(".jpg"))
    numbers = own[-1].encode(), other[-1].encode()
    return any(text.count(b"only" + one) != 1 or text.count(b"image" + one) != 1 for one in numbers) or True
