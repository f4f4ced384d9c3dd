"""Small images for lists: made in the background and on demand, kept beside the blobs, never the only copy."""

from __future__ import annotations

import errno
import os
import uuid
from io import BytesIO
from pathlib import Path

import structlog
from django.conf import settings
from PIL import Image as PillowImage

from datasets.models import Image
from storage import services as storage
from storage.errors import BlobMissing, InsufficientStorage
from storage.models import Blob
from vision.imaging.preprocessing import ImageError, decoded, open_image
from vision.imaging.thumbhash import thumbhash

log = structlog.get_logger(__name__)

SIZES = (128, 256, 512)
JPEG, WEBP = "jpeg", "webp"
FORMATS = (JPEG, WEBP)
SUFFIXES = {JPEG: "jpg", WEBP: "webp"}
OPTIONS: dict[str, dict] = {JPEG: {"quality": 82}, WEBP: {"quality": 78, "method": 2}}


def thumbnail_path(sha256: str, size: int, kind: str = JPEG) -> Path:
    return settings.THUMBNAIL_DIR / sha256[:2] / f"{sha256}-{size}.{SUFFIXES[kind]}"


def ensure_thumbnail(blob: Blob, size: int, kind: str = JPEG) -> Path:
    """The thumbnail whose longer side has at most `size` pixels; made now when it is not there.

    Raises:
        ImageError, BlobMissing.
    """
    path = thumbnail_path(blob.sha256, size, kind)
    if not path.exists():
        largest = thumbnail_path(blob.sha256, max(SIZES))
        if largest.exists() and path != largest:
            _make_smaller(largest, path, size, kind)
        else:
            make_thumbnails(blob)
            return ensure_thumbnail(blob, size, kind)
    return path


def make_thumbnails(blob: Blob) -> None:
    """All sizes from one decoding, each written beside its place and renamed; as JPEG, others are made of these.

    Raises:
        ImageError, BlobMissing.
    """
    largest = (max(SIZES), max(SIZES))
    with storage.pinned(blob) as source, open_image(source) as image, decoded(image, min_size=largest) as upright:
        upright.thumbnail(largest, PillowImage.Resampling.LANCZOS, reducing_gap=2.0)
        small = upright.copy()
    for size in sorted(SIZES, reverse=True):
        small.thumbnail((size, size), PillowImage.Resampling.LANCZOS, reducing_gap=2.0)
        write_image(small, thumbnail_path(blob.sha256, size), JPEG)


def _make_smaller(source: Path, path: Path, size: int, kind: str) -> None:
    with PillowImage.open(source) as image:
        image.thumbnail((size, size), PillowImage.Resampling.LANCZOS, reducing_gap=2.0)
        write_image(image, path, kind)


def write_image(image: PillowImage.Image, path: Path, kind: str) -> None:
    """So that a reader meanwhile has a whole file, or none. Nothing is left of one that a full disk does not take."""
    _require_space()
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{uuid.uuid4().hex}")
    try:
        image.save(temporary, kind.upper(), **OPTIONS[kind])
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _require_space() -> None:
    """What can be made again takes none of the space that is kept free for what people do. Raises `OSError`."""
    try:
        storage.ensure_free_space(0)
    except InsufficientStorage as error:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error


def render_figure(blob: Blob, size: int, kind: str) -> bytes:
    """The upright image, at most `size` pixels wide and high, made for one answer: where there is no space to keep it.

    Raises:
        ImageError, BlobMissing.
    """
    content = BytesIO()
    with storage.pinned(blob) as source, open_image(source) as image, decoded(image, min_size=(size, size)) as upright:
        upright.thumbnail((size, size), PillowImage.Resampling.LANCZOS, reducing_gap=2.0)
        upright.save(content, kind.upper(), **OPTIONS[kind])
    return content.getvalue()


def make_missing_thumbnails(limit: int = 500) -> int:
    """Thumbnails of images that have none yet, and their hashes. Returns how many images were done."""
    waiting = list(Image.objects.filter(has_thumbnails=False).select_related("blob").order_by("id")[:limit])
    for image in waiting:
        try:
            for size in SIZES:
                path = ensure_thumbnail(image.blob, size)
            image.thumbhash = _hash_of(path)
        except (ImageError, BlobMissing, OSError) as error:
            log.warning("thumbnail_failed", image=str(image.pk), error=str(error))
        image.has_thumbnails = True
    # Of those alone that are still there.
    Image.objects.bulk_update(waiting, ["has_thumbnails", "thumbhash"], batch_size=100)
    return len(waiting)


def _hash_of(path: Path) -> str:
    with PillowImage.open(path) as image:
        return thumbhash(image)


def accepts_webp(header: str) -> bool:
    """Whether an Accept header names WebP; one that takes anything (`*/*`) is of a tool that may know JPEG only."""
    parts = (part.partition(";") for part in header.split(","))
    return any(
        name.strip() == "image/webp" and "q=0" not in rest.replace(" ", "").split(";") for name, _, rest in parts
    )
