"""The hash of an image is cut at the same value as ever: hashes in databases are compared with new ones."""

from __future__ import annotations

import numpy as np
import pytest

from datasets.imaging.hashing import KEPT, _median


@pytest.mark.parametrize("seed", range(20))
def test_it_is_the_median_to_the_last_bit(seed):
    generator = np.random.default_rng(seed)
    values = generator.normal(0, 10.0 ** generator.integers(-3, 6), (KEPT, KEPT)).astype(np.float32)
    found, expected = _median(values), np.median(values)
    assert found.dtype == values.dtype and found == expected


def test_equal_values():
    assert _median(np.full((KEPT, KEPT), 3.5, np.float32)) == np.float32(3.5)
