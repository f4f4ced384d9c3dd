"""Metrics against scikit-learn and hand-computed values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from vision.runtime.metrics import (
    classification_metrics,
    expected_calibration_error,
    wilson_interval,
    worst_mistakes,
)


def random_case(seed: int, count: int, classes: int):
    generator = np.random.default_rng(seed)
    logits = generator.normal(size=(count, classes)) * 2
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return probabilities, generator.integers(0, classes, count)


@given(st.integers(0, 10_000), st.integers(1, 80), st.integers(2, 9))
def test_figures_equal_those_of_scikit_learn(seed, count, classes):
    probabilities, y_true = random_case(seed, count, classes)
    y_pred = probabilities.argmax(axis=1)
    ours = classification_metrics(probabilities, y_true, [str(n) for n in range(classes)])
    precision, recall, f1, support = sk.precision_recall_fscore_support(
        y_true, y_pred, labels=range(classes), zero_division=0
    )
    assert ours["accuracy"] == pytest.approx(sk.accuracy_score(y_true, y_pred))
    assert ours["confusion_matrix"] == sk.confusion_matrix(y_true, y_pred, labels=range(classes)).tolist()
    for index, row in enumerate(ours["per_class"]):
        assert (row["precision"], row["recall"], row["f1"]) == pytest.approx(
            (precision[index], recall[index], f1[index])
        )
        assert row["support"] == support[index]
    assert ours["macro_f1"] == pytest.approx(sk.f1_score(y_true, y_pred, average="macro", zero_division=0))
    assert ours["weighted_f1"] == pytest.approx(sk.f1_score(y_true, y_pred, average="weighted", zero_division=0))
    if classes > 5:
        top = sk.top_k_accuracy_score(y_true, probabilities, k=5, labels=range(classes))
        assert ours["top_5_accuracy"] == pytest.approx(top)


@pytest.mark.parametrize(
    ("successes", "total", "low", "high"),
    # Newcombe 1998, table I, score method without continuity correction
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_interval(successes, total, low, high):
    assert wilson_interval(successes, total) == pytest.approx((low, high), abs=1e-4)


def test_calibration_error_by_hand():
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.4, 0.6]])
    # bin of 0.9: accuracy 0.5; bin of 0.6: accuracy 1.0
    expected = 0.5 * abs(0.5 - 0.9) + 0.5 * abs(1.0 - 0.6)
    assert expected_calibration_error(probabilities, np.array([0, 1, 0, 1]), bins=10) == pytest.approx(expected)


def test_no_images_give_no_error():
    empty = classification_metrics(np.zeros((0, 3)), np.zeros(0, dtype=int), ["a", "b", "c"])
    assert empty["accuracy"] == 0 and empty["count"] == 0 and empty["accuracy_interval"] == [0.0, 1.0]


def test_worst_mistakes_come_first():
    probabilities = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]])
    rows = worst_mistakes(probabilities, np.array([1, 0, 1]), ["x", "y", "z"], ["a", "b"])
    assert [(row["image"], row["label"], row["predicted"]) for row in rows] == [("x", "b", "a"), ("y", "a", "b")]
