"""The numbers of evaluations and comparisons, against scikit-learn, scipy and hand-computed cases."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn import metrics as reference

from vision.analysis.comparison import ap50_difference, mcnemar
from vision.analysis.curves import (
    calibration_bins,
    classifier_curves,
    precision_recall_curve,
    roc_curve,
    threshold_table,
)
from vision.analysis.label_issues import find_label_issues, out_of_sample_probabilities
from vision.analysis.predictions import ClassifierPredictions, DetectorPredictions
from vision.analysis.selection import box_uncertainty, disagreement, labeling_order, margin_uncertainty
from vision.runtime.boxes import Detections
from vision.runtime.detection_metrics import coco_metrics
from vision.runtime.matching import GroundTruth, match


def answers(seed: int, count: int = 400, classes: int = 4, ties: bool = False) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, classes, count)
    logits = generator.normal(size=(count, classes)) + 1.5 * np.eye(classes)[truth]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return (np.round(probabilities, 1) if ties else probabilities), truth


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_areas_are_those_of_scikit_learn(seed, ties):
    probabilities, truth = answers(seed, ties=ties)
    curves = classifier_curves(probabilities, truth, ["a", "b", "c", "d"])
    for index, row in enumerate(curves["per_class"]):
        scores, positive = probabilities[:, index], truth == index
        assert row["roc"]["auc"] == pytest.approx(reference.roc_auc_score(positive, scores))
        assert row["precision_recall"]["average_precision"] == pytest.approx(
            reference.average_precision_score(positive, scores)
        )
    assert curves["macro_auc"] == pytest.approx(
        np.mean([reference.roc_auc_score(truth == i, probabilities[:, i]) for i in range(4)])
    )


def test_points_lie_on_scikit_learn_s_curves():
    probabilities, truth = answers(5, count=60)
    scores, positive = probabilities[:, 0], truth == 0
    mine = roc_curve(scores, positive)
    false, true, limits = reference.roc_curve(positive, scores, drop_intermediate=False)
    assert mine["false_positive_rate"] == pytest.approx(false, abs=1e-6)
    assert mine["true_positive_rate"] == pytest.approx(true, abs=1e-6)
    assert mine["threshold"][0] is None and mine["threshold"][1:] == pytest.approx(limits[1:], abs=2e-6)
    curve = precision_recall_curve(scores, positive)
    precision, recall, thresholds = reference.precision_recall_curve(positive, scores)
    assert curve["precision"] == pytest.approx(precision[:-1][::-1], abs=1e-6)
    assert curve["recall"] == pytest.approx(recall[:-1][::-1], abs=1e-6)
    assert curve["threshold"] == pytest.approx(thresholds[::-1], abs=1e-6)


def test_one_side_alone_has_no_curve():
    scores = np.array([0.2, 0.8])
    assert roc_curve(scores, np.array([True, True])) is None
    assert roc_curve(scores, np.array([False, False])) is None
    assert precision_recall_curve(scores, np.array([False, False])) is None


def test_calibration_by_hand():
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.35, 0.65]])
    bins = calibration_bins(probabilities, np.array([0, 1, 0, 1]), bins=10)
    assert [(one["count"], round(one["confidence"], 3), one["accuracy"]) for one in bins] == [
        (2, 0.625, 1.0),
        (2, 0.9, 0.5),
    ]


def test_thresholds_by_hand():
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.55, 0.45]])
    table = {row["threshold"]: row for row in threshold_table(probabilities, np.array([0, 1, 0]))}
    assert table[0.0]["answered"] == 1 and table[0.0]["accuracy"] == pytest.approx(2 / 3)
    assert table[0.6]["answered"] == pytest.approx(2 / 3) and table[0.6]["accuracy"] == 0.5
    assert table[1.0] == {"threshold": 1.0, "answered": 0.0, "accuracy": None, "right": 0.0}


@pytest.mark.parametrize(("only_first", "only_second"), [(0, 0), (1, 0), (9, 2), (4, 4), (30, 12), (700, 620)])
def test_mcnemar_is_the_binomial_test(only_first, only_second):
    first = np.array([True] * only_first + [False] * only_second + [True] * 50)
    second = np.array([False] * only_first + [True] * only_second + [True] * 50)
    found = mcnemar(first, second)
    assert (found["only_first"], found["only_second"]) == (only_first, only_second)
    total = only_first + only_second
    expected = binomtest(only_first, total, 0.5).pvalue if total else 1.0
    assert found["p_value"] == pytest.approx(expected, abs=1e-12)
    assert found["interval"][0] <= found["difference"] <= found["interval"][1]


def test_the_interval_of_a_difference_is_newcombe_s():
    # Newcombe 1998, table III: a = 36, b = 12, c = 2, d = 0, method 10: 0.0569 to 0.3404.
    first = np.array([True] * 36 + [False] * 2 + [True] * 12)
    second = np.array([True] * 36 + [True] * 2 + [False] * 12)
    low, high = mcnemar(second, first)["interval"]
    assert (low, high) == pytest.approx((0.0569, 0.3404), abs=1e-4)


def boxes(seed: int, images: int = 30, noise: float = 2.0) -> tuple[list[GroundTruth], list[Detections]]:
    generator = np.random.default_rng(seed)
    truths, found = [], []
    for image in range(images):
        count = int(generator.integers(1, 5))
        corners = generator.uniform(0, 60, (count, 2))
        true = np.concatenate([corners, corners + generator.uniform(15, 30, (count, 2))], axis=1).astype(np.float32)
        labels = generator.integers(0, 2, count)
        truths.append(GroundTruth(str(image), true, labels))
        moved = true + generator.normal(0, noise, true.shape).astype(np.float32)
        moved[:, 2:] = np.maximum(moved[:, 2:], moved[:, :2] + 1)
        found.append(Detections(moved, generator.uniform(0.1, 1, count).astype(np.float32), labels))
    return truths, found


def test_the_bootstrap_compares_what_pycocotools_measures():
    truths, good = boxes(1, noise=1.0)
    _, bad = boxes(1, noise=8.0)
    matches = [match(truths, one, 2) for one in (good, bad)]
    found = ap50_difference(matches[0], matches[1])
    figures = [coco_metrics(truths, one, ["a", "b"])["ap50"] for one in (good, bad)]
    assert found["difference"] == pytest.approx(figures[1] - figures[0], abs=1e-6)
    assert found["interval"][0] <= found["difference"] <= found["interval"][1] < 0 and found["is_significant"]
    same = ap50_difference(matches[0], matches[0])
    assert same["difference"] == 0 and not same["is_significant"] and same["p_value"] == 1


def test_uncertainty_by_hand():
    assert margin_uncertainty(np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0], [0.6, 0.3, 0.1]])) == pytest.approx(
        [1.0, 0.0, 0.7]
    )
    sure, unsure, nothing = box_uncertainty([np.array([0.99]), np.array([0.5, 0.45]), np.zeros(0)], 0.5)
    assert nothing == 0 < sure < 0.1 < 0.9 < unsure <= 1
    apart = disagreement(np.array([[1.0, 0.0], [0.5, 0.5]]), np.array([[0.0, 1.0], [0.5, 0.5]]))
    assert apart == pytest.approx([1.0, 0.0], abs=1e-6)


def test_look_alikes_do_not_fill_the_first_page():
    generator = np.random.default_rng(0)
    twins = np.tile(generator.normal(size=64), (10, 1)) + generator.normal(0, 0.01, (10, 64))
    others = generator.normal(size=(10, 64))
    embeddings = np.concatenate([twins, others]).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    uncertainty = np.concatenate([np.full(10, 0.95), np.full(10, 0.8)])
    order = labeling_order(uncertainty, embeddings)
    assert sorted(order) == list(range(20)) and order[0] < 10
    assert sum(index < 10 for index in order[:8]) <= 2
    # Without a difference in kind the doubt decides.
    flat = labeling_order(np.array([0.1, 0.9, 0.5]), np.zeros((3, 4), np.float32))
    assert flat.tolist() == [1, 2, 0]


def test_labels_that_were_exchanged_are_found():
    generator = np.random.default_rng(2)
    truth = generator.integers(0, 3, 300)
    features = generator.normal(size=(300, 20)) + 4 * np.eye(20)[truth]
    given = truth.copy()
    wrong = generator.choice(300, 15, replace=False)
    given[wrong] = (given[wrong] + 1) % 3
    found = find_label_issues(out_of_sample_probabilities(features, given, 3), given)
    assert len(set(found.order[:15].tolist()) & set(wrong.tolist())) >= 14
    assert (found.suggested[wrong] == truth[wrong]).all() and found.is_issue[wrong].any()


def test_a_label_with_one_image_is_no_failure():
    labels = np.array([0] * 20 + [1])
    probabilities = out_of_sample_probabilities(np.random.default_rng(0).normal(size=(21, 4)), labels, 2)
    assert probabilities.shape == (21, 2) and np.isfinite(probabilities).all()
    find_label_issues(probabilities, labels)


def test_confident_learning_by_hand():
    # Thresholds: label 0: mean(0.9, 0.8, 0.2) = 0.6333; label 1: mean(0.7, 0.9) = 0.8.
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.2, 0.8], [0.3, 0.7], [0.1, 0.9]])
    found = find_label_issues(probabilities, np.array([0, 0, 0, 1, 1]))
    assert found.is_issue.tolist() == [False, False, True, False, False] and found.order[0] == 2


def test_outcomes_are_kept_as_they_were(tmp_path):
    probabilities, truth = answers(1, 7)
    ClassifierPredictions(
        [f"k{n}" for n in range(7)], truth, probabilities.astype(np.float32), ["ä", "b", "c", "d"]
    ).save(tmp_path / "a.npz")
    again = ClassifierPredictions.load(tmp_path / "a.npz")
    assert again.keys[3] == "k3" and again.class_names[0] == "ä" and (again.truth == truth).all()
    truths, found = boxes(3, 5)
    truths.append(GroundTruth("empty", np.zeros((0, 4), np.float32), np.zeros(0, int)))
    found.append(Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, int)))
    DetectorPredictions(truths, found, ["a", "b"]).save(tmp_path / "b.npz")
    loaded = DetectorPredictions.load(tmp_path / "b.npz")
    assert loaded.keys == [truth.id for truth in truths] and len(loaded.found[-1].scores) == 0
    assert all((one.boxes == other.boxes).all() for one, other in zip(loaded.found, found, strict=True))
    DetectorPredictions([], [], ["a"]).save(tmp_path / "c.npz")
    assert DetectorPredictions.load(tmp_path / "c.npz").truths == []
