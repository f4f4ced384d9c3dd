"""Features whose file was damaged: bytes that are no numbers spoil no mean, no fit, no map and no answer."""

from __future__ import annotations

import uuid

import numpy as np
import pytest

from vision.analysis.calibration import FEWEST_IMAGES, fit_temperature
from vision.analysis.feature_pairs import near_pairs
from vision.analysis.feature_store import FeatureStore, OpenedStore
from vision.analysis.live_head import fit_head, held_out
from vision.analysis.nearest import most_alike
from vision.analysis.out_of_fold import out_of_fold_probabilities
from vision.analysis.outliers import find_outliers
from vision.analysis.principal import principal_of

IMAGES, FEATURES = 120, 32
LABELS, ROWS = np.repeat([0, 1], IMAGES // 2), np.arange(IMAGES)
NO_NUMBERS = (b"\x00\x7e", b"\x00\x7c", b"\x00\xfc", b"\xff\xff")


@pytest.fixture
def damaged(tmp_path) -> OpenedStore:
    """Features of two labels far apart, with some that are not a number or infinite."""
    store, random = FeatureStore(tmp_path, FEATURES), np.random.default_rng(0)
    far = np.where(LABELS, 3.0, -3.0)[:, np.newaxis]
    store.append([uuid.UUID(int=n + 1) for n in range(IMAGES)], random.normal(far, 1, (IMAGES, FEATURES)))
    for name in ("vectors.f16", "codes.f16"):
        content = bytearray((tmp_path / name).read_bytes())
        for place in random.integers(0, len(content) // 2, 30):
            content[2 * place : 2 * place + 2] = NO_NUMBERS[place % 4]
        (tmp_path / name).write_bytes(content)
    assert not np.isfinite(store.vectors()).all() and not np.isfinite(store.codes()).all()
    return store.opened()


def test_the_live_model_learns_all_the_same(damaged):
    mean, deviation = damaged.statistics()
    assert np.isfinite(mean).all() and np.isfinite(deviation).all()
    head = fit_head(damaged.vectors, LABELS, 2, mean, deviation)
    chances = head.probabilities(damaged.vectors)
    assert np.isfinite(chances).all() and (chances.argmax(axis=1) == LABELS).mean() > 0.95
    tried = held_out(damaged.vectors, LABELS, 2, mean, deviation)
    assert tried is not None and tried.right > 0.95 * tried.images and np.isfinite(tried.temperature)


def test_what_is_alike_has_a_number(damaged):
    mean, _ = damaged.statistics()
    for row in range(0, IMAGES, 10):
        _, likeness = most_alike(damaged.vectors, damaged.codes, row, 10, mean)
        assert np.isfinite(likeness).all()
    assert np.isfinite(near_pairs(damaged.vectors, damaged.codes, ROWS).similarities).all()


def test_maps_outliers_and_doubts_are_found(damaged):
    points = principal_of(damaged.vectors, ROWS).of(damaged.vectors, ROWS)
    assert np.isfinite(points).all() and np.isfinite(find_outliers(points, LABELS).score).all()
    chances = out_of_fold_probabilities(damaged.vectors, ROWS, LABELS, 2, *damaged.statistics(), ROWS)
    assert np.isfinite(chances).all() and (chances.argmax(axis=1) == LABELS).mean() > 0.95


def test_a_feature_that_only_images_outside_of_the_sample_have_does_not_decide_alone():
    random = np.random.default_rng(0)
    features = np.zeros((IMAGES, 9))
    features[:, :8] = random.normal(np.where(LABELS, 3.0, -3.0)[:, np.newaxis], 1, (IMAGES, 8))
    mean, deviation = features.mean(axis=0), features.std(axis=0)
    rare = features.copy()
    rare[0, -1] = 6.0  # of thousands of images this one was not in the sample
    head = fit_head(rare, LABELS, 2, mean, deviation)
    rare[LABELS == 1, -1] = 6.0
    assert (head.probabilities(rare).argmax(axis=1) == LABELS).all()


@pytest.mark.parametrize(
    ("probabilities", "labels", "least", "most"),
    [
        (np.zeros((0, 2)), np.zeros(0, int), 0.999, 1.001),  # an empty split
        (np.full((FEWEST_IMAGES, 2), np.nan), np.zeros(FEWEST_IMAGES, int), 0.999, 1.001),
        (np.full((10_000, 2), [0.9, 0.1]), np.zeros(10_000, int), 0.04, 1.0),  # one label, all right
        (np.full((10_000, 2), [0.9, 0.1]), np.ones(10_000, int), 1.0, 25.0),  # all wrong
        (np.eye(3)[[0, 1, 2] * 20], np.array([1, 2, 0] * 20), 1.0, 25.0),  # all wrong, and certain of it
    ],
)
def test_a_temperature_has_bounds(probabilities, labels, least, most):
    assert least <= fit_temperature(probabilities, labels) <= most


def test_rows_that_are_no_numbers_have_no_part_in_a_temperature():
    right = np.full((FEWEST_IMAGES, 2), [0.8, 0.2])
    labels = np.zeros(FEWEST_IMAGES, int)
    spoiled = np.concatenate([right, np.full((5, 2), np.nan)])
    assert fit_temperature(spoiled, np.zeros(len(spoiled), int)) == fit_temperature(right, labels)
