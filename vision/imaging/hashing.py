"""Perceptual hashes and groups of near-duplicates."""

from __future__ import annotations

import numpy as np
from PIL import Image

SIDE = 32

KEPT = 16


def _dct_rows() -> np.ndarray:
    k, i = np.arange(KEPT)[:, None], np.arange(SIDE)[None]
    return np.cos(np.pi * k * (2 * i + 1) / (2 * SIDE)).astype(np.float32)


_DCT = _dct_rows()


def perceptual_hash(upright: Image.Image) -> str:
    """256-bit DCT hash as 64 hexadecimal digits (Zauner 2010, section 3.2.1, with 16 × 16 coefficients).

    Equal images at other sizes and JPEG qualities differ in few bits; 64 bits are too coarse for photographs of
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
