"""One way from a file to the pixels a model sees, for training, evaluation and prediction alike."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

try:  # HEIC is optional on platforms without a wheel
    import pi_heif

    pi_heif.register_heif_opener()
except ImportError:  # pragma: no cover - depends on the platform
    pi_heif = None

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF") + (("HEIF",) if pi_heif else ())
MAX_PIXELS = int(os.environ.get("MLSTUDIO_MAX_IMAGE_PIXELS", 100_000_000))
MAX_ASPECT_RATIO = 200

# Our own check runs on the header before any pixel is decoded and gives a better error.
Image.MAX_IMAGE_PIXELS = None

EXIF_ORIENTATION = 0x0112
TRANSPOSED_ORIENTATIONS = (5, 6, 7, 8)


class ImageError(ValueError):
    """A file that cannot be used as an image. `code` is stable, the text says what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def open_image(source: str | Path | bytes | BinaryIO) -> Image.Image:
    """Open an image by its content and check its header; no pixel is decoded.

    Raises:
        ImageError: `empty_file`, `not_an_image`, `unsupported_format`, `too_many_pixels`, `extreme_aspect_ratio`.
    """
    if isinstance(source, bytes):
        if not source:
            raise ImageError("empty_file", "The file is empty (0 bytes).")
        source = io.BytesIO(source)
    try:
        image = Image.open(source, formats=FORMATS)
    except UnidentifiedImageError as error:
        if _is_empty(source):
            raise ImageError("empty_file", "The file is empty (0 bytes).") from error
        raise ImageError(
            "not_an_image",
            "The file is not an image that can be read. Use JPEG, PNG, WebP, BMP, GIF, TIFF or HEIC.",
        ) from error
    except FileNotFoundError:
        raise
    except Exception as error:  # Pillow's plugins raise many types on hostile headers
        raise ImageError("corrupted_image", f"The image header cannot be read ({type(error).__name__}).") from error
    width, height = image.size
    if width < 1 or height < 1:
        raise ImageError("corrupted_image", "The image has no pixels.")
    if width * height > MAX_PIXELS:
        raise ImageError(
            "too_many_pixels",
            f"The image has {width} x {height} pixels; at most {MAX_PIXELS:,} are accepted. Scale it down first.",
        )
    if max(width, height) > MAX_ASPECT_RATIO * min(width, height):
        raise ImageError(
            "extreme_aspect_ratio",
            f"The image has {width} x {height} pixels; one side may be at most {MAX_ASPECT_RATIO} times the other.",
        )
    return image


def upright_size(image: Image.Image) -> tuple[int, int]:
    """`(width, height)` of the image after its EXIF orientation is applied, from the header alone."""
    width, height = image.size
    if _orientation(image) in TRANSPOSED_ORIENTATIONS:
        return height, width
    return width, height


def decode_upright(image: Image.Image, min_size: tuple[int, int] | None = None) -> Image.Image:
    """Decode to upright RGB. Every byte of pixel data is read, so a truncated file is found.

    Args:
        image: an image from `open_image`, not decoded yet.
        min_size: `(width, height)`; a JPEG is decoded at the smallest of 1/1, 1/2, 1/4, 1/8 that is not below
            it, which saves time and memory.

    Raises:
        ImageError: `corrupted_image`.
    """
    if min_size is not None and image.format in ("JPEG", "MPO"):
        wanted = min_size
        if _orientation(image) in TRANSPOSED_ORIENTATIONS:
            wanted = (min_size[1], min_size[0])
        image.draft("RGB", wanted)
    try:
        image.load()
        upright = ImageOps.exif_transpose(image)
        if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
            return _on_white(upright.convert("RGBA"))
        if upright.mode in ("I;16", "I;16B", "I;16L", "I", "F"):
            return _scaled_to_8_bit(upright)
        return upright.convert("RGB")
    except MemoryError:
        raise
    except Exception as error:  # truncated or hostile pixel data: the type depends on the plugin
        raise ImageError(
            "corrupted_image", f"The image is truncated or damaged and cannot be decoded ({error})."
        ) from error


def load_pixels(source: str | Path | bytes | BinaryIO, image_size: tuple[int, int]) -> np.ndarray:
    """Read one image as a model sees it.

    Args:
        source: path, bytes or binary file.
        image_size: `(height, width)` of the model's input.

    Returns:
        `(height, width, 3)` uint8 RGB, upright, scaled with antialiased bilinear interpolation without keeping
        the aspect ratio. Rescaling of values belongs to the model's graph.

    Raises:
        ImageError: see `open_image` and `decode_upright`.
    """
    return to_pixels(open_image(source), image_size)


def to_pixels(image: Image.Image, image_size: tuple[int, int]) -> np.ndarray:
    """As `load_pixels`, for an image from `open_image` whose size the caller wanted to know first."""
    height, width = image_size
    upright = decode_upright(image, min_size=(width, height))
    if upright.size != (width, height):
        upright = upright.resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(upright, dtype=np.uint8)


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(EXIF_ORIENTATION, 1))
    except Exception:  # damaged EXIF is common in the wild and no reason to lose the picture
        return 1


def _on_white(image: Image.Image) -> Image.Image:
    background = Image.new("RGB", image.size, (255, 255, 255))
    background.paste(image, mask=image.getchannel("A"))
    return background


def _scaled_to_8_bit(image: Image.Image) -> Image.Image:
    values = np.asarray(image, dtype=np.float32)
    top = 65535.0 if image.mode.startswith("I") else float(np.nanmax(values, initial=0.0))
    if top <= 1.0 and image.mode == "F":
        top = 1.0
    scaled = np.clip(np.nan_to_num(values) * (255.0 / max(top, 1e-9)), 0, 255).astype(np.uint8)
    return Image.fromarray(scaled).convert("RGB")


def _is_empty(source: str | Path | BinaryIO) -> bool:
    if isinstance(source, (str, Path)):
        return os.path.getsize(source) == 0
    position = source.tell()
    source.seek(0, os.SEEK_END)
    size = source.tell()
    source.seek(position)
    return size == 0
