"""Small pictures for lists: made in the background and on demand, kept beside the blobs, never the only copy."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import structlog
from django.conf import settings
from PIL import Image as PillowImage

from datasets.imaging.preprocessing import ImageError, decoded, open_image
from datasets.models import Image
from storage import services as storage
from storage.errors import BlobMissing
from storage.models import Blob

log = structlog.get_logger(__name__)

SIZES = (128, 512)
QUALITY = 82


def thumbnail_path(sha256: str, size: int) -> Path:
    return settings.THUMBNAIL_DIR / sha256[:2] / f"{sha256}-{size}.jpg"


def ensure_thumbnail(blob: Blob, size: int) -> Path:
    """The thumbnail whose longer side has at most `size` pixels; made now when it is not there."""
    path = thumbnail_path(blob.sha256, size)
    if not path.exists():
        make_thumbnails(blob)
    return path


def make_thumbnails(blob: Blob) -> None:
    """Both sizes from one decoding, each written beside its place and renamed.

    Raises:
        ImageError, BlobMissing.
    """
    largest = (max(SIZES), max(SIZES))
    with open_image(storage.path_of(blob)) as image, decoded(image, min_size=largest) as upright:
        upright.thumbnail(largest, PillowImage.Resampling.LANCZOS, reducing_gap=2.0)
        small = upright.copy()
    for size in sorted(SIZES, reverse=True):
        small.thumbnail((size, size), PillowImage.Resampling.LANCZOS, reducing_gap=2.0)
        path = thumbnail_path(blob.sha256, size)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{uuid.uuid4().hex}")
        small.save(temporary, "JPEG", quality=QUALITY)
        os.replace(temporary, path)


def make_missing_thumbnails(limit: int = 500) -> int:
    """Thumbnails of images that have none yet. Returns how many images were done."""
    waiting = list(Image.objects.filter(has_thumbnails=False).select_related("blob").order_by("id")[:limit])
    for image in waiting:
        try:
            ensure_thumbnail(image.blob, SIZES[0])
        except (ImageError, BlobMissing, OSError) as error:
            log.warning("thumbnail_failed", image=str(image.pk), error=str(error))
    Image.objects.filter(pk__in=[image.pk for image in waiting]).update(has_thumbnails=True)
    return len(waiting)
