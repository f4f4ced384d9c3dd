"""One way from a file to the pixels a model sees, for training, evaluation and prediction alike."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, PngImagePlugin, UnidentifiedImageError, features

from .budget import DECODING
from .depth import SIXTEEN_BIT, scaled_to_8_bit, shown_range
from .orientation import TRANSPOSED_ORIENTATIONS, UPRIGHT, orientation_of, read_orientation

try:  # HEIC is optional on platforms without a wheel
    import pi_heif

    pi_heif.register_heif_opener()
except ImportError:  # pragma: no cover - depends on the platform
    pi_heif = None

FORMATS = (
    ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
    + (("HEIF",) if pi_heif else ())
    + (("AVIF",) if features.check("avif") else ())
)
MAX_PIXELS = int(os.environ.get("MLSTUDIO_MAX_IMAGE_PIXELS") or 40_000_000)
MAX_ASPECT_RATIO = 200

# Our own check runs on the header before any pixel is decoded and gives a better error.
Image.MAX_IMAGE_PIXELS = None


# Bytes a pixel while an image is decoded: the decoded image and its RGB copy; some decoders have frames of their own.
BYTES_A_PIXEL = {"WEBP": 16, "HEIF": 16, "AVIF": 16, "GIF": 12}
OTHER_BYTES_A_PIXEL = 8
# A progressive JPEG's coefficients are all held, at whatever size it is decoded.
PROGRESSIVE_BYTES_A_PIXEL = 6
# Larger images are converted in strips, so that no step has a second whole image beside the two that are counted.
STRIP_PIXELS = 1 << 20
JPEG_END = b"\xff\xd9"
MORE_BITS = b"\x55\xaa\x33\xcc\x0f\xf0\x5a\xa5"


class ImageError(ValueError):
    """A file that cannot be used as an image. `code` is stable, the text says what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def _without_large_texts(read: Callable[[Any, int, int], bytes]) -> Callable[[Any, int, int], bytes]:
    """Texts in a PNG, such as an editing history, say nothing about its pixels: large ones are skipped."""

    def chunk(stream: Any, position: int, length: int) -> bytes:
        try:
            return read(stream, position, length)
        except ValueError:  # larger than Pillow unpacks
            stream.fp.seek(position)
            return stream.fp.read(length)

    return chunk


for _name in ("chunk_tEXt", "chunk_zTXt", "chunk_iTXt", "chunk_iCCP"):
    setattr(PngImagePlugin.PngStream, _name, _without_large_texts(getattr(PngImagePlugin.PngStream, _name)))


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
            "The file is not an image that can be read. Use JPEG, PNG, WebP, BMP, GIF, TIFF, HEIC or AVIF.",
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
            f"The image has {width} x {height} pixels; at most {MAX_PIXELS:,} are accepted. Scale it down first, "
            "or ask the operator for more (MLSTUDIO_MAX_IMAGE_PIXELS).",
        )
    if max(width, height) > MAX_ASPECT_RATIO * min(width, height):
        raise ImageError(
            "extreme_aspect_ratio",
            f"The image has {width} x {height} pixels; one side may be at most {MAX_ASPECT_RATIO} times the other.",
        )
    image.known_orientation = read_orientation(image)  # type: ignore[attr-defined]
    return image


@contextmanager
def decoded(
    image: Image.Image, min_size: tuple[int, int] | None = None, budget: Any = DECODING, *, is_grey: bool = False
) -> Iterator[Image.Image]:
    """The image as `decode_upright` gives it, within the memory that all decoding of this process shares.

    Waits until there is room. When the block ends, so do the pixels: what is needed of them is taken before.

    Args:
        budget: has `hold(size_bytes)`, a context manager that waits for room.
        is_grey: its colours are not needed. A JPEG is decoded without them, which is quicker; it is grey then, not RGB.

    Raises:
        ImageError: `corrupted_image`.
    """
    image.is_grey = is_grey  # type: ignore[attr-defined]
    draft(image, min_size)
    is_ours = bool(getattr(image, "tile", None))  # not decoded yet: nobody else looks at its pixels
    with budget.hold(decoding_bytes(image)):
        upright = image
        try:
            upright = decode_upright(image, min_size)
            yield upright
        finally:
            # Callers hold both for a while yet; the next image is let in now.
            if is_ours:
                _forget_pixels(image)
            if upright is not image:
                _forget_pixels(upright)


def _forget_pixels(image: Image.Image) -> None:
    with suppress(ValueError, AttributeError):  # a mode that cannot be made: its pixels go with the image
        image.im = Image.new(image.mode, (1, 1)).im


def decoding_bytes(image: Image.Image) -> int:
    """About how much memory it takes to decode an opened image, at the size that `draft` chose."""
    pixels = image.width * image.height
    size = pixels * BYTES_A_PIXEL.get(image.format or "", OTHER_BYTES_A_PIXEL)
    if orientation_of(image) in UPRIGHT:
        size += 4 * pixels
    if image.info.get("progressive") or image.info.get("progression"):
        width, height = getattr(image, "full_size", image.size)
        size += PROGRESSIVE_BYTES_A_PIXEL * width * height
    return size


