"""Files of models on their way into the store: copied and synced before the transaction that makes rows of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from inference.models import FileKind
from storage import services as storage
from storage.cache import Incoming


@dataclass(frozen=True)
class StagedFile:
    filename: str
    incoming: Incoming


@dataclass(frozen=True)
class Content:
    """A small file that is nowhere yet."""

    filename: str
    content: bytes


AnyFile = Path | str | Content | StagedFile


@contextmanager
def staged(files: Mapping[str, AnyFile]) -> Iterator[dict[str, StagedFile]]:
    """The files by kind, ready to be kept within the block. A model may have gigabytes: nobody waits for their copying
    who only wants to write a row."""
    with ExitStack() as stack:
        ready = {}
        for kind, file in files.items():
            if not isinstance(file, StagedFile):
                file = _staged(file)
                stack.callback(file.incoming.discard)
            ready[kind] = file
        yield ready


def _staged(file: Path | str | Content) -> StagedFile:
    if isinstance(file, Content):
        return StagedFile(file.filename, storage.stage_content(file.content))
    return StagedFile(Path(file).name, storage.stage_path(Path(file)))


def with_labels(files: Mapping[str, AnyFile], class_names: Sequence[str]) -> dict[str, AnyFile]:
    """The files with `labels.json`. Who registers a model inside of a transaction stages them before it."""
    labels = Content("labels.json", json.dumps(class_names, ensure_ascii=False, indent=1).encode())
    return {FileKind.LABELS_JSON: labels, **files}
