"""Who goes to train, validation and test: stratified by label, seeded, stable, and never through a group."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from common.words import counted
from datasets.alike import Pairs, with_alike
from datasets.grouping import MOST_OF_ALL, Grouping, group_images, remark_on_large_groups
from datasets.grouping import Candidate as Candidate
from datasets.stratification import ORDER, LabelledGroup, stratified_splits

# Between splits that a label lacks about equally, the one decides that all labels together lack most.
ABOUT_EQUAL = 0.5
# A split that is not chosen for any image is filled with the images that are in none, if these are about enough.
ENOUGH_OF_SHARE = 0.5
COMPLETED = (
    "The splits that were chosen leave one without images, so {parts} were drawn from {source}. Choose the images' "
    "splits yourself if you want others."
)
DRAWN_AGAIN = {
    "code": "splits_drawn_again",
    "detail": "The groups are others than in the last snapshot, so their splits were drawn again: models that were "
    "trained before have seen images that are test images now. Compare models that were trained since.",
}


def assign_splits(
    candidates: Sequence[Candidate],
    fractions: dict[str, float],
    seed: int,
    near_duplicates: str = "strict",
    previous_bits: int | None = None,
    is_previous_parted: bool = True,
    alike: tuple[Pairs, int] | None = None,
    labels: Sequence[Collection[str]] | None = None,
) -> tuple[list[str], dict]:
    """A split for every candidate.

    Images of one group (near-duplicates, the same name; see `group_images`) share a split. A chosen split wins over the
    previous one, and both over the fractions; where members of a group disagree, the group goes to train, since it was
    or will be seen there. New groups fill each label's splits towards the fractions, the large ones first, in an order
    given by the seed; shares are rounded so that they fit over all labels together as well.

    Where chosen splits leave one without images, as archives without a test split do, it is drawn from train.

    Args:
        fractions: of train, validation and test; they sum to 1.
        near_duplicates: "strict", "features", "exact" or "off".
        alike: with "features": places of near-duplicates, and how many candidates could not be compared.
        previous_bits: `limit_bits` of the last snapshot, when a group was parted there.
        labels: all labels of each candidate, where an image has none to many: each of them is stratified by
            (`stratification`).
        is_previous_parted: False when the previous splits knew no groups that were parted: they do not count for those.

    Returns:
        The splits in the order of the candidates, and facts worth telling: `groups` (of more than one image),
        `grouped_images`, `moved_to_train` (images whose chosen split gave way to their group), `near_duplicates`
        (`mode`, `limit_bits`, `largest_group`, `parted_images`) and `remarks`. `chosen`, one of each candidate: whether
        a user asked for its split.
    """
    grouping = group_images(candidates, near_duplicates, previous_bits)
    if alike is not None:
        grouping = with_alike(grouping, *alike)
    members: dict[int, list[int]] = defaultdict(list)
    for index, root in enumerate(grouping.roots.tolist()):
        members[root].append(index)
    filling = _Filling(candidates, fractions)
    chosen: dict[int, str] = {}
    requested: set[int] = set()
    moved = 0
    lacking = _lacking(candidates, members, fractions)
    released = set(ORDER) if "train" in lacking else {"train"} if lacking else set()
    unknown = set() if is_previous_parted else {root for root in members if grouping.parted[members[root][0]]}
    again = _drawn_again(candidates, members)
    for root, indices in members.items():
        group = [candidates[index] for index in indices]
        split, is_requested = _given_split(group, root not in unknown | again, released)
        if split is not None:
            chosen[root] = split
            requested |= {root} if is_requested else set()
            moved += sum(candidate.fixed not in (None, split) for candidate in group)
            filling.add(group, split)
    new = set(members) - set(chosen)
    if labels is not None:
        chosen |= _stratified(candidates, members, labels, chosen, fractions, seed)
        new = set()
    for root in sorted(new, key=lambda root: (-len(members[root]), _rank(candidates, members[root], seed))):
        group = [candidates[index] for index in members[root]]
        chosen[root] = filling.best_for(group)
        filling.add(group, chosen[root])
    facts = _facts(members, grouping, near_duplicates, moved)
    facts["remarks"] = [
        *grouping.remarks,
        *remark_on_large_groups(candidates, grouping),
        *([DRAWN_AGAIN] if again else []),
        *_about_lacking(lacking, chosen, members),
    ]
    facts["chosen"] = [root in requested for root in grouping.roots.tolist()]
    return [chosen[root] for root in grouping.roots.tolist()], facts


def _stratified(
    candidates: Sequence[Candidate],
    members: dict[int, list[int]],
    labels: Sequence[Collection[str]],
    chosen: dict[int, str],
    fractions: dict[str, float],
    seed: int,
) -> dict[int, str]:
    groups = [
        LabelledGroup(
            key=root,
            rank=_rank(candidates, indices, seed),
            size=len(indices),
            labels=Counter(name for index in indices for name in labels[index]),
            split=chosen.get(root),
        )
        for root, indices in members.items()
    ]
    return stratified_splits(groups, fractions)


def _facts(members: dict[int, list[int]], grouping: Grouping, mode: str, moved: int) -> dict[str, Any]:
    sizes = [len(indices) for indices in members.values()]
    return {
        "groups": sum(size > 1 for size in sizes),
        "grouped_images": sum(size for size in sizes if size > 1),
        "moved_to_train": moved,
        "near_duplicates": {
            "mode": mode,
            "limit_bits": grouping.limit_bits,
            "largest_group": max(sizes, default=0),
            "parted_images": int(grouping.parted.sum()),
        },
    }


def _drawn_again(candidates: Sequence[Candidate], members: dict[int, list[int]]) -> set[int]:
    """Groups whose images were on several sides, when these are so many that all of them in train left too little."""
    torn = {
        root: len(indices)
        for root, indices in members.items()
        if len({candidates[index].previous for index in indices} - {None}) > 1
    }
    return set(torn) if sum(torn.values()) > MOST_OF_ALL * len(candidates) else set()


class _Filling:
    """How many images of each label every split has, and should have."""

    def __init__(self, candidates: Sequence[Candidate], fractions: dict[str, float]) -> None:
        self._total = Counter(candidate.label for candidate in candidates)
        self._lacks = {name: {split: fractions[split] * n for split in ORDER} for name, n in self._total.items()}
        self._wanted = {split: max(fractions[split] * len(candidates), 1e-9) for split in ORDER}
        self._all_lack = dict(self._wanted)

    def add(self, group: Sequence[Candidate], split: str) -> None:
        for candidate in group:
            self._lacks[candidate.label][split] -= 1
        self._all_lack[split] -= len(group)

    def best_for(self, group: Sequence[Candidate]) -> str:
        """The split that the group's rarest label lacks most."""
        lacks = self._lacks[min({candidate.label for candidate in group}, key=lambda name: (self._total[name], name))]
        most = max(lacks.values())
        near = [split for split in ORDER if lacks[split] > 1e-9 and lacks[split] >= most - ABOUT_EQUAL]
        return max(near or ORDER, key=lambda split: (self._all_lack[split] / self._wanted[split], lacks[split]))


