"""Splits in which each of several labels has its share: iterative stratification.

Sechidis, Tsoumakas and Vlahavas 2011, "On the stratification of multi-label data", algorithm 1, with groups of images
in place of single ones, and with what earlier choices have put into the splits.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ORDER = ("train", "validation", "test")


@dataclass(frozen=True)
class LabelledGroup:
    """Images that share a split.

    Attributes:
        key: of the group.
        rank: what decides between groups of the same labels and size.
        labels: how many of its images have each label.
        split: the one that is chosen for it already.
    """

    key: int
    rank: str
    size: int
    labels: Mapping[str, int]
    split: str | None = None


def stratified_splits(groups: Sequence[LabelledGroup], fractions: Mapping[str, float]) -> dict[int, str]:
    """A split for every group: the rarest label first, since what it lacks can least be made up for later.

    A group goes where its label lacks most images, of several such splits where all labels together lack most. Groups
    without labels fill up what is left.
    """
    lacks = _Lacks(groups, fractions)
    splits: dict[int, str] = {}
    left: dict[int, LabelledGroup] = {}
    for group in groups:
        if group.split is None:
            left[group.key] = group
        else:
            splits[group.key] = group.split
            lacks.take(group, group.split)
    waiting = Counter[str]()
    carrying: dict[str, list[LabelledGroup]] = defaultdict(list)
    for group in left.values():
        waiting.update(group.labels)
        for name in group.labels:
            carrying[name].append(group)
    while waiting:
        name = min(waiting, key=lambda label: (waiting[label], label))
        own = [group for group in carrying[name] if group.key in left]
        for group in sorted(own, key=lambda group: (-group.labels[name], -group.size, group.rank)):
            splits[group.key] = split = lacks.most(name)
            lacks.take(group, split)
            del left[group.key]
            waiting.subtract(group.labels)
        waiting = +waiting
    for group in sorted(left.values(), key=lambda group: (-group.size, group.rank)):
        splits[group.key] = split = lacks.most(None)
        lacks.take(group, split)
    return splits


class _Lacks:
    """How many images each split lacks, of each label and of all."""

    def __init__(self, groups: Sequence[LabelledGroup], fractions: Mapping[str, float]) -> None:
        totals = Counter[str]()
        for group in groups:
            totals.update(group.labels)
        count = sum(group.size for group in groups)
        self._splits = [split for split in ORDER if fractions[split] > 0] or list(ORDER)
        self._of_label = {name: {split: fractions[split] * n for split in self._splits} for name, n in totals.items()}
        self._of_all = {split: fractions[split] * count for split in self._splits}

    def take(self, group: LabelledGroup, split: str) -> None:
        if split not in self._of_all:
            return
        self._of_all[split] -= group.size
        for name, images in group.labels.items():
            self._of_label[name][split] -= images

    def most(self, name: str | None) -> str:
        """The split that lacks most images of a label, None: of all; the first of equal ones."""
        own = self._of_all if name is None else self._of_label[name]
        return max(self._splits, key=lambda split: (round(own[split], 9), round(self._of_all[split], 9)))
