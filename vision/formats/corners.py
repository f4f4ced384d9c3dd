"""Boxes that are two corners where a corner and a size are expected, and no annotation says so by itself.

As a corner and a size they reach far beyond their images, as two corners none of the file does.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from vision.formats.claims import FIELDS, Claim
from vision.formats.collection import Collection
from vision.formats.shapes import Box

# How far boxes that are right reach beyond the image, as a share of its side.
CARELESS = 0.05
CARELESS_FRACTION = 0.03
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
        _, _, x_max, y_max = box
        x, y, right, bottom = from_size(box)
        self.are_corners = size is not None and x < right <= size[0] + NEAR and y < bottom <= size[1] + NEAR
        if size is not None:
            self.count += 1
            self.beyond += x_max > size[0] * (1 + CARELESS) or y_max > size[1] * (1 + CARELESS)

    def add_fractions(self, box: Box) -> None:
        """A box as its middle and a size say it is, in fractions of the image."""
        if not self.are_corners:
            return
        x, y, right, bottom = from_middle(box)
        self.are_corners = 0 <= x < right <= 1 and 0 <= y < bottom <= 1
        self.count += 1
        self.beyond += min(box) < -CARELESS_FRACTION or max(box) > 1 + CARELESS_FRACTION

    def settle(
        self, collection: Collection, source: str, claims: Iterable[Claim], corners: Callable[[Box], Box]
    ) -> None:
        """Read all boxes as two corners where more than a fifth say so; few are left out.

        Args:
            corners: from the edges of a box, as a place and a size say it is, to the corners that it is.
        """
        if not self.are_corners or self.beyond * 5 <= self.count:
            return
        said = f"{self.beyond:,} of the {self.count:,} boxes reach far beyond their images as a place and a size"
        if self.count < LEAST_BOXES:
            for claim in claims:
                if claim.marks:
                    del claim.marks[:]
                    detail = f"{said}, and none as two corners: nobody knows which they are; they were left out."
                    collection.leave_out(claim, "boxes_unclear", detail)
            return
        for claim in claims:
            for at in range(0, len(claim.marks), FIELDS):
                x_min, y_min, x_max, y_max = claim.marks[at + 3 : at + 7]
                claim.marks[at + 3 : at + 7] = array("d", corners((x_min, y_min, x_max, y_max)))
        collection.say("boxes_as_corners", f"{said}, and none as two corners: all were read as these.", source)


def from_size(box: Box) -> Box:
    """The corners that stand where a corner and a size are expected."""
    x, y, x_max, y_max = box
    return x, y, x_max - x, y_max - y


def from_middle(box: Box) -> Box:
    """The corners that stand where a middle and a size are expected."""
    x_min, y_min, x_max, y_max = box
    return (x_min + x_max) / 2, (y_min + y_max) / 2, x_max - x_min, y_max - y_min
