"""What there is to know of an image file: that it can be decoded, its size, and a hash of what it shows."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from vision.imaging.budget import DECODING
from vision.imaging.hashing import perceptual_hash
from vision.imaging.orientation import stored_orientation, upright_size
from vision.imaging.preprocessing import decoded, oddities, open_image

HASHED_SIZE = (32, 32)


@dataclass(frozen=True)
class Facts:
    """What looking at a file says: its upright size in pixels, and `(code, sentence)` for what is odd about it."""

    width: int
    height: int
    format: str
    phash: str
    orientation: int
    notes: tuple[tuple[str, str], ...] = ()


class Budget(Protocol):
    """Memory for decoded pixels."""

    def hold(self, size_bytes: int) -> AbstractContextManager[None]: ...


def look_at(source: bytes | Path, budget: Budget = DECODING) -> Facts:
    """Open and decode an image; a JPEG is decoded at an eighth of its size at most.

    Raises:
        ImageError: the file cannot be used as an image.
    """
    with open_image(source) as image:
        width, height = upright_size(image)
        orientation = stored_orientation(image)
        kind = image.format or ""
        # The whole file is decoded, so that a truncated one is found.
        with decoded(image, min_size=HASHED_SIZE, budget=budget, is_grey=True) as upright:
            phash = perceptual_hash(upright)
        return Facts(width, height, kind, phash, orientation, tuple(oddities(image)))
