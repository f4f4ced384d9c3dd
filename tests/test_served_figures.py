"""A detector's figures are those of the thresholds that serve, and thresholds do not rest on a handful of boxes."""

from __future__ import annotations

import numpy as np
import pytest

from vision.runtime.boxes import Detections, thresholds_of
from vision.runtime.detection_metrics import detection_metrics, worst_images
from vision.runtime.matching import GroundTruth, Matches, match
from vision.runtime.thresholds import best_thresholds, is_sure

NAMES = ["common", "rare"]


def split(generator, images: int, rare: float) -> tuple[list[GroundTruth], list[Detections]]:
    """A detector that gives lower scores to a rare label."""
    truths, found = [], []
    for number in range(images):
        boxes, labels, found_boxes, scores, found_labels = [], [], [], [], []
        for k in range(3):
            label = int(generator.random() < rare)
            box = [50 * k, 0, 50 * k + 40, 40]
            boxes.append(box)
            labels.append(label)
            found_boxes.append(box)
            scores.append(float(np.clip(generator.normal(0.45 if label else 0.7, 0.15), 0.02, 0.99)))
            found_labels.append(label)
        for k in range(2):
            found_boxes.append([50 * k, 60, 50 * k + 40, 100])
            scores.append(float(np.clip(generator.normal(0.3, 0.12), 0.02, 0.99)))
            found_labels.append(int(generator.random() < 0.3))
        order = np.argsort(-np.array(scores))
        truths.append(GroundTruth(str(number), np.array(boxes, np.float32), np.array(labels)))
        found.append(
            Detections(np.array(found_boxes, np.float32)[order], np.array(scores)[order], np.array(found_labels)[order])
        )
    return truths, found


def matches(scores, hits, total: int) -> Matches:
    count = len(scores)
    boxes_of = np.zeros((count, 1), int)
    boxes_of[0, 0] = total
    return Matches(np.arange(count), np.zeros(count, int), np.array(scores), np.array(hits, bool), boxes_of)


def test_reported_is_what_serves():
    generator = np.random.default_rng(1)
    validation, test = split(generator, 200, 0.2), split(generator, 200, 0.2)
    best = best_thresholds(match(*validation, 2))
    detector = {
        "score_threshold": best["all"]["threshold"],
        "label_thresholds": {name: best[index]["threshold"] for index, name in enumerate(NAMES)},
    }
    serving = thresholds_of(detector, NAMES)
    assert serving[1] < serving[0]
    metrics = detection_metrics(*test, NAMES, detector["score_threshold"], serving)
    served = [
        Detections(
            *(column[is_sure(one.scores, one.labels, serving)] for column in (one.boxes, one.scores, one.labels))
        )
        for one in test[1]
    ]
    after = match(test[0], served, 2)
    for index, row in enumerate(metrics["per_class"]):
        mine = after.label == index
        assert row["precision"] == pytest.approx(after.hit[mine].mean())
        assert row["recall"] == pytest.approx(after.hit[mine].sum() / after.boxes_of[:, index].sum())
    assert metrics["precision"] == pytest.approx(after.hit.mean())
    assert sum(map(sum, metrics["confusion_matrix"])) - sum(row[-1] for row in metrics["confusion_matrix"]) == len(
        after.hit
    )
    wrong = sum(row["false_positives"] for row in worst_images(*test, serving, limit=1000))
    assert wrong == int((~after.hit).sum())


def test_a_label_with_few_boxes_has_the_threshold_of_all():
    """With a threshold of its own by three validation boxes, recall on new images fell from 0.35 to 0.06."""
    generator = np.random.default_rng(5)
    validation, test = split(generator, 12, 0.15), split(generator, 400, 0.08)
    found = match(*validation, 2)
    assert 0 < found.boxes_of[:, 1].sum() < 20
    best = best_thresholds(found)
    assert best[1]["threshold"] == best["all"]["threshold"] != best[0]["threshold"]
    metrics = detection_metrics(*test, NAMES, best["all"]["threshold"], [best[0]["threshold"], best[1]["threshold"]])
    common = detection_metrics(*test, NAMES, best["all"]["threshold"])
    assert metrics["per_class"][1]["recall"] == common["per_class"][1]["recall"] > 0.1


def test_a_threshold_lies_between_scores():
    scores, hits = [0.97, 0.93, 0.88, 0.41], [True, True, True, False]
    best = best_thresholds(matches(scores * 10, hits * 10, 30))[0]
    assert best["threshold"] == pytest.approx((0.88 + 0.41) / 2)
    assert (best["precision"], best["recall"]) == (1.0, 1.0)


def test_equal_scores_are_on_one_side():
    """The best cut by rank lies between two equal scores; no threshold does."""
    best = best_thresholds(matches([0.9] * 20 + [0.5] * 20, [True] * 20 + [True, False] * 10, 30))[0]
    kept = np.array([0.9] * 20 + [0.5] * 20) >= best["threshold"]
    assert kept.sum() in (20, 40) and best["precision"] in (1.0, 0.75)


def test_labels_without_boxes_are_named_and_not_averaged():
    truths, found = split(np.random.default_rng(0), 10, 0.0)
    metrics = detection_metrics(truths, found, ["common", "rare", "never"], 0.4)
    assert metrics["labels_covered"] == 1 and metrics["labels_not_measured"] == ["rare", "never"]
    assert metrics["ap50"] == pytest.approx(metrics["per_class"][0]["ap50"])