def draft(image: Image.Image, min_size: tuple[int, int] | None) -> None:
    """Let a JPEG be decoded at the smallest of 1/1, 1/2, 1/4, 1/8 that is not below `min_size` `(width, height)`."""
    if min_size is None or image.format not in ("JPEG", "MPO"):
        return
    image.full_size = getattr(image, "full_size", image.size)  # type: ignore[attr-defined]
    is_transposed = orientation_of(image) in TRANSPOSED_ORIENTATIONS
    image.draft("L" if _may_be_grey(image) else "RGB", (min_size[1], min_size[0]) if is_transposed else min_size)


def _may_be_grey(image: Image.Image) -> bool:
    return getattr(image, "is_grey", False) and image.format in ("JPEG", "MPO")


def decode_upright(image: Image.Image, min_size: tuple[int, int] | None = None) -> Image.Image:
    """Decode to upright RGB. Every byte of pixel data is read, so a truncated file is found.

    Args:
        image: an image from `open_image`, not decoded yet.
        min_size: `(width, height)`; a JPEG is decoded at the smallest of 1/1, 1/2, 1/4, 1/8 that is not below
            it, which saves time and memory.

    Raises:
        ImageError: `corrupted_image`.
    """
    draft(image, min_size)
    try:
        image = _loaded(image, min_size)
        if image.format == "TIFF":  # Pillow has turned it itself, and its size with it
            image.known_orientation = read_orientation(image)  # type: ignore[attr-defined]
        orientation = orientation_of(image)
        rgb = image if image.mode == "L" and _may_be_grey(image) else _to_rgb(image)
        return rgb.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else rgb
    except MemoryError:
        raise
    except Exception as error:  # truncated or hostile pixel data: the type depends on the plugin
        raise ImageError(
            "corrupted_image", f"The image is truncated or damaged and cannot be decoded ({error})."
        ) from error


def _loaded(image: Image.Image, min_size: tuple[int, int] | None) -> Image.Image:
    """The image with its pixels. A JPEG that lacks nothing but the mark at its end is whole."""
    file = getattr(image, "fp", None)
    try:
        image.load()
        return image
    except OSError:
        if image.format not in ("JPEG", "MPO") or file is None or file.closed:
            raise
        file.seek(0)
        content = file.read()
        ended = _ended(content, image, min_size)
        # A decoder that needs no more bits does not look at these; one that does would make pixels of them.
        if ended.tobytes() != _ended(content + MORE_BITS, image, min_size).tobytes():
            raise
        image.lacks_end = True  # type: ignore[attr-defined]
        return ended


def _ended(content: bytes, image: Image.Image, min_size: tuple[int, int] | None) -> Image.Image:
    ended = Image.open(io.BytesIO(content + JPEG_END), formats=("JPEG",))
    ended.known_orientation = orientation_of(image)  # type: ignore[attr-defined]
    draft(ended, min_size)
    ended.load()
    return ended


# Files of several images: not those of phones, whose others are the first one in another form.
HAS_FRAMES = ("GIF", "WEBP", "PNG", "TIFF", "AVIF")


def oddities(image: Image.Image) -> Iterator[tuple[str, str]]:
    """`(code, sentence)` for what was done to the pixels of a decoded image that its owner should know."""
    if (shown := getattr(image, "shown_range", None)) is not None:
        low, high = (f"{value:g}" for value in shown)
        yield (
            "range_scaled",
            f"The image has more than 8 bits and uses few of them: its values from {low} to {high} are shown as black "
            "to white.",
        )
    if getattr(image, "lacks_end", False):
        yield "end_missing", "The mark at the end of the JPEG is missing; all of its pixels are there."
    if image.format in HAS_FRAMES and getattr(image, "is_animated", False):
        yield (
            "first_frame",
            "The file has several images, such as frames or pages; the first was taken.",
        )


def _to_rgb(image: Image.Image) -> Image.Image:
    """The image as RGB: what is transparent on white, more bits than 8 and floats scaled to 8."""
    is_deep = image.mode in SIXTEEN_BIT
    has_alpha = image.mode in ("RGBA", "LA", "PA") or ("transparency" in image.info and not is_deep)
    if image.mode == "RGB" and not has_alpha:
        return image
    rows = max(1, STRIP_PIXELS // image.width)
    boxes = [(0, y, image.width, min(y + rows, image.height)) for y in range(0, image.height, rows)]
    low, high = shown_range(image, boxes) if is_deep else (0.0, 255.0)
    rgb = Image.new("RGB", image.size)
    for box in boxes:
        strip = image.crop(box)
        if has_alpha:
            strip = _on_white(strip.convert("RGBA"))
        elif is_deep:
            strip = scaled_to_8_bit(strip, low, high)
        else:
            strip = strip.convert("RGB")
        rgb.paste(strip, box[:2])
    return rgb


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
    with decoded(image, min_size=(width, height)) as upright:
        if upright.size != (width, height):
            upright = upright.resize((width, height), Image.Resampling.BILINEAR)
        return np.asarray(upright, dtype=np.uint8)


def _on_white(image: Image.Image) -> Image.Image:
    background = Image.new("RGB", image.size, (255, 255, 255))
    background.paste(image, mask=image.getchannel("A"))
    return background


def _is_empty(source: str | Path | BinaryIO) -> bool:
    if isinstance(source, (str, Path)):
        return os.path.getsize(source) == 0
    position = source.tell()
    source.seek(0, os.SEEK_END)
    size = source.tell()
    source.seek(position)
    return size == 0
