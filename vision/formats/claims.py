"""What one annotation file says about one image, before the image is found."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

from vision.formats.names import Match

PIXELS, FRACTIONS, WHOLE = 0.0, 1.0, 2.0  # what the edges of a mark are in; WHOLE has none
FIELDS = 7  # of a mark: label, kind, number, and four edges


@dataclass(slots=True, eq=False)
class Claim:
    """What one annotation file says about one image.

    Attributes:
        names: paths that the file gives the image, the best first; empty when the file is named after its image.
        is_annotated: whether the file says that somebody looked at the image.
        left_out: how many annotations could not be understood.
        ignored: how many are of what is not learnt: the image is not empty, even when it has no others.
    """

    source: str
    names: tuple[str, ...] = ()
    filename: str = ""
    number: int = 0
    split: str | None = None
    size: tuple[int, int] | None = None
    is_annotated: bool = True
    left_out: int = 0
    ignored: int = 0
    match: Match | None = None
    has_outline: bool = False
    marks: array = field(default_factory=lambda: array("d"))
