"""Images that are near-duplicates by their features, which only an app above knows: it registers how to ask."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from datasets.grouping import MOST_OF_ALL, Grouping
from projects.models import Project
from vision.analysis.feature_pairs import around_leaders

Pairs = tuple[np.ndarray, np.ndarray]
# Of a project and keys of its images: places of near-duplicates, and how many of the images could not be compared.
Finder = Callable[[Project, Sequence[uuid.UUID]], tuple[Pairs, int]]
FINDERS: list[Finder] = []
# A group takes so many images at most, also of a small dataset.
FEWEST_TOGETHER = 4
NOT_COMPARED = {
    "code": "images_not_compared",
    "detail": "{count:,} of {total:,} images were not compared by their features yet: near-duplicates of these are "
    "kept together by their hashes alone. Take another snapshot when the comparison in the background has ended.",
}


def near_by_features(project: Project, keys: Sequence[uuid.UUID]) -> tuple[Pairs, int]:
    """Places of near-duplicates among the images, and how many could not be compared."""
    for finder in FINDERS:
        return finder(project, keys)
    none = np.zeros(0, np.int64)
    return (none, none), len(keys)


def join_alike(grouping: Grouping, pairs: Pairs) -> np.ndarray:
    """`(images,)` int: the groups with those that are near-duplicates of them by features, never by chains.

    What was parted because it would have swallowed too much joins nothing.
    """
    starts, ends = pairs
    free = ~(grouping.parted[starts] | grouping.parted[ends])
    most = max(FEWEST_TOGETHER, int(MOST_OF_ALL * len(grouping.roots)))
    return around_leaders(grouping.roots, starts[free], ends[free], most)


def with_alike(grouping: Grouping, pairs: Pairs, not_compared: int) -> Grouping:
    """The grouping with groups by features, and a remark where some images could not be compared."""
    total = len(grouping.roots)
    detail = NOT_COMPARED["detail"].format(count=not_compared, total=total)
    remarks = [{**NOT_COMPARED, "detail": detail}] if not_compared else []
    return replace(grouping, roots=join_alike(grouping, pairs), remarks=[*grouping.remarks, *remarks])
