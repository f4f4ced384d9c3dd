"""Files of models on their way into the store: copied and synced before the transaction that makes rows of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from storage import services as storage
from storage.cache import Incoming


@dataclass(frozen=True)
class StagedFile:
    filename: str
    incoming: Incoming


AnyFile = Path | str | StagedFile


@contextmanager
def staged(files: Mapping[str, AnyFile]) -> Iterator[dict[str, StagedFile]]:
    """The files by kind, ready to be kept within the block. A model may have gigabytes: nobody waits for their copying
    who only wants to write a row."""
    with ExitStack() as stack:
        ready = {}
        for kind, file in files.items():
            if not isinstance(file, StagedFile):
                incoming = storage.stage_path(Path(file))
                stack.callback(incoming.discard)
                file = StagedFile(Path(file).name, incoming)
            ready[kind] = file
        yield ready
