"""Computing the features of images that have none yet, a few at a time."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Sequence

import numpy as np
import structlog
from django.conf import settings

from datasets.models import Image
from inference.embeddings.embedders import Features, ProjectEmbedder
from inference.embeddings.stores import ids_in, store_for, store_of, uuids_of
from projects.models import Project
from storage import services as storage
from storage.errors import BlobMissing
from vision.imaging.preprocessing import ImageError, open_image

log = structlog.get_logger(__name__)

BATCH = 64


class NoRoom(RuntimeError):
    """The disk is nearly full."""


class MissingImages:
    """The images of a project that have no features by its embedder; each is tried once.

    Args:
        skipped: images that could not be read before.
    """

    def __init__(self, project: Project, embedder: ProjectEmbedder, skipped: set[uuid.UUID]) -> None:
        self.project, self.embedder, self._skipped = project, embedder, skipped
        self._count = 0  # of the store, when it was last looked at
        self._ids, self._next = self._without_features(ids_in(project)), 0
        self._network: Features | None = None
        self.fitted_at = 0.0  # when the live model was last fitted meanwhile, of `time.monotonic`

    @property
    def left(self) -> int:
        return len(self._ids) - self._next

    def embed_some(self) -> int:
        """Compute the next ones. Returns how many were added; 0 does not say that none is left.

        Raises:
            NoRoom
        """
        if self.left and not has_room():
            raise NoRoom()
        batch = self._ids[self._next : self._next + BATCH]
        self._next += len(batch)
        wanted = [pk for pk in uuids_of(self._without_features(batch)) if pk not in self._skipped]
        if not wanted:
            return 0
        if self._network is None:
            self._network = self.embedder.load()
        return self._embed(self._network, wanted)

    def _without_features(self, ids: np.ndarray) -> np.ndarray:
        """Those that no process has computed, this one or another; the store is read where it has changed."""
        store = store_of(self.project, self.embedder)
        if store is None or store.count == self._count:
            return ids
        self._count = store.count
        return ids[store.rows_of(ids) < 0]

    def _embed(self, network: Features, wanted: Sequence[uuid.UUID]) -> int:
        done: list[uuid.UUID] = []
        features: list[np.ndarray] = []
        for image in Image.objects.filter(pk__in=wanted).select_related("blob"):
            try:
                with storage.opened(image.blob) as file, open_image(file) as opened:
                    pixels = self.embedder.to_pixels(opened, network.image_size)
            except (ImageError, BlobMissing, OSError) as error:
                log.info("image_without_features", image=str(image.pk), error=str(error)[:200])
                self._skipped.add(image.pk)
                continue
            done.append(image.pk)
            features.append(network.run(pixels))
        if done:
            rows = np.stack(features)
            store_for(self.project, self.embedder, rows.shape[1]).append(done, rows)
            self._count += len(done)
        return len(done)


def has_room() -> bool:
    """Features can be computed again at any time: they are the first to stand back when the disk gets full."""
    settings.FEATURES_DIR.mkdir(parents=True, exist_ok=True)
    return shutil.disk_usage(settings.FEATURES_DIR).free > settings.MIN_FREE_BYTES
