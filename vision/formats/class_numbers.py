"""Numbers of classes that count from another number than the list of their names: every label would be one off.

Nothing shows it in the labels themselves. Where a number lies just beyond one end of the list, and nothing has the
number at the other end, over all files that go by the list, the numbers prove it, and none of the labels is taken.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field

from vision.formats.claims import Claim


@dataclass
class _List:
    """The numbers that are used of a list whose numbers go from `first` to `last`."""

    place: str
    first: int
    last: int
    smallest: int
    largest: int
    claims: list[Claim] = field(default_factory=list)

    @property
    def is_shifted(self) -> bool:
        is_above = self.smallest > self.first == 0 and self.largest == self.last + 1
        is_below = self.smallest == self.first - 1 == 0 and self.largest < self.last
        return is_above or is_below

    @property
    def detail(self) -> str:
        return (
            f"The class numbers go from {self.smallest} to {self.largest}, and {self.place} names the classes from "
            f"{self.first} to {self.last}: every label may be one off, so none of them was taken. Number the names "
            f"from {self.smallest}, or the classes from {self.first}, and import the archive again."
        )


class ClassNumbers:
    """Which numbers are used of each list of names in an archive."""

    def __init__(self) -> None:
        self._lists: dict[Hashable, _List] = {}

    def use(self, key: Hashable, place: str, numbers: range, number: int, claim: Claim) -> None:
        """An annotation of `claim` has a number of the list `key`, whose names have `numbers`."""
        known = self._lists.get(key)
        if known is None:
            known = self._lists[key] = _List(place, numbers.start, numbers.stop - 1, number, number)
        known.smallest, known.largest = min(known.smallest, number), max(known.largest, number)
        if not known.claims or known.claims[-1] is not claim:
            known.claims.append(claim)

    def shifted(self) -> Iterator[tuple[list[Claim], str]]:
        """The claims of each list whose numbers are shifted, and a sentence."""
        for known in self._lists.values():
            if known.is_shifted:
                yield known.claims, known.detail
