"""Where the features of a project's images are, and whose are still needed."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, overload

import numpy as np
from django.conf import settings
from django.core.exceptions import ValidationError

from datasets.models import Image
from inference.embeddings.embedders import NoEmbedder, ProjectEmbedder, embedder_for
from projects.models import Project
from storage.stored_keys import stored_rows
from vision.analysis.feature_store import FeatureStore, Lookup

# A store is written again when fewer of its rows than this share are of images that are there.
LEAST_LIVE = 0.8
LIVE = "live"
# After the name of an embedder: features of what is inside boxes.
BOXES = "-boxes"
# Counting the features of a project's images: what was counted is taken for so long where nothing has changed, or where
# there are many images, of which some more have features each moment.
AS_BEFORE_SECONDS, MANY_SECONDS, MANY_IMAGES = 60.0, 5.0, 20_000
_EMBEDDED: dict[uuid.UUID, tuple[tuple, float, int]] = {}


def folder_of(project: Project) -> Path:
    return settings.FEATURES_DIR / "projects" / str(project.pk)


def store_of(project: Project, embedder: ProjectEmbedder) -> FeatureStore | None:
    """The project's store by this embedder; None before its first image."""
    found = sorted(path for path in (folder_of(project) / embedder.name).glob("*") if _is_store(path))
    return FeatureStore(found[0], int(found[0].name)) if found else None


def _is_store(path: Path) -> bool:
    return path.name.isascii() and path.name.isdigit() and path.is_dir()


@contextlib.contextmanager
def alone(project: Project) -> Iterator[bool]:
    """Whether no other process works on this project, which then does what there is to do."""
    folder = folder_of(project)
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def store_for(project: Project, embedder: ProjectEmbedder, dimensions: int) -> FeatureStore:
    """The same, made when it is not there."""
    return FeatureStore(folder_of(project) / embedder.name / str(dimensions), dimensions)


@overload
def boxes_of(project: Project, embedder: ProjectEmbedder) -> FeatureStore | None: ...
@overload
def boxes_of(project: Project, embedder: ProjectEmbedder, dimensions: int) -> FeatureStore: ...
def boxes_of(project: Project, embedder: ProjectEmbedder, dimensions: int | None = None) -> FeatureStore | None:
    """The store of the project's boxes by this embedder; made where `dimensions` are given."""
    folder = folder_of(project) / f"{embedder.name}{BOXES}"
    if dimensions is not None:
        return FeatureStore(folder / str(dimensions), dimensions)
    found = sorted(path for path in folder.glob("*") if _is_store(path))
    return FeatureStore(found[0], int(found[0].name)) if found else None


def ids_in(project: Project, dataset: uuid.UUID | None = None) -> np.ndarray:
    """`(images, 2)` uint64: the images of a project, or of one of its datasets, see `FeatureStore.ids`; what is in the
    trash is not among them."""
    images = Image.objects.filter(dataset__project=project)
    if dataset is not None:
        images = images.filter(dataset=dataset)
    return halves_of(pk for (pk,) in stored_rows(images.order_by("pk").values_list("pk")))


def embedded_in(project: Project, store: FeatureStore | None, images: int) -> int:
    """How many images of a project have features; a store has those of deleted images, too.

    Args:
        images: so many the project has: where that and the store are as before, so is the answer, which of 100,000
            images takes a third of a second.
    """
    if store is None or not store.count or not images:
        return 0
    state, now = (store.folder, store.count, images), time.monotonic()
    before = _EMBEDDED.get(project.pk)
    if before is not None:
        fresh_seconds = AS_BEFORE_SECONDS if before[0] == state else MANY_SECONDS if images > MANY_IMAGES else 0
        if now - before[1] < fresh_seconds:
            return min(before[2], images)
    embedded = int((store.rows_of(ids_in(project)) >= 0).sum())
    _EMBEDDED[project.pk] = state, now, embedded
    return embedded


def halves_of(keys: Iterable[Any]) -> np.ndarray:
    """`(keys, 2)` uint64 of keys as they are stored."""
    digits = "".join(key if isinstance(key, str) else key.hex for key in keys)
    return np.frombuffer(bytes.fromhex(digits), ">u8").reshape(-1, 2)


def uuids_of(ids: np.ndarray) -> list[uuid.UUID]:
    """UUIDs of `(images, 2)` uint64."""
    content = ids.astype(">u8").tobytes()
    return [uuid.UUID(bytes=content[start : start + 16]) for start in range(0, len(content), 16)]


def tidy() -> int:
    """Delete the features of what is gone: projects, embedders that are not used any more, images. Returns how many
    folders were deleted or written again."""
    changed = 0
    for folder in (settings.FEATURES_DIR / "projects").glob("*"):
        project = _project_of(folder)
        if project is None:
            changed += _remove(folder)
            continue
        with alone(project) as is_alone:  # what is being read must keep its place
            changed += _tidy_project(project, folder) if is_alone else 0
    return changed


def _project_of(folder: Path) -> Project | None:
    try:
        return Project.objects.filter(pk=folder.name).first()
    except ValidationError:  # no id: nothing of ours
        return None


def _tidy_project(project: Project, folder: Path) -> int:
    try:
        embedder = embedder_for(project)
    except NoEmbedder:
        return 0
    needed = (embedder.name, f"{embedder.name}{BOXES}", LIVE)
    others = [other for other in folder.iterdir() if other.is_dir() and other.name not in needed]
    changed = sum(_remove(other) for other in others)
    store = store_of(project, embedder)
    if store is not None and store.count:
        live = Lookup(ids_in(project)).rows_of(store.ids()) >= 0
        if live.mean() < LEAST_LIVE:
            store.keep_only(np.flatnonzero(live))
            changed += 1
    return changed


def _remove(folder: Path) -> int:
    shutil.rmtree(folder, ignore_errors=True)
    return 1
