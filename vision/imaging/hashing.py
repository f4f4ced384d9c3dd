"""Perceptual hashes and groups of near-duplicates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from vision.imaging.hamming import components

SIDE = 32
KEPT = 16
NEAR_DUPLICATE_MAX_BITS = 20


def _dct_rows() -> np.ndarray:
    k, i = np.arange(KEPT)[:, None], np.arange(SIDE)[None]
    return np.cos(np.pi * k * (2 * i + 1) / (2 * SIDE)).astype(np.float32)


_DCT = _dct_rows()


def perceptual_hash(upright: Image.Image) -> str:
    """256-bit DCT hash as 64 hexadecimal digits (Zauner 2010, section 3.2.1, with 16 × 16 coefficients).

    Equal pictures at other sizes and JPEG qualities differ in few bits; 64 bits are too coarse for photographs of
    one scene.
    """
    grey = upright.convert("L").resize((SIDE, SIDE), Image.Resampling.BILINEAR, reducing_gap=2.0)
    pixels = np.frombuffer(grey.tobytes(), dtype=np.uint8).reshape(SIDE, SIDE).astype(np.float32)
    coefficients = _DCT @ pixels @ _DCT.T
    bits = coefficients > _median(coefficients)
    return np.packbits(bits.ravel()).tobytes().hex()


def _median(values: np.ndarray) -> np.floating:
    """As `np.median` of an even number of values, which spends most of its time on choosing how."""
    ordered = np.sort(values, axis=None)
    middle = ordered.size // 2
    return (ordered[middle - 1] + ordered[middle]) / ordered.dtype.type(2)


def near_duplicate_groups(hashes: list[str], max_bits: int = NEAR_DUPLICATE_MAX_BITS) -> np.ndarray:
    """Group near-duplicates: images whose hashes differ in at most `max_bits`, directly or through others.

    Args:
        hashes: 64 hexadecimal digits each.
        max_bits: 0 to 63.

    Returns:
        `(len(hashes),)` int64, the smallest index of each image's group.
    """
    words, first, inverse = unique_words(hashes)
    labels = components(words, max_bits) if len(words) else np.zeros(0, dtype=np.int64)
    smallest = np.full(len(words), len(hashes), dtype=np.int64)
    np.minimum.at(smallest, labels, first)
    return smallest[labels][inverse]


def unique_words(hashes: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`(different, 4)` uint64, the index where each comes first, and which of them each hash is."""
    raw = np.frombuffer(bytes.fromhex("".join(hashes)), dtype=np.uint8).reshape(len(hashes), 32)
    unique, first, inverse = np.unique(raw, axis=0, return_index=True, return_inverse=True)
    return np.ascontiguousarray(unique).view(np.uint64), first, inverse.ravel()
