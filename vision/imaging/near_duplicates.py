"""Near-duplicates: images whose hashes differ in few bits. Numpy and SciPy only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

NEAR_DUPLICATE_MAX_BITS = 20
# Pairs of small groups are listed, those of middle ones compared as a matrix, large ones swept: what is near a member
# leaves, so that a group of images that are all alike takes one pass.
SMALL, MIDDLE = 64, 2048
ROWS = 128
MOST_BITS = 63

Edges = tuple[np.ndarray, np.ndarray]


def near_duplicate_groups(hashes: list[str], max_bits: int = NEAR_DUPLICATE_MAX_BITS) -> np.ndarray:
    """Group near-duplicates: images whose hashes differ in at most `max_bits`, directly or through others.

    Args:
        hashes: 64 hexadecimal digits each.
        max_bits: 0 to 63.

    Returns:
        `(len(hashes),)` int64, the smallest index of each image's group.
    """
    words, first, inverse = unique_words(hashes)
    labels = components(words, max_bits) if len(words) else np.zeros(0, dtype=np.int64)
    smallest = np.full(len(words), len(hashes), dtype=np.int64)
    np.minimum.at(smallest, labels, first)
    return smallest[labels][inverse]


def unique_words(hashes: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`(different, 4)` uint64, the index where each comes first, and which of them each hash is."""
    raw = np.frombuffer(bytes.fromhex("".join(hashes)), dtype=np.uint8).reshape(len(hashes), 32)
    unique, first, inverse = np.unique(raw, axis=0, return_index=True, return_inverse=True)
    return np.ascontiguousarray(unique).view(np.uint64), first, inverse.ravel()


def components(words: np.ndarray, limit: int) -> np.ndarray:
    """Number of the group of each bit string: those within `limit` bits are together, directly or through others.

    No pair is missed. Strings that differ in at most `limit` bits are equal in one of `limit + 1` bands of bits
    (Manku, Jain and Das Sarma 2007, section 3.1), so only those with an equal band are compared. Each band gets its
    share of the bits that vary most; bits that are equal in all strings are left out.

    Args:
        words: `(count, words)` uint64.
        limit: 0 to 63.

    Returns:
        `(count,)` int64, numbers from 0.
    """
    if not 0 <= limit <= MOST_BITS:
        raise ValueError(f"limit must be from 0 to {MOST_BITS}, received {limit}")
    bits = _varying_bits(words)
    labels = np.arange(len(words), dtype=np.int64)
    if bits.shape[1] <= limit:
        return np.zeros(len(words), dtype=np.int64)
    columns = _packed(bits)
    bands = [_keys(bits[:, band :: limit + 1][:, :64]) for band in range(limit + 1)]
    if len(words) > MIDDLE and sum(map(_pairs_in, bands)) > _pairs_of(len(words)):  # bands would not spare anything
        return _joined(labels, _pairs_of_large(columns, labels, labels, limit))
    for keys in bands:
        labels = _joined(labels, _edges(columns, keys, labels, limit))
        if not labels.any():
            break
    return labels


