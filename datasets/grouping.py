"""Which images belong together, so that a split must not part them."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from datasets.natural_order import natural_key
from vision.imaging.near_duplicates import NEAR_DUPLICATE_MAX_BITS, components, joined_by, spanning_tree, unique_words

# The same image saved again at another quality differs in so many bits at most.
EXACT_BITS = 2
# Features add to what hashes find.
LIMITS = {"strict": NEAR_DUPLICATE_MAX_BITS, "features": NEAR_DUPLICATE_MAX_BITS, "exact": EXACT_BITS, "off": None}
# A group that takes more leaves too little to validate and test with.
MOST_OF_ALL, MOST_OF_LABEL = 0.2, 0.5
# Below so many images there is nothing to divide: they stay together, and the user is told.
FEWEST_TO_PART = 20
# What the parts of such a group may take: small enough to fill three splits by.
PART = 0.1
CHOICES = (
    "To decide yourself, give groups to the images (a day, a batch, a part), or set the dataset's near_duplicates to "
    "exact or off."
)


@dataclass(frozen=True)
class Candidate:
    """One image to be placed.

    Attributes:
        key: stable identity, its sha256.
        phash: perceptual hash, 64 hexadecimal digits.
        label: what to stratify by.
        group: name the user gave, or "".
        fixed: split the user or an import chose, or None.
        previous: split in the last snapshot with the same fractions and seed, or None.
        name: of its file.
    """

    key: str
    phash: str
    label: str
    group: str = ""
    fixed: str | None = None
    previous: str | None = None
    name: str = ""


@dataclass
class Grouping:
    """What belongs together.

    Attributes:
        roots: `(images,)` int64, a number for each group.
        parted: `(images,)` bool, images of groups that were too large and were divided.
        limit_bits: no two images that differ in at most so many bits are in different groups; None: no such promise.
        remarks: sentences for the user, each `{"code", "detail"}`.
    """

    roots: np.ndarray
    parted: np.ndarray
    limit_bits: int | None
    remarks: list[dict] = field(default_factory=list)


class _Known:
    """What was computed of the same hashes a moment ago: a snapshot after some labels have changed needs it again."""

    def __init__(self, most: int = 4) -> None:
        self._results: OrderedDict[tuple, Any] = OrderedDict()
        self._lock = threading.Lock()
        self._most = most

    def get(self, function: Callable[..., Any], words: np.ndarray, *rest: int) -> Any:
        key = (function.__name__, hashlib.sha256(words.tobytes()).digest(), *rest)
        with self._lock:
            if key in self._results:
                self._results.move_to_end(key)
                return self._results[key]
        result = function(words, *rest)
        with self._lock:
            self._results[key] = result
            while len(self._results) > self._most:
                self._results.popitem(last=False)
        return result


_KNOWN = _Known()


def group_images(
    candidates: Sequence[Candidate], near_duplicates: str = "strict", previous_bits: int | None = None
) -> Grouping:
    """Groups of images with the limit of a dataset: `near_duplicates` is "strict", "exact" or "off"."""
    return group_within(candidates, LIMITS[near_duplicates], previous_bits)


def group_within(candidates: Sequence[Candidate], limit: int | None, previous_bits: int | None = None) -> Grouping:
    """Groups of images: those with one name, and those that look nearly the same.

    Two images within the limit are always in one group; so a group may reach further than the limit through others, as
    it must: whatever part of a chain lay on the other side would be near an image on this one. Where such a group takes
    more than a fifth of all images, or half of a label, the limit of its images is lowered until no part of it does.
    Names that the user gave are never parted.

    Args:
        limit: in how many bits near-duplicates may differ, 0 to 63; None: only names join.
        previous_bits: the limit that was needed the last time, so that the parts stay what they were.
    """
    count = len(candidates)
    names = _named(candidates)
    if limit is None or not count:
        grouping = Grouping(joined_by(count, *names), np.zeros(count, dtype=bool), None)
    else:
        words, _, inverse = unique_words([candidate.phash for candidate in candidates])
        near = np.unique(_KNOWN.get(components, words, limit)[inverse], return_index=True, return_inverse=True)
        roots = _join(count, names, (near[1][near[2]], np.arange(count)))
        grouping = Grouping(roots, np.zeros(count, dtype=bool), limit)
        for members in _too_large(candidates, roots):
            _part(grouping, candidates, members, words[inverse], names, limit, previous_bits)
    grouping.remarks += _remarks_on_names(candidates)
    return grouping


def _named(candidates: Sequence[Candidate]) -> tuple[np.ndarray, np.ndarray]:
    first: dict[str, int] = {}
    pairs = [
        (first.setdefault(candidate.group, index), index)
        for index, candidate in enumerate(candidates)
        if candidate.group
    ]
    table = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def _join(count: int, *edges: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    return joined_by(
        count, np.concatenate([starts for starts, _ in edges]), np.concatenate([ends for _, ends in edges])
    )


def _too_large(candidates: Sequence[Candidate], roots: np.ndarray) -> list[np.ndarray]:
    """Members of the groups that would leave too little."""
    sizes = np.bincount(roots)
    total = Counter(candidate.label for candidate in candidates)
    groups = []
    for root in np.flatnonzero(sizes >= FEWEST_TO_PART):
        members = np.flatnonzero(roots == root)
        labels = Counter(candidates[index].label for index in members.tolist())
        takes_label = any(
            total[name] >= FEWEST_TO_PART and held > MOST_OF_LABEL * total[name] for name, held in labels.items()
        )
        if takes_label or len(members) > MOST_OF_ALL * len(candidates):
            groups.append(members)
    return groups


def _part(
    grouping: Grouping,
    candidates: Sequence[Candidate],
    members: np.ndarray,
    words: np.ndarray,
    names: tuple[np.ndarray, np.ndarray],
    limit: int,
    previous_bits: int | None,
) -> None:
    """Divide a group that is too large: by the largest limit that does, else into stretches in the order of names."""
    place = np.full(len(candidates), -1, dtype=np.int64)
    place[members] = np.arange(len(members))
    inside = place[names[1]] >= 0
    own_names = (place[names[0][inside]], place[names[1][inside]])
    by_name = _join(len(members), own_names)
    # What the user named is one piece, whatever its size.
    most = max(int(PART * len(members)), 1, int(np.bincount(by_name).max()))
    roots, bits = _by_look(words[members], own_names, most, limit, previous_bits)
    if roots is None:
        roots = _by_order([candidates[index] for index in members], by_name, most)
    if len(np.unique(roots)) < 2:
        return
    grouping.roots[members] = int(grouping.roots.max()) + 1 + roots
    grouping.parted[members] = True
    grouping.limit_bits = None if bits is None or grouping.limit_bits is None else min(bits, grouping.limit_bits)
    grouping.remarks.append(_remark(len(members), len(candidates), limit, bits))


def _by_look(
    words: np.ndarray, names: tuple[np.ndarray, np.ndarray], most: int, limit: int, previous_bits: int | None
) -> tuple[np.ndarray | None, int | None]:
    different, inverse = np.unique(words, axis=0, return_inverse=True)
    inverse = inverse.ravel()
    starts, ends, lengths = _KNOWN.get(spanning_tree, np.ascontiguousarray(different))
    first = np.unique(inverse, return_index=True)[1]
    same = (first[inverse], np.arange(len(words)))
    highest = limit - 1 if previous_bits is None else min(limit - 1, previous_bits)
    for bits in range(highest, -1, -1):
        kept = lengths <= bits
        roots = _join(len(words), names, same, (first[starts[kept]], first[ends[kept]]))
        if np.bincount(roots).max() <= most:
            return roots, bits
    return None, None


def _by_order(members: list[Candidate], by_name: np.ndarray, most: int) -> np.ndarray:
    """Stretches of files whose names follow each other, which for most cameras is the order of time."""
    order = sorted(range(len(members)), key=lambda index: (natural_key(members[index].name), members[index].key))
    pieces: dict[int, int] = {}
    number, filled, sizes = 0, 0, np.bincount(by_name)
    for index in order:
        piece = int(by_name[index])
        if piece in pieces:
            continue
        if filled and filled + sizes[piece] > most:
            number, filled = number + 1, 0
        pieces[piece] = number
        filled += int(sizes[piece])
    return np.array([pieces[int(piece)] for piece in by_name], dtype=np.int64)


def _remark(members: int, count: int, limit: int, bits: int | None) -> dict:
    how = (
        "They are told apart by the order of their file names only, in stretches"
        if bits is None
        else f"So they are kept together only where they differ in at most {bits} of 256 bits (otherwise {limit})"
    )
    return {
        "code": "images_of_one_scene",
        "detail": f"{members:,} of {count:,} images look nearly the same, as those of a fixed camera do; together they "
        f"would leave too little to validate and test with. {how}: the figures hold for this scene and may be better "
        f"than those for others. {CHOICES}",
    }


def _remarks_on_names(candidates: Sequence[Candidate]) -> list[dict]:
    sizes = Counter(candidate.group for candidate in candidates if candidate.group)
    return [
        {
            "code": "large_group",
            "detail": f'The group "{name}" has {size:,} of {len(candidates):,} images, and all stay on one side '
            "of the split. Name smaller groups where its images can be told apart.",
        }
        for name, size in sizes.most_common(3)
        if size > MOST_OF_ALL * len(candidates) and len(candidates) >= FEWEST_TO_PART
    ]


def remark_on_large_groups(candidates: Sequence[Candidate], grouping: Grouping) -> list[dict]:
    """On groups that look alike and are too small to be parted, yet take more than a fifth."""
    sizes = np.bincount(grouping.roots) if len(candidates) else np.zeros(1, dtype=int)
    largest = int(sizes.max())
    named = {
        candidate.group for candidate, root in zip(candidates, grouping.roots, strict=True) if root == sizes.argmax()
    }
    if largest < 3 or largest <= MOST_OF_ALL * len(candidates) or named != {""}:
        return []
    detail = (
        f"{largest:,} of {len(candidates):,} images look nearly the same and stay on one side of the split. Add images "
        f"that look different. {CHOICES}"
    )
    return [{"code": "large_group_of_near_duplicates", "detail": detail}]
