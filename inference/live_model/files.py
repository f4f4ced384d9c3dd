"""What the live model of a project says, as one file: replaced whole, so that a reader never sees half of it."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from inference.embeddings.stores import LIVE, folder_of
from inference.live_model.label_sets import LabelSets
from projects.models import Project
from vision.analysis.array_files import UNREADABLE, read_arrays
from vision.analysis.learning_curve import LearningCurve

# Arrays of the file, and what they are of `LabelSets`.
SEVERAL = {"several_starts": "starts", "several_labels": "labels", "several_chances": "chances"}

# Where a file is not there or not ours it is as if there was none, and the next fit writes it again.


@dataclass(frozen=True)
class LiveState:
    """How a live model stands.

    Attributes:
        version: counts up with every fit.
        labels: id of each label that it knows, in the order of its outputs.
        images_by_label: labelled images that it was fitted on, likewise.
        held_out_by_label, right_by_label: as `held_out` and `right`, of each label.
        held_out: labelled images that it was tried on without having learned from them; `right` of them were right,
            with all their labels.
        seconds: from the change to the guesses.
        signature: what it was fitted on; the same means that nothing is to be done.
        images: that it was fitted on; None: as many as `images_by_label` has, each with one label.
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
    held_out_by_label: list[int] = field(default_factory=list)
    right_by_label: list[int] = field(default_factory=list)
    images: int | None = None

    @property
    def labelled(self) -> int:
        return sum(self.images_by_label) if self.images is None else self.images

    @property
    def accuracy(self) -> float | None:
        """Share of `held_out` that was right; None where too few say anything."""
        return round(self.right / self.held_out, 4) if self.held_out else None


@dataclass(frozen=True)
class Guesses:
    """What a live model says of each image that has no label.

    Attributes:
        ids: `(images, 2)` uint64, see `FeatureStore.ids`.
        labels: `(images,)` uint16, places in `state.labels`: the most likely one.
        confidences: `(images,)` float32, calibrated, 0 to 1: that this is right, or all of `several`.
        margins: `(images,)` float32, 1 (sure) to 0: how far the best label is ahead of the second, or the decision
            that is nearest to its threshold from there.
        several: the labels of each image where it may have none to many.
    """

    state: LiveState
    ids: np.ndarray
    labels: np.ndarray
    confidences: np.ndarray
    margins: np.ndarray
    several: LabelSets | None = None

    @property
    def sets(self) -> LabelSets:
        """The labels of each image, also where it has just one."""
        return LabelSets.single(self.labels, self.confidences) if self.several is None else self.several


def write_guesses(project: Project, guesses: Guesses) -> None:
    path = _path(project)
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_name(f"{path.name}.{os.getpid()}")
    several = {} if guesses.several is None else {name: getattr(guesses.several, of) for name, of in SEVERAL.items()}
    with open(written, "wb") as file:
        np.savez(
            file,
            state=np.array(json.dumps(asdict(guesses.state))),
            ids=guesses.ids,
            labels=guesses.labels,
            confidences=guesses.confidences,
            margins=guesses.margins,
            **several,
        )
    os.replace(written, path)


def read_guesses(project: Project) -> Guesses | None:
    """None before the first fit, and when nothing can be guessed any more."""
    with contextlib.suppress(*UNREADABLE):
        content = read_arrays(_path(project))
        state = LiveState(**json.loads(str(content["state"])))
        several = LabelSets(*(content[name] for name in SEVERAL)) if "several_starts" in content else None
        ids, labels, confidences, margins = (content[name] for name in ("ids", "labels", "confidences", "margins"))
        guesses = Guesses(state, ids, labels, confidences, margins, several)
        is_table = fits_together(guesses.ids, guesses.labels, guesses.confidences, guesses.margins, labels=state.labels)
        if is_table and (several is None or several.fits(len(guesses.ids), len(state.labels))):
            return guesses
    return None


def fits_together(ids: np.ndarray, places: np.ndarray, *columns: np.ndarray, labels: list[str]) -> bool:
    """Whether these are columns of one table, and the places those of labels."""
    count = len(ids)
    is_table = ids.shape == (count, 2) and all(column.shape == (count,) for column in (places, *columns))
    return is_table and ids.dtype.kind == places.dtype.kind == "u" and (not count or int(places.max()) < len(labels))


def remove_guesses(project: Project) -> bool:
    """Whether there were any."""
    try:
        _path(project).unlink()
        return True
    except FileNotFoundError:
        return False


def write_order(project: Project, ids: np.ndarray) -> None:
    """Keep which images to label next.

    Args:
        ids: `(images, 2)` uint64, the most informative first.
    """
    _replace(_path(project, "next.bin"), ids.astype(">u8").tobytes())


def read_order(project: Project) -> np.ndarray:
    """`(images, 2)` uint64; none before the first images were compared."""
    with contextlib.suppress(OSError):
        content = _path(project, "next.bin").read_bytes()
        return np.frombuffer(content[: len(content) // 16 * 16], ">u8").reshape(-1, 2)
    return np.zeros((0, 2), ">u8")


def write_curve(project: Project, labelled: int, curve: LearningCurve | None) -> None:
    """Keep the learning curve of so many labelled images; None: there were too few."""
    content = {"labelled": labelled, "curve": None if curve is None else asdict(curve)}
    _replace(_path(project, "curve.json"), json.dumps(content).encode())


def read_curve(project: Project) -> tuple[int, dict | None]:
    """The number of labelled images that it was made of, and the curve as plain values."""
    with contextlib.suppress(*UNREADABLE):
        content = json.loads(_path(project, "curve.json").read_text())
        return int(content["labelled"]), content["curve"]
    return 0, None


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_name(f"{path.name}.{os.getpid()}")
    written.write_bytes(content)
    os.replace(written, path)


def _path(project: Project, name: str = "guesses.npz") -> Path:
    return folder_of(project) / LIVE / name
