"""Boxes drawn on their image, readable at any size."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Union

from PIL import Image, ImageColor, ImageDraw, ImageFont

AnyFont = Union[ImageFont.ImageFont, ImageFont.FreeTypeFont]

MIN_TEXT_PIXELS, MAX_TEXT_PIXELS = 11, 60
TEXT_SHARE, LINE_SHARE = 1 / 32, 1 / 250
GREY = "#808080"
FORMATS = {"png": "PNG", "jpeg": "JPEG"}


def draw_boxes(image: Image.Image, boxes: Sequence[dict], colors: Mapping[str, str], kind: str) -> bytes:
    """The image with its boxes, each with its label and score, as a file.

    Args:
        image: upright RGB.
        boxes: `{"label", "score", "box": [x_min, y_min, x_max, y_max]}` in its pixels, the best first.
        colors: `#rrggbb` of each label.
        kind: `png` or `jpeg`.
    """
    target = io.BytesIO()
    with_boxes(image, boxes, colors).save(target, FORMATS[kind], **({"quality": 90} if kind == "jpeg" else {}))
    return target.getvalue()


def with_boxes(image: Image.Image, boxes: Sequence[dict], colors: Mapping[str, str]) -> Image.Image:
    """A copy of the image with its boxes; a box with a `track` shows its number."""
    drawn = image.copy()
    draw = ImageDraw.Draw(drawn)
    side = min(drawn.size)
    text_pixels = int(min(MAX_TEXT_PIXELS, max(MIN_TEXT_PIXELS, side * TEXT_SHARE)))
    line = max(1, round(side * LINE_SHARE))
    font = _font(text_pixels)
    for box in reversed(boxes):  # the highest score on top
        color = colors.get(box["label"], GREY)
        draw.rectangle(box["box"], outline=color, width=line)
    for box in reversed(boxes):
        _caption(draw, box, colors.get(box["label"], GREY), font, drawn.size)
    return drawn


def with_label(image: Image.Image, labels: Sequence[dict], colors: Mapping[str, str]) -> Image.Image:
    """A copy of the image with its best label in the upper left corner."""
    if not labels:
        return image.copy()
    return with_boxes(image, [{**labels[0], "box": [0, 0, 0, 0]}], colors)


def _caption(draw: ImageDraw.ImageDraw, one: dict, color: str, font: AnyFont, size: tuple[int, int]) -> None:
    """Above the box, or inside where there is no room; never beyond the image."""
    track = f" #{one['track']}" if one.get("track") else ""
    text = f"{one['label']}{track} {one['score']:.2f}"
    left, top, right, bottom = draw.textbbox((0, 0), text, font=font)
    width, height = right - left + 4, bottom - top + 4
    x = max(0, min(one["box"][0], size[0] - width))
    y = one["box"][1] - height if one["box"][1] >= height else one["box"][1]
    y = max(0, min(y, size[1] - height))
    draw.rectangle((x, y, x + width, y + height), fill=color)
    draw.text((x + 2 - left, y + 2 - top), text, font=font, fill=_readable_on(color))


def _readable_on(color: str) -> str:
    """Black or white, whichever stands out more (ITU-R BT.601 luma)."""
    red, green, blue = ImageColor.getrgb(color)[:3]
    return "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else "white"


@lru_cache(maxsize=8)
def _font(pixels: int) -> AnyFont:
    return ImageFont.load_default(pixels)
