"""The hash of an image stays as it is: hashes in databases are compared with new ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.pictures import jpeg
from vision.imaging import looking
from vision.imaging.hashing import KEPT, _median, perceptual_hash
from vision.imaging.preprocessing import ImageError, decoded, load_pixels, open_image


@pytest.mark.parametrize("seed", range(20))
def test_it_is_the_median_to_the_last_bit(seed):
    generator = np.random.default_rng(seed)
    values = generator.normal(0, 10.0 ** generator.integers(-3, 6), (KEPT, KEPT)).astype(np.float32)
    found, expected = _median(values), np.median(values)
    assert found.dtype == values.dtype and found == expected


def test_equal_values():
    assert _median(np.full((KEPT, KEPT), 3.5, np.float32)) == np.float32(3.5)


@pytest.mark.parametrize("options", [{}, {"quality": 30}, {"subsampling": 0}, {"progressive": True}])
def test_a_photograph_decoded_without_its_colours_has_the_hash_that_it_has_with_them(options):
    differing = [_bits(looking.look_at(one).phash, _hash_in_colour(one)) for one in _photographs(options)]
    assert max(differing) <= 4 and sum(differing) <= len(differing)


@pytest.mark.parametrize("options", [{}, {"subsampling": 0}, {"progressive": True}])
def test_what_is_cut_off_is_found_in_all_channels(options):
    content = jpeg(3, (64, 48), **options)
    for size in range(len(content) - 80, len(content)):
        assert _is_usable(looking.look_at, content[:size]) == _is_usable(
            lambda part: load_pixels(part, (48, 64)), content[:size]
        )


def _photographs(options: dict) -> list[bytes]:
    return [jpeg(seed, size, **options) for seed in range(10) for size in ((48, 32), (320, 240), (33, 517))]


def _hash_in_colour(content: bytes) -> str:
    with decoded(open_image(content), min_size=looking.HASHED_SIZE) as upright:
        assert upright.mode == "RGB"
        return perceptual_hash(upright)


def _bits(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


def _is_usable(read: Callable[[bytes], object], content: bytes) -> bool:
    try:
        read(content)
    except ImageError:
        return False
    return True
