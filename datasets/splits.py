"""Who goes to train, validation and test: stratified by label, seeded, stable, and never through a group."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from datasets.imaging.hashing import near_duplicate_groups

ORDER = ("train", "validation", "test")


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
    """

    key: str
    phash: str
    label: str
    group: str = ""
    fixed: str | None = None
    previous: str | None = None


def assign_splits(
    candidates: Sequence[Candidate], fractions: dict[str, float], seed: int
) -> tuple[list[str], dict[str, int]]:
    """A split for every candidate.

    Images of one group (look-alikes, the same name) share a split. A chosen split wins over the previous one, and
    both over the fractions; where members of a group disagree, the group goes to train, since it was or will be
    seen there. New groups fill each label's splits towards the fractions in an order given by the seed.

    Args:
        fractions: of train, validation and test; they sum to 1.

    Returns:
        The splits in the order of the candidates, and facts worth telling: `groups` (of more than one image),
        `grouped_images`, `moved_to_train` (images whose chosen split gave way to their group).
    """
    roots = _groups(candidates)
    members: dict[int, list[int]] = defaultdict(list)
    for index, root in enumerate(roots):
        members[int(root)].append(index)
    total = Counter(candidate.label for candidate in candidates)
    filled: dict[str, Counter] = defaultdict(Counter)
    chosen: dict[int, str] = {}
    moved = 0
    for root, indices in members.items():
        split = _given_split([candidates[index] for index in indices])
        if split is not None:
            chosen[root] = split
            moved += sum(candidates[index].fixed not in (None, split) for index in indices)
            for index in indices:
                filled[candidates[index].label][split] += 1
    for root in sorted(set(members) - set(chosen), key=lambda root: _rank(candidates, members[root], seed)):
        labels = Counter(candidates[index].label for index in members[root])
        label = min(labels, key=lambda name: (total[name], name))
        split = max(ORDER, key=lambda one: fractions[one] * total[label] - filled[label][one])
        chosen[root] = split
        for name, count in labels.items():
            filled[name][split] += count
    facts = {
        "groups": sum(len(indices) > 1 for indices in members.values()),
        "grouped_images": sum(len(indices) for indices in members.values() if len(indices) > 1),
        "moved_to_train": moved,
    }
    return [chosen[int(root)] for root in roots], facts


def _groups(candidates: Sequence[Candidate]) -> np.ndarray:
    """Index of the group of each candidate: look-alikes joined with named groups."""
    roots = near_duplicate_groups([candidate.phash for candidate in candidates])
    parents = np.arange(len(candidates))

    def find(index: int) -> int:
        while parents[index] != index:
            parents[index] = parents[parents[index]]
            index = parents[index]
        return int(index)

    named: dict[str, int] = {}
    for index, candidate in enumerate(candidates):
        parents[find(index)] = find(int(roots[index]))
        if candidate.group:
            first = named.setdefault(candidate.group, index)
            parents[find(index)] = find(first)
    return np.array([find(index) for index in range(len(candidates))], dtype=np.int64)


def _given_split(group: list[Candidate]) -> str | None:
    for given in ({one.fixed for one in group} - {None}, {one.previous for one in group} - {None}):
        if len(given) == 1:
            return given.pop()
        if given:
            return "train"
    return None


def _rank(candidates: Sequence[Candidate], indices: list[int], seed: int) -> str:
    key = min(candidates[index].key for index in indices)
    return hashlib.sha256(f"{seed}:{key}".encode()).hexdigest()
