"""Features of what is inside boxes: of confirmed ones, of suggestions, and of the background beside them."""

from __future__ import annotations

import hashlib
import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import structlog

from datasets.models import Annotation, Image
from inference.embeddings.embedders import Features, ProjectEmbedder
from inference.embeddings.embedding import NoRoom, has_room
from inference.embeddings.stores import boxes_of
from projects.models import Project
from storage import services as storage
from storage.errors import BlobMissing
from vision.analysis.box_samples import BackgroundBoxes, Box, cut_out
from vision.analysis.feature_store import FeatureStore, ids_of
from vision.imaging.preprocessing import ImageError, open_image

log = structlog.get_logger(__name__)

# The newest of each: what is beyond waits for a training.
MOST_CONFIRMED = 20_000
MOST_SUGGESTIONS = 20_000
MOST_BACKGROUND_IMAGES = 2_000
IMAGES_AT_ONCE = 8
BACKGROUND = ""


@dataclass(frozen=True)
class MarkedBox:
    """A box of a project.

    Attributes:
        key: names its features: the same place of the same image has the same.
        label: id of its label, `BACKGROUND` where nothing is marked.
        annotation: the suggestion that it is; None for what the live model learns from.
    """

    key: uuid.UUID
    image: uuid.UUID
    box: Box
    label: str
    annotation: uuid.UUID | None = None


def marked_boxes(project: Project) -> list[MarkedBox]:
    """Confirmed boxes, background of the images that have some, and suggestions that wait for a look."""
    rows = Annotation.objects.filter(image__dataset__project=project, x_min__isnull=False).order_by("-image", "pk")
    fields = ("pk", "image", "label", "x_min", "y_min", "x_max", "y_max")
    confirmed = list(rows.filter(confirmed=True).values_list(*fields)[:MOST_CONFIRMED])
    waiting = list(rows.filter(confirmed=False).values_list(*fields)[:MOST_SUGGESTIONS])
    found = [_marked(image, tuple(box), str(label)) for _, image, label, *box in confirmed]
    suggestions = [_marked(image, tuple(box), str(label), pk) for pk, image, label, *box in waiting]
    return [*found, *_background(found), *suggestions]


def _marked(image: uuid.UUID, box: Box, label: str, annotation: uuid.UUID | None = None) -> MarkedBox:
    place = " ".join(f"{edge:.1f}" for edge in box)
    digest = hashlib.sha256(f"{image.hex} {place}".encode()).digest()
    return MarkedBox(uuid.UUID(bytes=digest[:16]), image, box, label, annotation)


def _background(confirmed: list[MarkedBox]) -> list[MarkedBox]:
    """Two places in each image on which nothing is marked: the image was looked at, so they show nothing."""
    by_image: dict[uuid.UUID, list[Box]] = defaultdict(list)
    for marked in confirmed:
        by_image[marked.image].append(marked.box)
    sizes = np.array([(box[2] - box[0], box[3] - box[1]) for boxes in by_image.values() for box in boxes])
    sampler = BackgroundBoxes(sizes.reshape(-1, 2))
    chosen = sorted(by_image, key=str)[:MOST_BACKGROUND_IMAGES]
    images = Image.objects.filter(pk__in=chosen, reviewed=True).values_list("pk", "width", "height")
    return [
        _marked(pk, box, BACKGROUND)
        for pk, width, height in images
        for box in sampler.of(width, height, by_image[pk], pk.int % (1 << 32))
    ]


@dataclass
class MissingBoxes:
    """The boxes of a project whose features are not computed yet; each is tried once.

    Attributes:
        every: all its boxes, as they were when this was made.
    """

    project: Project
    embedder: ProjectEmbedder
    every: list[MarkedBox]
    _waiting: dict[uuid.UUID, list[MarkedBox]] = field(default_factory=dict)
    _network: Features | None = None

    def __post_init__(self) -> None:
        store = boxes_of(self.project, self.embedder)
        rows = np.full(len(self.every), -1) if store is None else store.rows_of(keys_of(self.every))
        for marked, row in zip(self.every, rows.tolist(), strict=True):
            if row < 0:
                self._waiting.setdefault(marked.image, []).append(marked)

    @property
    def left(self) -> int:
        return len(self._waiting)

    def embed_some(self) -> int:
        """Compute those of the next images. Returns how many were added.

        Raises:
            NoRoom
        """
        if self._waiting and not has_room():
            raise NoRoom()
        images = list(self._waiting)[:IMAGES_AT_ONCE]
        boxes = {pk: self._waiting.pop(pk) for pk in images}
        if not boxes:
            return 0
        if self._network is None:
            self._network = self.embedder.load()
        done: dict[uuid.UUID, np.ndarray] = {}
        for image in Image.objects.filter(pk__in=images).select_related("blob"):
            done |= self._of_image(image, boxes[image.pk], self._network)
        if done:
            rows = np.stack(list(done.values()))
            boxes_of(self.project, self.embedder, rows.shape[1]).append(list(done), rows)
        return len(done)

    def _of_image(self, image: Image, boxes: Iterable[MarkedBox], network: Features) -> dict[uuid.UUID, np.ndarray]:
        try:
            with storage.opened(image.blob) as file, open_image(file) as opened:
                return {
                    marked.key: network.run(self.embedder.to_pixels(cut_out(opened, marked.box), network.image_size))
                    for marked in boxes
                }
        except (ImageError, BlobMissing, OSError) as error:
            log.info("boxes_without_features", image=str(image.pk), error=str(error)[:200])
            return {}


def keys_of(boxes: list[MarkedBox]) -> np.ndarray:
    """`(boxes, 2)` uint64, see `FeatureStore.ids`."""
    return ids_of([marked.key for marked in boxes])


def features_of(store: FeatureStore, boxes: list[MarkedBox]) -> tuple[list[MarkedBox], np.ndarray]:
    """Those of the boxes that have features, and their rows in the store."""
    rows = store.rows_of(keys_of(boxes))
    return [marked for marked, row in zip(boxes, rows.tolist(), strict=True) if row >= 0], rows[rows >= 0]
