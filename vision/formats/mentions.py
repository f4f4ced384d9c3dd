"""Whether a text that nobody reads speaks of images that are here: then the names of their folders are no labels."""

from __future__ import annotations

import re
from itertools import islice

from vision.formats.base import IMAGE_SUFFIXES, ending_of
from vision.formats.names import ImageIndex

MOST_NAMES = 1000
SAMPLE = 50
STRING = re.compile(r'"([^"\n]{1,200})"')
_ENDING = rf"(?:{'|'.join(suffix[1:] for suffix in IMAGE_SUFFIXES)})(?![A-Za-z0-9])"
# A word that ends as images do, or all that stands between quotes.
WORD = re.compile(rf"[^\s\"'<>|,;=()\[\]{{}}/\\]{{1,200}}\.{_ENDING}", re.IGNORECASE)
QUOTED = re.compile(rf"[\"'>/]([^\"'<>/\n]{{1,200}}\.{_ENDING})[\"'<?]", re.IGNORECASE)

# Keys that only annotations have; some name their images by numbers.
KEYS = re.compile(
    r'"(?:bbox(?:es)?|boxes|bounding_?box(?:es)?|annotations?|image_?id|segmentation|polygons?|shapes|regions|keypoints|'
    r'predictions|category_id|class_id)"\s*:', re.IGNORECASE
)  # fmt: skip


def mentioned(index: ImageIndex, text: str) -> bool:
    """Whether an image is named in it, or something that is said of images alone."""
    if KEYS.search(text):
        return True
    words = (match.group(0) for match in islice(WORD.finditer(text), MOST_NAMES))
    quoted = (match.group(1) for match in islice(QUOTED.finditer(text), MOST_NAMES))
    return any(map(index.has_stem, words)) or any(map(index.has_stem, quoted)) or names_most(index, text)


def names_most(index: ImageIndex, text: str) -> bool:
    """Whether most of the first images are named without their endings: `{"labels": {"000001": 0, …}}`."""
    names = set(STRING.findall(text))
    sample = [image.rpartition("/")[2] for image in islice(index.images, SAMPLE)]
    return sum(name.removesuffix(ending_of(name)) in names for name in sample) * 2 > len(sample)


def is_named_after_image(index: ImageIndex, name: str) -> bool:
    """`a.json` or `a.jpg.json` of `a.jpg`."""
    base = name.rpartition("/")[2]
    return index.has_stem(base) or index.has_stem(base.removesuffix(ending_of(base)))
