"""From a file to what is known of it: looked at, hashed, and on its way into the store. Nothing is in the database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from django.conf import settings

from common.words import format_bytes
from datasets.models import Label, Video
from storage import services as storage
from storage.cache import Incoming
from storage.filenames import clean_filename
from vision.imaging import looking
from vision.imaging.location import without_location
from vision.imaging.looking import Facts
from vision.imaging.preprocessing import ImageError

CONTENT_TYPES = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "BMP": "image/bmp",
    "GIF": "image/gif",
    "TIFF": "image/tiff",
    "HEIF": "image/heic",
    "AVIF": "image/avif",
}

Box = tuple[float, float, float, float]
# What is known of a file that should be an image.
FactsOrError = Facts | ImageError
Inspect = Callable[[Sequence[bytes]], list[FactsOrError]]


@dataclass
class StagedImage:
    """An image that can be used, and its bytes on the way into the store."""

    incoming: Incoming
    filename: str
    width: int
    height: int
    format: str
    phash: str
    label: Label | None = None
    boxes: list[tuple[Label, Box | None]] = field(default_factory=list)  # None: one of several labels of the image
    is_reviewed: bool = False
    is_confirmed: bool = True  # False: annotations that a person has to look at, since others were not understood
    orientation: int = 1  # of the stored pixels, as EXIF counts it
    notes: tuple[tuple[str, str], ...] = ()  # what is odd about the file: code and sentence
    split: str | None = None
    group: str = ""
    video: Video | None = None
    frame_index: int | None = None
    frame_time: float | None = None
    linked_to: str = ""  # the object that has these bytes, when they stay where they are

    @property
    def content_type(self) -> str:
        return CONTENT_TYPES.get(self.format, "application/octet-stream")


def look_at(contents: Sequence[bytes]) -> list[FactsOrError]:
    """The facts of each image, or why it cannot be used."""
    return [_facts_or_error(content) for content in contents]


def _facts_or_error(content: bytes) -> FactsOrError:
    try:
        return looking.look_at(content)
    except ImageError as error:
        return error


def stage_image(content: bytes, filename: str, *, strip_location: bool = False) -> StagedImage:
    """Check an image held in memory and write it to the store's incoming folder.

    Raises:
        ImageError: with the code of the problem; nothing is left behind.
    """
    (examined,) = examine_contents([(content, filename)], strip_location=strip_location)
    if isinstance(examined, ImageError):
        raise examined
    return examined


def examine_contents(
    files: Sequence[tuple[bytes, str]], *, strip_location: bool = False, look: Inspect = look_at
) -> list[StagedImage | ImageError]:
    """As `stage_image`, for several images and their names, with what is wrong in the place of one that cannot
    be used.

    Args:
        look: decodes the images, here or in another process.
    """
    contents = [content for content, _ in files]
    seen = inspect(contents, look)
    if strip_location:
        contents, seen = _without_location(contents, seen, look)
    usable = [content for content, facts in zip(contents, seen, strict=True) if isinstance(facts, Facts)]
    incoming = iter(storage.receive_contents(usable))
    return [
        facts if isinstance(facts, ImageError) else _examined(next(incoming), filename, facts)
        for (_, filename), facts in zip(files, seen, strict=True)
    ]


def inspect(contents: Sequence[bytes], look: Inspect) -> list[FactsOrError]:
    """What `look` says of each image that is not too large as a file."""
    small = [content for content in contents if len(content) <= settings.MAX_IMAGE_BYTES]
    seen = iter(look(small) if small else ())
    return [next(seen) if len(content) <= settings.MAX_IMAGE_BYTES else too_large() for content in contents]


def _without_location(
    contents: list[bytes], seen: list[FactsOrError], look: Inspect
) -> tuple[list[bytes], list[FactsOrError]]:
    contents, seen = list(contents), list(seen)
    changed = []
    for index, facts in enumerate(seen):
        if isinstance(facts, ImageError):
            continue
        try:
            clean = without_location(contents[index])
        except ImageError as error:
            seen[index] = error
            continue
        if clean is not contents[index]:
            contents[index] = clean
            changed.append(index)
    for index, fresh in zip(changed, inspect([contents[index] for index in changed], look), strict=True):
        facts = seen[index]
        if isinstance(facts, Facts) and isinstance(fresh, Facts):
            fresh = replace(fresh, orientation=facts.orientation, notes=facts.notes)
        seen[index] = fresh
    return contents, seen


def stage_upload(incoming: Incoming, filename: str, *, strip_location: bool = False) -> StagedImage:
    """As `stage_image`, for a file that was received already."""
    if incoming.size > settings.MAX_IMAGE_BYTES:
        raise too_large()
    if strip_location:
        return stage_image(incoming.path.read_bytes(), filename, strip_location=True)
    return _examined(incoming, filename, looking.look_at(incoming.path))


def _examined(incoming: Incoming, filename: str, facts: Facts) -> StagedImage:
    return StagedImage(
        incoming,
        clean_filename(filename),
        facts.width,
        facts.height,
        facts.format,
        facts.phash,
        orientation=facts.orientation,
        notes=facts.notes,
    )


def too_large() -> ImageError:
    return ImageError("file_too_large", f"The file is larger than {format_bytes(settings.MAX_IMAGE_BYTES)}.")
