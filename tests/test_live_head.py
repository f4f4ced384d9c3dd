"""The head that is fitted while somebody labels, beside scikit-learn's own, and whether 0.9 is nine of ten."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from vision.analysis import live_head
from vision.analysis.live_head import LiveHead, fit_head, held_out, softmax


def blobs(count: int, labels: int = 3, width: int = 40, spread: float = 1.0, seed: int = 0):
    """Images of each label around a place of its own."""
    generator = np.random.default_rng(seed)
    places = np.random.default_rng(99).normal(0, 1, (labels, width))
    given = np.arange(count) % labels
    return (places[given] + generator.normal(0, spread, (count, width))).astype(np.float32), given


def statistics(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return features.mean(axis=0), features.std(axis=0)


@pytest.mark.parametrize("labels", [2, 3])
@pytest.mark.parametrize("count", [12, 90])  # fewer images than features, and more
def test_it_is_the_logistic_regression_of_scikit_learn(monkeypatch, labels, count):
    monkeypatch.setattr(live_head, "TOLERANCE", 1e-8)
    monkeypatch.setattr(live_head, "ITERATIONS", 3000)
    features, given = blobs(count, labels)
    scaler = StandardScaler().fit(features)
    theirs = LogisticRegression(C=live_head.REGULARISATION, max_iter=3000, tol=1e-8)
    theirs.fit(scaler.transform(features), given)
    head = fit_head(features, given, labels, *statistics(features))
    other = blobs(50, labels, seed=1)[0]
    expected = theirs.predict_proba(scaler.transform(other))
    np.testing.assert_allclose(head.probabilities(other), expected, atol=2e-3)


def test_a_label_without_an_image_is_never_guessed():
    features, given = blobs(20, 2)
    head = fit_head(features, given * 2, 4, *statistics(features))
    chances = head.probabilities(features)
    assert chances.shape == (20, 4) and (chances[:, [1, 3]] == 0).all() and np.allclose(chances.sum(axis=1), 1)


def test_a_feature_that_never_changes_harms_nothing():
    features, given = blobs(30)
    features[:, 0] = 5.0
    chances = fit_head(features, given, 3, *statistics(features)).probabilities(features)
    assert np.isfinite(chances).all() and (chances.argmax(axis=1) == given).all()


def test_one_image_a_label_is_enough_to_guess_and_too_few_to_try_it():
    features, given = blobs(3)
    mean, deviation = statistics(blobs(60)[0])
    head = fit_head(features, given, 3, mean, deviation)
    assert (head.probabilities(features).argmax(axis=1) == given).all()
    assert held_out(features, given, 3, mean, deviation) is None


def test_images_of_a_group_are_held_out_together():
    """Each image is there five times: with its copies to learn from it is no test of anything."""
    generator = np.random.default_rng(3)
    once, given = generator.normal(0, 1, (24, 30)).astype(np.float32), generator.integers(0, 2, 24)
    features, labels, groups = (np.repeat(part, 5, axis=0) for part in (once, given, np.arange(24)))
    plain = held_out(features, labels, 2, *statistics(features))
    grouped = held_out(features, labels, 2, *statistics(features), groups=groups)
    assert plain is not None and grouped is not None and plain.images == grouped.images == 120
    assert plain.right / plain.images > 0.95 and grouped.right / grouped.images < 0.8


@pytest.mark.parametrize("spread", [1.0, 3.0])
def test_of_guesses_with_a_confidence_as_many_are_right(spread):
    features, given = blobs(150, spread=spread)
    mean, deviation = statistics(features)
    head = fit_head(features, given, 3, mean, deviation)
    tried = held_out(features, given, 3, mean, deviation)
    assert tried is not None
    other, truth = blobs(3000, spread=spread, seed=5)
    calibrated = LiveHead(head.mean, head.deviation, head.weights, head.bias, tried.temperature)
    chances = calibrated.probabilities(other)
    right = chances.argmax(axis=1) == truth
    assert abs(right.mean() - chances.max(axis=1).mean()) < 0.06
    assert abs(right.mean() - tried.right / tried.images) < 0.1


def test_a_few_images_that_are_all_right_do_not_make_it_sure_of_everything():
    features, given = blobs(8, 2, spread=0.01)
    tried = held_out(features, given, 2, *statistics(features))
    assert tried is not None and tried.right == tried.images == 8
    assert tried.temperature > live_head.TEMPERATURES[0] * 1.01


def test_many_labelled_images_are_tried_in_part(monkeypatch):
    monkeypatch.setattr(live_head, "CALIBRATED", 30)
    features, given = blobs(300)
    tried = held_out(features, given, 3, *statistics(features))
    assert tried is not None and tried.images == 30


def test_softmax_of_large_logits():
    assert softmax(np.array([[1e4, 0.0], [-1e9, -1e9]])).tolist() == [[1, 0], [0.5, 0.5]]
