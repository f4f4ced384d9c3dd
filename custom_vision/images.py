"""Images as programs add them, with what became of each."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User

from custom_vision.errors import Refused
from custom_vision.tags import is_mixture, negative_tags
from custom_vision.wire import ids_of
from custom_vision.workspace import ensure_dataset
from datasets.examining import Box, StagedImage, stage_upload
from datasets.ingest import add_images
from datasets.models import Label, Origin
from projects.models import Project, Task
from storage.cache import Incoming
from vision.imaging.preprocessing import ImageError

SOURCE = "custom vision"
MOST_TAGS, MOST_REGIONS, MOST_OF_AN_IMAGE = 20, 64, 300
STATUSES = {"file_too_large": "ErrorImageSize", "too_many_pixels": "ErrorImageDimensions"}
EDGES = ("left", "top", "width", "height")
UNNAMED = "image"


@dataclass(frozen=True)
class Region:
    """A box of a tag; edges are parts of the image, 0..1."""

    tag: UUID
    left: float
    top: float
    width: float
    height: float

    def box(self, width: int, height: int) -> Box | None:
        """In pixels, clipped to the image; None: nothing of it is inside."""
        left, top = max(self.left, 0.0) * width, max(self.top, 0.0) * height
        right, bottom = min(self.left + self.width, 1.0) * width, min(self.top + self.height, 1.0) * height
        return (left, top, right, bottom) if right - left > 0.01 and bottom - top > 0.01 else None


@dataclass
class NewImage:
    """An image that a program sends.

    Attributes:
        source: how the program calls it; its answer repeats that.
        problem: a status of `ImageCreateStatus`, of one that could not be taken at all.
    """

    source: str
    incoming: Incoming | None = None
    problem: str = ""
    tags: list[UUID] = field(default_factory=list)
    regions: list[Region] = field(default_factory=list)
    staged: StagedImage | None = None
    image_id: str | None = None
    # Where the source is no name of a file.
    filename: str = ""


def regions_of(rows: Any) -> list[Region]:
    """Raises `Refused`: something is no box."""
    if rows is None:
        return []
    try:
        regions = [Region(UUID(str(row["tagid"])), *(float(row[edge]) for edge in EDGES)) for row in rows]
    except (KeyError, TypeError, ValueError) as error:
        detail = "A region has tagId, and left, top, width and height from 0 to 1."
        raise Refused("BadRequestImageRegions", detail) from error
    for region in regions:
        if not all(math.isfinite(getattr(region, edge)) for edge in EDGES):
            raise Refused("BadRequestImageRegions", "An edge of a region is no number.")
    return regions


def tags_and_regions(entry: Mapping[str, Any], tags: Sequence[UUID]) -> dict[str, Any]:
    """Those of an entry of a batch, with the tags of the whole batch."""
    own = ids_of(entry.get("tagids"), MOST_TAGS, "tagIds")
    return {"tags": list(dict.fromkeys([*own, *tags])), "regions": regions_of(entry.get("regions"))}


def create_images(*, project: Project, user: User, images: Sequence[NewImage]) -> list[str]:
    """Add the images that can be added, and say of each what became of it; `image_id` is set of those that are there.

    What is wrong with one does not keep others out. Raises `LimitReached`.
    """
    labels, negative = Label.objects.filter(project=project).in_bulk(), negative_tags(project)
    with contextlib.ExitStack() as cleanup:
        for image in images:
            _stage(image, labels, negative, project.kind)
            if image.staged is not None:
                cleanup.callback(image.staged.incoming.discard)
        staged = [image for image in images if image.staged is not None]
        outcomes = add_images(
            dataset=ensure_dataset(project),
            items=[image.staged for image in staged if image.staged is not None],
            user=user,
            source=SOURCE,
            origin=Origin.HUMAN,
        )
    statuses = {}
    for image, outcome in zip(staged, outcomes, strict=True):
        image.image_id = outcome.image_id
        statuses[id(image)] = "OK" if outcome.kind == "created" else "OKDuplicate"
    return [statuses.get(id(image)) or image.problem or "ErrorUnknown" for image in images]


def _stage(image: NewImage, labels: Mapping[UUID, Label], negative: set[UUID], task: Task) -> None:
    """Look at the file and at what is said of it; sets `staged`, or `problem`."""
    if image.problem:
        return
    if image.incoming is None:
        image.problem = "ErrorImageFormat"
        return
    image.problem = _problem_of(image, labels, negative, task)
    if image.problem:
        return
    try:
        staged = stage_upload(image.incoming, image.filename or image.source)
    except ImageError as error:
        image.problem = STATUSES.get(error.code, "ErrorImageFormat")
        return
    if image.source in ("", UNNAMED):
        staged.filename = f"{staged.incoming.sha256[:12]}.{staged.format.lower()}"
    if task.has_boxes:
        boxes = [(labels[region.tag], region.box(staged.width, staged.height)) for region in image.regions]
        staged.boxes = [(label, box) for label, box in boxes if box is not None]
    elif task.has_single_labels:
        staged.label = labels[image.tags[0]] if image.tags else None
    else:
        staged.boxes = [(labels[tag], None) for tag in image.tags]
    image.staged = staged


def _problem_of(image: NewImage, labels: Mapping[UUID, Label], negative: set[UUID], task: Task) -> str:
    if not {*image.tags, *(region.tag for region in image.regions)} <= set(labels):
        return "ErrorInvalidTag"
    if task.has_single_labels and len(image.tags) > 1:
        return "ErrorTagLimitExceed"
    if task is Task.MULTILABEL and is_mixture(image.tags, negative):
        return "ErrorNegativeAndRegularTagOnSameImage"
    return "ErrorRegionLimitExceed" if len(image.regions) > MOST_OF_AN_IMAGE else ""
