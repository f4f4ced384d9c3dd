"""The images behind a figure, found by columns, against the loop over images that the metrics use."""

from __future__ import annotations

import numpy as np
import pytest

from inference.evaluation.result_rows import box_images, box_rows, label_images, label_rows
from vision.analysis.box_table import BoxTable
from vision.analysis.predictions import ClassifierPredictions, DetectorPredictions
from vision.analysis.threshold_costs import threshold_costs
from vision.runtime.boxes import Detections
from vision.runtime.detection_metrics import confusion_with_background
from vision.runtime.matching import GroundTruth, boxes_taken, match_detections
from vision.runtime.thresholds import sure_of

NAMES = ["nut", "bolt", "washer"]
THRESHOLDS = [0.3, 0.5, 0.4]


def boxes(generator, count: int) -> np.ndarray:
    corner = generator.uniform(0, 60, (count, 2))
    return np.hstack([corner, corner + generator.uniform(15, 35, (count, 2))]).astype(np.float32)


@pytest.fixture(scope="module")
def outcomes() -> DetectorPredictions:
    """Images with none to six boxes; some are found, some with another label, some where nothing is."""
    generator = np.random.default_rng(4)
    truths, found = [], []
    for index in range(60):
        true = boxes(generator, int(generator.integers(0, 7)))
        labels = generator.integers(0, 3, len(true))
        near = true[generator.random(len(true)) < 0.7]
        shifted = (near + generator.normal(0, 2, near.shape)).astype(np.float32)
        other = np.concatenate([shifted, boxes(generator, int(generator.integers(0, 3)))]).astype(np.float32)
        scores = generator.random(len(other)).astype(np.float32)
        truths.append(GroundTruth(str(index), true, labels))
        found.append(Detections(other, scores, generator.integers(0, 3, len(other))))
    return DetectorPredictions(truths, found, NAMES)


@pytest.fixture(scope="module")
def table(outcomes, tmp_path_factory) -> BoxTable:
    path = tmp_path_factory.mktemp("outcomes") / "outcomes.npz"
    outcomes.save(path)
    return BoxTable.load(path).sure(THRESHOLDS)


def test_columns_match_boxes_as_the_metrics_do(outcomes, table):
    expected = [
        boxes_taken(truth, sure_of(one, THRESHOLDS)) for truth, one in zip(outcomes.truths, outcomes.found, strict=True)
    ]
    first = np.searchsorted(table.true_image, table.image)
    assert (np.where(table.hits < 0, -1, table.hits - first) == np.concatenate(expected)).all()
    truth, found = table.of_image(7)
    assert truth.id == "7" and (truth.boxes == outcomes.truths[7].boxes).all()
    assert (found.scores == sure_of(outcomes.found[7], THRESHOLDS).scores).all()


def test_every_cell_of_the_matrix_opens_the_images_it_counts(outcomes, table):
    for row, label in enumerate([*NAMES, None]):
        for column, predicted in enumerate([*NAMES, None]):
            if label is None and predicted is None:
                continue
            named = {"label": label, "predicted": predicted}
            options = {"outcome": "cell", **{name: value for name, value in named.items() if value}}
            expected = {
                truth.id
                for truth, one in zip(outcomes.truths, outcomes.found, strict=True)
                if confusion_with_background([truth], [one], 3, THRESHOLDS)[row, column]
            }
            assert {table.keys[index] for index in box_images(table, options)} == expected


def test_a_miss_and_a_false_alarm_are_those_of_the_label(outcomes, table):
    missed, alarms, wrong = set(), set(), set()
    for truth, one in zip(outcomes.truths, outcomes.found, strict=True):
        kept = sure_of(one, THRESHOLDS)
        hits, taken = match_detections(truth, kept), set(boxes_taken(truth, kept).tolist())
        open_boxes = [index for index in range(len(truth.boxes)) if index not in taken]
        missed |= {truth.id for index in open_boxes if truth.labels[index] == 1}
        alarms |= {truth.id} if (~hits & (kept.labels == 1)).any() else set()
        wrong |= {truth.id} if open_boxes or (~hits).any() else set()
    of = table.keys.__getitem__
    assert {of(index) for index in box_images(table, {"outcome": "miss", "label": "bolt"})} == missed
    assert {of(index) for index in box_images(table, {"outcome": "false_positive", "predicted": "bolt"})} == alarms
    assert {of(index) for index in box_images(table, {"outcome": "wrong"})} == wrong
    assert len(box_images(table, {"outcome": "right"})) == 60 - len(wrong)


def test_rows_count_what_they_draw_and_the_worst_come_first(table):
    rows = box_rows(table, box_images(table, {}))
    errors = [row["false_positives"] + row["misses"] for row in rows]
    assert len(rows) == 60 and errors == sorted(errors, reverse=True)
    for row in rows:
        drawn = [mark["match"] for mark in row["boxes"]]
        counted = {"hit": row["hits"], "false_positive": row["false_positives"], "miss": row["misses"]}
        assert {match: drawn.count(match) for match in counted} == counted


def test_nothing_annotated_and_nothing_found():
    empty = np.zeros((0, 4), np.float32)
    none = np.zeros(0, np.int64)
    table = BoxTable(["a"], NAMES, none, empty, none, none, empty, np.zeros(0, np.float32), none)
    assert box_rows(table, box_images(table, {}))[0]["boxes"] == []
    assert len(box_images(table, {"outcome": "wrong"})) == 0


def test_labels_come_wrong_and_sure_first():
    probabilities = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.3, 0.7]], np.float32)
    found = ClassifierPredictions(["a", "b", "c", "d"], np.array([0, 0, 0, 1]), probabilities, ["good", "bad"])
    assert [row["image"] for row in label_rows(found, label_images(found, {}))] == ["c", "b", "a", "d"]
    cell = label_rows(found, label_images(found, {"outcome": "cell", "label": "good", "predicted": "bad"}))
    assert cell[0] == {"image": "c", "label": "good", "predicted": "bad", "score": 0.8, "label_score": 0.2}
    assert [row["image"] for row in cell] == ["c", "b"]
    assert label_images(found, {"outcome": "right", "min_score": 0.8}).tolist() == [0]


def test_costs_without_answers_or_anything_to_find():
    rows = threshold_costs(np.zeros(0), np.zeros(0, bool), 0)
    assert (
        {row["precision"] for row in rows} == {row["recall"] for row in rows} == {row["f1"] for row in rows} == {None}
    )
