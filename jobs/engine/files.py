"""Files that an engine process names in its answer: looked into before they leave its folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from jobs.errors import WorkFailed
from vision.runtime.interpreters import ModelFileError
from vision.runtime.kinds import KINDS
from vision.runtime.litert_file import operations_of
from vision.runtime.onnx_file import check_onnx_file

CHECKS: dict[str, Callable[[Path], object]] = {"litert": operations_of, "onnxruntime": check_onnx_file}


def made_file(folder: Path, name: str) -> Path:
    """A file that an engine process names in its result, when it is one of its own.

    Raises:
        WorkFailed: it is elsewhere, a link, or no file.
    """
    path = Path(name)
    if path.is_symlink() or not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
        raise WorkFailed("engine_file_missing", "The process names a file that it has not written. Start it again.")
    return path


def made_files(folder: Path, files: dict[str, str]) -> dict[str, Path]:
    """Files by their kind, as `made_file`. Those that are run outside of the sandbox are looked into as well.

    Raises:
        WorkFailed: as `made_file`; a file for LiteRT or ONNX Runtime has what none of ours has.
    """
    found = {kind: made_file(folder, name) for kind, name in files.items()}
    for kind, path in found.items():
        check = CHECKS.get(KINDS[kind].runtime) if kind in KINDS else None
        try:
            if check is not None:
                check(path)
        except ModelFileError as error:
            raise WorkFailed("model_file_unsafe", f"The {kind} file is not kept: {error}.") from error
    return found
