"""What a training process says that it measured is not believed: neither the place of the file nor its content."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from jobs.errors import WorkFailed
from tests.test_trainings import TINY, shapes, start  # noqa: F401 - a fixture
from training.measured import checked_outcomes, measured_by
from training.models import TrainingRun
from vision.analysis.predictions import OUTCOMES, ClassifierPredictions, DetectorPredictions
from vision.runtime.boxes import Detections
from vision.runtime.matching import GroundTruth
from vision.training.result import TrainingResult

NAMES = ["bad", "good"]


@pytest.fixture
def run(api, project, shapes) -> TrainingRun:  # noqa: F811
    return TrainingRun.objects.get(pk=start(api, project, **TINY).json()["id"])


def keys_of(run: TrainingRun) -> list[str]:
    return [str(row.image_key) for row in run.snapshot.images.filter(split="test")]


def saved(folder: Path, keys: list[str], names=NAMES, value: float = 0.5, truth: int = 0) -> TrainingResult:
    path = folder / OUTCOMES
    ClassifierPredictions(
        keys, np.full(len(keys), truth), np.full((len(keys), len(names)), value, np.float32), names
    ).save(path)
    return result_with(str(path))


def result_with(outcomes: str) -> TrainingResult:
    return TrainingResult({}, NAMES, (8, 8), {}, {}, {}, [], [], {}, 1, 1.0, 0.0, outcomes=outcomes)


@pytest.mark.django_db
class TestOfATraining:
    def test_what_it_measured_is_kept(self, run, tmp_path):
        files, curves = measured_by(run, saved(tmp_path, keys_of(run)), tmp_path)
        assert files == {OUTCOMES: tmp_path / OUTCOMES} and curves["per_class"]
        assert measured_by(run, result_with(""), tmp_path) == ({}, {})

    def test_a_file_that_is_not_its_own_is_refused(self, run, tmp_path):
        """It could be the outcomes of another project, which whoever sees the model would see."""
        result = saved(tmp_path, keys_of(run))
        own = tmp_path / "own"
        own.mkdir()
        (own / "link.npz").symlink_to(result.outcomes)
        for name in (result.outcomes, str(own / "link.npz"), str(own)):
            with pytest.raises(WorkFailed) as caught:
                measured_by(run, result_with(name), own)
            assert caught.value.code == "engine_file_missing"

    @pytest.mark.parametrize(
        "wrong",
        [
            {"keys": ["no id"]},
            {"keys": ["0192f0c1-3c5e-7000-8000-000000000000"]},
            {"names": ["bad", "other"]},
            {"names": ["bad"]},
            {"value": float("nan")},
            {"value": float("inf")},
            {"truth": 2},
            {"truth": -1},
        ],
    )
    @pytest.mark.any_database("what a file of outcomes may say")
    def test_content_that_no_training_has_is_left_out(self, run, tmp_path, wrong):
        result = saved(tmp_path, **({"keys": keys_of(run)} | wrong))
        assert measured_by(run, result, tmp_path) == ({}, {})

    def test_images_that_are_named_twice(self, run, tmp_path):
        assert measured_by(run, saved(tmp_path, keys_of(run)[:1] * 3), tmp_path) == ({}, {})

    @pytest.mark.any_database("what a file of outcomes may say")
    def test_what_is_no_such_file(self, run, tmp_path):
        result = saved(tmp_path, keys_of(run))
        (tmp_path / OUTCOMES).write_bytes(b"text")
        assert measured_by(run, result, tmp_path) == ({}, {})

    @pytest.mark.any_database("what a file of outcomes may say")
    def test_a_bomb_is_not_unpacked(self, run, tmp_path, monkeypatch):
        result = saved(tmp_path, keys_of(run))
        with zipfile.ZipFile(tmp_path / OUTCOMES, "a", zipfile.ZIP_DEFLATED) as file:
            file.writestr("more.npy", bytes(16 << 20))
        monkeypatch.setattr("training.measured.read_outcomes", None)
        assert measured_by(run, result, tmp_path) == ({}, {})


class Snapshot:
    """Of two test images with three boxes."""

    counts = {"annotations": {"bad": {"train": 9, "test": 3}}}
    project = type("Project", (), {"task": "detection"})


def boxes(count: int, label: float = 0.0, edge: float = 1.0, keys: tuple[str, ...] = ("a", "b")) -> DetectorPredictions:
    corners = np.full((count, 4), edge, np.float32)
    found = Detections(corners, np.full(count, 0.5, np.float32), np.full(count, label))
    return DetectorPredictions([GroundTruth(key, corners[:1], np.zeros(1)) for key in keys], [found] * len(keys), NAMES)


def test_a_detector_finds_known_labels_in_known_images(tmp_path):
    path = tmp_path / OUTCOMES
    boxes(2).save(path)
    assert checked_outcomes(path, Snapshot, {"a", "b", "c"}, NAMES).keys == ["a", "b"]
    boxes(0, keys=()).save(path)
    assert checked_outcomes(path, Snapshot, {"a"}, NAMES).keys == []


@pytest.mark.parametrize(
    "wrong",
    [boxes(2, label=2.0), boxes(2, edge=np.nan), boxes(101), boxes(1, keys=("a", "z"))],
    ids=["label", "no number", "too many", "image"],
)
def test_boxes_that_no_detector_finds(tmp_path, wrong):
    wrong.save(tmp_path / OUTCOMES)
    with pytest.raises(ValueError):
        checked_outcomes(tmp_path / OUTCOMES, Snapshot, {"a", "b"}, NAMES)
