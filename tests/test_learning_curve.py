"""What more labels are worth: the expectation beside what really came of them."""

import numpy as np
import pytest

from tests.test_live_head import blobs, statistics
from vision.analysis.learning_curve import learning_curve


def of(count: int, seed: int = 0, spread: float = 4.0, more=(50, 100, 200)):
    features, labels = blobs(count, 4, spread=spread, seed=seed)
    return learning_curve(features, labels, 4, *statistics(features), np.arange(count), more)


def test_the_expectation_is_near_what_comes():
    """At 150 images it looks ahead to 200; there the accuracy is measured for itself."""
    misses = []
    for seed in range(5):
        ahead = of(150, seed).expected[0]
        assert ahead.images == 200
        real = of(250, seed + 50).measured[-1]
        assert real.images == 200
        misses.append(ahead.accuracy - real.accuracy)
    assert abs(float(np.mean(misses))) < 0.06


def test_more_labels_are_never_expected_to_harm():
    curve = of(100)
    values = [point.accuracy for point in curve.expected]
    assert values == sorted(values) and all(0 <= value <= 1 for value in values)


@pytest.mark.parametrize("count", [2, 59])
def test_too_few_images(count):
    assert of(count) is None


def test_one_group_is_no_test():
    features, labels = blobs(90)
    assert learning_curve(features, labels, 3, *statistics(features), np.zeros(90, int)) is None


def test_what_is_always_right():
    curve = of(80, spread=0.01)
    assert curve.measured[-1].accuracy == 1.0 and curve.expected[-1].accuracy == pytest.approx(1.0, abs=0.01)
