"""What the live model of a project says, as one file: replaced whole, so that a reader never sees half of it."""

from __future__ import annotations

import contextlib
import json
import os
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from inference.embeddings.stores import LIVE, folder_of
from projects.models import Project


@dataclass(frozen=True)
class LiveState:
    """How a live model stands.

    Attributes:
        version: counts up with every fit.
        labels: id of each label that it knows, in the order of its outputs.
        images_by_label: labelled images that it was fitted on, likewise.
        held_out: labelled images that it was tried on without having learned from them; `right` of them were right.
        seconds: from the change to the guesses.
        signature: what it was fitted on; the same means that nothing is to be done.
    """

    version: int
    fitted_at: str
    embedder: str
    labels: list[str]
    images_by_label: list[int]
    held_out: int
    right: int
    temperature: float
    guesses: int
    seconds: float
    signature: str


@dataclass(frozen=True)
class Guesses:
    """What a live model says of each image that has no label.

    Attributes:
        ids: `(images, 2)` uint64, see `FeatureStore.ids`.
        labels: `(images,)` uint16, places in `state.labels`.
        confidences: `(images,)` float32, calibrated, 0 to 1.
    """

    state: LiveState
    ids: np.ndarray
    labels: np.ndarray
    confidences: np.ndarray


def write_guesses(project: Project, guesses: Guesses) -> None:
    path = _path(project)
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_name(f"{path.name}.{os.getpid()}")
    with open(written, "wb") as file:
        np.savez(
            file,
            state=np.array(json.dumps(asdict(guesses.state))),
            ids=guesses.ids,
            labels=guesses.labels,
            confidences=guesses.confidences,
        )
    os.replace(written, path)


def read_guesses(project: Project) -> Guesses | None:
    """None before the first fit, and when nothing can be guessed any more."""
    with contextlib.suppress(FileNotFoundError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        with np.load(_path(project)) as content:
            state = LiveState(**json.loads(str(content["state"])))
            return Guesses(state, content["ids"], content["labels"], content["confidences"])
    return None


def remove_guesses(project: Project) -> bool:
    """Whether there were any."""
    try:
        _path(project).unlink()
        return True
    except FileNotFoundError:
        return False


def _path(project: Project) -> Path:
    return folder_of(project) / LIVE / "guesses.npz"
