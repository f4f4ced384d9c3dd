"""The layout of a map: alike images near each other, the same each time, later ones beside those they are like."""

from __future__ import annotations

import numpy as np
import pytest

from vision.analysis.feature_map import HIGHEST, lay_out, to_short
from vision.analysis.neighbour_distances import nearest_among
from vision.analysis.principal import principal_of


def clusters(count: int, labels: int = 3, features: int = 40, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    places = np.random.default_rng(99).normal(0, 3, (labels, features))
    truth = np.arange(count) % labels
    return (places[truth] + generator.normal(0, 1, (count, features))).astype(np.float16), truth


def share_of_own(positions: np.ndarray, truth: np.ndarray, others: np.ndarray, of_others: np.ndarray) -> float:
    """How many of the five nearest on the map carry the same label."""
    near, _ = nearest_among(positions.astype(np.float32), others.astype(np.float32), 6)
    return float((of_others[near[:, 1:]] == truth[:, np.newaxis]).mean())


def test_alike_images_lie_near_each_other_and_later_ones_beside_them():
    vectors, truth = clusters(300)
    layout = lay_out(vectors, np.arange(300), landmarks=150)
    positions = layout.place(layout.principal.of(vectors, np.arange(300)))
    assert len(layout.points) == 150 and positions.min() >= 0 and positions.max() <= 1
    assert share_of_own(positions, truth, positions, truth) > 0.95
    later, of_later = clusters(60, seed=1)
    placed = layout.place(layout.principal.of(later, np.arange(60)))
    assert share_of_own(placed, of_later, positions, truth) > 0.95


def test_the_same_images_make_the_same_map():
    vectors, _ = clusters(120)
    one, other = (lay_out(vectors, np.arange(120)) for _ in range(2))
    np.testing.assert_array_equal(one.positions, other.positions)


@pytest.mark.parametrize("count", [1, 2, 12])
def test_few_images_and_equal_ones_have_places(count):
    vectors = np.ones((count, 8), np.float16)
    vectors[:, 0] = np.arange(count) % 2
    layout = lay_out(vectors, np.arange(count))
    positions = layout.place(layout.principal.of(vectors, np.arange(count)))
    assert positions.shape == (count, 2) and np.isfinite(positions).all()


def test_no_image_is_refused():
    with pytest.raises(ValueError, match="at least one image, received none"):
        lay_out(np.zeros((0, 8), np.float16), np.zeros(0, np.int64))


def test_positions_use_all_of_16_bits():
    short = to_short(np.array([[0.0, 1.0], [0.5, 2.0]], np.float32))
    assert short.dtype == np.uint16 and short.tolist() == [[0, HIGHEST], [32768, HIGHEST]]


def test_principal_components_are_those_of_a_singular_value_decomposition():
    generator = np.random.default_rng(3)
    for count in (30, 400):  # fewer and more images than features
        vectors = (generator.normal(size=(count, 60)) * np.linspace(1, 4, 60)).astype(np.float16)
        points = principal_of(vectors, np.arange(count), components=5).of(vectors, np.arange(count))
        plain = vectors.astype(np.float64)
        plain = (plain - plain.mean(axis=0)) / plain.std(axis=0)
        left, sizes, _ = np.linalg.svd(plain, full_matrices=False)
        np.testing.assert_allclose(np.abs(points), np.abs(left[:, :5] * sizes[:5]), rtol=0.02, atol=0.02)


def test_nearest_references_are_those_of_all_distances(monkeypatch):
    monkeypatch.setattr("vision.analysis.neighbour_distances.CELLS", 100)
    generator = np.random.default_rng(4)
    points, references = (generator.normal(size=(count, 6)).astype(np.float32) for count in (50, 30))
    rows, distances = nearest_among(points, references, 4)
    every = np.linalg.norm(points[:, np.newaxis] - references, axis=2)
    np.testing.assert_array_equal(rows, np.argsort(every, axis=1)[:, :4])
    np.testing.assert_allclose(distances, np.sort(every, axis=1)[:, :4], rtol=1e-4)
    assert nearest_among(points, references[:2], 4)[0].shape == (50, 2)
