"""Perceptual hashes and groups of look-alikes."""

from __future__ import annotations

import numpy as np
from PIL import Image

SIDE = 32
KEPT = 16
NEAR_BITS = 20
BANDS = 16
BLOCK = 2048


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
    coefficients = _DCT @ np.asarray(grey, dtype=np.float32) @ _DCT.T
    bits = coefficients > np.median(coefficients)
    return np.packbits(bits.ravel()).tobytes().hex()


def near_duplicate_groups(hashes: list[str], max_bits: int = NEAR_BITS) -> np.ndarray:
    """Group look-alikes: images whose hashes differ in at most `max_bits`, directly or through others.

    Candidates share one of 16 bands of 16 bits, which every pair within 15 bits does and nearly every pair
    within 20; so the work grows with the number of candidates, not of pairs.

    Args:
        hashes: 64 hexadecimal digits each.

    Returns:
        `(len(hashes),)` int64, the smallest index of each image's group.
    """
    if not hashes:
        return np.zeros(0, dtype=np.int64)
    raw = np.frombuffer(bytes.fromhex("".join(hashes)), dtype=np.uint8).reshape(len(hashes), 32)
    unique, first, inverse = np.unique(raw, axis=0, return_index=True, return_inverse=True)
    parents = np.arange(len(unique))
    words = unique.view(np.uint64)
    bands = unique.view(np.uint16)
    for band in range(BANDS):
        order = np.argsort(bands[:, band], kind="stable")
        keys = bands[order, band]
        starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
        ends = np.r_[starts[1:], len(keys)]
        for start, end in zip(starts, ends, strict=True):
            if end - start > 1:
                _join_near(parents, words, order[start:end], max_bits)
    roots = np.array([_root(parents, index) for index in range(len(unique))])
    smallest = np.full(len(unique), len(hashes), dtype=np.int64)
    np.minimum.at(smallest, roots, first)
    return smallest[roots][inverse.ravel()]


def _join_near(parents: np.ndarray, words: np.ndarray, members: np.ndarray, max_bits: int) -> None:
    for start in range(0, len(members), BLOCK):
        block = members[start : start + BLOCK]
        for offset, one in enumerate(block[:-1]):
            others = block[offset + 1 :]
            distance = np.bitwise_count(words[others] ^ words[one]).sum(axis=1)
            for other in others[distance <= max_bits]:
                parents[_root(parents, other)] = _root(parents, one)


def _root(parents: np.ndarray, index: int) -> int:
    while parents[index] != index:
        parents[index] = parents[parents[index]]
        index = parents[index]
    return int(index)
