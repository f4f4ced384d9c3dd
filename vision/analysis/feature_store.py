"""Features of many images on the disk: vectors in the order in which they were added, and whose each is.

Three files grow together: `ids.bin` (16 bytes an image), `vectors.f16` (the features, 2 bytes each) and `codes.f16`
(their random projection, by which near images are found, see `vision.analysis.embedding.project`). Ids are written
last: what is not in all three was broken off or damaged, and is written over.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from uuid import UUID

import numpy as np

from vision.analysis.embedding import projection

CODE_DIMENSIONS = 128
CHUNK = 8192
SAMPLE = 5000
ID_BYTES = 16
LARGEST = 60_000.0
# Writing a store again replaces its files one after the other, within milliseconds: a reader tries so often.
ATTEMPTS, PAUSE_SECONDS = 20, 0.01
# An odd number whose product mixes the halves of an id into one number by which ids are found.
MIX = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class OpenedStore:
    """A store as it was at one moment, whatever is done with its files afterwards.

    Attributes:
        ids: `(images, 2)` uint64, see `FeatureStore.ids`.
        vectors: `(images, features)` float16, read from the disk as far as it is looked at.
        codes: `(images, dimensions)` float16, likewise.
    """

    ids: np.ndarray
    vectors: np.ndarray
    codes: np.ndarray

    def rows_of(self, ids: np.ndarray) -> np.ndarray:
        """`(images,)` int: where each image is, -1 where it is not."""
        return Lookup(self.ids).rows_of(ids)

    def statistics(self) -> tuple[np.ndarray, np.ndarray]:
        """As `FeatureStore.statistics`."""
        return _statistics_of(self.vectors)


class FeatureStore:
    """The features of images by one embedder, in a folder.

    Its methods each look at the files as they are. Who may not be alone with a store that is written again reads what
    `opened` gives.

    Args:
        folder: made when it is not there.
        dimensions: how many features an image has.
    """

    def __init__(self, folder: Path, dimensions: int) -> None:
        self.folder = folder
        self.dimensions = dimensions
        self._codes = min(CODE_DIMENSIONS, dimensions)
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def count(self) -> int:
        """Images of which all three files have something: believing a file that was cut would end in an error."""
        widths = {"ids.bin": ID_BYTES, "vectors.f16": 2 * self.dimensions, "codes.f16": 2 * self._codes}
        return min(self._size(name) // width for name, width in widths.items())

    def append(self, ids: Sequence[UUID], features: np.ndarray) -> None:
        """Add images; the caller looks that none is there already.

        Args:
            features: `(images, dimensions)` float.
        """
        # A network may give more than 16 bits hold, and infinite features would end every fit.
        vectors = np.clip(np.nan_to_num(features), -LARGEST, LARGEST).astype(np.float16)
        with self._locked():
            count = self.count
            self._write("vectors.f16", count * 2 * self.dimensions, vectors.tobytes())
            codes = vectors.astype(np.float32) @ projection(self.dimensions, self._codes)
            self._write(
                "codes.f16", count * 2 * self._codes, (codes / np.sqrt(self._codes)).astype(np.float16).tobytes()
            )
            self._write("ids.bin", count * ID_BYTES, b"".join(pk.bytes for pk in ids))

    def ids(self) -> np.ndarray:
        """`(count, 2)` big-endian uint64: the halves of each UUID, in the order of the vectors."""
        count = self.count
        if not count:
            return np.zeros((0, 2), ">u8")
        return np.fromfile(self.folder / "ids.bin", ">u8", count=2 * count).reshape(-1, 2)

    def vectors(self) -> np.ndarray:
        """`(count, dimensions)` float16, read from the disk as far as it is looked at."""
        return self._mapped("vectors.f16", self.dimensions)

    def codes(self) -> np.ndarray:
        """`(count, 128)` float16, or as many as there are features, likewise."""
        return self._mapped("codes.f16", self._codes)

    def rows_of(self, ids: np.ndarray) -> np.ndarray:
        """`(images,)` int: where each image is, -1 where it is not.

        Args:
            ids: `(images, 2)` uint64, see `ids_of`.
        """
        return Lookup(self.ids()).rows_of(ids)

    def statistics(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of each feature, `(dimensions,)` float32 both, over at most 5,000 images."""
        return _statistics_of(self.vectors())

    def opened(self) -> OpenedStore:
        """Ids and features of one moment, also while another process writes the store again (`keep_only`)."""
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(PAUSE_SECONDS)
            before = self._inodes()
            with contextlib.suppress(OSError, ValueError):  # a file became shorter while it was opened
                ids, vectors, codes = self.ids(), self.vectors(), self.codes()
                is_between = before[0] is None and before[1] is not None
                if before == self._inodes() and not is_between:
                    count = min(len(ids), len(vectors), len(codes))  # what was added meanwhile is left out
                    return OpenedStore(ids[:count], vectors[:count], codes[:count])
        return self._empty()

    def _empty(self) -> OpenedStore:
        ids = np.zeros((0, 2), ">u8")
        return OpenedStore(ids, *(np.zeros((0, width), np.float16) for width in (self.dimensions, self._codes)))

    def _inodes(self) -> list[int | None]:
        """Of ids, vectors and codes: they are others when the store was written again."""
        return [_inode(self.folder / name) for name in ("ids.bin", "vectors.f16", "codes.f16")]

    def keep_only(self, rows: np.ndarray) -> None:
        """Write the store again with these rows alone.

        Args:
            rows: `(images,)` int, in rising order.
        """
        with self._locked():
            ids = self.ids()[rows]
            for name, width in (("vectors.f16", self.dimensions), ("codes.f16", self._codes)):
                old = self._mapped(name, width)
                with open(self.folder / f"{name}.new", "wb") as file:
                    for start in range(0, len(rows), CHUNK):
                        file.write(old[rows[start : start + CHUNK]].tobytes())
            # Without ids nothing is believed, until all files are the new ones.
            (self.folder / "ids.bin").unlink(missing_ok=True)
            for name in ("vectors.f16", "codes.f16"):
                os.replace(self.folder / f"{name}.new", self.folder / name)
            self._write("ids.bin", 0, ids.tobytes())

    def _mapped(self, name: str, width: int) -> np.ndarray:
        count = self.count
        if not count:
            return np.zeros((0, width), np.float16)
        return np.memmap(self.folder / name, np.float16, "r", shape=(count, width))

    def _size(self, name: str) -> int:
        with contextlib.suppress(OSError):
            stat = (self.folder / name).stat()
            return stat.st_size if S_ISREG(stat.st_mode) else 0
        return 0

    def _write(self, name: str, offset: int, content: bytes) -> None:
        descriptor = os.open(self.folder / name, os.O_RDWR | os.O_CREAT, 0o644)
        with open(descriptor, "r+b") as file:
            file.truncate(offset)
            file.seek(offset)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with open(self.folder / "lock", "wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _inode(path: Path) -> int | None:
    with contextlib.suppress(OSError):
        return path.stat().st_ino
    return None


def finite(features: np.ndarray) -> np.ndarray:
    """The same as float32; what is no number is 0. A damaged file may hold any bytes, and one of them would be in every
    mean."""
    values = np.asarray(features, np.float32)
    return values if np.isfinite(values).all() else np.nan_to_num(values, posinf=0.0, neginf=0.0)


def _statistics_of(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    sample = finite(vectors[spread(len(vectors), SAMPLE)])
    return sample.mean(axis=0), sample.std(axis=0)


def spread(count: int, most: int) -> np.ndarray:
    """`(count,)` int, or `most` of them at even distances from the first to the last."""
    return np.arange(count) if count <= most else np.linspace(0, count - 1, most).astype(np.int64)


class Lookup:
    """Finds images by their ids among those of a store.

    Args:
        ids: `(images, 2)` uint64.
    """

    def __init__(self, ids: np.ndarray) -> None:
        self._ids = ids
        keys = _keys(ids)
        self._order = np.argsort(keys, kind="stable")
        self._keys = keys[self._order]

    def rows_of(self, ids: np.ndarray) -> np.ndarray:
        """`(images,)` int: where each is, -1 where it is not."""
        if not len(self._ids) or not len(ids):
            return np.full(len(ids), -1)
        places = np.minimum(np.searchsorted(self._keys, _keys(ids)), len(self._keys) - 1)
        rows = self._order[places]
        return np.where((self._ids[rows] == ids).all(axis=1), rows, -1)


def ids_of(ids: Sequence[UUID]) -> np.ndarray:
    """`(images, 2)` uint64 of UUIDs."""
    return np.frombuffer(b"".join(pk.bytes for pk in ids), ">u8").reshape(-1, 2)


def _keys(ids: np.ndarray) -> np.ndarray:
    halves = ids.astype(np.uint64)
    return halves[:, 0] * MIX ^ halves[:, 1]
