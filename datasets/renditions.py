"""Images as a browser shows them, whatever they are stored as: made on demand and kept for a while."""

from __future__ import annotations

import os
import time
from pathlib import Path

from django.conf import settings
from PIL import Image as PillowImage

from datasets.thumbnails import JPEG, SUFFIXES, write_image
from storage import services as storage
from storage.models import Blob
from vision.imaging.preprocessing import decoded, open_image

SIZES = (1024, 2048, 4096)


def rendition_path(sha256: str, size: int, kind: str) -> Path:
    return settings.THUMBNAIL_DIR / "renditions" / sha256[:2] / f"{sha256}-{size}.{SUFFIXES[kind]}"


def ensure_rendition(blob: Blob, size: int, kind: str = JPEG) -> Path:
    """The upright image, scaled down where a side is longer than `size` pixels.

    Raises:
        ImageError, BlobMissing.
    """
    path = rendition_path(blob.sha256, size, kind)
    try:
        os.utime(path)  # it is needed: see `delete_old_renditions`
    except FileNotFoundError:
        with (
            storage.pinned(blob) as source,
            open_image(source) as image,
            decoded(image, min_size=(size, size)) as upright,
        ):
            upright.thumbnail((size, size), PillowImage.Resampling.LANCZOS, reducing_gap=2.0)
            write_image(upright, path, kind)
    return path


def delete_old_renditions() -> int:
    """Delete those that nobody asked for in a while. Returns how many."""
    oldest = time.time() - settings.RENDITION_DAYS * 86_400
    folder = settings.THUMBNAIL_DIR / "renditions"
    old = [path for path in folder.glob("*/*") if path.is_file() and path.stat().st_mtime < oldest]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)
