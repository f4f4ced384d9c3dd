"""Damaged archives of every format: an answer, never a crash, and never a box that nobody drew or on another image."""

from __future__ import annotations

import io
import json
import os
import random
import zipfile

import pytest

from tests.archives import PHOTO, read_content, written, zipped
from vision.formats import FormatError
from vision.formats.base import Exported, ParsedAnnotation
from vision.formats.boxes import to_pixel_boxes

THOROUGH = bool(os.environ.get("MLSTUDIO_TEST_THOROUGH"))
ROUNDS = 10_000 if THOROUGH else 150
# Names, labels and places that a few changed bytes do not make into each other: an annotation says whose it is.
NAMES = ("alpha7731", "quebec2096", "zulu5548")
BOXES = ((5.0, 6.0, 25.0, 26.0), (11.0, 13.0, 41.0, 33.0), (17.0, 3.0, 59.0, 44.0))
IMAGES = [
    Exported(f"{name}.jpg", 64, 48, split, [ParsedAnnotation(f"only-{name}", box)], True)
    for name, box, split in zip(NAMES, BOXES, ("train", "validation", "test"), strict=True)
]
PAIRS = list(zip(NAMES, BOXES, strict=True))
OTHERS = {
    "labelme": {
        f"{name}.json": json.dumps({"imagePath": f"{name}.jpg", "shapes": [
            {"label": f"only-{name}", "shape_type": "rectangle", "points": [box[:2], box[2:]]}]})
        for name, box in PAIRS
    },
    "via": {
        "via.json": json.dumps({name: {"filename": f"{name}.jpg", "regions": [{
            "shape_attributes": {"name": "rect", "x": box[0], "y": box[1], "width": box[2] - box[0],
                                 "height": box[3] - box[1]},
            "region_attributes": {"type": f"only-{name}"}}]} for name, box in PAIRS})
    },
    "cvat": {
        "annotations.xml": "<annotations><meta/>" + "".join(
            f"<image name='{name}.jpg' width='64' height='48'><box label='only-{name}' xtl='{box[0]}' ytl='{box[1]}' "
            f"xbr='{box[2]}' ybr='{box[3]}'/></image>" for name, box in PAIRS) + "</annotations>"
    },
    "tables": {
        "t.csv": "filename,class,xmin,ymin,xmax,ymax\n" + "".join(
            f"{name}.jpg,only-{name},{','.join(map(str, box))}\n" for name, box in PAIRS)
    },
    "open_images": {
        "train-annotations-bbox.csv": "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsGroupOf\n" + "".join(
            f"{name},x,only-{name},1,{box[0] / 64},{box[2] / 64},{box[1] / 48},{box[3] / 48},0\n"
            for name, box in PAIRS)
    },
    "via_csv": {
        "via.csv": "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,"
        "region_attributes\n" + "".join(
            f'{name}.jpg,9,"{{}}",1,0,"{{""name"":""rect"",""x"":{box[0]},""y"":{box[1]},""width"":{box[2] - box[0]},'
            f'""height"":{box[3] - box[1]}}}","{{""type"":""only-{name}""}}"\n' for name, box in PAIRS)
    },
    "json_min": {
        "min.json": json.dumps([{"id": number, "image": f"{name}.jpg", "label": [{
            "x": box[0] / 0.64, "y": box[1] / 0.48, "width": (box[2] - box[0]) / 0.64,
            "height": (box[3] - box[1]) / 0.48, "rotation": 0, "rectanglelabels": [f"only-{name}"],
            "original_width": 64, "original_height": 48}]} for number, (name, box) in enumerate(PAIRS)])
    },
    "label_studio_csv": {
        "t.csv": "annotation_id,annotator,id,image,label\n" + "".join(
            f'{number},1,{number},{name}.jpg,"[{{""x"":{box[0] / 0.64},""y"":{box[1] / 0.48},'
            f'""width"":{(box[2] - box[0]) / 0.64},""height"":{(box[3] - box[1]) / 0.48},""rotation"":0,'
            f'""rectanglelabels"":[""only-{name}""],""original_width"":64,""original_height"":48}}]"\n'
            for number, (name, box) in enumerate(PAIRS))
    },
    "corners": {
        "t.csv": "".join(
            f"{name}.jpg,{x},{y},{right},{y},{right},{bottom},{x},{bottom},only-{name}\n"
            for name, (x, y, right, bottom) in PAIRS)
    },
    "label_map": {
        "label_map.pbtxt": "".join(
            f'item {{\n  id: {number}\n  name: "only-{name}"\n}}\n' for number, name in enumerate(NAMES, start=1)),
        "t.csv": "filename,class,xmin,ymin,xmax,ymax\n" + "".join(
            f"{name}.jpg,{number},{','.join(map(str, box))}\n" for number, (name, box) in enumerate(PAIRS, start=1))
    },
    "labels": {"labels.csv": "filename,label\n" + "".join(f"{name}.jpg,only-{name}\n" for name in NAMES)},
}  # fmt: skip
PIECES = [b"null", b"NaN", b"-1", b"1e400", b"[]", b"{}", b'"', b"\\", b"<", b">", b",", b"\n",
           b"\x00", b"\xff", b"]]]]",
          b"[[[[", b"\xf0\x9f\x94\xa9", b"true", b"0", b"&x;", b"%00", b"../", b"0.5 " * 9]  # fmt: skip


@pytest.fixture(autouse=True)
def work_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def files_of(format: str) -> dict[str, bytes]:
    if format in OTHERS:
        return {f"{name}.jpg": PHOTO for name in NAMES} | {n: text.encode() for n, text in OTHERS[format].items()}
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
            data[at:at] = data[at : at + chance.randint(1, 8)]
        else:
            del data[at : at + (1 if chance.random() < 0.9 else len(data))]
    return bytes(data)


@pytest.mark.parametrize(
    "format", ["folder", "coco", "voc", "yolo", "csv", "createml", "label_studio", "datumaro", *OTHERS]
)
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
            found = {_identity(place) for place in to_pixel_boxes(record, 64, 48).marks if place.box}
            # A line break that is lost may make one line of two, which then says just that.
            whole = {mark.label for mark in record.marks if not mark.box and not _is_said(changed, path, mark.label)}
            assert not whole & {f"only-{name}" for name in NAMES if name not in path}, (format, number, path)
            others = {_identity(mark) for image in IMAGES if image.filename not in path for mark in image.marks}
            assert not found & others, (format, number, path)
        assert sum(len(record.marks) for record in result.records.values()) <= 3, (format, number)


def _is_said(files: dict[str, bytes], path: str, label: str) -> bool:
    """Whether a line of a text names both; an image also by its name without an ending."""
    name_of_image = path.partition(".")[0].encode()
    lines = [line for name, text in files.items() if not name.endswith(".jpg") for line in text.splitlines()]
    return any(name_of_image in line and label.encode() in line for line in lines)


def _identity(mark: ParsedAnnotation) -> tuple:
    assert mark.box is not None
    return mark.label, tuple(round(edge, 1) for edge in mark.box)
