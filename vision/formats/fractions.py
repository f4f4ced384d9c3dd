"""Boxes in fractions of the image where a format has pixels: recognised by all boxes of the format, or of a file."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from vision.formats.boxes import LEAST_PIXELS
from vision.formats.claims import FIELDS, PIXELS, Claim

# Fractions reach a little beyond the image by rounding and careless drawing; pixels reach far.
MOST_FRACTION = 1.5
Edges = tuple[float, float, float, float]


@dataclass
class Span:
    """How far boxes reach that are said to be in pixels.

    Attributes:
        narrowest: their smallest width or height.
        images: how many of them have boxes.
        has_narrow: whether a box is below a pixel in the corner of its image, which nobody draws.
    """

    largest: float = 0.0
    narrowest: float = math.inf
    count: int = 0
    images: int = 0
    has_narrow: bool = False

    @classmethod
    def of(cls, spans: Iterable[Span]) -> Span:
        together = cls()
        for span in spans:
            together.largest = max(together.largest, span.largest)
            together.narrowest = min(together.narrowest, span.narrowest)
            together.count += span.count
        return together

    def add(self, claim: Claim) -> None:
        before = self.count
        for _, (x_min, y_min, x_max, y_max) in _boxes(claim):
            self.largest, self.count = max(self.largest, x_max, y_max), self.count + 1
            self.narrowest = min(self.narrowest, x_max - x_min, y_max - y_min)
            self.has_narrow = self.has_narrow or _is_narrow((x_min, y_min, x_max, y_max))
        self.images += self.count > before

    @property
    def is_fractions(self) -> bool:
        # Beyond 1 they may be pixels, but boxes below a pixel nobody draws.
        most = MOST_FRACTION if self.narrowest < LEAST_PIXELS else 1.0
        return self.count > 0 and 0 < self.largest <= most


def take_out_fractions(claim: Claim) -> Iterator[int]:
    """Remove the boxes that may be in fractions. Returns their numbers."""
    for at, edges in reversed(list(_boxes(claim))):
        if _is_narrow(edges) or (max(edges) <= 1 and min(edges) >= 0 and edges[0] < edges[2] and edges[1] < edges[3]):
            yield int(claim.marks[at + 2])
            del claim.marks[at : at + FIELDS]


def _boxes(claim: Claim) -> Iterator[tuple[int, Edges]]:
    """Where each box in pixels begins among the marks, and its edges."""
    for at in range(0, len(claim.marks), FIELDS):
        if claim.marks[at + 1] == PIXELS and all(map(math.isfinite, claim.marks[at + 3 : at + 7])):
            x_min, y_min, x_max, y_max = claim.marks[at + 3 : at + 7]
            yield at, (x_min, y_min, x_max, y_max)


def _is_narrow(edges: Edges) -> bool:
    x_min, y_min, x_max, y_max = edges
    is_in_corner = min(edges) >= 0 and max(edges) <= MOST_FRACTION
    return is_in_corner and x_max - x_min > 0 and y_max - y_min > 0 and min(x_max - x_min, y_max - y_min) < LEAST_PIXELS
