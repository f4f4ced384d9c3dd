"""What lists of images are narrowed by most, as one small number an image: two comparisons answer for all of it."""

from __future__ import annotations

from dataclasses import dataclass

from datasets.models import Origin, Split

SPLITS = (None, Split.TRAIN.value, Split.VALIDATION.value, Split.TEST.value)
FORMATS = ("", "JPEG", "MPO", "PNG", "WEBP", "BMP", "GIF", "TIFF", "HEIF", "AVIF")
ORIGINS = (Origin.HUMAN.value, Origin.IMPORTED.value, Origin.MODEL.value)
OTHER = "other"
# As filters and counts name them.
SPLIT_NAMES = [*filter(None, SPLITS[1:]), "none"]
ORIGIN_NAMES = [*ORIGINS, "none"]
FORMAT_NAMES = [*filter(None, FORMATS), OTHER]

SPLIT_MASK = 0b11
ANNOTATED, REVIEWED, SUGGESTED = 1 << 2, 1 << 3, 1 << 4
ORIGIN_SHIFT, FORMAT_SHIFT = 5, 8
ORIGIN_BITS = {name: 1 << (ORIGIN_SHIFT + place) for place, name in enumerate(ORIGINS)}
ORIGIN_MASK = sum(ORIGIN_BITS.values())
FORMAT_MASK = 0b1111 << FORMAT_SHIFT


def code_of(
    *, split: str | None, annotated: bool, reviewed: bool, suggested: bool, origins: set[str], image_format: str
) -> int:
    code = SPLITS.index(split)
    code |= ANNOTATED * annotated | REVIEWED * reviewed | SUGGESTED * suggested
    code |= sum(ORIGIN_BITS[origin] for origin in origins)
    return code | _format_code(image_format)


def _format_code(name: str) -> int:
    return (FORMATS.index(name) if name in FORMATS else 0) << FORMAT_SHIFT


def split_of(code: int) -> str:
    return SPLITS[code & SPLIT_MASK] or "none"


def format_of(code: int) -> str:
    return FORMATS[(code & FORMAT_MASK) >> FORMAT_SHIFT] or OTHER


def origins_of(code: int) -> list[str]:
    return [name for name, bit in ORIGIN_BITS.items() if code & bit] or ["none"]


@dataclass(frozen=True)
class Pattern:
    """Which codes are wanted: those whose bits under `mask` are `value`. An empty one takes all."""

    mask: int = 0
    value: int = 0

    def takes(self, code: int) -> bool:
        return code & self.mask == self.value

    def __and__(self, other: Pattern) -> Pattern:
        """Both. They speak of different bits, or agree."""
        return Pattern(self.mask | other.mask, self.value | other.value)

    def without(self, mask: int) -> Pattern:
        """The same, whatever the bits under `mask` are."""
        return Pattern(self.mask & ~mask, self.value & ~mask)


def flag_pattern(bit: int, is_set: bool | None) -> Pattern:
    return Pattern() if is_set is None else Pattern(bit, bit * is_set)


def split_pattern(name: str | None) -> Pattern:
    """`none`: images without a split; None: all."""
    return Pattern() if not name else Pattern(SPLIT_MASK, SPLITS.index(None if name == "none" else name))


def origin_pattern(name: str | None) -> Pattern:
    """`none`: images without annotations; None: all."""
    if not name:
        return Pattern()
    return Pattern(ORIGIN_MASK, 0) if name == "none" else Pattern(ORIGIN_BITS[name], ORIGIN_BITS[name])


def format_pattern(name: str | None) -> Pattern:
    return Pattern() if not name else Pattern(FORMAT_MASK, 0 if name == OTHER else _format_code(name))
