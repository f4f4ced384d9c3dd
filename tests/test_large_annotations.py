"""Every reader takes thousands of images, and entries are opened without the records that Python makes of them."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Sequence

import pytest

from tests.archives import MAX_BYTES, Read, read_content, read_files, written, zipped
from vision.formats import WRITERS
from vision.formats.base import Exported, ParsedAnnotation
from vision.formats.texts import ZipTexts

IMAGES, BOXES = 2_000, 10
LABELS = ["bolt", "nut"]
SPLITS = ("train", "validation", "test")


@pytest.fixture(autouse=True)
def work_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def boxes(number: int) -> list[tuple[str, tuple[float, float, float, float]]]:
    return [
        (LABELS[place % 2], (5.0 + 60 * place, number % 100, 45.0 + 60 * place, number % 100 + 30.0))
        for place in range(BOXES)
    ]


def exported() -> list[Exported]:
    return [
        Exported(f"{n}.jpg", 640, 480, SPLITS[n % 3], [ParsedAnnotation(label, box) for label, box in boxes(n)], True)
        for n in range(IMAGES)
    ]


def cvat() -> str:
    rows = "".join(
        f'<image id="{n}" name="{n}.jpg" width="640" height="480">'
        + "".join(
            f'<box label="{label}" xtl="{box[0]}" ytl="{box[1]}" xbr="{box[2]}" ybr="{box[3]}"/>'
            for label, box in boxes(n)
        )
        + "</image>"
        for n in range(IMAGES)
    )
    return f"<annotations><version>1.1</version><meta/>{rows}</annotations>"


def via() -> str:
    def region(label, box):
        shape = {"name": "rect", "x": box[0], "y": box[1], "width": box[2] - box[0], "height": box[3] - box[1]}
        return {"shape_attributes": shape, "region_attributes": {"type": label}}

    images = {
        f"{n}.jpg9": {"filename": f"{n}.jpg", "size": 9, "regions": [region(*one) for one in boxes(n)]}
        for n in range(IMAGES)
    }
    return json.dumps(images)


def labelme(number: int) -> str:
    shapes = [
        {"label": label, "points": [[box[0], box[1]], [box[2], box[3]]], "shape_type": "rectangle"}
        for label, box in boxes(number)
    ]
    document = {"version": "5", "flags": {}, "shapes": shapes, "imagePath": f"{number}.jpg", "imageWidth": 640}
    return json.dumps({**document, "imageHeight": 480})


def tensorflow() -> str:
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["filename", "width", "height", "class", "xmin", "ymin", "xmax", "ymax"])
    rows.writerows([f"{n}.jpg", 640, 480, label, *box] for n in range(IMAGES) for label, box in boxes(n))
    return text.getvalue()


def open_images() -> str:
    rows = "".join(
        f"{n},x,{label},1,{box[0] / 640},{box[2] / 640},{box[1] / 480},{box[3] / 480},0\n"
        for n in range(IMAGES)
        for label, box in boxes(n)
    )
    return f"ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsGroupOf\n{rows}"


def percents(number: int) -> list[dict]:
    """Boxes as Label Studio writes them in JSON-MIN, and in a cell of its table."""
    return [
        {
            "x": box[0] / 6.4,
            "y": box[1] / 4.8,
            "width": (box[2] - box[0]) / 6.4,
            "height": (box[3] - box[1]) / 4.8,
            "rotation": 0,
            "rectanglelabels": [label],
            "original_width": 640,
            "original_height": 480,
        }
        for label, box in boxes(number)
    ]


def json_min() -> str:
    return json.dumps([{"id": n, "image": f"{n}.jpg", "label": percents(n)} for n in range(IMAGES)])


def table(head: list[str], lines: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([head, *lines])
    return text.getvalue()


def studio_table() -> str:
    head = ["annotation_id", "annotator", "id", "image", "label"]
    return table(head, ([n, 1, n, f"{n}.jpg", json.dumps(percents(n))] for n in range(IMAGES)))


def via_table() -> str:
    head = [
        "filename",
        "file_size",
        "file_attributes",
        "region_count",
        "region_id",
        "region_shape_attributes",
        "region_attributes",
    ]
    regions = [region for image in json.loads(via()).values() for region in image["regions"]]
    shapes = ([json.dumps(one["shape_attributes"]), json.dumps(one["region_attributes"])] for one in regions)
    return table(head, ([f"{at // BOXES}.jpg", 9, "{}", BOXES, at % BOXES, *row] for at, row in enumerate(shapes)))


def corners() -> str:
    """Without a line of names, in the order of DOTA."""
    rows = (
        f"{n}.jpg,{x},{y},{right},{y},{right},{bottom},{x},{bottom},{label}\n"
        for n in range(IMAGES)
        for label, (x, y, right, bottom) in boxes(n)
    )
    return "".join(rows)


def numbered() -> dict[str, str]:
    """A table of numbers, and their names."""
    items = (f'item {{ id: {at} name: "{label}" }}\n' for at, label in enumerate(LABELS, start=1))
    rows = ([f"{n}.jpg", LABELS.index(label) + 1, *box] for n in range(IMAGES) for label, box in boxes(n))
    head = ["filename", "class", "xmin", "ymin", "xmax", "ymax"]
    return {"label_map.pbtxt": "".join(items), "t.csv": table(head, rows)}


def is_whole(result: Read, format: str) -> None:
    assert result.format == format and len(result.records) == IMAGES and not result.unread
    assert sum(len(record.marks) for record in result.records.values()) == IMAGES * BOXES
    assert not any(record.left_out for record in result.records.values())
    assert sorted(result.labels) == LABELS


@pytest.mark.parametrize("format", [name for name in WRITERS if name not in ("folder", "csv_one_hot")])
def test_what_we_write(format):
    is_whole(read_content(written(format, LABELS, exported())), format)


@pytest.mark.parametrize(
    ("format", "files"),
    [("cvat", lambda: {"annotations.xml": cvat()}), ("via", lambda: {"via.json": via()}),
     ("labelme", lambda: {f"{n}.json": labelme(n) for n in range(IMAGES)}), ("csv", lambda: {"t.csv": tensorflow()}),
     ("csv", lambda: {"train-annotations-bbox.csv": open_images()}), ("label_studio", lambda: {"min.json": json_min()}),
     ("label_studio", lambda: {"t.csv": studio_table()}), ("via", lambda: {"via.csv": via_table()}),
     ("csv", lambda: {"t.csv": corners()}), ("csv", numbered)],
    ids=["cvat", "via", "labelme", "tensorflow", "open_images", "json_min", "table of label studio", "table of via",
         "corners", "label_map"],
)  # fmt: skip
def test_what_others_write(format, files):
    is_whole(read_files({f"{n}.jpg": b"" for n in range(IMAGES)} | files()), format)


def test_a_column_a_class():
    rows = "".join(f"{n}.jpg,{int(n % 2 == 0)},{int(n % 2)}\n" for n in range(IMAGES))
    table = f"filename,{LABELS[0]},{LABELS[1]}\n{rows}"
    result = read_files({f"{n}.jpg": b"" for n in range(IMAGES)} | {"_classes.csv": table})
    assert all(record.marks[0].label == LABELS[int(path[:-4]) % 2] for path, record in result.records.items())


def test_categories_without_places():
    images = [{"id": n, "file_name": f"{n}.jpg"} for n in range(IMAGES)]
    annotations = [{"id": n, "image_id": n, "category_id": n % 2 + 7} for n in range(IMAGES)]
    categories = [{"id": n + 7, "name": label} for n, label in enumerate(LABELS)]
    document = json.dumps({"images": images, "annotations": annotations, "categories": categories})
    result = read_files({f"{n}.jpg": b"" for n in range(IMAGES)} | {"train.json": document})
    assert all(record.marks[0].label == LABELS[int(path[:-4]) % 2] for path, record in result.records.items())


def test_folders():
    result = read_files({f"{LABELS[n % 2]}/{n}.jpg": b"" for n in range(IMAGES)})
    assert len(result.records) == IMAGES and all(len(record.marks) == 1 for record in result.records.values())


def test_entries_are_opened_without_the_records_of_python():
    content = zipped({"a/1.txt": "one", "a\\2.txt": "two", "größe.txt": "three", "packed.txt": "x" * 10_000})
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        texts = ZipTexts(archive, MAX_BYTES)
        assert not archive.filelist and not archive.NameToInfo
        read = {name: texts.content(name)[:5].decode() for name in texts.names}
    assert read == {"a/1.txt": "one", "a/2.txt": "two", "größe.txt": "three", "packed.txt": "xxxxx"}


def test_a_damaged_entry_is_still_found():
    content = bytearray(zipped({"a.txt": "one two three"}))
    content[content.index(b"two")] ^= 1
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as archive, pytest.raises(ValueError, match="damaged"):
        ZipTexts(archive, MAX_BYTES).content("a.txt")
