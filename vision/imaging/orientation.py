"""Which way up an image is, as its EXIF says."""

from __future__ import annotations

import os
from typing import BinaryIO

from PIL import Image

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

MAX_PNG_CHUNKS = 1_000_000

MAX_EXIF_BYTES = 1 << 20

EXIF_ORIENTATION = 0x0112

TRANSPOSED_ORIENTATIONS = (5, 6, 7, 8)

UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def upright_size(image: Image.Image) -> tuple[int, int]:
    """`(width, height)` of the image after its EXIF orientation is applied, from the header alone."""
    width, height = image.size
    if orientation_of(image) in TRANSPOSED_ORIENTATIONS:
        return height, width
    return width, height


def stored_orientation(image: Image.Image) -> int:
    """How the pixels of an opened image are stored, 1 to 8 as EXIF counts it, also where Pillow turns them itself."""
    if image.format == "TIFF":
        try:
            return int(getattr(image, "tag_v2", {}).get(EXIF_ORIENTATION, 1))
        except (TypeError, ValueError):
            return 1
    return orientation_of(image)


def exif_of(image: Image.Image) -> Image.Exif:
    """The EXIF data of an opened image. Unlike Pillow's `getexif()` this never decodes a PNG to look behind its pixels.

    May raise whatever damaged EXIF makes of its parser.
    """
    if image.format != "PNG" or "exif" in image.info or "Raw profile type exif" in image.info:
        return image.getexif()
    exif = Image.Exif()
    if late := _late_exif(getattr(image, "fp", None)):
        exif.load(late)
    return exif


def _late_exif(file: BinaryIO | None) -> bytes:
    """The `eXIf` chunk of a PNG, wherever it stands (W3C PNG, section 11.3.3.5); the file's position stays."""
    if file is None:
        return b""
    position = file.tell()
    try:
        file.seek(len(PNG_SIGNATURE))
        for _ in range(MAX_PNG_CHUNKS):
            head = file.read(8)
            if len(head) < 8:
                break
            length, kind = int.from_bytes(head[:4], "big"), head[4:]
            if kind == b"eXIf":
                return b"Exif\0\0" + file.read(min(length, MAX_EXIF_BYTES))
            file.seek(length + 4, os.SEEK_CUR)
        return b""
    finally:
        file.seek(position)


def orientation_of(image: Image.Image) -> int:
    """1 to 8, as EXIF counts them. `open_image` has looked it up: afterwards the file may be closed."""
    known = getattr(image, "known_orientation", None)
    return read_orientation(image) if known is None else known


def _is_turned_already(image: Image.Image) -> bool:
    """Newer versions of Pillow give a TIFF the size that it has when it is upright, before it is decoded."""
    tags = getattr(image, "tag_v2", None)
    return (
        image.format == "TIFF" and tags is not None and image.size == (tags.get(257), tags.get(256)) != image.size[::-1]
    )


def read_orientation(image: Image.Image) -> int:
    try:
        if _is_turned_already(image):
            return 1
        return int(exif_of(image).get(EXIF_ORIENTATION, 1))
    except Exception:  # damaged EXIF is common in the wild and no reason to lose the image
        return 1
