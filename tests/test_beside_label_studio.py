"""What the exports of Label Studio, made by its own converter, give: the same images, labels and boxes.

The converter comes with `label-studio-sdk`, whose dependencies are many and other than the studio's: an environment of
its own that sees the studio's packages runs these tests.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.other_tools import (
    LABELS,
    TOLERANCE_PIXELS,
    Scene,
    assert_same,
    expected,
    exported_folder,
    placed,
    read_folder,
    save_images,
    scenes,
)

converter = pytest.importorskip("label_studio_sdk.converter", reason="in no list of requirements; see this file")
TIME = "2026-01-01T00:00:00Z"
CONFIG = (
    '<View><Image name="image" value="$image"/><RectangleLabels name="label" toName="image">'
    + "".join(f'<Label value="{label}"/>' for label in LABELS)
    + "</RectangleLabels></View>"
)
CHOICES = (
    '<View><Image name="image" value="$image"/><Choices name="choice" toName="image">'
    + "".join(f'<Choice value="{label}"/>' for label in LABELS)
    + "</Choices></View>"
)


@pytest.fixture(autouse=True)
def work_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def uploaded(scene: Scene, number: int) -> str:
    """The path that the studio gives an uploaded file."""
    return f"/data/upload/1/{number:08x}-{scene.filename.replace(' ', '_')}"


def task(scene: Scene, number: int, results: list[dict]) -> dict:
    annotation = {
        "id": number,
        "completed_by": 1,
        "result": results,
        "was_cancelled": False,
        "ground_truth": False,
        "created_at": TIME,
        "updated_at": TIME,
        "lead_time": 1,
    }
    return {
        "id": number,
        "data": {"image": uploaded(scene, number)},
        "annotations": [annotation],
        "predictions": [],
        "created_at": TIME,
        "updated_at": TIME,
        "project": 1,
    }


def boxes(scene: Scene) -> list[dict]:
    rows = []
    for position, (label, (x, y, x_max, y_max)) in enumerate(scene.boxes):
        place = {
            "x": x / scene.width * 100,
            "y": y / scene.height * 100,
            "rotation": 0,
            "width": (x_max - x) / scene.width * 100,
            "height": (y_max - y) / scene.height * 100,
        }
        rows.append(
            {
                "id": f"r{position}",
                "type": "rectanglelabels",
                "from_name": "label",
                "to_name": "image",
                "original_width": scene.width,
                "original_height": scene.height,
                "image_rotation": 0,
                "value": {**place, "rectanglelabels": [label]},
            }
        )
    return rows


def choice(scene: Scene) -> list[dict]:
    value = {"choices": [scene.boxes[0][0]]}
    return [{"id": "c", "type": "choices", "from_name": "choice", "to_name": "image", "value": value}]


def convert(made: list[Scene], results, config: str, format: str, folder: Path) -> Path:
    """Their export, with the images beside it as people pack them."""
    tasks = [task(scene, number, results(scene)) for number, scene in enumerate(made, start=1)]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tasks.json").write_text(json.dumps(tasks))
    out = folder / "out"
    its = converter.Converter(config, str(folder), upload_dir=str(folder), download_resources=False)
    its.convert(str(folder / "tasks.json"), str(out), format, is_dir=False)
    save_images(made, out / "images")
    return out


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("JSON", "label_studio"),
        ("JSON_MIN", "label_studio"),
        ("COCO", "coco"),
        ("YOLO", "yolo"),
        ("VOC", "voc"),
        ("CSV", "label_studio"),
        ("TSV", "label_studio"),
    ],
)
def test_boxes_that_it_exports(tmp_path, theirs, ours):
    made = scenes(7)
    result = read_folder(convert(made, boxes, CONFIG, theirs, tmp_path))
    assert result.format == ours and not result.unread
    # Its VOC has whole pixels, with corner and size both rounded down: 58.999 becomes 58.
    assert_same(placed(result, made), expected(made), tolerance=2.0 if theirs == "VOC" else TOLERANCE_PIXELS)


@pytest.mark.parametrize("theirs", ["JSON", "JSON_MIN", "CSV", "TSV"])
def test_choices_that_it_exports(tmp_path, theirs):
    made = scenes(8)
    result = read_folder(convert(made, choice, CHOICES, theirs, tmp_path))
    found = {Path(path).stem: [mark.label for mark in record.marks] for path, record in result.records.items()}
    assert found == {scene.stem: [scene.boxes[0][0]] for scene in made}


def test_it_converts_what_we_write(tmp_path):
    """Our tasks become its COCO, which we read."""
    made = scenes(9)
    folder = exported_folder("label_studio", made, tmp_path / "ours")
    its = converter.Converter(CONFIG, str(tmp_path), download_resources=False)
    its.convert(str(folder / "tasks.json"), str(tmp_path / "out"), "COCO", is_dir=False)
    save_images(made, tmp_path / "out" / "images")
    assert_same(placed(read_folder(tmp_path / "out"), made), expected(made))
