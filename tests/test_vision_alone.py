"""The library without the studio: annotated images in a folder, and a model that is asked about one of them."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from inference.serving.prediction import PredictionOptions, make_predictor
from tests.pictures import scene, scenes_zip
from tests.studio import ROOT
from vision.detection.folders import read_folder
from vision.formats.folders import FolderContents
from vision.runtime.answers import MOST_BOXES, Detector


@pytest.fixture
def scenes(tmp_path) -> Path:
    """20 images with their boxes in a table, in folders of the three splits."""
    with zipfile.ZipFile(io.BytesIO(scenes_zip(20))) as archive:
        archive.extractall(tmp_path / "scenes")
    return tmp_path / "scenes"


def test_a_folder_is_read_as_its_files_say(scenes):
    data, remarks = read_folder(scenes)
    assert remarks == [] and sorted(data.class_names) == ["disc", "square"]
    assert {split: len(samples) for split, samples in data.splits.items()} == {"train": 12, "validation": 4, "test": 4}
    (first,) = [sample for sample in data.splits["train"] if sample.id == "train/0.png"]
    _, boxes, labels = scene(0)
    assert sorted(first.boxes) == sorted([list(map(float, box)) for box in boxes])
    assert sorted(data.class_names[label] for label in first.labels) == sorted(("square", "disc")[n] for n in labels)


def test_splits_that_are_missing_are_drawn_with_the_seed(scenes):
    for name in ("valid", "test"):
        for path in (scenes / name).iterdir():
            path.rename(scenes / "train" / path.name)
        (scenes / name).rmdir()
    table = scenes / "annotations.csv"
    table.write_text(table.read_text().replace("valid/", "train/").replace("test/", "train/"))
    one, other, third = (read_folder(scenes, seed=seed)[0].splits for seed in (1, 1, 2))
    assert {split: len(samples) for split, samples in one.items()} == {"train": 14, "validation": 3, "test": 3}
    assert one == other != third


def test_what_cannot_be_used_is_left_out_and_said(scenes):
    (scenes / "train" / "0.png").write_bytes(b"no image")
    (scenes / "train" / "unlabelled.png").write_bytes((scenes / "train" / "1.png").read_bytes())
    data, remarks = read_folder(scenes)
    names = {sample.id for sample in data.splits["train"]}
    assert not names & {"train/0.png", "train/unlabelled.png"} and "train/1.png" in names
    assert [remark.filename for remark in remarks if remark.code == "not_an_image"] == ["train/0.png"]


def test_images_without_annotations_are_left_out(scenes):
    (scenes / "annotations.csv").unlink()
    data, _ = read_folder(scenes)
    assert not any(data.splits.values())


def test_a_link_leads_nowhere_else(tmp_path):
    (tmp_path / "secret.json").write_text("{}")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link.json").symlink_to(tmp_path / "secret.json")
    (folder / ".hidden.json").write_text("{}")
    (folder / "here.json").write_text("{}")
    assert FolderContents(folder).names == ["here.json"]


def test_the_studio_and_the_library_say_the_same(detector, detector_files):
    content, _, _ = scene(7)
    library = Detector(detector_files["litert-float32"], detector.class_names, detector.detector)
    studio = make_predictor(detector, PredictionOptions(limit=MOST_BOXES))(io.BytesIO(content), "scene.png")
    assert library.predict(content) == studio.boxes
    low = library.predict(content, threshold=0.01)
    assert len(low) >= len(studio.boxes) and all(box["score"] >= 0.01 for box in low)


@pytest.mark.slow
@pytest.mark.long
def test_the_example_trains_and_asks_without_the_studio(scenes, tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    for name in [name for name in environment if name.startswith("DJANGO")]:
        del environment[name]
    command = [sys.executable, str(ROOT / "examples" / "detector.py"), str(scenes), "0.2"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "AP50 on images it never saw" in done.stdout
    assert sorted((tmp_path / "run" / "labels.txt").read_text().split()) == ["disc", "square"]
