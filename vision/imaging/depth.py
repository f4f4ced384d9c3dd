"""Images with more than 8 bits a channel: which of their values are shown as black and as white."""

from __future__ import annotations

import numpy as np
from PIL import Image

TIFF_BITS_PER_SAMPLE = 258

# Integers of 16 bits that use less than this share of them are shown by what they use.
LEAST_SHARE = 0.25

SHOWN_PERCENTILES = (0.1, 99.9)

SAMPLE_PIXELS = 1 << 20

SIXTEEN_BIT = ("I;16", "I;16B", "I;16L", "I", "F")


def shown_range(image: Image.Image, boxes: list[tuple[int, int, int, int]]) -> tuple[float, float]:
    """What becomes black and white of an image with more than 8 bits.

    The range that the file declares, where it is used: 12 bits of a microscope's TIFF, 16 of a PNG. Else what lies
    between the percentiles 0.1 and 99.9, which `shown_range` of the image then says.
    """
    values = np.concatenate([_finite(image.crop(box), len(boxes)) for box in boxes])
    if not values.size:
        return 0.0, 1.0
    least, most = float(values.min()), float(values.max())
    if image.mode == "F":
        if least >= 0.0 and most <= 1.0:
            return 0.0, 1.0
        if least >= 0.0 and LEAST_SHARE * 255.0 < most <= 255.0:
            return 0.0, 255.0
    else:
        declared = _largest_of_format(image)
        if least >= 0.0 and LEAST_SHARE * declared < most <= declared:
            return 0.0, declared
        if most <= 255.0 and least >= 0.0 and _is_eight_bit(image):
            return 0.0, 255.0
    low, high = (float(value) for value in np.percentile(values, SHOWN_PERCENTILES))
    if high <= low:
        low, high = (least, most) if most > least else (min(0.0, least), max(most, 1.0))
    image.shown_range = (low, high)  # type: ignore[attr-defined]
    return low, high


def _finite(image: Image.Image, parts: int) -> np.ndarray:
    """Values of one strip, a sample of them when there are many; without what the file calls transparent."""
    values = np.asarray(image, dtype=np.float32).ravel()
    step = max(1, values.size * parts // SAMPLE_PIXELS)
    values = values[::step]
    values = values[np.isfinite(values)]
    absent = image.info.get("transparency")
    return values[values != absent] if isinstance(absent, int) else values


def _is_eight_bit(image: Image.Image) -> bool:
    """Whether the file says that its integers have 8 bits, though they are read with more."""
    bits = getattr(image, "tag_v2", {}).get(TIFF_BITS_PER_SAMPLE, (16,))
    return (bits[0] if isinstance(bits, tuple) else bits) <= 8


def _largest_of_format(image: Image.Image) -> float:
    """White of an image with integers of more than 8 bits: microscopes and X-ray write 12 bits into a TIFF."""
    bits = getattr(image, "tag_v2", {}).get(TIFF_BITS_PER_SAMPLE, (16,))
    bits = bits[0] if isinstance(bits, tuple) else bits
    return float((1 << bits) - 1) if 8 < bits <= 16 else 65535.0


def scaled_to_8_bit(image: Image.Image, low: float, high: float) -> Image.Image:
    """Values from `low` to `high` become 0 to 255."""
    values = np.asarray(image, dtype=np.float32)
    values = np.nan_to_num(values, nan=low, posinf=high, neginf=low)
    scaled = np.clip((values - low) * (255.0 / (high - low)), 0, 255).astype(np.uint8)
    return Image.fromarray(scaled).convert("RGB")