def _lacking(candidates: Sequence[Candidate], members: dict[int, list[int]], fractions: dict[str, float]) -> list[str]:
    """Splits that should have images, that no image is chosen for, and that the others are too few to fill."""
    fixed = Counter(candidate.fixed for candidate in candidates)
    free = fixed.pop(None, 0)
    if not fixed:
        return []
    lacking = [split for split in ORDER if fractions[split] > 0 and not fixed[split]]
    share = sum(fractions[split] for split in lacking) * len(candidates)
    # Others than train are never taken while there are images that are in none.
    least = len(lacking) if "train" in lacking else max(len(lacking), ENOUGH_OF_SHARE * share)
    return lacking if free < least else []


def _about_lacking(lacking: list[str], chosen: dict[int, str], members: dict[int, list[int]]) -> list[dict]:
    if not lacking:
        return []
    drawn = {split: sum(len(members[root]) for root, own in chosen.items() if own == split) for split in lacking}
    parts = " and ".join(f"{counted(count, 'image')} for {split}" for split, count in drawn.items())
    source = "all images" if "train" in lacking else "train"
    return [{"code": "splits_completed", "detail": COMPLETED.format(parts=parts, source=source)}]


def _given_split(group: Sequence[Candidate], counts_previous: bool, released: set[str]) -> tuple[str | None, bool]:
    """The split that a user chose, else the previous one; and whether it is the former.

    Args:
        released: images that were chosen for these may be drawn for others.
    """
    fixed = {candidate.fixed for candidate in group} - {None}
    if fixed and fixed <= released:
        fixed = set()
    if fixed:
        return fixed.pop() if len(fixed) == 1 else "train", True
    previous = {candidate.previous for candidate in group} - {None} if counts_previous else set()
    if previous:
        return previous.pop() if len(previous) == 1 else "train", False
    return None, False


def _rank(candidates: Sequence[Candidate], indices: list[int], seed: int) -> str:
    key = min(candidates[index].key for index in indices)
    return hashlib.sha256(f"{seed}:{key}".encode()).hexdigest()
