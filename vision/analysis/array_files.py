"""Reading arrays from `.npz` files in threads, and what is raised where a file is not there or damaged."""

from __future__ import annotations

import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np

# Whatever a file holds that is none of ours, or was cut or changed.
UNREADABLE = (
    OSError, ValueError, LookupError, TypeError, AttributeError, EOFError, RuntimeError, ArithmeticError, SyntaxError,
    MemoryError, struct.error, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
ATTEMPTS = 20


def read_arrays(path: Path, *names: str) -> dict[str, np.ndarray]:
    """The arrays of a file by their names: these, or all.

    Raises:
        UNREADABLE: it is not there or damaged.
    """
    with np.load(path, allow_pickle=False) as archive:
        return {name: _read(archive, name) for name in names or archive.files}


def _read(archive: np.lib.npyio.NpzFile, name: str) -> np.ndarray:
    """NumPy reads a header by Python's parser, whose count of nested calls is one for all threads before Python 3.13:
    where another thread parses at the same time it ends in a SystemError now and then."""
    for _ in range(ATTEMPTS - 1):
        try:
            return archive[name]
        except SystemError:
            continue
    return archive[name]
