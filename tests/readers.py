"""Annotations of archives read in this process, for tests of what they say rather than of how they are read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

import pytest

from datasets import parsing
from vision.formats.__main__ import main
from vision.formats.transfer import Transferred


def read_annotations_in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the process in the sandbox, by the same files: starting one takes longer than reading a few annotations."""
    monkeypatch.setattr(parsing, "_read", _read)


def _read(_context: object, file: IO[bytes], name: str, folder: Path, name_encoding: str = "") -> Transferred:
    position = os.lseek(file.fileno(), 0, os.SEEK_CUR)
    try:
        assert main(file.fileno(), folder, name, parsing.settings.MAX_ANNOTATION_BYTES, name_encoding) == 0
    finally:
        os.lseek(file.fileno(), position, os.SEEK_SET)
    return Transferred(folder)
