"""Boxes that are two corners where a corner and a size are expected, and no annotation says so by itself.

As a corner and a size they reach far beyond their images, as two corners none of the file does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vision.formats.claims import FIELDS, Claim
from vision.formats.collection import Collection
from vision.formats.shapes import Box

# How far boxes that are right reach beyond the image, as a share of its side.
CARELESS = 0.05
NEAR = 1.5  # pixels
LEAST_BOXES = 10  # fewer may all be larger than they are far from the corner of the image


@dataclass
class Reach:
    """How the boxes of a file lie in their images.

    Attributes:
        beyond: how many reach far beyond the image as a corner and a size.
        are_corners: whether all may be two corners inside of the image.
    """

    count: int = 0
    beyond: int = 0
    are_corners: bool = True

    def add(self, size: tuple[int, int] | None, box: Box) -> None:
        """A box as a corner and a size says it is."""
        if not self.are_corners:
            return
        x, y, x_max, y_max = box
        right, bottom = x_max - x, y_max - y
        self.are_corners = size is not None and x < right <= size[0] + NEAR and y < bottom <= size[1] + NEAR
        if size is not None:
            self.count += 1
            self.beyond += x_max > size[0] * (1 + CARELESS) or y_max > size[1] * (1 + CARELESS)

    def settle(self, collection: Collection, source: str, claims: Iterable[Claim]) -> None:
        """Read all boxes of the file as two corners where more than a fifth say so; few are left out."""
        if not self.are_corners or self.beyond * 5 <= self.count:
            return
        said = f"{self.beyond:,} of the {self.count:,} boxes reach far beyond their images as x, y, width, height"
        if self.count < LEAST_BOXES:
            for claim in claims:
                if claim.marks:
                    del claim.marks[:]
                    detail = f"{said}, and none as two corners: nobody knows which they are; they were left out."
                    collection.leave_out(claim, "boxes_unclear", detail)
            return
        for claim in claims:
            for at in range(0, len(claim.marks), FIELDS):
                claim.marks[at + 5] -= claim.marks[at + 3]
                claim.marks[at + 6] -= claim.marks[at + 4]
        collection.say("boxes_as_corners", f"{said}, and none as two corners: all were read as these.", source)