def spanning_tree(words: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The shortest tree through all bit strings (Prim 1957): its edges within a limit join what all pairs do.

    Args:
        words: `(count, words)` uint64.

    Returns:
        `(count - 1,)` int64 starts, ends and int64 lengths in bits.
    """
    columns = [column.copy() for column in _packed(_varying_bits(words))]
    count = len(words)
    rest = np.arange(count, dtype=np.int64)
    best = np.full(count, 255, dtype=np.uint8)
    parents = np.zeros(count, dtype=np.int64)
    starts, ends, lengths = (np.zeros(max(count - 1, 0), dtype=np.int64) for _ in range(3))
    chosen = 0
    for step in range(count - 1):
        last = count - step - 1
        current, value = rest[chosen], [column[chosen] for column in columns]
        rows: list[np.ndarray] = [rest, best, parents, *columns]
        for row in rows:  # the last one takes the place of the chosen one
            row[chosen] = row[last]
        distance = _distances([column[:last] for column in columns], value)
        np.copyto(parents[:last], current, where=distance < best[:last])
        np.minimum(best[:last], distance, out=best[:last])
        chosen = int(best[:last].argmin())
        starts[step], ends[step], lengths[step] = parents[chosen], rest[chosen], best[chosen]
    return starts, ends, lengths


def is_near(ones: np.ndarray, others: np.ndarray, limit: int) -> bool:
    """Whether any string of `ones` is within `limit` bits of any of `others`; both `(count, words)` uint64."""
    columns = [column[None] for column in others.T]
    return bool(len(others)) and any(
        (_distances(columns, [column[start : start + ROWS, None] for column in ones.T]) <= limit).any()
        for start in range(0, len(ones), ROWS)
    )


def joined_by(count: int, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """`(count,)` int64 numbers of the connected groups of a graph, from 0."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    graph = coo_matrix((np.ones(len(starts), dtype=bool), (starts, ends)), shape=(count, count))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def _pairs_in(keys: np.ndarray) -> int:
    """How many pairs have equal keys."""
    return int(_pairs_of(np.unique(keys, return_counts=True)[1]).sum())


def _pairs_of(count: Any) -> Any:
    return count * (count - 1) // 2


def _varying_bits(words: np.ndarray) -> np.ndarray:
    """`(count, bits)` uint8 of the bits that are not equal in all strings, those first that vary most."""
    bits = np.unpackbits(np.ascontiguousarray(words).view(np.uint8), axis=1)
    mean = bits.mean(axis=0, dtype=np.float64)
    spread = mean * (1 - mean)
    order = np.argsort(-spread, kind="stable")
    return bits[:, order[spread[order] > 0]]


def _packed(bits: np.ndarray) -> list[np.ndarray]:
    """Columns of 64 bits each, `(count,)` uint64."""
    return [_keys(bits[:, start : start + 64]) for start in range(0, max(bits.shape[1], 1), 64)]


def _keys(bits: np.ndarray) -> np.ndarray:
    """`(count,)` uint64 of at most 64 bits each."""
    raw = np.zeros((len(bits), 8), dtype=np.uint8)
    packed = np.packbits(bits, axis=1)
    raw[:, : packed.shape[1]] = packed
    return raw.view(np.uint64).ravel()


def _distances(columns: list[np.ndarray], values: list) -> np.ndarray:
    """Bits in which the columns differ from the values, uint8: 255 stands for 256 as well."""
    total = np.bitwise_count(columns[0] ^ values[0])
    if len(columns) == 4:
        np.minimum(total, 63, out=total)
    for column, value in zip(columns[1:], values[1:], strict=True):
        total += np.bitwise_count(column ^ value)
    return total


def _edges(columns: list[np.ndarray], keys: np.ndarray, labels: np.ndarray, limit: int) -> Edges:
    """Pairs within the limit that have equal keys and are not together yet, or enough of them to join the same."""
    order = np.argsort(keys, kind="stable")
    in_order = keys[order]
    starts = np.flatnonzero(np.r_[True, in_order[1:] != in_order[:-1]])
    sizes = np.diff(np.r_[starts, len(keys)])
    found = [_pairs_of_small(columns, order, sizes, labels, limit)]
    for start, size in zip(starts[sizes > SMALL], sizes[sizes > SMALL], strict=True):
        members = order[start : start + size]
        if (labels[members] != labels[members[0]]).any():
            search = _pairs_of_middle if size <= MIDDLE else _pairs_of_large
            found.append(search(columns, members, labels, limit))
    return np.concatenate([pair[0] for pair in found]), np.concatenate([pair[1] for pair in found])


def _pairs_of_small(
    columns: Sequence[np.ndarray], order: np.ndarray, sizes: np.ndarray, labels: np.ndarray, limit: int
) -> Edges:
    group = np.repeat(np.arange(len(sizes)), sizes)
    is_small = np.repeat((sizes <= SMALL) & (sizes > 1), sizes)
    order, group = order[is_small], group[is_small]
    pairs = [(order[:0], order[:0])]
    for shift in range(1, SMALL):
        same = np.flatnonzero(group[shift:] == group[:-shift])
        if not len(same):
            break
        one, other = order[same], order[same + shift]
        apart = labels[one] != labels[other]
        one, other = one[apart], other[apart]
        near = _distances([column[one] for column in columns], [column[other] for column in columns]) <= limit
        pairs.append((one[near], other[near]))
    return np.concatenate([pair[0] for pair in pairs]), np.concatenate([pair[1] for pair in pairs])


def _pairs_of_middle(columns: Sequence[np.ndarray], members: np.ndarray, labels: np.ndarray, limit: int) -> Edges:
    mine = [column[members] for column in columns]
    ones, others = [], []
    for start in range(0, len(members), ROWS):
        rows = [column[start : start + ROWS, None] for column in mine]
        row, column = np.nonzero(_distances([column[None, start:] for column in mine], rows) <= limit)
        ones.append(start + row)
        others.append(start + column)
    one, other = np.concatenate(ones), np.concatenate(others)
    together = joined_by(len(members), one, other)
    _, first = np.unique(together, return_index=True)
    return members[first[together]], members


def _pairs_of_large(columns: Sequence[np.ndarray], members: np.ndarray, labels: np.ndarray, limit: int) -> Edges:
    """Breadth first: all within the limit of a member, and what these are together with, leave the rest."""
    names = labels[members]
    rest, mine = np.arange(len(members)), [column[members] for column in columns]
    flags = np.zeros(int(names.max()) + 1, dtype=bool)
    ones, others = [], []
    while len(rest):
        here = names[rest] == names[rest[0]]
        front = rest[here].tolist()
        rest, mine = _without(rest, mine, here)
        while front and len(rest):
            current = front.pop()
            near = _distances(mine, [column[members[current]] for column in columns]) <= limit
            if not near.any():
                continue
            flags[names[rest[near]]] = True
            taken = flags[names[rest]]
            flags[names[rest[near]]] = False
            ones.append(np.full(int(near.sum()), members[current]))
            others.append(members[rest[near]])
            front += rest[taken].tolist()
            rest, mine = _without(rest, mine, taken)
    empty = members[:0]
    return np.concatenate([empty, *ones]), np.concatenate([empty, *others])


def _without(rest: np.ndarray, columns: list[np.ndarray], taken: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    if taken[0] and not taken[1:].any():  # nothing is copied
        return rest[1:], [column[1:] for column in columns]
    return rest[~taken], [column[~taken] for column in columns]


def _joined(labels: np.ndarray, edges: Edges) -> np.ndarray:
    if not len(edges[0]):
        return labels
    return joined_by(int(labels.max()) + 1, labels[edges[0]], labels[edges[1]])[labels]
