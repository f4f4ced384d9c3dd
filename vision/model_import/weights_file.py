"""Files of pretrained weights: whether one is whole, and has as many numbers as its network needs."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from vision.sandbox import process
from vision.sandbox.limits import Limits
from vision.training.errors import UploadError

HDF5 = b"\x89HDF\r\n\x1a\n"
SUPERBLOCK_BYTES = 64
# Where sizes and addresses stand in a superblock, by its version (HDF5 File Format Specification 3.0, II.A).
SIZE_OF_OFFSETS = {0: 13, 1: 13, 2: 9, 3: 9}
BASE_ADDRESS = {0: 24, 1: 28, 2: 12, 3: 12}
LIMITS = Limits(memory_bytes=1 << 30, cpu_seconds=60)
SECONDS = 120.0


def stated_bytes(path: Path) -> int | None:
    """How large an HDF5 file says that it is, or None: it is none, or ends before it says so."""
    with open(path, "rb") as file:
        start = file.read(SUPERBLOCK_BYTES)
    version = start[8] if len(start) == SUPERBLOCK_BYTES and start.startswith(HDF5) else None
    if version not in BASE_ADDRESS:
        return None
    size = start[SIZE_OF_OFFSETS[version]]
    end_of_file = BASE_ADDRESS[version] + 2 * size  # after the base address and another one
    return int.from_bytes(start[end_of_file : end_of_file + size], "little")


def is_cut(path: Path) -> bool:
    """Whether this is the beginning of an HDF5 file."""
    with open(path, "rb") as file:
        is_hdf5 = file.read(len(HDF5)) == HDF5
    stated = stated_bytes(path)
    return is_hdf5 and (stated is None or stated > path.stat().st_size)


def check_weights(path: Path, least_bytes: int, most_bytes: int) -> None:
    """Refuse what is no file of weights. It is opened in the sandbox: the library that reads it is written in C.

    Args:
        least_bytes, most_bytes: what its numbers may take together.

    Raises:
        UploadError: `not_a_model`, `unsafe_file`, `too_large`, `weights_missing`.
        SandboxMissing: the sandbox is required, and this system cannot do it.
    """
    if is_cut(path):
        raise UploadError("not_a_model", "Its end is missing.")
    with tempfile.TemporaryDirectory() as folder:
        child = process.start_python(
            __name__, path, str(most_bytes), folder=Path(folder), readable=[path], limits=LIMITS
        )
        try:
            said, _ = child.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            said = b""
        finally:
            child.kill()
            child.wait()
    try:
        answer = json.loads(said)
    except ValueError as error:  # it died of what it read
        raise UploadError("not_a_model", "This is no HDF5 file, or a damaged one.") from error
    if "code" in answer:
        raise UploadError(answer["code"], answer["message"])
    if answer["bytes"] < least_bytes:
        raise UploadError(
            "weights_missing",
            f"It has {answer['bytes']:,} bytes of weights, and its network about {most_bytes // 2:,}.",
        )


def main(path: str, most_bytes: str) -> None:
    from vision.model_import.hdf5 import check_hdf5  # which the web process does not need

    try:
        answer: dict = {"bytes": check_hdf5(Path(path), int(most_bytes))}
    except UploadError as error:
        answer = {"code": error.code, "message": str(error)}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
